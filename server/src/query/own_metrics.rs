//! The metrics that a pod exposes itself: their values, how the pod is scraped, and their history.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use kubevitals_proto::duration::GoDuration;
use kubevitals_proto::selector::LabelSelector;
use kubevitals_proto::time::nanos;
use kubevitals_proto::vitals::{
    API_VERSION, Absence, Meta, OwnMetric, OwnMetrics, OwnScrape, OwnSeries, Span,
};
use kubevitals_proto::words::capital;

use super::history::Steps;
use super::sources::Sources;
use super::why::metric::selected_by;
use crate::cluster::PodKey;
use crate::pod_metrics::{Explanation, PodMetrics, Series};

/// The most metrics of a pod in one response.
const MAX_METRICS: usize = 200;

/// The most series of a metric in one response.
const MAX_SERIES: usize = 50;

/// Answers which metrics a pod exposes itself.
#[derive(Debug, Clone, Copy)]
pub struct OwnMetricsQuery<'a>(pub(super) &'a Sources);

impl OwnMetricsQuery<'_> {
    /// The metrics of a pod that are kept, with points for these steps. None if there is no such pod.
    pub fn of(self, namespace: &str, name: &str, steps: Option<&Steps>) -> Option<OwnMetrics> {
        let key = PodKey::new(namespace, name);
        let exists = self.0.cluster.pods().contains_key(&key);
        let mut answer = OwnMetrics {
            kind: "OwnMetrics".to_owned(),
            api_version: API_VERSION.to_owned(),
            metadata: Meta {
                name: name.to_owned(),
                namespace: namespace.to_owned(),
                ..Meta::default()
            },
            span: steps.map(|steps| Span {
                since: steps.since(),
                until: steps.until(),
                step: GoDuration(steps.step()),
            }),
            ..OwnMetrics::default()
        };
        let Some(metrics) = &self.0.pod_metrics else {
            answer.absent = Some(absence(
                "Disabled",
                "the server runs without --pod-metrics, so it reads no metrics that pods expose",
            ));
            return exists.then_some(answer);
        };
        let mut series: BTreeMap<Arc<str>, Vec<Series>> = BTreeMap::new();
        for it in metrics.series(&key) {
            series.entry(Arc::clone(&it.name)).or_default().push(it);
        }
        if !exists && series.is_empty() {
            return None;
        }
        let omitted = series.len().saturating_sub(MAX_METRICS);
        answer.omitted = u64::try_from(omitted).unwrap_or(u64::MAX);
        let shown = series.into_iter().take(MAX_METRICS);
        answer.metrics = shown
            .map(|(name, series)| metric(metrics, &key, &name, series, steps))
            .collect();
        let found = metrics.explain(&key, "", &LabelSelector::default());
        if answer.metrics.is_empty() {
            answer.absent = Some(why_none(&found));
        }
        answer.scrape = scrape(&found);
        Some(answer)
    }
}

fn metric(
    metrics: &PodMetrics,
    pod: &PodKey,
    name: &str,
    series: Vec<Series>,
    steps: Option<&Steps>,
) -> OwnMetric {
    let mut metric = OwnMetric {
        name: name.to_owned(),
        ..OwnMetric::default()
    };
    match metrics.read(pod, name, &LabelSelector::default()) {
        Ok(value) => {
            metric.value = Some(value.value);
            metric.timestamp = Some(value.at);
            metric.window = value.window.map(duration);
        }
        Err(why) => metric.absent = why.to_string(),
    }
    let has_labels = series.iter().any(|it| !it.labels.is_empty());
    if series.len() > 1 || has_labels {
        let shown = series.into_iter().take(MAX_SERIES);
        let shown = shown.map(|it| OwnSeries {
            labels: it.labels,
            value: it.value.value,
        });
        metric.series = shown.collect();
    }
    if let Some(steps) = steps {
        metric.points = points(metrics, pod, name, steps);
    }
    metric
}

/// The latest value in each step.
fn points(metrics: &PodMetrics, pod: &PodKey, name: &str, steps: &Steps) -> Vec<Option<f64>> {
    let mut points = vec![None; steps.len()];
    let step = Duration::from_nanos(steps.step().unsigned_abs());
    for (at, value) in metrics.history(pod, name, steps.since(), steps.until(), step) {
        // Step n covers the time up to and including its end.
        let n = (at.since(steps.since()) - 1).div_euclid(steps.step());
        let point = usize::try_from(n).ok().and_then(|n| points.get_mut(n));
        if let Some(point) = point {
            *point = Some(value);
        }
    }
    points
}

/// The first step of the chain that explains why a pod has no metrics.
fn why_none(found: &Explanation) -> Absence {
    match (&found.selected, &found.scrape) {
        (Err(why), _) => absence("NotSelected", why),
        (Ok(_), None) => absence("NotScraped", "it has not been scraped yet"),
        (Ok(_), Some(scrape)) => match &scrape.result {
            Err((what, _)) => absence("ScrapeFailed", &format!("the last scrape failed: {what}")),
            Ok(()) => absence(
                "NotKept",
                "it exposes none of the metrics that HPAs, the API or --pod-metrics-config ask for",
            ),
        },
    }
}

fn absence(reason: &str, message: &str) -> Absence {
    Absence {
        reason: reason.to_owned(),
        message: format!("{}.", capital(message)),
    }
}

fn scrape(found: &Explanation) -> Option<OwnScrape> {
    let selected = found.selected.as_ref().ok()?;
    let last = found.scrape.as_ref();
    let error = last.and_then(|last| last.result.as_ref().err());
    Some(OwnScrape {
        by: selected_by(&selected.by),
        url: selected.url.clone(),
        interval: duration(selected.interval),
        timestamp: last.map(|last| last.at),
        duration: last.map(|last| duration(last.duration)),
        samples: last.map_or(0, |last| last.samples.try_into().unwrap_or(u64::MAX)),
        error: error.map_or_else(String::new, |(what, _)| what.clone()),
    })
}

fn duration(duration: Duration) -> GoDuration {
    GoDuration(nanos(duration))
}
