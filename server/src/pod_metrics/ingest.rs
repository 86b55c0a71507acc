//! Collects the wanted families of a page.

use std::collections::BTreeMap;
use std::sync::Arc;

use kubevitals_proto::exposition::{self, Family, NativeHistogram, Part, Visitor};
use kubevitals_proto::labels::Labels;
use kubevitals_proto::time::Timestamp;

use super::series::{Classic, Kind, Native, Reported, Sample, Summary};

/// The most bytes of a problem's text.
const MAX_TEXT: usize = 80;

/// Collects the families that `keeps` accepts.
pub(super) struct Collector<F> {
    keeps: F,
    reported: Vec<Reported>,
    /// Histograms and summaries, whose samples are several lines.
    parts: BTreeMap<(Arc<str>, Labels), Parts>,
    /// The name of the last family, which its samples share.
    name: Arc<str>,
}

/// The lines of one histogram or summary.
#[derive(Default)]
struct Parts {
    is_summary: bool,
    at: Option<Timestamp>,
    /// Bounds or quantiles.
    values: Vec<(f64, f64)>,
    sum: Option<f64>,
    count: Option<f64>,
}

/// What a page had.
pub(super) struct Page {
    pub(super) reported: Vec<Reported>,
    /// The samples of the kept families.
    pub(super) samples: usize,
    /// What was skipped, as a reason and a clause.
    pub(super) problems: Vec<(&'static str, String)>,
}

/// Reads a page.
///
/// # Errors
/// It is unusable as a whole, as a clause.
pub(super) fn read(
    body: &[u8],
    format: exposition::Format,
    limits: exposition::Limits,
    keeps: impl FnMut(&str) -> bool,
) -> Result<Page, String> {
    let mut collector = Collector {
        keeps,
        reported: Vec::new(),
        parts: BTreeMap::new(),
        name: "".into(),
    };
    let report = exposition::read(body, format, limits, &mut collector)
        .map_err(|error| error.to_string())?;
    let mut problems = Vec::new();
    if let Some(first) = &report.first_malformed {
        if report.samples == 0 && looks_like_html(body) {
            return Err("the response is an HTML page, not metrics".to_owned());
        }
        let text = first.text.get(..MAX_TEXT).unwrap_or(first.text);
        let text = String::from_utf8_lossy(text);
        let (count, number) = (report.malformed, first.number);
        problems.push((
            "malformed",
            format!("{count} lines do not parse; the first is line {number}: {text:?}"),
        ));
    }
    if report.oversized > 0 {
        problems.push((
            "label_length",
            format!("{} samples have labels above the limit", report.oversized),
        ));
    }
    if report.truncated {
        problems.push((
            "sample_limit",
            format!(
                "the kept families have more than {} samples",
                limits.samples
            ),
        ));
    }
    let (reported, incomplete) = collector.finish();
    if incomplete > 0 {
        problems.push((
            "no_infinite_bucket",
            format!("{incomplete} histograms have no bucket le=\"+Inf\""),
        ));
    }
    Ok(Page {
        samples: usize::try_from(report.samples).unwrap_or(usize::MAX),
        reported,
        problems,
    })
}

fn looks_like_html(body: &[u8]) -> bool {
    let start = body.trim_ascii_start();
    let start = start
        .get(..start.len().min(14))
        .unwrap_or_default()
        .to_ascii_lowercase();
    start.starts_with(b"<!doctype html") || start.starts_with(b"<html")
}

impl<F: FnMut(&str) -> bool> Visitor for Collector<F> {
    fn wants(&mut self, family: &Family<'_>) -> bool {
        // What its buckets count falls as well as rises, so nothing of it has a rate.
        family.kind != exposition::Kind::GaugeHistogram && (self.keeps)(family.name)
    }

    fn sample(&mut self, family: &Family<'_>, sample: &exposition::Sample<'_>) {
        let name = self.name_of(family.name);
        let labels: Labels = labels(sample.labels);
        let at = sample.timestamp_ms.map(of_millis);
        let kind = match family.kind {
            exposition::Kind::Counter => Kind::Counter,
            exposition::Kind::Gauge | exposition::Kind::Info | exposition::Kind::StateSet => {
                Kind::Gauge
            }
            _ => Kind::Untyped,
        };
        let part = match sample.part {
            Part::Created => return,
            Part::Value => {
                self.reported.push(Reported {
                    family: name,
                    kind,
                    labels,
                    at,
                    sample: Sample::Number(sample.value),
                });
                return;
            }
            part => part,
        };
        let parts = self.parts.entry((name, labels)).or_default();
        parts.is_summary = family.kind == exposition::Kind::Summary;
        parts.at = parts.at.or(at);
        match part {
            Part::Bucket(bound) => parts.values.push((bound, sample.value)),
            Part::Quantile(quantile) => parts.values.push((quantile, sample.value)),
            Part::Sum => parts.sum = parts.sum.or(Some(sample.value)),
            Part::Count => parts.count = parts.count.or(Some(sample.value)),
            Part::Value | Part::Created => {}
        }
    }

    fn native_histogram(&mut self, family: &Family<'_>, histogram: &NativeHistogram<'_>) {
        let buckets = |buckets: exposition::Buckets<'_>| {
            buckets.map(|bucket| (bucket.index, bucket.count)).collect()
        };
        let native = Native {
            schema: i8::try_from(histogram.schema).unwrap_or(i8::MAX),
            zero_threshold: histogram.zero_threshold,
            zero: histogram.zero_count,
            count: histogram.count,
            sum: histogram.sum,
            positive: buckets(histogram.positive()),
            negative: buckets(histogram.negative()),
        };
        let reported = Reported {
            family: self.name_of(family.name),
            kind: Kind::NativeHistogram,
            labels: labels(histogram.labels),
            at: histogram.timestamp_ms.map(of_millis),
            sample: Sample::Native(Box::new(native)),
        };
        self.reported.push(reported);
    }
}

impl<F> Collector<F> {
    fn name_of(&mut self, family: &str) -> Arc<str> {
        if *self.name != *family {
            self.name = family.into();
        }
        Arc::clone(&self.name)
    }

    /// All series. A histogram without its infinite bucket has no meaning and is left out; their number comes second.
    fn finish(mut self) -> (Vec<Reported>, usize) {
        let mut incomplete = 0;
        for ((family, labels), parts) in self.parts {
            let sum = parts.sum.unwrap_or(f64::NAN);
            let (kind, sample) = if parts.is_summary {
                let summary = Summary {
                    sum,
                    count: parts.count.unwrap_or(f64::NAN),
                    quantiles: parts.values.into(),
                };
                (Kind::Summary, Sample::Summary(summary))
            } else {
                let Some(classic) = Classic::new(parts.values, sum) else {
                    incomplete += 1;
                    continue;
                };
                (Kind::Histogram, Sample::Classic(classic))
            };
            self.reported.push(Reported {
                family,
                kind,
                labels,
                at: parts.at,
                sample,
            });
        }
        (self.reported, incomplete)
    }
}

fn labels(labels: exposition::SampleLabels<'_>) -> Labels {
    labels
        .iter()
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect()
}

/// A time in milliseconds since the epoch; the first or last possible for one beyond.
fn of_millis(millis: i64) -> Timestamp {
    Timestamp(millis.saturating_mul(1_000_000))
}
