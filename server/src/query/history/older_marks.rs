//! The restarts of a pod before the ring: read from the engine.

use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::{Cause, Mark};
use serde::Deserialize as _;
use serde::de::IntoDeserializer as _;
use serde::de::value::{Error, StrDeserializer};

use super::plan::Plan;
use crate::engine::{Engine, EngineError, Point, Selector, Series};

/// Reads the restarts, oldest first. Of several within the distance of two samples, the last one.
///
/// A vitals-server writes the cause of each. Without it the counter and the reasons of kube-state-metrics say that there
/// was one, and why.
pub(super) async fn read(
    engine: &Engine,
    namespace: &str,
    name: &str,
    plan: &Plan,
) -> Result<Vec<Mark>, EngineError> {
    let of_pod = |selector: Selector| selector.with("namespace", namespace).with("pod", name);
    let causes = of_pod(engine.select("kubevitals_container_last_restart_timestamp_seconds"));
    let causes = format!("max by (container, cause, reason, exit_code) ({causes})");
    let mut marks: Vec<Mark> = engine
        .range(&causes, plan.range())
        .await?
        .iter()
        .flat_map(of_cause)
        .collect();
    if marks.is_empty() {
        let counters = of_pod(engine.select("")).named(
            "kube_pod_container_status_restarts_total|kube_pod_container_status_last_terminated_reason",
        );
        let counters = format!("max by (__name__, container, reason) ({counters})");
        marks = of_counters(&engine.range(&counters, plan.range()).await?);
    }
    marks.retain(|mark| plan.since <= mark.time && mark.time < plan.seam);
    marks.sort_by_key(|mark| mark.time);
    Ok(marks)
}

/// The restarts of one container with one cause: the value is the time of the last one.
fn of_cause(series: &Series) -> impl Iterator<Item = Mark> {
    let labels = &series.labels;
    let of_point = |point: &Point| {
        let millis = point.value * 1e3;
        #[expect(
            clippy::cast_possible_truncation,
            reason = "such a conversion saturates"
        )]
        let time = Timestamp::from_millis(millis.round() as i64);
        Mark {
            time,
            container: labels.get("container").to_owned(),
            cause: cause(labels.get("cause")),
            text: text(labels.get("reason"), labels.get("exit_code")),
        }
    };
    let mut marks: Vec<Mark> = series.points.iter().map(of_point).collect();
    marks.dedup();
    marks.into_iter()
}

/// The restarts by the counter of kube-state-metrics, with the reason that the container's last termination had then.
fn of_counters(all: &[Series]) -> Vec<Mark> {
    let named = |suffix: &'static str| {
        let is_it = move |it: &&Series| it.labels.get("__name__").ends_with(suffix);
        all.iter().filter(is_it)
    };
    let reason_at = |container: &str, at: Timestamp| {
        let mut reasons = named("reason").filter(|it| {
            let has = |point: &Point| point.at == at && point.value > 0.0;
            it.labels.get("container") == container && it.points.iter().any(has)
        });
        reasons.next().map_or("", |it| it.labels.get("reason"))
    };
    let mut marks = Vec::new();
    for counter in named("restarts_total") {
        let container = counter.labels.get("container");
        for pair in counter.points.windows(2) {
            if let [before, after] = pair
                && after.value > before.value
            {
                let reason = reason_at(container, after.at);
                marks.push(Mark {
                    time: after.at,
                    container: container.to_owned(),
                    cause: match reason {
                        "OOMKilled" => Cause::OomKilled,
                        _ => Cause::Unknown,
                    },
                    text: text(reason, ""),
                });
            }
        }
    }
    marks
}

/// The label of a mark, as for a restart in memory.
fn text(reason: &str, exit_code: &str) -> String {
    let reason = if reason.is_empty() { "Ended" } else { reason };
    match exit_code {
        "" => reason.to_owned(),
        code => format!("{reason}, exit {code}"),
    }
}

/// The cause with this name in the API.
fn cause(name: &str) -> Cause {
    let name: StrDeserializer<'_, Error> = name.into_deserializer();
    Cause::deserialize(name).unwrap_or_default()
}
