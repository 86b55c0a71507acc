//! The page of a HorizontalPodAutoscaler.

use kubevitals_proto::time::Timestamp;
use kubevitals_proto::why::{StepName, Why};

use super::shared::age;
use crate::model::event::{Condition, Event};
use crate::model::facts::{Fact, Facts, HpaFacts, MetricApi, MetricFacts, MetricServer, Objects};
use crate::model::format;
use crate::model::name::Key;
use crate::model::row::{HpaMetric, HpaRow, MetricKind};
use crate::model::state::State;
use crate::model::tone::Tone;

/// The most events on the page.
const EVENTS: usize = 5;

/// The groups of facts, the most important ones first.
pub(super) fn groups(state: &State, key: &Key, facts: Option<&Facts>) -> Vec<Vec<Fact>> {
    let object = match facts.map(|facts| &facts.objects) {
        Some(Objects::Hpa(facts)) => Some(&**facts),
        _ => None,
    };
    match state.world().hpas.get(key) {
        Some(row) => groups_of(row, object, (state.status_time(), state.now)),
        None => vec![vec![
            Fact::new("", "this HPA does not exist").tone(Tone::Warn),
        ]],
    }
}

/// The groups of facts of a row, which is of one time, and of an object, which is of another.
pub(super) fn groups_of(
    row: &HpaRow,
    object: Option<&HpaFacts>,
    (now, of_object): (Timestamp, Timestamp),
) -> Vec<Vec<Fact>> {
    let mut groups = vec![replicas(row, now)];
    if let Some(limited) = row.limited.as_ref().filter(|it| it.broken) {
        let text = format!("{}: {}", limited.reason, limited.message);
        groups.push(vec![
            Fact::new("cannot scale", text).tone(row.limited_tone()),
        ]);
    }
    for (at, metric) in row.metrics.iter().enumerate() {
        let found = object.and_then(|object| {
            let same =
                |it: &&MetricFacts| it.metric.name == metric.name && it.metric.kind == metric.kind;
            object.metrics.get(at).filter(same)
        });
        groups.extend(metric_groups(metric, found, object));
    }
    let conditions = object.map_or(&[][..], |object| &object.conditions);
    let conditions = conditions.iter();
    groups.extend(conditions.map(|it| condition(it, of_object)));
    let events = object.map_or(&[][..], |object| &object.events);
    groups.extend(events.iter().take(EVENTS).map(|it| event(it, of_object)));
    groups
}

/// The metric that needs attention most, which is all that a small terminal shows; the replicas and their bounds, and the
/// last scaling.
fn replicas(hpa: &HpaRow, now: Timestamp) -> Vec<Fact> {
    let (text, tone) = if hpa.current == hpa.desired {
        (hpa.current.to_string(), Tone::Plain)
    } else {
        (format!("{} to {}", hpa.current, hpa.desired), Tone::Warn)
    };
    let scaled = match hpa.scaled() {
        Some(at) => format!("{} ago", format::age(at, now)),
        None => "never".to_owned(),
    };
    let replicas = format!("{text} of {}-{}", hpa.min, hpa.max);
    let mut facts: Vec<Fact> = foremost(hpa).into_iter().collect();
    facts.extend([
        Fact::new("replicas", replicas).tone(tone),
        Fact::new("scaled", scaled),
        Fact::new("scales", format!("{}/{}", hpa.target_kind, hpa.target)),
    ]);
    facts
}

/// The first metric without a value, or else the one that is highest of its target.
fn foremost(hpa: &HpaRow) -> Option<Fact> {
    let missing = hpa.metrics.iter().find(|it| it.current.is_empty());
    if let Some(missing) = missing {
        return Some(Fact::new("missing", &*missing.name).tone(Tone::Bad));
    }
    let known = hpa
        .metrics
        .iter()
        .filter_map(|it| Some((it.part?, &it.name)));
    let (part, name) = known.max_by(|(one, _), (other, _)| one.total_cmp(other))?;
    Some(Fact::new("highest", format!("{name} {}", format::percent(part))).tone(tone_of(part)))
}

fn tone_of(part: f64) -> Tone {
    if part > 1.0 { Tone::Warn } else { Tone::Plain }
}

/// A metric: its value and target, its API; and the last scrape or why there is no value.
fn metric_groups(
    metric: &HpaMetric,
    found: Option<&MetricFacts>,
    object: Option<&HpaFacts>,
) -> Vec<Vec<Fact>> {
    let is_missing = metric.current.is_empty();
    let current = if is_missing {
        format::UNKNOWN
    } else {
        &metric.current
    };
    let part = metric.part.map(format::percent);
    let percent = part.map_or(String::new(), |part| format!("  {part} of the target"));
    let tone = match metric.part {
        None if is_missing => Tone::Bad,
        part => part.map_or(Tone::Plain, tone_of),
    };
    let value = Fact::new(
        format!("{} {}", metric.kind.word(), metric.name),
        format!("{current} of {}{percent}", metric.target),
    );
    let api = object.and_then(|object| {
        let mut apis = object.apis.iter();
        apis.find(|api| api.group == metric.kind.group())
    });
    let mut groups = vec![vec![
        value.tone(tone).bar(metric.part),
        source(metric.kind, api),
    ]];
    match found.and_then(|found| found.why.as_ref()) {
        Some((pod, why)) => groups.extend(chain(pod, why)),
        None if is_missing => groups.extend(api.and_then(no_api)),
        None => {}
    }
    groups
}

