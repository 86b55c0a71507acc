//! What is stored of one pod.

use std::sync::Arc;
use std::time::Duration;

use kubevitals_proto::labels::Labels;
use kubevitals_proto::selector::LabelSelector;
use kubevitals_proto::time::Timestamp;

use super::config::Keep;
use super::demand::Names;
use super::explain::LastScrape;
use super::history::History;
use super::name::{Quantile, Reading, readings};
use super::series::{Family, Kind};
use super::{Absence, Series, Value};
use crate::clock::Age;
use crate::cluster::PodKey;

/// Values are served for this many halves of an interval after a scrape.
const FRESH_HALVES: u32 = 5;

/// The most exporters that may name one pod.
const MAX_EXPORTERS: usize = 4;

/// The quantiles that are listed of a histogram.
const LISTED: [Quantile; 4] = [Quantile(500), Quantile(900), Quantile(950), Quantile(990)];

/// What is stored of one pod.
#[derive(Debug, Default)]
pub(super) struct PodState {
    /// Its own families, if it is scraped, and those of exporters that name it.
    sources: Vec<Source>,
    pub(super) last: Option<LastScrape>,
    history: History,
    /// The pods that it names, if it is an exporter.
    pub(super) named: Vec<PodKey>,
    /// What the totals of the namespace and the server contain of it.
    pub(super) counted: Usage,
    /// Whether it was forgotten. A scrape that ends at that time may still have it, and nothing of it counts.
    pub(super) removed: bool,
}

/// The memory of one pod, a namespace or all.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Usage {
    pub(super) series: usize,
    pub(super) bytes: usize,
}

/// The families of one pod from one page.
#[derive(Debug)]
pub(super) struct Source {
    /// The exporter; none for the pod itself.
    pub(super) exporter: Option<PodKey>,
    /// Sorted by name.
    pub(super) families: Vec<Family>,
    /// The last successful scrape.
    pub(super) scraped: Age,
    /// The time between two scrapes; none for values that do not grow old.
    pub(super) interval: Option<Duration>,
    /// Whether a limit refused series of the last page.
    pub(super) is_cut: bool,
}

impl Source {
    fn is_fresh(&self, now: Age) -> bool {
        self.interval
            .is_none_or(|interval| now.since(self.scraped) <= interval * FRESH_HALVES / 2)
    }

    fn family(&self, name: &str) -> Option<&Family> {
        let at = self
            .families
            .binary_search_by(|it| (*it.name).cmp(name))
            .ok()?;
        self.families.get(at)
    }
}

impl PodState {
    /// The families from an exporter, or the pod's own, to be replaced by those of a new scrape. None if too many exporters
    /// name the pod.
    pub(super) fn source(
        &mut self,
        exporter: Option<&PodKey>,
        now: Age,
        interval: Option<Duration>,
    ) -> Option<&mut Source> {
        let found = self
            .sources
            .iter()
            .position(|it| it.exporter.as_ref() == exporter);
        let at = match found {
            Some(at) => at,
            None if self.sources.len() > MAX_EXPORTERS => return None,
            None => {
                self.sources.push(Source {
                    exporter: exporter.cloned(),
                    families: Vec::new(),
                    scraped: now,
                    interval,
                    is_cut: false,
                });
                self.sources.len() - 1
            }
        };
        let source = self.sources.get_mut(at)?;
        (source.scraped, source.interval) = (now, interval);
        Some(source)
    }

    /// Drops the families of exporters that no longer name it, and old history. Returns whether nothing is left.
    pub(super) fn expire(&mut self, now: Age, wall: Timestamp) -> bool {
        /// How long the families of a page are kept after the last scrape.
        const KEPT: Duration = Duration::from_secs(600);
        self.sources
            .retain(|it| it.interval.is_none() || now.since(it.scraped) < KEPT);
        self.history.expire(wall);
        self.sources.is_empty() && self.last.is_none()
    }

    /// Drops the families from an exporter.
    pub(super) fn forget(&mut self, exporter: &PodKey) {
        self.sources
            .retain(|it| it.exporter.as_ref() != Some(exporter));
    }

    /// The memory now.
    pub(super) fn usage(&self) -> Usage {
        let families = || self.sources.iter().flat_map(|it| &it.families);
        Usage {
            series: families().map(Family::len).sum(),
            bytes: size_of::<Self>()
                + families().map(Family::bytes).sum::<usize>()
                + self.history.bytes(),
        }
    }

    /// The family that a name stands for, with what is read from it. A fresh one precedes.
    pub(super) fn find(&self, name: &str, now: Age) -> Option<(&Source, &Family, Reading)> {
        let find = |fresh| {
            readings(name).find_map(|(family, reading)| {
                let mut sources = self.sources.iter().filter(|it| it.is_fresh(now) == fresh);
                sources.find_map(|source| Some((source, source.family(&family)?, reading)))
            })
        };
        find(true).or_else(|| find(false))
    }

    /// The value of a name.
    pub(super) fn read(
        &self,
        name: &str,
        selector: &LabelSelector,
        now: Age,
        names: &Names,
    ) -> Result<Value, Absence> {
        let Some((source, family, reading)) = self.find(name, now) else {
            return Err(self.why_no_family(name, now, names));
        };
        if !source.is_fresh(now) {
            return Err(self.why_stale(source, now));
        }
        family.read(reading, selector)
    }

