//! The marks on a chart of a pod: its restarts.

use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::Mark;

use super::HistoryQuery;
use crate::cluster::{Pod, PodKey};
use crate::health::Restart;

impl HistoryQuery<'_> {
    /// The restarts within a span of the pod of this name, and of deleted pods of the same name, oldest first.
    pub fn marks(
        self,
        namespace: &str,
        name: &str,
        since: Timestamp,
        until: Timestamp,
    ) -> Vec<Mark> {
        let Self(sources) = self;
        let key = PodKey::new(namespace, name);
        let (pods, gone) = (sources.cluster.pods(), sources.cluster.gone_pods());
        let gone = gone.values().map(|gone| &gone.pod);
        let of_same_name = gone.filter(|pod| pod.key == key);
        let mut marks: Vec<Mark> = Vec::new();
        for pod in pods.get(&key).into_iter().chain(of_same_name) {
            let restarts = sources.health.restarts(pod);
            marks.extend(restarts.iter().filter_map(|restart| mark(pod, restart)));
        }
        marks.retain(|mark| since <= mark.time && mark.time <= until);
        marks.sort_by_key(|mark| mark.time);
        marks
    }
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
