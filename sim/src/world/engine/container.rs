//! The life of a container: start, end, back-off.

use kubevitals_proto::time::Timestamp;

use super::change::Change;
use crate::world::World;
use crate::world::action::{Action, Exit, PodAt, PodStep, Step};
use crate::world::catalog::Role;
use crate::world::epoch::SECOND;
use crate::world::fault::{Fault, Happening, PendingFault};
use crate::world::pod::{Ended, Leak, Phase, State};
use crate::world::probe::ProbeKind;
use crate::world::queue::Engine;
use crate::world::recorder::About;

/// A container that ran for so long is no longer held to be crashing.
const FORGIVEN: i64 = 600 * SECOND;

impl World {
    /// Does a step of the container with this index, if it is still in this incarnation.
    pub(super) fn container_step(
        &self,
        engine: &mut Engine,
        at: Timestamp,
        place: PodAt,
        (c, incarnation): (usize, u32),
        step: Step,
    ) {
        self.change(engine, place, |engine, change| {
            let container = change.pod.containers.get(c);
            let known = container.is_some_and(|c| c.incarnation() == incarnation);
            let ended = matches!(change.pod.phase, Phase::Evicted { .. });
            if !known || ended || change.pod.deleting.is_some() {
                return;
            }
            match step {
                Step::Start => {
                    self.start(engine, at, change, c);
                    change.touched = Some(at);
                }
                Step::Up => self.up(engine, at, change, c),
                Step::Exit(exit) => {
                    self.exit(engine, at, change, c, exit);
                    change.touched = Some(at);
                }
                Step::BackOff => self.back_off(engine, at, change, c),
                Step::ProbeFails(kind, nth) => self.probe_fails(engine, at, change, c, kind, nth),
                Step::ProbeRecovers(kind) => self.probe_recovers(engine, at, change, c, kind),
                Step::PullFails(nth) => self.pull_fails(engine, at, change, c, nth),
            }
            self.review(engine, at, change);
        });
    }

    /// Puts a step of a container into the queue.
    pub(super) fn then(
        &self,
        engine: &mut Engine,
        at: Timestamp,
        change: &Change<'_>,
        c: usize,
        step: Step,
    ) {
        let incarnation = change.pod.containers.get(c).map_or(0, |c| c.incarnation());
        engine.at(at, Action::Container(change.place, c, incarnation, step));
    }

    fn start(&self, engine: &mut Engine, at: Timestamp, change: &mut Change<'_>, c: usize) {
        let Some(container) = change.pod.containers.get_mut(c) else {
            return;
        };
        let stuck = |d: &mut PendingFault| d.fault == Fault::ImagePullFailure;
        if container.pending_fault.take_if(stuck).is_some() {
            self.pull_fails(engine, at, change, c, 1);
            return;
        }
        let ended = match &container.state {
            State::Ended(ended) => Some(ended.clone()),
            State::Waiting { .. } => container.last.clone(),
            State::Running { .. } => return,
        };
        let again = ended.is_some();
        if again {
            container.last = ended;
            container.restarts += 1;
        }
        container.run(at);
        let (spec, restarts) = (container.spec, container.restarts);
        (container.started, container.ready) = (false, false);
        let image = change.pod.revision.image(spec);
        for (reason, message) in [
            (
                "Pulled",
                format!(
                    "Container image \"{image}\" already present on machine and can be accessed by the pod"
                ),
            ),
            ("Created", "Container created".to_owned()),
            ("Started", "Container started".to_owned()),
        ] {
            let about = About::container(change.node, change.pod, c);
            engine.event(&self.store, at, &about, "Normal", reason, &message);
        }
        if again {
            let what = Happening::Restarted { restarts };
            engine.note(at, change.node, change.pod, spec.name, what);
        }
        if spec.role == Role::Init {
            let run = engine.roll(0.3, 1.5);
            self.then(
                engine,
                at.plus_nanos(run),
                change,
                c,
                Step::Exit(Exit::Code(0)),
            );
            return;
        }
        let pending_fault = change.pod.containers.get(c).and_then(|c| c.pending_fault);
        let startup = spec.startup.is_some();
        if pending_fault.is_some_and(|d| d.fault == Fault::StartupFailure) && startup {
            let first = engine.roll(0.2, 1.0);
            let fails = Step::ProbeFails(ProbeKind::Startup, 1);
            self.then(engine, at.plus_nanos(first), change, c, fails);
        } else {
            // Without a probe a container counts as up when it runs.
            let probed = startup || spec.readiness.is_some();
            let wait = if probed { engine.roll(1.0, 6.0) } else { 0 };
            self.then(engine, at.plus_nanos(wait), change, c, Step::Up);
        }
        // A sidecar lets the next one start as soon as it has.
        if spec.role == Role::Sidecar && !again {
            self.start_next(engine, at, change, c);
        }
    }

