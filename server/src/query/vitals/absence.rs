//! Why a number is absent, in the API's words: those of `vitals why`.

use kubevitals_proto::vitals::{Absence, KubeletPage};

use crate::cluster::{ContainerSpec, ContainerStatus, Phase, Pod, State};
use crate::query::targets::TargetState;
use crate::query::why::{explain, not_running as why_not_running};
use crate::scrape::{Failed, History};
use crate::store::Absent;

/// What `whom` (`container web`, `node n`) lacks.
pub(super) fn lacking(whom: &str, absent: &Absent) -> Absence {
    told(absent.reason(), &explain::absent(whom, absent).what)
}

/// Of a pod that is not running. One that is pending while a sidecar or an init container of it runs does use something:
/// the rest may wait for an image for hours.
pub(super) fn not_running(pod: &Pod) -> Option<Absence> {
    let mut containers = pod.containers.iter();
    let begun = containers.any(|it| matches!(it.state, State::Running { .. }));
    if pod.phase == Phase::Pending && begun {
        return None;
    }
    let (reason, words) = why_not_running::phase(pod)?;
    Some(told(reason, &words.what))
}

/// Of a pod none of whose containers runs, though its phase is Running.
pub(super) fn nothing_runs(pod: &Pod) -> Option<Absence> {
    let words = why_not_running::pod(pod)?;
    Some(told("not_running", &words.what))
}

/// Of a pod that no node has.
pub(super) fn no_node() -> Absence {
    told("no_node", "no node has been found for it yet")
}

/// Of what was not measured at the time that is asked for, or is forgotten.
pub(super) fn not_remembered() -> Absence {
    told(
        "not_remembered",
        "nothing is remembered of what it used then",
    )
}

/// Of a container that the kubelet says does not run; `whom` names it in the sentence.
pub(super) fn idle(
    whom: &str,
    pod: &Pod,
    spec: &ContainerSpec,
    status: &ContainerStatus,
) -> Option<Absence> {
    let words = why_not_running::container(pod, spec, status)?;
    Some(told("not_running", &format!("{whom} {}", words.what)))
}

/// Of a container that has all it needs, in a pod of which another one has not.
pub(super) fn pod_not_whole() -> Absence {
    told(
        "pod_not_whole",
        "another container of its pod lacks something, and a pod is told whole or not at all",
    )
}

/// Of a node that has not answered yet, and of its pods: why not, as far as its scrapes tell. `whom` is `the node` or
/// `its node`.
pub(super) fn unanswered(whom: &str, history: Option<&History>) -> Absence {
    let Some(history) = history else {
        let what = format!("{whom} is new to the server, which has not asked it yet");
        return told("not_asked", &what);
    };
    match &history.last {
        None if history.waits && history.skipped_turns > 0 => {
            let what = format!("{whom} waits until fewer kubelets are asked at once");
            told("overloaded", &what)
        }
        None => told(
            "first_scrape",
            &format!("{whom} is being asked for the first time"),
        ),
        Some(last) => match &last.failed {
            Some(Failed { error, .. }) => {
                let what = format!("{whom} has never given metrics: {error}");
                told(error.reason(), &what)
            }
            None => told(
                "first_scrape",
                &format!("nothing of {whom} is taken in yet"),
            ),
        },
    }
}

/// The pages of a node's kubelet.
pub(super) fn pages(history: &History, path: &str) -> Vec<KubeletPage> {
    let page = |name: &str, path: &str, state: TargetState, failed: Option<&Failed>, last| {
        let why = failed.map(|failed| told(failed.error.reason(), &failed.error.to_string()));
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
    let answered = history.answered.as_ref().map(|(_, at)| at.wall);
    let resource = page("resource", path, TargetState::of(history), failed, answered);
    let others = history.pages().map(|(of, it)| {
        let answered = it.answered.map(|at| at.wall);
        page(
            of.name(),
            of.path(),
            TargetState::of_page(it),
            it.failed.as_deref(),
            answered,
        )
    });
    std::iter::once(resource).chain(others).collect()
}

/// `not_reported` is `NotReported`; a sentence begins large and has an end.
fn told(reason: &str, what: &str) -> Absence {
    let words = reason.split('_').map(capital);
    Absence {
        reason: words.collect(),
        message: format!("{}.", capital(what)),
    }
}

fn capital(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(characters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_one_word_and_a_message_a_sentence() {
        let absence = lacking("container web", &Absent::NotReported);
        assert_eq!(absence.reason, "NotReported");
        assert_eq!(
            absence.message,
            "Container web is not in the kubelet's last answer."
        );
    }
}
