//! The steps of a container: start, end, back-off.

use kubevitals_proto::duration::GoDuration;

use super::change::Change;
use crate::world::World;
use crate::world::action::{Exit, PodSlot, Step};
use crate::world::catalog::Role;
use crate::world::epoch::SECOND;
use crate::world::fault::{Fault, Happening, PendingFault};
use crate::world::pod::{Leak, Phase, State};
use crate::world::probe::ProbeKind;
use crate::world::queue::Engine;
use crate::world::service::Served;

/// A container that ran for so long starts again without back-off.
const FORGIVEN: i64 = 600 * SECOND;

impl World {
    /// Does a step of the container with this index, if it is still in this incarnation.
    pub(super) fn container_step(
        &self,
        engine: &mut Engine,
        slot: PodSlot,
        (c, incarnation): (usize, u32),
        step: Step,
    ) {
        self.change(engine, slot, |change| {
            let container = change.pod.containers.get(c);
            let same = container.is_some_and(|c| c.incarnation() == incarnation);
            let ended = matches!(change.pod.phase, Phase::Evicted { .. });
            if !same || ended || change.pod.deleting.is_some() {
                return;
            }
            change.touched = matches!(step, Step::Start | Step::Exit(_));
            match step {
                Step::Start => change.start(c),
                Step::Up => change.up(c),
                Step::Exit(exit) => change.exit(c, exit),
                Step::BackOff => change.back_off(c),
                Step::ProbeFails(kind, nth) => change.probe_fails(c, kind, nth),
                Step::ProbeRecovers(kind) => change.probe_recovers(c, kind),
                Step::PullFails(nth) => change.pull_fails(c, nth),
            }
            change.review();
        });
    }
}