    /// Starts what comes after a container in a new pod: one init container after the other, then all main ones.
    fn start_next(&self, engine: &mut Engine, at: Timestamp, change: &Change<'_>, c: usize) {
        let mut at = at.plus_nanos(SECOND / 5);
        let next: Vec<(usize, Role)> = change
            .pod
            .containers
            .iter()
            .enumerate()
            .skip(c + 1)
            .map(|(n, c)| (n, c.spec.role))
            .collect();
        let first_init = next.iter().find(|(_, role)| *role != Role::Main);
        let after_init = |role: &Role| first_init.is_none() && *role == Role::Main;
        for (n, role) in &next {
            if Some(*n) == first_init.map(|(n, _)| *n) || after_init(role) {
                self.then(engine, at, change, *n, Step::Start);
                at = at.plus_nanos(SECOND / 4);
            }
        }
    }

    fn up(&self, engine: &mut Engine, at: Timestamp, change: &mut Change<'_>, c: usize) {
        let Some(container) = change.pod.containers.get_mut(c) else {
            return;
        };
        if container.running_since().is_none() {
            return;
        }
        (container.started, container.ready) = (true, true);
        let spec = container.spec;
        container.probes.passed_once(ProbeKind::Startup, spec, at);
        container.probes.set(ProbeKind::Liveness, spec, at, false);
        container.probes.set(ProbeKind::Readiness, spec, at, false);
        let pending_fault = container.pending_fault.take();
        match pending_fault {
            Some(PendingFault { fault, rounds }) if rounds > 0 => {
                self.strike(engine, at, change, c, fault, rounds);
            }
            _ => self.calm_later(engine, at, change),
        }
    }

    /// Ends a pod's trouble when it has been well for a while.
    pub(super) fn calm_later(&self, engine: &mut Engine, at: Timestamp, change: &Change<'_>) {
        if change.pod.trouble.is_some() && change.pod.is_over_it() {
            let later = at.plus_nanos(45 * SECOND);
            engine.at(later, Action::Pod(change.place, PodStep::Calm));
        }
    }

    /// Lets a fault happen to a container that runs; it has so many rounds, this one included.
    pub(super) fn strike(
        &self,
        engine: &mut Engine,
        at: Timestamp,
        change: &mut Change<'_>,
        c: usize,
        fault: Fault,
        rounds: u32,
    ) {
        let Some(container) = change.pod.containers.get_mut(c) else {
            return;
        };
        container.pending_fault = (rounds > 1).then_some(PendingFault {
            fault,
            rounds: rounds - 1,
        });
        match fault {
            Fault::CrashLoop => {
                let after = engine.roll(2.0, 9.0);
                let exit = Step::Exit(Exit::Code(7));
                self.then(engine, at.plus_nanos(after), change, c, exit);
            }
            Fault::OomKill => {
                let Some(limit) = container.memory_limit() else {
                    return;
                };
                let after = engine.roll(70.0, 200.0);
                let free = limit.saturating_sub(container.memory_at(self.epoch, at));
                container.leak = Some(Leak {
                    since: at,
                    rate: free as f64 / (after as f64 / 1e9),
                });
                self.then(
                    engine,
                    at.plus_nanos(after),
                    change,
                    c,
                    Step::Exit(Exit::Oom),
                );
            }
            Fault::LivenessFailure | Fault::ReadinessFailure => {
                let kind = if fault == Fault::LivenessFailure {
                    ProbeKind::Liveness
                } else {
                    ProbeKind::Readiness
                };
                let after = engine.roll(3.0, 25.0);
                let fails = Step::ProbeFails(kind, 1);
                self.then(engine, at.plus_nanos(after), change, c, fails);
            }
            _ => {}
        }
    }

