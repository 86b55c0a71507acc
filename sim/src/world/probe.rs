//! The attempts at a container's probes by result, computed from times instead of counted.

use kubevitals_proto::time::Timestamp;

use super::catalog::{Container, Probe};

/// The kinds of probe, in the order in which a kubelet lists them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ProbeKind {
    Liveness,
    Readiness,
    Startup,
}

impl ProbeKind {
    pub(crate) const ALL: [Self; 3] = [Self::Liveness, Self::Readiness, Self::Startup];

    /// As a kubelet's metrics name it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Liveness => "Liveness",
            Self::Readiness => "Readiness",
            Self::Startup => "Startup",
        }
    }

    /// What the container's spec says of it.
    pub(crate) const fn of(self, container: &Container) -> Option<Probe> {
        match self {
            Self::Liveness => container.liveness,
            Self::Readiness => container.readiness,
            Self::Startup => container.startup,
        }
    }
}

/// Attempts at one probe of one container. They outlive its restarts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Count {
    succeeded: u64,
    failed: u64,
    /// When the attempts that are not yet in the sums began; none while it is not probed.
    since: Option<Timestamp>,
    /// Whether those attempts fail.
    failing: bool,
}

impl Count {
    /// Attempts since `since` at `now`: the first at once, then one a period.
    fn running(&self, period: u32, now: Timestamp) -> u64 {
        let elapsed = self.since.map(|since| now.since(since));
        let period = i64::from(period.max(1)) * 1_000_000_000;
        elapsed.map_or(0, |nanos| {
            (nanos.div_euclid(period) + 1).max(0).unsigned_abs()
        })
    }

    fn at(&self, period: u32, now: Timestamp) -> (u64, u64) {
        let running = self.running(period, now);
        match self.failing {
            true => (self.succeeded, self.failed + running),
            false => (self.succeeded + running, self.failed),
        }
    }

    fn fold(&mut self, period: u32, now: Timestamp) {
        (self.succeeded, self.failed) = self.at(period, now);
        self.since = None;
    }
}

/// The attempts at all three probes of a container, by [`ProbeKind`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Probes([Count; 3]);

impl Probes {
    /// Successful and failed attempts at one kind, at `now`.
    pub(crate) fn counts(&self, kind: ProbeKind, spec: &Container, now: Timestamp) -> (u64, u64) {
        let period = kind.of(spec).map_or(1, |p| p.period);
        let count = self.0.get(kind as usize);
        count.map_or((0, 0), |count| count.at(period, now))
    }

    /// A new incarnation: no probe fails, and none runs before [`Probes::set`].
    pub(crate) fn started(&mut self) {
        for count in &mut self.0 {
            (count.since, count.failing) = (None, false);
        }
    }

    /// Probes one kind from `at` on, with one outcome.
    pub(crate) fn set(&mut self, kind: ProbeKind, spec: &Container, at: Timestamp, failing: bool) {
        let Some(probe) = kind.of(spec) else { return };
        let count = self.of_mut(kind);
        // An attempt due at this very instant belongs to the new outcome.
        count.fold(probe.period, at.plus_nanos(-1));
        count.failing = failing;
        count.since = Some(at);
    }

    /// One successful attempt, and no more: a startup probe that passes.
    pub(crate) fn passed_once(&mut self, kind: ProbeKind, spec: &Container, at: Timestamp) {
        let Some(probe) = kind.of(spec) else { return };
        let count = self.of_mut(kind);
        count.fold(probe.period, at.plus_nanos(-1));
        count.succeeded += 1;
    }

    /// Stops probing: the container does not run, or not yet.
    pub(crate) fn stop(&mut self, spec: &Container, at: Timestamp) {
        for kind in ProbeKind::ALL {
            if let Some(probe) = kind.of(spec) {
                self.of_mut(kind).fold(probe.period, at);
            }
        }
    }

    fn of_mut(&mut self, kind: ProbeKind) -> &mut Count {
        let [liveness, readiness, startup] = &mut self.0;
        match kind {
            ProbeKind::Liveness => liveness,
            ProbeKind::Readiness => readiness,
            ProbeKind::Startup => startup,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::catalog::APPS;

    fn spec() -> &'static Container {
        APPS.iter()
            .flat_map(|a| a.containers)
            .find(|c| c.liveness.is_some_and(|p| p.period == 10) && c.startup.is_some())
            .unwrap()
    }

    #[test]
    fn attempts_are_counted_by_what_they_came_to() {
        let (mut probes, at) = (Probes::default(), |s: i64| Timestamp::from_secs(1_000 + s));
        probes.set(ProbeKind::Liveness, spec(), at(0), false);
        assert_eq!(probes.counts(ProbeKind::Liveness, spec(), at(25)), (3, 0));
        probes.set(ProbeKind::Liveness, spec(), at(30), true);
        assert_eq!(probes.counts(ProbeKind::Liveness, spec(), at(30)), (3, 1));
        assert_eq!(probes.counts(ProbeKind::Liveness, spec(), at(50)), (3, 3));
        probes.stop(spec(), at(55));
        assert_eq!(probes.counts(ProbeKind::Liveness, spec(), at(500)), (3, 3));
    }

    #[test]
    fn a_startup_probe_passes_once_and_a_restart_keeps_the_sums() {
        let (mut probes, at) = (Probes::default(), |s: i64| Timestamp::from_secs(1_000 + s));
        probes.passed_once(ProbeKind::Startup, spec(), at(3));
        probes.stop(spec(), at(10));
        probes.started();
        probes.passed_once(ProbeKind::Startup, spec(), at(14));
        assert_eq!(probes.counts(ProbeKind::Startup, spec(), at(99)), (2, 0));
        assert_eq!(probes.counts(ProbeKind::Readiness, spec(), at(99)), (0, 0));
    }
}
