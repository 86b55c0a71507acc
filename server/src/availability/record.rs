//! The availability of one workload: follows the changes of its pods.

use std::time::Duration;

use super::standing::{PodFacts, Standing};
use super::state::State;
use super::time::Second;
use super::timeline::Timeline;

/// A pod that is created within this many seconds replaces the pod that was deleted before. Controllers create it within
/// a second or two. A later one means that the workload was scaled to zero and up again.
const REPLACED_WITHIN: u32 = 30;

/// A scale-down deletes the pods of a workload one after the other, within this many seconds.
const DELETED_WITHIN: u32 = 2;

/// How a workload lost its last ready pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Loss {
    /// The pod failed, or its readiness.
    #[default]
    Failure,
    /// Somebody deleted the pod: a controller, or a person.
    Deletion,
}

/// One workload.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Record {
    pub(super) timeline: Timeline,
    /// Since when each ready pod is ready, sorted.
    pub(super) ready: Vec<Second>,
    /// The pods that the workload has, ready or not.
    pub(super) existing: u32,
    /// The pods that were ready, or have failed to start.
    pub(super) lapsed: u32,
    /// The pods that are being deleted.
    pub(super) terminating: u32,
    /// When the last ready pod stopped being so.
    pub(super) lost: Second,
    pub(super) loss: Loss,
    /// When the last pod that was being deleted was gone.
    pub(super) gone: Second,
    /// The creation and the revision of the newest pod.
    pub(super) newest: (Second, u32),
    /// The revision of the pod that was the last to become ready or to stop being so.
    pub(super) revision: u32,
    /// The state before the pods were deleted.
    pub(super) before_off: Option<State>,
    /// The time from which on nothing is known, for a workload that was restored and has not been listed.
    pub(super) known: Option<Second>,
    /// The downtime that was reported last, in seconds: a counter never decreases.
    pub(super) reported_seconds: u64,
    /// The downtime that is older than the retention, in seconds.
    pub(super) expired_seconds: u64,
}

impl Record {
    /// Whether the workload has no pods.
    pub(super) fn is_gone(&self) -> bool {
        self.existing == 0 && self.terminating == 0
    }

    /// Merges and drops transitions above `most`, and what is older than the retention.
    pub(super) fn compact(&mut self, most: usize, retention: Duration, now: Second) {
        self.expired_seconds += self.timeline.compact(most, retention, now);
    }

    /// Counts no pods, until they are listed.
    pub(super) fn forget_pods(&mut self) {
        self.ready.clear();
        (self.existing, self.lapsed, self.terminating) = (0, 0, 0);
    }

    /// Counts a change of a pod, without a change of the state.
    pub(super) fn count(&mut self, before: Option<&PodFacts>, after: Option<&PodFacts>) {
        for (facts, is_more) in [(after, true), (before, false)] {
            let Some(facts) = facts else { continue };
            for (count, is_one) in [
                (&mut self.existing, facts.standing.exists()),
                (&mut self.lapsed, facts.standing == Standing::Lapsed),
                (
                    &mut self.terminating,
                    facts.standing == Standing::Terminating,
                ),
            ] {
                let one = u32::from(is_one);
                *count = match is_more {
                    true => count.saturating_add(one),
                    false => count.saturating_sub(one),
                };
            }
            if facts.standing == Standing::Ready {
                let at = self.ready.partition_point(|since| *since < facts.since);
                match self.ready.get(at) {
                    _ if is_more => self.ready.insert(at, facts.since),
                    Some(since) if *since == facts.since => drop(self.ready.remove(at)),
                    _ => {}
                }
            }
        }
        if let Some(pod) = after.filter(|pod| pod.standing.exists() && pod.created >= self.newest.0)
        {
            self.newest = (pod.created, pod.revision);
        }
    }

    /// Applies a change of a pod as it happens.
    pub(super) fn apply(
        &mut self,
        before: Option<&PodFacts>,
        after: Option<&PodFacts>,
        now: Second,
    ) {
        self.count(before, after);
        let until_now = |pod: &PodFacts| pod.until(now);
        let (before, after) = (before.map(until_now), after.map(until_now));
        let (before, after) = (before.as_ref(), after.as_ref());
        let is_ready =
            |pod: Option<&PodFacts>| pod.is_some_and(|pod| pod.standing == Standing::Ready);
        if let (None, Some(pod)) = (before, after)
            && pod.standing.exists()
        {
            self.created(pod.created, pod.revision);
        }
        match (before, after) {
            (Some(before), after) if is_ready(Some(before)) && !is_ready(after) => {
                let (at, loss) = loss_of(before, after, now);
                self.lose(at, loss, before.revision, now);
            }
            (Some(before), Some(after)) if is_ready(Some(before)) => self.flapped(before, after),
            (_, Some(after)) if is_ready(Some(after)) => self.gain(after.since, after.revision),
            (Some(before), after) => self.left(before, after, now),
            (None, _) => {}
        }
        if self.terminating == 0 && before.is_some_and(|it| it.standing == Standing::Terminating) {
            self.gone = now;
        }
        self.grade(changed_at(before, after, now));
    }

