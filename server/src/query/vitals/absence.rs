//! Why usage is absent, as API objects. The messages are those of `vitals why`.

use kubevitals_proto::objects::not_running as why_not_running;
use kubevitals_proto::vitals::{Absence, KubeletPage};
use kubevitals_proto::words::capital;

use super::builder::NodeContext;
use crate::cluster::{ContainerSpec, ContainerStatus, Phase, Pod, State};
use crate::query::targets::TargetState;
use crate::query::why::explain;
use crate::scrape::{Failed, History};
use crate::shard::Scraper;
use crate::store::Absent;

/// What `subject` (`container web`, `node n`) lacks.
pub(super) fn lacking(subject: &str, absent: &Absent) -> Absence {
    absence(absent.reason(), &explain::absent(subject, absent).what)
}

/// Why a pod that does not run has no usage. A pending pod with a running sidecar or init container does have usage:
/// its other containers may wait for an image for hours.
pub(super) fn not_running(pod: &Pod) -> Option<Absence> {
    let mut containers = pod.containers.iter();
    let begun = containers.any(|it| matches!(it.state, State::Running { .. }));
    if pod.phase == Phase::Pending && begun {
        return None;
    }
    let (reason, words) = why_not_running::phase(pod)?;
    Some(absence(reason, &words.what))
}

/// Why a pod in phase Running without a running container has no usage.
pub(super) fn nothing_runs(pod: &Pod) -> Option<Absence> {
    let words = why_not_running::pod(pod)?;
    Some(absence("not_running", &words.what))
}

/// Why a pod that is bound to no node has no usage.
pub(super) fn no_node() -> Absence {
    absence("no_node", "no node has been found for it yet")
}

/// Why an object without a sample at the time of the query has no usage.
pub(super) fn no_sample() -> Absence {
    absence("not_remembered", "no sample of that time is stored")
}

/// Why a container that does not run has no usage. `subject` names it in the message.
pub(super) fn idle(
    subject: &str,
    pod: &Pod,
    spec: &ContainerSpec,
    status: &ContainerStatus,
) -> Option<Absence> {
    let words = why_not_running::container(pod, spec, status)?;
    Some(absence("not_running", &format!("{subject} {}", words.what)))
}

/// Why a complete container in an incomplete pod has no usage.
pub(super) fn pod_not_whole() -> Absence {
    absence(
        "pod_not_whole",
        "another container of its pod lacks something, and a pod has usage only as a whole",
    )
}

/// Why a node without a successful scrape, or a pod on it, has no usage. `subject` is `the node` or `its node`.
pub(super) fn unanswered(subject: &str, node: &NodeContext) -> Absence {
    if let Some(absent) = shard(subject, node) {
        return absent;
    }
    if let Some(Scraper { name, .. }) = &node.scraper {
        let what = format!("{subject} is scraped by {name}, which has not reported it yet");
        return absence("first_scrape", &what);
    }
    if node.left_out {
        let what = format!(
            "{subject} is not scraped, because the memory limit of vitals-server is near; raise that limit"
        );
        return absence("memory_limit", &what);
    }
    let Some(record) = &node.record else {
        let what = format!("{subject} is new to the server, which has not scraped it yet");
        return absence("not_asked", &what);
    };
    record.read(|history| match &history.last {
        None if history.waits && history.skipped_turns > 0 => {
            let what = format!("{subject} waits until fewer kubelets are scraped at once");
            absence("overloaded", &what)
        }
        None => {
            let what = format!("{subject} is being scraped for the first time");
            absence("first_scrape", &what)
        }
        Some(last) => match &last.failed {
            Some(Failed { error, .. }) => {
                let what = format!("{subject} has never given metrics: {error}");
                absence(error.reason(), &what)
            }
            None => {
                let what = format!("no metrics of {subject} are stored yet");
                absence("first_scrape", &what)
            }
        },
    })
}

/// Why a node that another shard scrapes, or a pod on it, has no usage, if that shard does not answer.
pub(super) fn shard(subject: &str, node: &NodeContext) -> Option<Absence> {
    let Scraper { name, problem } = node.scraper.as_ref()?;
    let problem = problem.as_ref()?;
    let what = format!("{subject} is scraped by {name}, which {problem}");
    Some(absence("shard_absent", &what))
}

/// The state of each page of a node's kubelet.
pub(super) fn pages(history: &History, path: &str) -> Vec<KubeletPage> {
    let page = |name: &str, path: &str, state: TargetState, failed: Option<&Failed>, last| {
        let why = failed.map(|failed| absence(failed.error.reason(), &failed.error.to_string()));
        let Absence { reason, message } = why.unwrap_or_default();
        KubeletPage {
            name: name.to_owned(),
            path: path.to_owned(),
            state: state.as_str().to_owned(),
            reason,
            message,
            last_success: last,
        }
    };
    let failed = history.last.as_ref().and_then(|last| last.failed.as_ref());
    let success = history.answered.as_ref().map(|(_, at)| at.wall);
    let resource = page("resource", path, TargetState::of(history), failed, success);
    let others = history.pages().map(|(of, it)| {
        let success = it.answered.map(|at| at.wall);
        page(
            of.name(),
            of.path(),
            TargetState::of_page(it),
            it.failed.as_deref(),
            success,
        )
    });
    std::iter::once(resource).chain(others).collect()
}

/// Converts a reason such as `not_reported` to `NotReported`, and a clause to a sentence.
fn absence(reason: &str, what: &str) -> Absence {
    let words = reason.split('_').map(capital);
    Absence {
        reason: words.collect(),
        message: format!("{}.", capital(what)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reason_is_one_word_and_message_a_sentence() {
        let absence = lacking("container web", &Absent::NotReported);
        assert_eq!(absence.reason, "NotReported");
        assert_eq!(
            absence.message,
            "Container web is not in the kubelet's last response."
        );
    }
}
