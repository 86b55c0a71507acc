//! Decides what to announce about which incident, and when. Pure: the caller passes incidents and times.
//!
//! - An incident is announced after a delay, in which its evidence arrives, and in which incidents with one cause are
//!   joined. An incident that is gone by then is never announced.
//! - It is resolved when it has been over for the delay: a probe that flaps is not announced each time.
//! - A change of its cause or its extent is announced at most once in [`CHANGE_INTERVAL`].
//! - An incident that another process has announced is not announced again.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use kubevitals_proto::time::{Timestamp, nanos};
use kubevitals_proto::vitals::{Cause, Certainty, Incident, IncidentKind, Meta};
use uuid::Uuid;

use super::notice::Action;
use crate::clock::Age;
use crate::health::Announcement;
use crate::query::VitalsBuilder;

/// The shortest time between two changes of one incident that are announced.
const CHANGE_INTERVAL: Duration = Duration::from_secs(300);

/// An incident that ended earlier than this before the server noticed it is not announced.
const MAX_AGE: Duration = Duration::from_secs(3600);

/// An alert fires for at least this time, so that a short incident reaches a person: Alertmanager waits for up to
/// `group_interval`, by default five minutes, before it notifies of one more alert in a group.
const MIN_FIRING: Duration = Duration::from_secs(360);

/// The time for which the end of an alert is sent again.
const RESOLVED_RETENTION: Duration = Duration::from_secs(900);

/// A point in time on both clocks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Now {
    pub(super) age: Age,
    pub(super) wall: Timestamp,
}

/// An announcement to make.
#[derive(Debug)]
pub(super) struct Decision {
    pub(super) id: String,
    pub(super) action: Action,
    pub(super) incident: Arc<Incident>,
    /// What to store about the incident when it has been announced; none if it is gone.
    pub(super) announcement: Option<Announcement>,
}

/// An incident as an alert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AlertState {
    pub(super) incident: Arc<Incident>,
    /// None while it fires.
    pub(super) ended: Option<Timestamp>,
}

/// The incidents that were noticed.
#[derive(Debug)]
pub(super) struct Tracker {
    delay: Duration,
    tracked: HashMap<(String, String), Tracked>,
    round: u64,
}

#[derive(Debug)]
struct Tracked {
    incident: Arc<Incident>,
    /// The last round that had the incident.
    round: u64,
    noticed: Age,
    /// Whether the incident is over or gone, and since when.
    closed: bool,
    closed_changed: Age,
    stage: Stage,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Stage {
    /// Not announced yet.
    Waiting,
    /// Over for too long to be announced.
    Ignored,
    /// Announced as open.
    Open {
        since: Age,
        extent: Extent,
        changed: Option<Age>,
    },
    /// Announced as over.
    Over {
        ended: Timestamp,
        /// Alerts have this stage from here on.
        from: Age,
        /// Alerts about it are sent until here.
        until: Age,
    },
}

/// The part of an incident whose changes are announced.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Extent {
    judgement: (IncidentKind, Cause, Certainty),
    /// Occurrences, and affected pods.
    counts: [u64; 2],
}

impl Extent {
    fn of(it: &Incident) -> Self {
        Self {
            judgement: (it.reason, it.cause, it.certainty),
            counts: [it.count, it.affected_count],
        }
    }

    /// Whether a count has at least doubled since `before`.
    fn has_grown(&self, before: &Self) -> bool {
        let mut counts = self.counts.iter().zip(before.counts);
        counts.any(|(now, before)| *now >= before.max(1).saturating_mul(2))
    }

    /// The same text for about the same extent, in every process.
    fn text(&self) -> String {
        let (reason, cause, certainty) = self.judgement;
        let [count, affected] = self.counts.map(|it| it.checked_ilog2().unwrap_or_default());
        let words = [reason.as_str(), cause.as_str(), certainty.as_str()].join("/");
        format!("{words}/{count}/{affected}")
    }
}