    /// A ready pod is no longer so.
    fn lose(&mut self, at: Second, loss: Loss, revision: u32, now: Second) {
        if at >= self.lost {
            (self.lost, self.loss) = (at, loss);
        }
        self.revision = revision;
        if let Some(next) = self.ready.first().copied() {
            // The failure may be reported after another pod that became ready later. A deletion is reported at once.
            let was_up = self.timeline.at(self.lost).is_some_and(State::is_up);
            let is_known = self.lost < next && next <= now;
            if self.loss == Loss::Failure && is_known && was_up {
                self.fall();
                self.timeline.set(next, State::Up);
            }
            return;
        }
        self.fall();
    }

    /// The last ready pod is lost.
    fn fall(&mut self) {
        // The pods may be reported in another order than they were lost.
        let at = self.lost;
        match self.loss {
            Loss::Failure => self.timeline.set(at, State::Down),
            Loss::Deletion if self.existing == 0 => self.stop(at),
            // Only a rollout deletes a ready pod while one of another revision is not ready.
            Loss::Deletion if self.newest.1 != self.revision => {
                self.timeline.set(at, State::Deliberate)
            }
            Loss::Deletion => self.timeline.set(at, State::Down),
        }
    }

    /// A pod is ready.
    fn gain(&mut self, since: Second, revision: u32) {
        self.revision = revision;
        let is_up = |state: Option<State>| state.is_some_and(State::is_up);
        // A pod may be reported after another that became ready later.
        if !is_up(self.timeline.state()) || !is_up(self.timeline.at(since)) {
            self.timeline.set(since, State::Up);
        }
    }

    /// A pod was ready in two reports and not between them. If no other pod is ready, the workload was down, from the
    /// termination of a container on. Without a termination the time is shorter than that between two reports.
    fn flapped(&mut self, before: &PodFacts, after: &PodFacts) {
        let between = before.since < after.terminated && after.terminated < after.since;
        let last = self.timeline.last().map(|last| last.at).unwrap_or_default();
        if self.ready.len() == 1 && between && last < after.terminated {
            self.timeline.set(after.terminated, State::Down);
            self.timeline.set(after.since, State::Up);
        }
    }

    /// A pod that was not ready is deleted, or has failed.
    fn left(&mut self, before: &PodFacts, after: Option<&PodFacts>, now: Second) {
        let is_over = after.is_some_and(|pod| pod.standing == Standing::Over);
        if before.standing.exists() && self.existing == 0 && !is_over {
            self.stop(changed_at(Some(before), after, now));
        }
    }

    /// All pods have been deleted: the workload is scaled to zero or deleted, unless they are replaced.
    pub(super) fn stop(&mut self, at: Second) {
        let Some(last) = self.timeline.last() else {
            return;
        };
        let is_scale_down = last.state == State::Down
            && self.loss == Loss::Deletion
            && at.since(last.at) <= DELETED_WITHIN;
        match last.state {
            State::Off => {}
            _ if is_scale_down => {
                self.timeline.set(last.at, State::Off);
                self.before_off = Some(State::Up);
            }
            state => {
                self.before_off = Some(state);
                self.timeline.set(at.max(last.at), State::Off);
            }
        }
    }

    /// A pod was created.
    pub(super) fn created(&mut self, created: Second, revision: u32) {
        let Some(last) = self.timeline.last() else {
            return;
        };
        let is_rollout = revision != self.revision;
        let waited = created.since(last.at);
        if last.state == State::Off {
            let is_replaced = waited <= REPLACED_WITHIN
                || (self.terminating == 0
                    && self.gone >= last.at
                    && created.since(self.gone) <= REPLACED_WITHIN);
            match self.before_off {
                _ if !is_replaced => self.timeline.set(created, State::Deliberate),
                Some(State::Up | State::Degraded) | None if is_rollout => {
                    self.timeline.set(last.at, State::Deliberate);
                }
                Some(State::Up | State::Degraded) | None => {
                    self.timeline.set(last.at, State::Down);
                }
                // What was before the deletion continues.
                Some(state) => self.timeline.set(last.at, state),
            }
        } else if last.state == State::Down
            && self.loss == Loss::Deletion
            && is_rollout
            && waited <= REPLACED_WITHIN
        {
            self.timeline.set(last.at, State::Deliberate);
        }
    }

    /// Tells up and degraded apart.
    pub(super) fn grade(&mut self, at: Second) {
        let Some(last) = self.timeline.last().filter(|last| last.state.is_up()) else {
            return;
        };
        let state = if self.lapsed > 0 {
            State::Degraded
        } else {
            State::Up
        };
        if state != last.state {
            self.timeline.set(at.max(last.at), state);
        }
    }
}

/// When a ready pod stopped being so, and how.
fn loss_of(before: &PodFacts, after: Option<&PodFacts>, now: Second) -> (Second, Loss) {
    let at = changed_at(Some(before), after, now);
    match after.map(|after| after.standing) {
        None | Some(Standing::Terminating) => (at, Loss::Deletion),
        Some(_) => (at, Loss::Failure),
    }
}

/// When a pod changed: Kubernetes' own time where it has one.
pub(super) fn changed_at(
    before: Option<&PodFacts>,
    after: Option<&PodFacts>,
    now: Second,
) -> Second {
    let Some(after) = after else {
        return now;
    };
    let since = before.map_or(Second::default(), |before| before.since);
    let at = match after.standing {
        Standing::Terminating => after.deleted,
        _ if after.since > since => after.since,
        _ => now,
    };
    if at.is_known() { at } else { now }
}