    fn exit(
        &self,
        engine: &mut Engine,
        at: Timestamp,
        change: &mut Change<'_>,
        c: usize,
        exit: Exit,
    ) {
        let pod = &mut *change.pod;
        let Some(container) = pod.containers.get_mut(c) else {
            return;
        };
        let Some(since) = container.running_since() else {
            return;
        };
        let (exit_code, reason) = match exit {
            Exit::Code(0) => (0, "Completed"),
            Exit::Code(code) => (code, "Error"),
            Exit::Oom => (137, "OOMKilled"),
            Exit::Probe(_) => (137, "Error"),
        };
        pod.folded_cpu += container.cpu_at(self.epoch, at);
        container.probes.stop(container.spec, at);
        container.state = State::Ended(Ended {
            started: since,
            finished: at,
            exit_code,
            reason,
            incarnation: container.incarnation(),
        });
        (container.started, container.ready) = (false, false);
        let name = container.spec.name;
        if exit_code == 0 {
            container.ready = true;
            self.start_next(engine, at, change, c);
            return;
        }
        if at.since(since) > FORGIVEN {
            container.failures = 0;
        }
        container.failures += 1;
        let failures = container.failures;
        let what = match exit {
            Exit::Code(exit_code) => Happening::Exited { exit_code },
            Exit::Oom => Happening::OomKilled,
            Exit::Probe(kind) => Happening::KilledByProbe { probe: kind.name() },
        };
        engine.note(at, change.node, change.pod, name, what);
        match back_off(failures) {
            // The first time the kubelet does not wait.
            None => self.then(engine, at.plus_nanos(SECOND), change, c, Step::Start),
            Some(wait) => {
                self.then(engine, at.plus_nanos(SECOND), change, c, Step::BackOff);
                self.then(engine, at.plus_nanos(wait), change, c, Step::Start);
            }
        }
    }

    fn back_off(&self, engine: &mut Engine, at: Timestamp, change: &mut Change<'_>, c: usize) {
        let (uid, pod) = (change.pod.uid.clone(), change.pod.name.clone());
        let namespace = change.pod.revision.namespace.clone();
        let Some(container) = change.pod.containers.get_mut(c) else {
            return;
        };
        let State::Ended(ended) = &container.state else {
            return;
        };
        container.last = Some(ended.clone());
        let wait = back_off(container.failures).unwrap_or_default();
        let wait = kubevitals_proto::duration::GoDuration(wait);
        let name = container.spec.name;
        container.state = State::Waiting {
            reason: "CrashLoopBackOff",
            message: Some(format!(
                "back-off {wait} restarting failed container={name} pod={pod}_{namespace}({uid})"
            )),
        };
        let message =
            format!("Back-off restarting failed container {name} in pod {pod}_{namespace}({uid})");
        let about = About::container(change.node, change.pod, c);
        engine.event(&self.store, at, &about, "Warning", "BackOff", &message);
    }
}

/// How long the kubelet waits after the n-th failure in a row: 10 s, and twice as long each time up to five minutes.
fn back_off(failures: u32) -> Option<i64> {
    let doublings = failures.checked_sub(2)?.min(5);
    Some(((10 * SECOND) << doublings).min(300 * SECOND))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn back_off_doubles_from_ten_seconds_to_five_minutes() {
        let seconds: Vec<_> = (1..9).map(|n| back_off(n).map(|n| n / SECOND)).collect();
        let want = [
            None,
            Some(10),
            Some(20),
            Some(40),
            Some(80),
            Some(160),
            Some(300),
            Some(300),
        ];
        assert_eq!(seconds, want);
    }
}