    /// The values that [`read`](Self::read) adds up, each with its labels. Where they do not add up, that value without
    /// labels.
    pub(super) fn read_each(
        &self,
        name: &str,
        selector: &LabelSelector,
        now: Age,
    ) -> Option<Vec<(Labels, Value)>> {
        let (_, family, reading) = self.find(name, now)?;
        if !matches!(reading, Reading::Plain | Reading::PerSecond) {
            let value = family.read(reading, selector).ok()?;
            return Some(vec![(Labels::default(), value)]);
        }
        let each = family.each(reading);
        let selected = each.filter(|(labels, _)| selector.matches(labels));
        Some(
            selected
                .map(|(labels, value)| (labels.clone(), value))
                .collect(),
        )
    }

    fn why_stale(&self, source: &Source, now: Age) -> Absence {
        let failed = self
            .last
            .as_ref()
            .and_then(|last| last.result.as_ref().err());
        match failed {
            Some((error, _)) if source.exporter.is_none() => Absence::Failed(error.clone()),
            _ => Absence::Stale(now.since(source.scraped)),
        }
    }

    fn why_no_family(&self, name: &str, now: Age, names: &Names) -> Absence {
        let failed = self
            .last
            .as_ref()
            .and_then(|last| last.result.as_ref().err());
        if let Some((error, _)) = failed {
            return Absence::Failed(error.clone());
        }
        let since = names.names.get(name).map(|wanted| wanted.since);
        match self.sources.iter().map(|it| it.scraped).max() {
            None => Absence::NotScraped,
            Some(scraped) if since.is_none_or(|since| since >= scraped) => Absence::NotKept,
            Some(scraped) if self.sources.iter().all(|it| !it.is_fresh(now)) => {
                Absence::Stale(now.since(scraped))
            }
            Some(_) if self.sources.iter().any(|it| it.is_cut) => Absence::Limited,
            Some(_) => Absence::NoFamily,
        }
    }

    /// All names that have values, and the values of each series.
    pub(super) fn series(&self, now: Age) -> Vec<Series> {
        let sources = self.sources.iter().filter(|it| it.is_fresh(now));
        let families = sources.flat_map(|it| &it.families);
        let each = families.flat_map(|family| {
            listed(family).flat_map(move |(name, reading)| {
                family.each(reading).map(move |(labels, value)| Series {
                    name: Arc::clone(&name),
                    labels: labels.clone(),
                    value,
                })
            })
        });
        each.collect()
    }

    /// The names under which its families are listed.
    pub(super) fn names(&self, now: Age) -> impl Iterator<Item = Arc<str>> {
        let sources = self.sources.iter().filter(move |it| it.is_fresh(now));
        let families = sources.flat_map(|it| &it.families);
        families.flat_map(|family| {
            listed(family)
                .map(|(name, _)| name)
                .chain([Arc::clone(&family.name)])
        })
    }

    /// Adds the values of the names that are asked for, and of the families that the config keeps, to the history.
    pub(super) fn record_history(
        &mut self,
        now: Age,
        names: &Names,
        keeps: [&Keep; 2],
        step: Duration,
        may_grow: bool,
    ) {
        let everything = LabelSelector::default();
        let asked = names.names.keys().filter_map(|name| {
            let (source, family, reading) = self.find(name, now)?;
            let value = family.read(reading, &everything).ok()?;
            source.is_fresh(now).then(|| (Arc::clone(name), value))
        });
        let kept = self.sources.iter().filter(|it| it.is_fresh(now));
        let kept = kept.flat_map(|it| &it.families);
        let kept = kept.filter(|family| {
            keeps
                .iter()
                .any(|keep| keep.pattern(&family.name).is_some())
        });
        let kept = kept.flat_map(|family| {
            listed(family)
                .filter_map(|(name, reading)| Some((name, family.read(reading, &everything).ok()?)))
        });
        let values: Vec<(Arc<str>, Value)> = asked.chain(kept).collect();
        for (name, value) in values {
            self.history
                .record(&name, value.at, value.value, step, may_grow);
        }
    }

    /// The history of a name.
    pub(super) fn history(
        &self,
        name: &str,
        span: (Timestamp, Timestamp),
        step: Duration,
    ) -> Vec<(Timestamp, f64)> {
        let interval = self.sources.iter().filter_map(|it| it.interval).max();
        self.history
            .read(name, span, step, interval.unwrap_or(step))
    }
}

/// The names under which a family is listed, and what is read for each.
fn listed(family: &Family) -> impl Iterator<Item = (Arc<str>, Reading)> {
    let stem = family.name.strip_suffix("_total").unwrap_or(&family.name);
    let rate = || (format!("{stem}_per_second").into(), Reading::PerSecond);
    let mean = || (format!("{stem}_mean").into(), Reading::Mean);
    let quantile = |it: Quantile| (format!("{stem}_{it}").into(), Reading::Quantile(it));
    let mut all: Vec<(Arc<str>, Reading)> = Vec::new();
    match family.kind {
        Kind::Gauge | Kind::Untyped => all.push((Arc::clone(&family.name), Reading::Plain)),
        Kind::Counter => all.push(rate()),
        Kind::Histogram | Kind::NativeHistogram | Kind::Summary => {
            all.extend([rate(), mean()]);
            all.extend(LISTED.map(quantile));
        }
    }
    all.into_iter()
}