impl Change<'_> {
    fn start(&mut self, c: usize) {
        let now = self.engine.now;
        let container = self.pod.containers.get_mut(c);
        let Some(container) = container else { return };
        let stuck = |d: &mut PendingFault| d.fault == Fault::ImagePullFailure;
        if container.pending_fault.take_if(stuck).is_some() {
            return self.pull_fails(c, 1);
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
            self.pod.served = Served::default();
        }
        container.run(now);
        let (spec, restarts) = (container.spec, container.restarts);
        let pending_fault = container.pending_fault;
        (container.started, container.ready) = (false, false);
        let image = self.pod.revision.image(spec);
        let pulled = format!(
            "Container image \"{image}\" already present on machine and can be accessed by the pod"
        );
        self.event(c, "Normal", "Pulled", &pulled);
        self.event(c, "Normal", "Created", "Container created");
        self.event(c, "Normal", "Started", "Container started");
        if again {
            self.note(spec.name, Happening::Restarted { restarts });
        }
        if spec.role == Role::Init {
            let run = self.engine.roll(0.3, 1.5);
            return self.then(run, c, Step::Exit(Exit::Code(0)));
        }
        let startup = spec.startup.is_some();
        if pending_fault.is_some_and(|d| d.fault == Fault::StartupFailure) && startup {
            let first = self.engine.roll(0.2, 1.0);
            self.then(first, c, Step::ProbeFails(ProbeKind::Startup, 1));
        } else {
            // Without a probe a container is up as soon as it runs.
            let probed = startup || spec.readiness.is_some();
            let wait = if probed {
                self.engine.roll(1.0, 6.0)
            } else {
                0
            };
            self.then(wait, c, Step::Up);
        }
        // The next container starts as soon as a sidecar has started.
        if spec.role == Role::Sidecar && !again {
            self.start_from(c + 1);
        }
    }

    /// Starts containers of a new pod from an index on: the next init container, or all main ones if there is none.
    pub(super) fn start_from(&mut self, first: usize) {
        let roles = self.pod.containers.iter().map(|c| c.spec.role).enumerate();
        let rest: Vec<(usize, Role)> = roles.skip(first).collect();
        let init = rest.iter().find(|(_, role)| *role != Role::Main);
        let next = init.map_or(&*rest, std::slice::from_ref);
        for ((c, _), n) in next.iter().zip(0_i64..) {
            self.then(SECOND / 5 + n * (SECOND / 4), *c, Step::Start);
        }
    }

    fn up(&mut self, c: usize) {
        let now = self.engine.now;
        let container = self.pod.containers.get_mut(c);
        let Some(container) = container.filter(|c| c.running_since().is_some()) else {
            return;
        };
        (container.started, container.ready) = (true, true);
        container.probe_from(now);
        match container.pending_fault.take() {
            Some(PendingFault { fault, rounds }) if rounds > 0 => self.strike(c, fault, rounds),
            _ => self.calm_later(),
        }
    }

    /// Applies a fault to a container that runs. The fault has so many rounds, this one included.
    pub(super) fn strike(&mut self, c: usize, fault: Fault, rounds: u32) {
        let container = self.pod.containers.get_mut(c);
        let Some(container) = container else { return };
        container.pending_fault = (rounds > 1).then_some(PendingFault {
            fault,
            rounds: rounds - 1,
        });
        match fault {
            Fault::CrashLoop => {
                let after = self.engine.roll(2.0, 9.0);
                self.then(after, c, Step::Exit(Exit::Code(7)));
            }
            Fault::OomKill => {
                let limit = container.memory_limit();
                let Some(limit) = limit else { return };
                let after = self.engine.roll(70.0, 200.0);
                let used = container.memory_at(self.world.epoch, self.engine.now);
                container.leak = Some(Leak {
                    since: self.engine.now,
                    rate: limit.saturating_sub(used) as f64 / (after as f64 / 1e9),
                });
                self.then(after, c, Step::Exit(Exit::Oom));
            }
            Fault::LivenessFailure | Fault::ReadinessFailure => {
                let kind = match fault {
                    Fault::LivenessFailure => ProbeKind::Liveness,
                    _ => ProbeKind::Readiness,
                };
                let after = self.engine.roll(3.0, 25.0);
                self.then(after, c, Step::ProbeFails(kind, 1));
            }
            _ => {}
        }
    }

    fn exit(&mut self, c: usize, exit: Exit) {
        let now = self.engine.now;
        let container = self.pod.containers.get_mut(c);
        let Some(container) = container else { return };
        let cpu = container.cpu_at(self.world.epoch, now);
        let (exit_code, reason) = match exit {
            Exit::Code(0) => (0, "Completed"),
            Exit::Code(code) => (code, "Error"),
            Exit::Oom => (137, "OOMKilled"),
            Exit::Probe(_) => (137, "Error"),
        };
        let since = container.end(now, exit_code, reason);
        let Some(since) = since else { return };
        self.pod.folded_cpu += cpu;
        let name = container.spec.name;
        if exit_code == 0 {
            container.ready = true;
            return self.start_from(c + 1);
        }
        if now.since(since) > FORGIVEN {
            container.failures = 0;
        }
        container.failures += 1;
        let failures = container.failures;
        let what = match exit {
            Exit::Code(exit_code) => Happening::Exited { exit_code },
            Exit::Oom => Happening::OomKilled,
            Exit::Probe(kind) => Happening::KilledByProbe { probe: kind.name() },
        };
        self.note(name, what);
        match back_off(failures) {
            // After the first failure the kubelet does not wait.
            None => self.then(SECOND, c, Step::Start),
            Some(wait) => {
                self.then(SECOND, c, Step::BackOff);
                self.then(wait, c, Step::Start);
            }
        }
    }

    fn back_off(&mut self, c: usize) {
        let (uid, namespace) = (&self.pod.uid, &self.pod.revision.namespace);
        let pod = format!("{}_{namespace}({uid})", self.pod.name);
        let container = self.pod.containers.get_mut(c);
        let Some(container) = container else { return };
        let State::Ended(ended) = &container.state else {
            return;
        };
        container.last = Some(ended.clone());
        let wait = GoDuration(back_off(container.failures).unwrap_or_default());
        let name = container.spec.name;
        container.state = State::Waiting {
            reason: "CrashLoopBackOff",
            message: Some(format!(
                "back-off {wait} restarting failed container={name} pod={pod}"
            )),
        };
        let message = format!("Back-off restarting failed container {name} in pod {pod}");
        self.event(c, "Warning", "BackOff", &message);
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
        let seconds: Vec<_> = (2..9).filter_map(|n| Some(back_off(n)? / SECOND)).collect();
        assert_eq!(seconds, [10, 20, 40, 80, 160, 300, 300]);
        assert_eq!(back_off(1), None);
    }
}