/// Which API has a metric, and who serves it.
fn source(kind: MetricKind, api: Option<&MetricApi>) -> Fact {
    let group = kind.group();
    match api.map(|api| &api.server) {
        Some(MetricServer::Available(server)) => Fact::new("from", format!("{group} by {server}")),
        Some(MetricServer::Unavailable(server, _)) => Fact::new(
            "from",
            format!("{group} by {server}, which does not answer"),
        )
        .tone(Tone::Bad),
        Some(MetricServer::Nobody) => {
            Fact::new("from", format!("{group}, which no APIService serves")).tone(Tone::Bad)
        }
        Some(MetricServer::Unknown) | None => Fact::new("from", group),
    }
}

/// Why an API has no value, if that is why.
fn no_api(api: &MetricApi) -> Option<Vec<Fact>> {
    let text = match &api.server {
        MetricServer::Nobody => match api.group {
            "metrics.k8s.io" => "install vitals-server".to_owned(),
            _ => "run vitals-server with --pod-metrics and its APIServices, or another adapter"
                .to_owned(),
        },
        MetricServer::Unavailable(_, why) => why.clone(),
        MetricServer::Available(_) | MetricServer::Unknown => return None,
    };
    Some(vec![Fact::new("  missing", text).tone(Tone::Bad)])
}

/// The last scrape of a pod for a metric, and why the pod has no value.
fn chain(pod: &str, why: &Why) -> Vec<Vec<Fact>> {
    let mut groups = Vec::new();
    let scraped = why.steps.iter().find(|step| step.name == StepName::Scraped);
    if let Some(scraped) = scraped {
        groups.push(vec![Fact::new(format!("  {pod}"), &*scraped.message)]);
    }
    if !why.available {
        groups.push(vec![Fact::new("  missing", &*why.verdict).tone(Tone::Bad)]);
        groups.push(vec![Fact::new("  what to do", &*why.hint)]);
    }
    groups
}

fn condition(condition: &Condition, now: Timestamp) -> Vec<Fact> {
    let Condition {
        kind,
        status,
        reason,
        message,
        since,
    } = condition;
    let is = |word: &str| status == word;
    let tone = match kind.as_str() {
        "ScalingLimited" if is("True") && reason != "TooFewReplicas" => Tone::Warn,
        "ScalingLimited" => Tone::Plain,
        _ if is("True") || reason == "ScalingDisabled" => Tone::Plain,
        _ => Tone::Bad,
    };
    let text = format!("{status} for {}  {reason}  {message}", age(*since, now));
    vec![Fact::new(kind, text.trim_end()).tone(tone)]
}

fn event(event: &Event, now: Timestamp) -> Vec<Fact> {
    let tone = if event.kind == "Warning" {
        Tone::Warn
    } else {
        Tone::Plain
    };
    let text = format!("{}  {}", event.reason, event.message);
    vec![Fact::new(format!("{} ago", age(event.last, now)), text).tone(tone)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metric(current: &str, part: Option<f64>) -> HpaMetric {
        HpaMetric {
            kind: MetricKind::Pods,
            name: "rps".into(),
            current: current.into(),
            target: "10".into(),
            part,
        }
    }

    fn texts(groups: &[Vec<Fact>]) -> Vec<String> {
        let line = |facts: &Vec<Fact>| {
            let facts = facts.iter().map(|it| format!("{}={}", it.label, it.text));
            facts.collect::<Vec<_>>().join(" | ")
        };
        groups.iter().map(line).collect()
    }

    fn with(server: MetricServer) -> HpaFacts {
        HpaFacts {
            apis: vec![MetricApi {
                group: "custom.metrics.k8s.io",
                server,
            }],
            ..HpaFacts::default()
        }
    }

    #[test]
    fn a_metric_names_its_api_and_who_serves_it() {
        let ours = with(MetricServer::Available("kube-system/vitals-server".into()));
        let groups = metric_groups(&metric("15", Some(1.5)), None, Some(&ours));
        assert_eq!(
            texts(&groups),
            [
                "pods rps=15 of 10  150% of the target | from=custom.metrics.k8s.io by kube-system/vitals-server"
            ]
        );
        assert_eq!(groups[0][0].tone, Tone::Warn);
        let groups = metric_groups(&metric("5", Some(0.5)), None, None);
        assert_eq!(
            texts(&groups)[0].rsplit_once("| ").unwrap().1,
            "from=custom.metrics.k8s.io"
        );
    }

    #[test]
    fn a_missing_value_has_a_reason() {
        let nobody = with(MetricServer::Nobody);
        let groups = metric_groups(&metric("", None), None, Some(&nobody));
        assert_eq!(
            texts(&groups),
            [
                "pods rps=- of 10 | from=custom.metrics.k8s.io, which no APIService serves",
                "  missing=run vitals-server with --pod-metrics and its APIServices, or another adapter"
            ]
        );
        let down = with(MetricServer::Unavailable(
            "a/b".into(),
            "no endpoints".into(),
        ));
        let groups = metric_groups(&metric("", None), None, Some(&down));
        assert_eq!(texts(&groups)[1], "  missing=no endpoints");
        let why: Why = serde_json::from_str(
            r#"{"kind":"OwnMetricWhy","apiVersion":"","metadata":{"name":"web-1"},"available":false,"reason":"not_kept",
                "verdict":"Nothing asks for rps.","hint":"name it",
                "steps":[{"name":"scraped","state":"ok","message":"scraped 5s ago"}]}"#,
        )
        .unwrap();
        let found = MetricFacts {
            metric: metric("", None),
            why: Some(("web-1".to_owned(), why)),
        };
        let groups = metric_groups(&metric("", None), Some(&found), Some(&nobody));
        assert_eq!(
            texts(&groups)[1..],
            [
                "  web-1=scraped 5s ago",
                "  missing=Nothing asks for rps.",
                "  what to do=name it"
            ]
        );
    }
}
