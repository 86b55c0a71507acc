//! A probe of a container.

use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::{self, ProbeKind, ProbeStatus};

use super::{from_seconds, to_seconds};
use crate::model::name::{Name, Names};
use crate::model::tone::Tone;

/// A probe of a container.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Probe {
    /// The kind.
    pub kind: ProbeKind,
    /// The status.
    pub status: ProbeStatus,
    /// The number of successive failures; zero if there are none or the source does not report them.
    pub failures: u32,
    /// The number of successive failures after which the probe fails.
    pub threshold: u32,
    /// The beginning of the status, in seconds since the epoch; zero if unknown.
    pub since_seconds: u32,
    /// The action and the settings, as in kubectl describe.
    pub description: Name,
    /// The kubelet's message about the last failure.
    pub message: Option<Box<str>>,
}

impl Probe {
    /// Converts a probe. Many pods have the same description.
    pub(super) fn from_vitals(probe: &vitals::Probe, names: &Names) -> Self {
        Self {
            kind: probe.kind,
            status: probe.status,
            failures: probe.failures,
            threshold: probe.threshold,
            since_seconds: to_seconds(probe.since),
            description: names.intern(&probe.asks),
            message: (!probe.message.is_empty()).then(|| probe.message.as_str().into()),
        }
    }

    /// What the probe does: `http-get http://:8080/healthz`.
    pub(super) fn action(&self) -> &str {
        let end = self.description.rfind(" delay=");
        self.description
            .get(..end.unwrap_or(self.description.len()))
            .unwrap_or_default()
    }

    /// A setting in seconds: `period=10s`. The settings are at the end, behind a command that may have any text.
    pub(super) fn setting(&self, name: &str) -> Option<u64> {
        let settings = self.description.get(self.description.rfind(" delay=")?..)?;
        let mut words = settings.split(' ');
        words.find_map(|word| word.strip_prefix(name)?.strip_suffix('s')?.parse().ok())
    }

    pub(super) fn tone(&self) -> Tone {
        match self.status {
            ProbeStatus::Failing => Tone::Bad,
            ProbeStatus::Pending | ProbeStatus::Unknown => Tone::Warn,
            ProbeStatus::Passing | ProbeStatus::Passed => Tone::Plain,
            ProbeStatus::Held | ProbeStatus::Waiting | ProbeStatus::NotRunning => Tone::Dim,
        }
    }

    /// The beginning of the status.
    pub(super) fn since(&self) -> Option<Timestamp> {
        from_seconds(self.since_seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_read_behind_the_command() {
        let of = |description: &str| Probe {
            description: description.into(),
            ..Probe::default()
        };
        let numbers = "delay=5s timeout=2s period=10s #success=1 #failure=3";
        for action in [
            "http-get http://:8080/ready",
            "exec [x delay=9s period=1s ]",
        ] {
            let probe = of(&format!("{action} {numbers}"));
            assert_eq!(probe.action(), action);
            assert_eq!(probe.setting("period="), Some(10));
            assert_eq!(probe.setting("timeout="), Some(2));
        }
        let none = of("unknown");
        assert_eq!((none.action(), none.setting("period=")), ("unknown", None));
        assert_eq!(of("").action(), "");
    }
}
