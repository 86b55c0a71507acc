//! What a new list of pods says about the time in which changes were missed.
//!
//! A list has the present pods only. Their times still say much: a pod that has been ready since before the gap was
//! ready throughout, and the condition of a pod that is ready again, or no longer, has the time of its last change. The
//! rest is unknown.

use super::record::Record;
use super::standing::{PodFacts, Standing};
use super::state::State;
use super::time::Second;
use super::timeline::ROLLOUT_LIMIT;

/// The pods of a workload that a list has new or changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Evidence {
    /// The pods that were ready before the gap.
    were_ready: usize,
    /// Those of them that the list has as they were.
    steady: usize,
    /// Those that must have been ready at the begin of the gap, by their times.
    accounted: usize,
    /// The pod that has been ready for longest: since when, and its creation.
    first_ready: Option<(Second, Second)>,
    /// The last time at which a pod stopped being ready.
    last_loss: Option<Second>,
    /// Since when one of the pods is not ready that was.
    lapsed: Option<Second>,
    /// The creation of the oldest pod.
    oldest: Option<Second>,
}

impl Evidence {
    /// Before the changes of a list. The pods of a record that was restored are all new to this process.
    pub(super) fn of(record: &mut Record) -> Self {
        let were_ready = record.ready.len();
        if record.known.is_some() {
            record.forget_pods();
        }
        Self {
            were_ready,
            steady: record.ready.len(),
            ..Self::default()
        }
    }

    /// Takes a change in. Changes after `known` may have been missed.
    pub(super) fn add(
        &mut self,
        before: Option<&PodFacts>,
        after: Option<&PodFacts>,
        known: Option<Second>,
        now: Second,
    ) {
        if before.is_some_and(|pod| pod.standing == Standing::Ready) {
            self.steady = self.steady.saturating_sub(1);
        }
        let Some(pod) = after.map(|pod| pod.until(now)) else {
            return;
        };
        let known = known.unwrap_or_default();
        self.oldest = Some(earlier(self.oldest, pod.created));
        let mut lost = None;
        match pod.standing {
            Standing::Ready => {
                let ready = (pod.since, pod.created);
                self.first_ready = Some(self.first_ready.map_or(ready, |first| first.min(ready)));
                lost = Some(pod.terminated).filter(|at| *at < pod.since);
                if pod.since <= known {
                    self.accounted += 1;
                    return;
                }
            }
            Standing::Lapsed => {
                lost = Some(pod.since);
                self.lapsed = Some(earlier(self.lapsed, pod.since));
            }
            Standing::Terminating | Standing::Over => {
                lost = Some(pod.since.max(pod.deleted));
            }
            Standing::Starting => {}
        }
        if let Some(at) = lost.filter(|at| *at > known && pod.created <= known) {
            self.accounted += 1;
            self.last_loss = self.last_loss.max(Some(at));
        } else if let (Standing::Lapsed, Some(at)) = (pod.standing, lost) {
            self.last_loss = self.last_loss.max(Some(at));
        }
    }
}

fn earlier(one: Option<Second>, other: Second) -> Second {
    one.map_or(other, |one| one.min(other))
}

impl Record {
    /// Concludes from a list that has ended what happened since `known`, from which on changes were missed. None if
    /// the server had not watched before.
    pub(super) fn conclude(&mut self, evidence: &Evidence, known: Option<Second>, now: Second) {
        match (self.timeline.last(), known) {
            (Some(last), Some(known)) => self.bridge(evidence, known.max(last.at), now),
            _ => self.first_sight(evidence),
        }
        self.known = None;
        let lapsed = evidence.lapsed.unwrap_or(now);
        self.grade(lapsed);
    }

    /// A workload of which nothing is stored.
    fn first_sight(&mut self, evidence: &Evidence) {
        let (at, state) = match (evidence.first_ready, evidence.last_loss) {
            (Some((since, _)), _) => (since, State::Up),
            (None, Some(lost)) if self.existing > 0 => (lost, State::Down),
            // It has not been ready yet.
            _ => return,
        };
        if let Some(created) = evidence.oldest
            && at.since(created) > ROLLOUT_LIMIT
        {
            // It existed, and nobody knows how it was.
            self.timeline.set(created, State::Unknown);
        }
        self.timeline.set(at, state);
        self.revision = self.newest.1;
    }

    /// A workload that was watched until `known`.
    fn bridge(&mut self, evidence: &Evidence, known: Second, now: Second) {
        if evidence.steady > 0 && self.timeline.state().is_some_and(State::is_up) {
            return;
        }
        let is_up = self.timeline.state().is_some_and(State::is_up);
        let lost = evidence.last_loss.filter(|at| *at > known);
        let is_accounted = evidence.accounted >= evidence.were_ready.max(1);
        match evidence.first_ready {
            Some((since, _)) if since <= known => {
                if !is_up {
                    self.timeline.set(since, State::Up);
                }
            }
            Some((since, created)) => {
                // Until the last pod was lost, the workload was up.
                let from = lost.unwrap_or(known).min(since);
                match self.timeline.state() {
                    Some(State::Up | State::Degraded) if is_accounted && lost.is_some() => {
                        self.timeline.set(from, State::Down);
                    }
                    Some(State::Up | State::Degraded) => self.timeline.set(from, State::Unknown),
                    // Only the last change of a condition is known: a pod may have been ready before.
                    Some(State::Down) => self.timeline.set(known, State::Unknown),
                    Some(State::Off) => self.created(created.min(since), self.newest.1),
                    _ => {}
                }
                self.timeline.set(since, State::Up);
            }
            None if self.existing == 0 => {
                if self.timeline.state() != Some(State::Off) && self.terminating == 0 {
                    self.timeline.set(known, State::Unknown);
                }
                self.stop(lost.unwrap_or(now));
                if is_up {
                    self.before_off = Some(State::Up);
                }
            }
            None if is_up => match lost {
                Some(lost) if is_accounted => self.timeline.set(lost, State::Down),
                _ => {
                    self.timeline.set(lost.unwrap_or(known), State::Unknown);
                    let is_rollout = self.lapsed == 0 && self.newest.1 != self.revision;
                    let state = if is_rollout {
                        State::Deliberate
                    } else {
                        State::Down
                    };
                    self.timeline.set(now, state);
                }
            },
            None if self.timeline.state() == Some(State::Off) => {
                self.created(self.newest.0.min(now), self.newest.1);
            }
            None => {
                // A pod has been ready meanwhile.
                if let Some(lost) = lost {
                    self.timeline.set(known, State::Unknown);
                    self.timeline.set(lost, State::Down);
                }
            }
        }
    }
}
