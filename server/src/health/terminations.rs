//! The terminations in a container's status.
//!
//! A termination has the same number ([`ContainerStatus::terminations`]) before, during and after the restart, so it counts
//! once.

use kubevitals_proto::time::Timestamp;

use crate::cluster::{ContainerStatus, Ended, Pod, Role, State, time};

/// The terminations in a status, newest first, each with its number from 1.
pub(super) fn in_status(status: &ContainerStatus) -> impl Iterator<Item = (u32, &Ended)> {
    let newest = match &status.state {
        State::Terminated(ended) if ended.exit_code != 0 => Some(&**ended),
        _ => None,
    };
    let (restarts, last) = (status.restarts, status.last.as_deref());
    let of_last = match status.state {
        State::Waiting(_) => restarts.saturating_add(1),
        State::Running { .. } | State::Terminated(_) => restarts,
    };
    let newest = newest.map(|ended| (restarts.saturating_add(1), ended));
    newest
        .into_iter()
        .chain(last.map(|ended| (of_last, ended)))
        .filter(|(nth, _)| *nth > 0)
}

/// Whether a pod is a static pod. The kubelet has another UID for it than the API server.
pub(super) fn is_static(pod: &Pod) -> bool {
    pod.owner
        .as_ref()
        .is_some_and(|owner| &*owner.kind == "Node")
}

/// Whether an init container has completed. It may run again for a new sandbox, which is no problem.
pub(super) fn is_done(role: Role, ended: &Ended) -> bool {
    role == Role::Init && ended.exit_code == 0
}

/// The start of a running container.
pub(super) fn running_since(status: &ContainerStatus) -> Option<Timestamp> {
    match status.state {
        State::Running { since_seconds } => Some(Timestamp::from_secs(since_seconds.into())),
        State::Waiting(_) | State::Terminated(_) => None,
    }
}

/// The start of a terminated container, if the status has it.
pub(super) fn started(ended: &Ended) -> Option<Timestamp> {
    time(ended.started_seconds)
}

/// The end of a terminated container, if the status has it.
pub(super) fn finished(ended: &Ended) -> Option<Timestamp> {
    time(ended.finished_seconds)
}

/// The time at which a pod became ready; none if it is not ready.
pub(super) fn ready_since(pod: &Pod) -> Option<Timestamp> {
    time(pod.ready.since_seconds).filter(|_| pod.ready.status)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(exit_code: i32, finished_seconds: u32) -> Box<Ended> {
        Box::new(Ended {
            exit_code,
            finished_seconds,
            ..Ended::default()
        })
    }

    fn status(restarts: u32, state: State, last: Option<Box<Ended>>) -> ContainerStatus {
        let mut status = ContainerStatus::default();
        (status.restarts, status.state, status.last) = (restarts, state, last);
        status
    }

    fn terminations(status: &ContainerStatus) -> (u32, Vec<(u32, u32)>) {
        let numbers = in_status(status).map(|(nth, ended)| (nth, ended.finished_seconds));
        (status.terminations(false), numbers.collect())
    }

    /// The states of one crash loop.
    #[test]
    fn termination_has_the_same_number_in_every_state() {
        let waiting = || State::Waiting(None);
        let running = || State::Running { since_seconds: 9 };
        let terminated = |at| State::Terminated(ended(7, at));
        let last = |at| Some(ended(7, at));
        for (status, expected) in [
            (status(0, waiting(), None), (0, vec![])),
            (status(0, running(), None), (0, vec![])),
            (status(0, terminated(10), None), (1, vec![(1, 10)])),
            (status(0, waiting(), last(10)), (1, vec![(1, 10)])),
            (status(1, running(), last(10)), (1, vec![(1, 10)])),
            (
                status(1, terminated(20), last(10)),
                (2, vec![(2, 20), (1, 10)]),
            ),
            (status(1, waiting(), last(20)), (2, vec![(2, 20)])),
        ] {
            assert_eq!(terminations(&status), expected, "{status:?}");
        }
    }

    #[test]
    fn successful_termination_counts_when_a_restart_follows() {
        let completed = status(0, State::Terminated(ended(0, 10)), None);
        assert_eq!(terminations(&completed), (0, vec![]));
        let failed = status(0, State::Terminated(ended(1, 10)), None);
        assert_eq!(
            (failed.terminations(false), failed.terminations(true)),
            (1, 0)
        );
        let waits = status(0, State::Waiting(None), Some(ended(0, 10)));
        assert_eq!(terminations(&waits), (1, vec![(1, 10)]));
        assert!(is_done(Role::Init, &ended(0, 1)));
        assert!(!is_done(Role::Init, &ended(1, 1)) && !is_done(Role::App, &ended(0, 1)));
    }
}
