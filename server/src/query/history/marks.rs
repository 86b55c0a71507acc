//! The marks on a chart of a pod: its restarts.

use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::Mark;

use super::HistoryQuery;
use super::older::Older;
use crate::cluster::{Pod, PodKey};
use crate::health::Restart;

/// The kubelet's longest delay of a restart, in nanoseconds, and a resolution.
const LONGEST_BACKOFF: i64 = 315_000_000_000;

/// The precision of times in seconds, in nanoseconds.
const LEAST: i64 = 1_000_000_000;

impl HistoryQuery<'_> {
    /// The restarts within a span of the pod of this name, and of deleted pods of the same name, oldest first; with those
    /// that the engine has.
    pub fn marks(
        self,
        namespace: &str,
        name: &str,
        (since, until): (Timestamp, Timestamp),
        older: Option<&Older>,
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
        let older = older.map_or(&[][..], |older| &older.marks);
        let is_new = |older: &&Mark| !marks.iter().any(|mark| is_same(mark, older));
        let older: Vec<Mark> = older.iter().filter(is_new).cloned().collect();
        marks.extend(older);
        marks.sort_by_key(|mark| mark.time);
        marks
    }
}

/// Whether the engine's mark is the same restart. Here a restart has the time at which the container ended; it starts
/// again up to [`LONGEST_BACKOFF`] later.
fn is_same(mark: &Mark, older: &Mark) -> bool {
    let later = older.time.since(mark.time);
    mark.container == older.container && (-LEAST..=LONGEST_BACKOFF).contains(&later)
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