impl Tracker {
    pub(super) fn new(delay: Duration) -> Self {
        Self {
            delay,
            tracked: HashMap::new(),
            round: 0,
        }
    }

    /// Compares all incidents with what has been announced. `announced` returns what other processes have announced.
    pub(super) fn round(
        &mut self,
        incidents: impl IntoIterator<Item = Arc<Incident>>,
        announced: impl Fn(&Meta) -> Option<Announcement>,
        now: Now,
    ) -> Vec<Decision> {
        self.round += 1;
        for incident in incidents {
            let meta = &incident.metadata;
            let key = (meta.namespace.clone(), meta.name.clone());
            let tracked = self.tracked.entry(key).or_insert_with(|| Tracked {
                round: 0,
                noticed: now.age,
                closed: incident.ended.is_some(),
                closed_changed: now.age,
                stage: first_stage(&incident, now.wall),
                incident: Arc::clone(&incident),
            });
            tracked.round = self.round;
            tracked.incident = incident;
            // Not only at first: the state of another process may be merged at any time. What was announced must be resolved,
            // however long ago it ended.
            if matches!(tracked.stage, Stage::Waiting | Stage::Ignored)
                && let Some(announced) = announced(&tracked.incident.metadata)
            {
                tracked.continue_from(announced, now.age);
            }
        }
        let (round, delay) = (self.round, self.delay);
        let mut decisions = Vec::new();
        self.tracked.retain(|_, it| {
            let gone = it.round != round;
            it.step(gone, delay, now, &mut decisions)
        });
        // New incidents before those that they include are withdrawn.
        decisions.sort_by_key(|it| (it.action == Action::Withdrawn, it.incident.began));
        decisions
    }

    /// The incidents that are or were announced, as alerts.
    pub(super) fn alerts(&self, now: Age) -> Vec<AlertState> {
        let states = self.tracked.values().filter_map(|it| {
            let ended = match it.stage {
                Stage::Waiting | Stage::Ignored => return None,
                Stage::Over { until, .. } if until <= now => return None,
                Stage::Over { ended, from, .. } => (from <= now).then_some(ended),
                Stage::Open { .. } => None,
            };
            Some(AlertState {
                incident: Arc::clone(&it.incident),
                ended,
            })
        });
        let mut states: Vec<AlertState> = states.collect();
        states.sort_by(|a, b| {
            let (a, b) = (&*a.incident, &*b.incident);
            let names = a.metadata.namespace.cmp(&b.metadata.namespace);
            let names = names.then_with(|| a.metadata.name.cmp(&b.metadata.name));
            a.began.cmp(&b.began).then(names)
        });
        states
    }

    /// When the next round has something to do even if no incident changes.
    pub(super) fn due(&self, now: Age) -> Option<Age> {
        let due = self.tracked.values().flat_map(|it| it.due(self.delay));
        due.flatten().filter(|due| *due > now).min()
    }
}

fn first_stage(incident: &Incident, now: Timestamp) -> Stage {
    match incident.ended {
        Some(ended) if now.since(ended) > nanos(MAX_AGE) => Stage::Ignored,
        _ => Stage::Waiting,
    }
}

impl Tracked {
    /// Continues from what another process has announced.
    fn continue_from(&mut self, announced: Announcement, now: Age) {
        self.stage = match announced {
            Announcement::Opened => Stage::Open {
                since: now,
                extent: Extent::of(&self.incident),
                changed: None,
            },
            // Alertmanager has the end, or has forgotten the alert.
            Announcement::Resolved(ended) => Stage::Over {
                ended,
                from: now,
                until: now,
            },
        };
    }

