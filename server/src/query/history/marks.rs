//! The marks on a chart of a pod: its restarts.

use std::sync::Arc;

use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::Mark;

use crate::cluster::{Pod, PodKey};
use crate::health::Restart;
use crate::query::sources::Sources;

/// See [`HistoryQuery::marks`](super::HistoryQuery::marks).
pub(super) fn marks(
    sources: &Sources,
    namespace: &str,
    name: &str,
    since: Timestamp,
    until: Timestamp,
) -> Vec<Mark> {
    let key = PodKey {
        namespace: Arc::from(namespace),
        name: Arc::from(name),
    };
    let pods = sources.cluster.pods();
    let gone = sources.cluster.gone_pods();
    let of_same_name = gone
        .values()
        .map(|gone| &gone.pod)
        .filter(|pod| pod.key == key);
    let mut marks: Vec<Mark> = pods
        .get(&key)
        .into_iter()
        .chain(of_same_name)
        .flat_map(|pod| {
            let restarts = sources.health.restarts(pod).into_iter();
            restarts
                .filter_map(|restart| mark(pod, &restart))
                .collect::<Vec<_>>()
        })
        .filter(|mark| since <= mark.time && mark.time <= until)
        .collect();
    marks.sort_by_key(|mark| mark.time);
    marks
}
fn mark(pod: &Pod, restart: &Restart) -> Option<Mark> {
    let container = restart.container.of(&pod.template.containers)?;
    let ended = &restart.ended;
    let reason = if ended.reason.is_empty() {
        "Ended"
    } else {
        &ended.reason
    };
    Some(Mark {
        time: ended.finished?,
        container: container.name.to_string(),
        cause: restart.cause,
        text: format!("{reason}, exit {}", ended.exit_code),
    })
}
