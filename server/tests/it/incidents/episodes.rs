//! The incidents that follow from the injected faults.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::{Cause, Incident, IncidentKind};
use kubevitals_sim::{Fault, Happening, InjectedFault};

/// A container that has run for this time is healthy again. An earlier problem belongs to the same incident.
const WELL_AFTER: i64 = 600_000_000_000;

/// Incidents that continue when the problem occurs again within [`WELL_AFTER`].
const RECURS: [IncidentKind; 2] = [IncidentKind::Restart, IncidentKind::ProbeFailing];

/// The object and the cause, by which two incidents are the same.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct What {
    namespace: String,
    name: String,
    container: String,
    reason: IncidentKind,
    cause: Cause,
}

impl What {
    pub(super) fn of(incident: &Incident) -> Self {
        Self {
            namespace: incident.involved.namespace.clone(),
            name: incident.involved.name.clone(),
            container: incident.involved.container.clone(),
            reason: incident.reason,
            cause: incident.cause,
        }
    }
}

/// An expected incident.
#[derive(Clone, Debug)]
pub(super) struct Expected {
    pub(super) what: What,
    pub(super) fault: Fault,
    pub(super) first: Timestamp,
    pub(super) last: Timestamp,
    /// The time from which on the server must have the incident.
    pub(super) due: Timestamp,
    /// The number of the container's terminations.
    pub(super) terminations: u64,
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (first, last) = (
            self.first.to_rfc3339_seconds(),
            self.last.to_rfc3339_seconds(),
        );
        write!(
            f,
            "{:?} from {first} to {last}: {:?}",
            self.fault, self.what
        )
    }
}

/// The expected incidents. An episode without an effect yet is not one.
pub(super) fn expected(happened: &[InjectedFault]) -> Vec<Expected> {
    let mut episodes: BTreeMap<u64, Vec<&InjectedFault>> = BTreeMap::new();
    for one in happened {
        episodes.entry(one.episode).or_default().push(one);
    }
    let mut all: Vec<Expected> = episodes.values().filter_map(|of| episode(of)).collect();
    all.sort_by(|a, b| (&a.what, a.first).cmp(&(&b.what, b.first)));
    let mut expected: Vec<Expected> = Vec::new();
    for one in all {
        match expected.last_mut() {
            Some(before)
                if before.what == one.what
                    && RECURS.contains(&one.what.reason)
                    && one.first.since(before.last) < WELL_AFTER =>
            {
                before.last = one.last;
                before.terminations += one.terminations;
            }
            _ => expected.push(one),
        }
    }
    expected
}

fn episode(of: &[&InjectedFault]) -> Option<Expected> {
    let first = of.first()?;
    let counts = |what: &Happening| match first.fault {
        Fault::CrashLoop => matches!(what, Happening::Exited { .. }),
        Fault::OomKill => matches!(what, Happening::OomKilled),
        Fault::LivenessFailure | Fault::StartupFailure => {
            matches!(what, Happening::KilledByProbe { .. })
        }
        Fault::ReadinessFailure => matches!(what, Happening::PodNotReady),
        Fault::NodeNotReady => matches!(what, Happening::NodeNotReady),
        Fault::Eviction => matches!(what, Happening::Evicted),
        Fault::ImagePullFailure => matches!(what, Happening::ImagePullFailing),
        // A rollout replaces pods, which is no problem.
        _ => false,
    };
    let deciding = of.iter().find(|one| counts(&one.what))?;
    let (reason, cause) = match first.fault {
        Fault::CrashLoop => (IncidentKind::Restart, Cause::Exited),
        Fault::OomKill => (IncidentKind::Restart, Cause::OomKilled),
        Fault::LivenessFailure => (IncidentKind::Restart, Cause::LivenessProbe),
        Fault::StartupFailure => (IncidentKind::Restart, Cause::StartupProbe),
        Fault::ReadinessFailure => (IncidentKind::ProbeFailing, Cause::ReadinessProbe),
        Fault::NodeNotReady => (IncidentKind::NodeNotReady, Cause::NodeLost),
        Fault::Eviction => (IncidentKind::Eviction, Cause::NodePressure),
        Fault::ImagePullFailure => (IncidentKind::ImagePull, Cause::ImageUnavailable),
        _ => return None,
    };
    // The fault of a readiness probe names the container in its failed attempts.
    let container = of.iter().find(|one| !one.container.is_empty());
    let container = match first.fault {
        Fault::NodeNotReady | Fault::Eviction => String::new(),
        _ => container?.container.clone(),
    };
    let name = if first.fault == Fault::NodeNotReady {
        deciding.node.clone()
    } else {
        deciding.name.clone()
    };
    let terminations = of.iter().filter(|one| counts(&one.what)).count();
    Some(Expected {
        what: What {
            namespace: deciding.namespace.clone(),
            name,
            container,
            reason,
            cause,
        },
        fault: first.fault,
        first: first.at,
        last: of.last()?.at,
        due: deciding.at,
        terminations: terminations as u64,
    })
}

/// The comparison of the server's incidents with the expected ones.
#[derive(Debug, Default)]
pub(super) struct Score {
    pub(super) expected: usize,
    pub(super) reported: usize,
    pub(super) right: usize,
    pub(super) missing: Vec<String>,
    pub(super) wrong: Vec<String>,
    pub(super) by_fault: BTreeMap<Fault, usize>,
}

impl Score {
    /// An incident is right if it fits an expected one that no other incident fits. Incidents after `until` are not
    /// required.
    pub(super) fn of(expected: &[Expected], incidents: &[Arc<Incident>], until: Timestamp) -> Self {
        let mut score = Self {
            expected: expected.len(),
            reported: incidents.len(),
            ..Self::default()
        };
        let mut left: Vec<&Arc<Incident>> = incidents.iter().collect();
        for one in expected {
            let fits = |incident: &&Arc<Incident>| {
                let second = 1_000_000_000;
                What::of(incident) == one.what
                    && incident.began.since(one.first) >= -second
                    && one.last.since(incident.began) >= -second
                    && (incident.reason != IncidentKind::Restart
                        || incident.count == one.terminations)
            };
            match left.iter().position(fits) {
                Some(at) => {
                    left.remove(at);
                    score.right += 1;
                    *score.by_fault.entry(one.fault).or_default() += 1;
                }
                None if one.due > until => score.expected -= 1,
                None => score.missing.push(one.to_string()),
            }
        }
        let all = left.len();
        left.retain(|incident| incident.last_seen <= until);
        score.reported -= all - left.len();
        score.wrong = left
            .iter()
            .map(|incident| super::describe(incident))
            .collect();
        score
    }

    pub(super) fn precision(&self) -> f64 {
        self.right as f64 / self.reported as f64
    }

    pub(super) fn recall(&self) -> f64 {
        self.right as f64 / self.expected as f64
    }

    pub(super) fn is_perfect(&self) -> bool {
        self.missing.is_empty() && self.wrong.is_empty()
    }
}

impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} incidents expected, {} reported, {} right: precision {:.3}, recall {:.3}; {:?}",
            self.expected,
            self.reported,
            self.right,
            self.precision(),
            self.recall(),
            self.by_fault
        )?;
        for missing in &self.missing {
            writeln!(f, "missing: {missing}")?;
        }
        for wrong in &self.wrong {
            writeln!(f, "wrong: {wrong}")?;
        }
        Ok(())
    }
}
