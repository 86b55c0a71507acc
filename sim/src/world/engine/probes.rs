//! Probes and image pulls that fail, and how the kubelet reacts.

use super::change::Change;
use crate::world::action::{Exit, Step};
use crate::world::catalog::{Container as Spec, Probe, ProbeHandler};
use crate::world::epoch::SECOND;
use crate::world::fault::{Fault, Happening, PendingFault};
use crate::world::pod::State;
use crate::world::probe::ProbeKind;

impl Change<'_> {
    pub(super) fn probe_fails(&mut self, c: usize, kind: ProbeKind, nth: u32) {
        let container = self.pod.containers.get_mut(c);
        let Some(container) = container.filter(|c| c.running_since().is_some()) else {
            return;
        };
        let (spec, Some(probe)) = (container.spec, kind.of(container.spec)) else {
            return;
        };
        if kind == ProbeKind::Readiness && nth >= probe.failures {
            container.ready = false;
        }
        if nth == 1 {
            container.probes.set(kind, spec, self.engine.now, true);
            self.note(spec.name, Happening::ProbeFailing { probe: kind.name() });
        }
        let message = message(kind, &probe, spec, &self.pod.ip.to_string());
        self.event(c, "Warning", "Unhealthy", &message);
        let period = i64::from(probe.period) * SECOND;
        if nth < probe.failures {
            return self.then(period, c, Step::ProbeFails(kind, nth + 1));
        }
        if kind == ProbeKind::Readiness {
            // The probe has failed often enough to count. It fails for a while longer, and then recovers.
            let long = 100 / probe.period.max(1) + probe.failures;
            let over = self.engine.dice.roll().is_multiple_of(5) || nth >= long * 2;
            let step = match nth >= long && over {
                true => Step::ProbeRecovers(kind),
                false => Step::ProbeFails(kind, nth + 1),
            };
            return self.then(period, c, step);
        }
        let (name, word) = (spec.name, kind.name().to_lowercase());
        let text = format!("Container {name} failed {word} probe, will be restarted");
        self.event(c, "Normal", "Killing", &text);
        // A container that hangs ignores SIGTERM and ends after its grace period.
        let grace = self.engine.roll(1.0, 8.0);
        self.then(grace, c, Step::Exit(Exit::Probe(kind)));
        if kind == ProbeKind::Startup
            && let Some(container) = self.pod.containers.get_mut(c)
        {
            let pending = container.pending_fault;
            let rounds = pending.map_or(0, |d| d.rounds.saturating_sub(1));
            let fault = Fault::StartupFailure;
            container.pending_fault = (rounds > 0).then_some(PendingFault { fault, rounds });
        }
    }

    pub(super) fn probe_recovers(&mut self, c: usize, kind: ProbeKind) {
        let container = self.pod.containers.get_mut(c);
        let Some(container) = container else { return };
        let spec = container.spec;
        container.probes.set(kind, spec, self.engine.now, false);
        container.ready = true;
        self.note(spec.name, Happening::ProbeRecovered { probe: kind.name() });
        self.calm_later();
    }

    /// The kubelet cannot pull the image at odd attempts, and backs off at even ones.
    pub(super) fn pull_fails(&mut self, c: usize, nth: u32) {
        let container = self.pod.containers.get_mut(c);
        let Some(container) = container else { return };
        let spec = container.spec;
        let image = self.pod.revision.image(spec);
        let error = format!(
            "rpc error: code = NotFound desc = failed to pull and unpack image \"{image}\": failed to resolve reference \"{image}\": {image}: not found"
        );
        let pulls = nth % 2 == 1;
        let (reason, message) = match pulls {
            true => ("ErrImagePull", error.clone()),
            false => (
                "ImagePullBackOff",
                format!("Back-off pulling image \"{image}\": ErrImagePull: {error}"),
            ),
        };
        container.state = State::Waiting {
            reason,
            message: Some(message),
        };
        if nth == 1 {
            self.note(spec.name, Happening::ImagePullFailing);
        }
        if pulls {
            self.event(
                c,
                "Normal",
                "Pulling",
                &format!("Pulling image \"{image}\""),
            );
            let failed = format!("Failed to pull image \"{image}\": {error}");
            self.event(c, "Warning", "Failed", &failed);
        } else {
            let backs_off = format!("Back-off pulling image \"{image}\"");
            self.event(c, "Normal", "BackOff", &backs_off);
        }
        self.event(c, "Warning", "Failed", &format!("Error: {reason}"));
        let wait = i64::from(nth.div_ceil(2)).min(5) * 12 * SECOND;
        if nth < 8 {
            return self.then(wait, c, Step::PullFails(nth + 1));
        }
        self.note(spec.name, Happening::ImagePulled);
        self.then(wait, c, Step::Start);
    }
}

/// The kubelet's message for a failed attempt.
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