    /// Applies the time and the incident. Returns whether to track the incident further.
    fn step(&mut self, gone: bool, delay: Duration, now: Now, out: &mut Vec<Decision>) -> bool {
        let closed = gone || self.incident.ended.is_some();
        if closed != self.closed {
            (self.closed, self.closed_changed) = (closed, now.age);
        }
        let settled = now.age.since(self.closed_changed) >= delay;
        match &self.stage {
            Stage::Waiting if gone => return false,
            Stage::Waiting if now.age.since(self.noticed) >= delay => {
                out.push(self.open("", now));
            }
            Stage::Ignored if gone => return false,
            Stage::Ignored if !closed => {
                self.noticed = now.age;
                self.stage = Stage::Waiting;
            }
            Stage::Over { until, .. } if gone => return *until > now.age,
            Stage::Over { ended, .. } if !closed && settled => {
                let again = ended.to_rfc3339_seconds();
                out.push(self.open(&again, now));
            }
            _ => {}
        }
        let Stage::Open { since, .. } = &self.stage else {
            return true;
        };
        if closed {
            if settled {
                out.push(self.close(gone, *since, now));
            }
            return true;
        }
        let latest = Extent::of(&self.incident);
        if self.change_due(&latest).is_none_or(|due| due > now.age) {
            return true;
        }
        let what = latest.text();
        self.stage = Stage::Open {
            since: *since,
            extent: latest,
            changed: Some(now.age),
        };
        out.push(self.decision(Action::Changed, &what, Some(Announcement::Opened)));
        true
    }

    /// When to announce that the incident has changed, if it has. The first other cause is announced at once: the
    /// evidence came late.
    fn change_due(&self, latest: &Extent) -> Option<Age> {
        let Stage::Open {
            since,
            extent,
            changed,
        } = &self.stage
        else {
            return None;
        };
        let other = latest.judgement != extent.judgement;
        match changed {
            None if other => Some(*since),
            _ if other || latest.has_grown(extent) => {
                Some(changed.unwrap_or(*since).after(CHANGE_INTERVAL))
            }
            _ => None,
        }
    }

    fn open(&mut self, again: &str, now: Now) -> Decision {
        self.stage = Stage::Open {
            since: now.age,
            extent: Extent::of(&self.incident),
            changed: None,
        };
        self.decision(Action::Opened, again, Some(Announcement::Opened))
    }

    fn close(&mut self, gone: bool, since: Age, now: Now) -> Decision {
        let began = self.incident.began;
        let ended = self.incident.ended.unwrap_or(now.wall).max(began);
        let from = now.age.max(since.after(MIN_FIRING));
        self.stage = Stage::Over {
            ended,
            from,
            until: from.after(RESOLVED_RETENTION),
        };
        if gone && self.incident.ended.is_none() {
            return self.decision(Action::Withdrawn, "", None);
        }
        let announcement = (!gone).then_some(Announcement::Resolved(ended));
        self.decision(Action::Resolved, &ended.to_rfc3339_seconds(), announcement)
    }

    fn decision(&self, action: Action, what: &str, announcement: Option<Announcement>) -> Decision {
        // The UID of an incident is the same at every replica.
        let uid = VitalsBuilder::incident(&self.incident).metadata.uid;
        let namespace = Uuid::parse_str(&uid).unwrap_or_default();
        let text = format!("{}/{what}", action.as_str());
        Decision {
            id: Uuid::new_v5(&namespace, text.as_bytes()).to_string(),
            action,
            incident: Arc::clone(&self.incident),
            announcement,
        }
    }

    /// When the incident changes its stage, or its alert does, if nothing else happens.
    fn due(&self, delay: Duration) -> [Option<Age>; 2] {
        let settled = self.closed_changed.after(delay);
        match &self.stage {
            Stage::Waiting => [Some(self.noticed.after(delay)), None],
            Stage::Ignored => [None; 2],
            Stage::Open { .. } => [Some(settled), self.change_due(&Extent::of(&self.incident))],
            Stage::Over { .. } if !self.closed => [Some(settled), None],
            Stage::Over { from, until, .. } => [Some(*from), Some(*until)],
        }
    }
}

#[cfg(test)]
mod tests;
