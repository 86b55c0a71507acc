//! `Cause`: why a container ended or a probe fails.

use std::borrow::Cow;

api_enum! {
    /// A cause.
    pub enum Cause {
        /// The kernel killed the container because it reached its memory limit.
        OomKilled,
        /// The kubelet killed the container because its liveness probe failed.
        LivenessProbe,
        /// The kubelet killed the container because its startup probe failed.
        StartupProbe,
        /// The readiness probe fails.
        ReadinessProbe,
        /// The container ended by itself, with an exit code or by a signal.
        Exited,
        /// The node does not report.
        NodeLost,
        /// The node was short of a resource.
        NodePressure,
        /// The image could not be pulled.
        ImageUnavailable,
        /// There is no evidence of a cause.
        #[default]
        #[serde(other)]
        Unknown,
    }
}

impl Cause {
    /// The cause in one or two words, as tables show it: `OOMKilled`, `liveness probe`, `exit 7`. `ended` is the exit
    /// code and the reason of the termination, if a container ended.
    #[must_use]
    pub fn in_words(self, ended: Option<(i32, &str)>) -> Cow<'static, str> {
        match (self, ended) {
            (Self::OomKilled, _) => "OOMKilled".into(),
            (Self::LivenessProbe, _) => "liveness probe".into(),
            (Self::StartupProbe, _) => "startup probe".into(),
            (Self::ReadinessProbe, _) => "readiness probe".into(),
            (Self::NodeLost, _) => "node lost".into(),
            (Self::NodePressure, _) => "node pressure".into(),
            (Self::ImageUnavailable, _) => "image".into(),
            (Self::Exited, Some((code, _)))
            | (Self::Unknown, Some((code, "" | "Error" | "Completed"))) => {
                format!("exit {code}").into()
            }
            (Self::Unknown, Some((_, reason))) => reason.to_owned().into(),
            (Self::Exited, None) => "exited".into(),
            (Self::Unknown, None) => "unknown".into(),
        }
    }
}

api_enum! {
    /// How sure a cause is.
    pub enum Certainty {
        /// Kubernetes reports the cause.
        Direct,
        /// A rule concludes the cause.
        Likely,
        /// The cause is unknown.
        #[default]
        #[serde(other)]
        Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_in_words_follows_from_how_the_container_ended() {
        let end = |code, reason| Some((code, reason));
        for (cause, ended, words) in [
            (Cause::OomKilled, end(137, "OOMKilled"), "OOMKilled"),
            (Cause::LivenessProbe, None, "liveness probe"),
            (Cause::Exited, end(7, "Error"), "exit 7"),
            (Cause::Exited, None, "exited"),
            (Cause::Unknown, end(137, "Error"), "exit 137"),
            (
                Cause::Unknown,
                end(128, "ContainerCannotRun"),
                "ContainerCannotRun",
            ),
            (Cause::Unknown, None, "unknown"),
        ] {
            assert_eq!(cause.in_words(ended), words);
        }
    }
}
