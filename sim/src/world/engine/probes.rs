//! Probes that fail, and what the kubelet makes of it.

use kubevitals_proto::time::Timestamp;

use super::change::Change;
use crate::world::World;
use crate::world::action::{Exit, Step};
use crate::world::catalog::{Container as Spec, Probe, ProbeHandler};
use crate::world::epoch::SECOND;
use crate::world::fault::{Fault, Happening, PendingFault};
use crate::world::pod::{Pod, State};
use crate::world::probe::ProbeKind;
use crate::world::queue::Engine;
use crate::world::recorder::About;

impl World {
    pub(super) fn probe_fails(
        &self,
        engine: &mut Engine,
        at: Timestamp,
        change: &mut Change<'_>,
        c: usize,
        kind: ProbeKind,
        nth: u32,
    ) {
        let Some(container) = change.pod.containers.get_mut(c) else {
            return;
        };
        let (spec, Some(probe)) = (container.spec, kind.of(container.spec)) else {
            return;
        };
        if container.running_since().is_none() {
            return;
        }
        if nth == 1 {
            container.probes.set(kind, spec, at, true);
        }
        if kind == ProbeKind::Readiness && nth >= probe.failures {
            container.ready = false;
        }
        let ip = change.pod.ip;
        if nth == 1 {
            let what = Happening::ProbeFailing { probe: kind.name() };
            engine.note(at, change.node, change.pod, spec.name, what);
        }
        let about = About::container(change.node, change.pod, c);
        let message = message(kind, &probe, spec, &ip.to_string());
        engine.event(&self.store, at, &about, "Warning", "Unhealthy", &message);
        let next = at.plus_nanos(i64::from(probe.period) * SECOND);
        if nth < probe.failures {
            self.then(engine, next, change, c, Step::ProbeFails(kind, nth + 1));
            return;
        }
        if kind == ProbeKind::Readiness {
            self.unready(engine, at, change, c, &probe, nth);
            return;
        }
        let word = kind.name().to_lowercase();
        let text = format!(
            "Container {} failed {word} probe, will be restarted",
            spec.name
        );
        engine.event(&self.store, at, &about, "Normal", "Killing", &text);
        // The container has its grace period; what hangs does not heed SIGTERM.
        let grace = engine.roll(1.0, 8.0);
        let exit = Step::Exit(Exit::Probe(kind));
        self.then(engine, at.plus_nanos(grace), change, c, exit);
        if kind == ProbeKind::Startup
            && let Some(container) = change.pod.containers.get_mut(c)
        {
            let rounds = container
                .pending_fault
                .map_or(0, |d| d.rounds.saturating_sub(1));
            container.pending_fault = (rounds > 0).then_some(PendingFault {
                fault: Fault::StartupFailure,
                rounds,
            });
        }
    }

    /// Readiness has failed for long enough to count: it goes on failing for a while, and then recovers.
    fn unready(
        &self,
        engine: &mut Engine,
        at: Timestamp,
        change: &Change<'_>,
        c: usize,
        probe: &Probe,
        nth: u32,
    ) {
        let period = i64::from(probe.period) * SECOND;
        let long = 100 / probe.period.max(1) + probe.failures;
        let over = engine.dice.roll().is_multiple_of(5) || nth >= long * 2;
        let step = if nth >= long && over {
            Step::ProbeRecovers(ProbeKind::Readiness)
        } else {
            Step::ProbeFails(ProbeKind::Readiness, nth + 1)
        };
        self.then(engine, at.plus_nanos(period), change, c, step);
    }

    pub(super) fn probe_recovers(
        &self,
        engine: &mut Engine,
        at: Timestamp,
        change: &mut Change<'_>,
        c: usize,
        kind: ProbeKind,
    ) {
        let Some(container) = change.pod.containers.get_mut(c) else {
            return;
        };
        let spec = container.spec;
        container.probes.set(kind, spec, at, false);
        container.ready = true;
        let what = Happening::ProbeRecovered { probe: kind.name() };
        engine.note(at, change.node, change.pod, spec.name, what);
        self.calm_later(engine, at, change);
    }

    pub(super) fn pull_fails(
        &self,
        engine: &mut Engine,
        at: Timestamp,
        change: &mut Change<'_>,
        c: usize,
        nth: u32,
    ) {
        let about = About::container(change.node, change.pod, c);
        let Some(container) = change.pod.containers.get_mut(c) else {
            return;
        };
        let spec = container.spec;
        let image = change.pod.revision.image(spec);
        let error = format!(
            "rpc error: code = NotFound desc = failed to pull and unpack image \"{image}\": failed to resolve reference \"{image}\": {image}: not found"
        );
        // It is tried, and waited, in turn.
        let tried = nth % 2 == 1;
        let reason = if tried {
            "ErrImagePull"
        } else {
            "ImagePullBackOff"
        };
        let message = if tried {
            error.clone()
        } else {
            format!("Back-off pulling image \"{image}\": ErrImagePull: {error}")
        };
        container.state = State::Waiting {
            reason,
            message: Some(message.clone()),
        };
        if nth == 1 {
            let what = Happening::ImagePullFailing;
            engine.note(at, change.node, change.pod, spec.name, what);
        }
        let mut say = |kind, reason, message: &str| {
            engine.event(&self.store, at, &about, kind, reason, message);
        };
        if tried {
            say("Normal", "Pulling", &format!("Pulling image \"{image}\""));
            say(
                "Warning",
                "Failed",
                &format!("Failed to pull image \"{image}\": {error}"),
            );
        } else {
            say(
                "Normal",
                "BackOff",
                &format!("Back-off pulling image \"{image}\""),
            );
        }
        say("Warning", "Failed", &format!("Error: {reason}"));
        let waits = i64::from(nth.div_ceil(2)).min(5) * 12 * SECOND;
        if nth < 8 {
            self.then(
                engine,
                at.plus_nanos(waits),
                change,
                c,
                Step::PullFails(nth + 1),
            );
            return;
        }
        engine.note(
            at,
            change.node,
            change.pod,
            spec.name,
            Happening::ImagePulled,
        );
        self.then(engine, at.plus_nanos(waits), change, c, Step::Start);
    }
}

/// What the kubelet says of a failed attempt.
fn message(kind: ProbeKind, probe: &Probe, spec: &Spec, ip: &str) -> String {
    let port = spec.port;
    let why = match probe.handler {
        ProbeHandler::Http(_) if kind == ProbeKind::Readiness => {
            "HTTP probe failed with statuscode: 503".to_owned()
        }
        ProbeHandler::Http(path) => format!(
            "Get \"http://{ip}:{port}{path}\": context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
        ),
        ProbeHandler::Tcp => format!("dial tcp {ip}:{port}: connect: connection refused"),
        ProbeHandler::Exec(_) => String::new(),
    };
    format!("{} probe failed: {why}", kind.name())
}

impl Pod {
    /// Whether its workload counts it as ready.
    pub(crate) fn counts_as_ready(&self) -> bool {
        self.ready.0 && !self.node_lost
    }
}
