//! Restarts of containers.

use std::borrow::Cow;

use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::{self, Cause, Certainty};

use crate::model::amount::count;
use crate::model::format;
use crate::model::name::{Name, Names};
use crate::model::tone::Tone;

/// Restarts of a pod's containers, or of one container.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Restarts {
    /// Since creation.
    pub count: u32,
    /// In the last hour.
    pub recent: u32,
    /// The last restart.
    pub last: Option<Box<LastRestart>>,
}

/// The last restart, with the termination before it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LastRestart {
    /// The reason of the termination: `OOMKilled`, `Error`, …
    pub reason: Name,
    /// The exit code; 137 is SIGKILL.
    pub exit_code: i32,
    /// When the container terminated.
    pub finished: Option<Timestamp>,
    /// When the container had started.
    pub started: Option<Timestamp>,
    /// The cause.
    pub cause: Cause,
    /// The certainty of the cause.
    pub certainty: Certainty,
}

/// How long a restart is recent, in seconds: the default of vitals-server.
pub(crate) const RECENT_SECONDS: u32 = 3600;

/// Whether a time is recent.
pub(crate) fn is_recent(time: Option<Timestamp>, now: Timestamp) -> bool {
    time.is_some_and(|time| now.since(time) < i64::from(RECENT_SECONDS) * 1_000_000_000)
}

/// A cause in one or two words; a likely cause is marked with `?`.
pub(super) fn with_certainty(word: Cow<'static, str>, certainty: Certainty) -> Cow<'static, str> {
    match certainty {
        Certainty::Likely => format!("{word}?").into(),
        _ => word,
    }
}

impl LastRestart {
    /// The cause in one or two words: `OOMKilled`, `liveness probe`, `exit 7`; a likely cause is marked with `?`.
    #[must_use]
    pub fn why(&self) -> Cow<'static, str> {
        let word = self.cause.in_words(Some((self.exit_code, &self.reason)));
        with_certainty(word, self.certainty)
    }

    /// The cause and the age: `OOMKilled 5m ago`.
    #[must_use]
    pub fn text(&self, now: Timestamp) -> String {
        let why = self.why();
        match self.finished {
            Some(finished) => format!("{why} {} ago", format::age(finished, now)),
            None => why.into_owned(),
        }
    }
}

impl Restarts {
    /// When the container terminated before its last restart.
    #[must_use]
    pub fn finished(&self) -> Option<Timestamp> {
        self.last.as_deref()?.finished
    }

    /// Cause and age of the last restart; empty if there was none.
    #[must_use]
    pub fn last_text(&self, now: Timestamp) -> Cow<'_, str> {
        self.last
            .as_deref()
            .map_or("".into(), |last| last.text(now).into())
    }

    /// The cause of the last restart; empty if there was none. A likely cause is marked with `?`.
    #[must_use]
    pub fn cause(&self) -> Cow<'_, str> {
        self.last.as_deref().map_or("".into(), LastRestart::why)
    }

    /// The text of the column RESTARTS: `5 (OOMKilled 2m ago)`.
    #[must_use]
    pub fn text(&self, now: Timestamp) -> Cow<'_, str> {
        match (&self.last, self.count) {
            (_, 0) => "0".into(),
            (None, count) => count.to_string().into(),
            (Some(last), count) => format!("{count} ({})", last.text(now)).into(),
        }
    }

    pub(super) fn tone(&self, now: Timestamp) -> Tone {
        if self.count == 0 {
            return Tone::Dim;
        }
        if self.recent > 0 || is_recent(self.finished(), now) {
            Tone::Warn
        } else {
            Tone::Plain
        }
    }
}

impl Restarts {
    /// Converts restarts.
    #[must_use]
    pub fn from_vitals(restarts: &vitals::Restarts, names: &Names) -> Self {
        Self {
            count: count(restarts.count),
            recent: count(restarts.recent),
            last: restarts.last.as_ref().map(|last| {
                Box::new(LastRestart {
                    reason: names.intern(&last.ended.reason),
                    exit_code: last.ended.exit_code,
                    finished: last.ended.finished,
                    started: last.ended.started,
                    cause: last.cause,
                    certainty: last.certainty,
                })
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Cause::{Exited, LivenessProbe, OomKilled, Unknown};
    use Certainty::{Direct, Likely};

    fn last(cause: Cause, certainty: Certainty, reason: &str) -> Restarts {
        Restarts {
            count: 3,
            recent: 1,
            last: Some(Box::new(LastRestart {
                reason: reason.into(),
                exit_code: 7,
                finished: Some(Timestamp::from_secs(100)),
                cause,
                certainty,
                ..LastRestart::default()
            })),
        }
    }

    #[test]
    fn the_last_restart_has_its_reason_and_age() {
        let now = Timestamp::from_secs(150);
        for (cause, certainty, reason, why) in [
            (OomKilled, Direct, "OOMKilled", "OOMKilled"),
            (LivenessProbe, Likely, "Error", "liveness probe?"),
            (Exited, Direct, "Error", "exit 7"),
            (Unknown, Certainty::Unknown, "Error", "exit 7"),
            (
                Unknown,
                Certainty::Unknown,
                "ContainerCannotRun",
                "ContainerCannotRun",
            ),
        ] {
            let text = last(cause, certainty, reason).text(now).into_owned();
            assert_eq!(text, format!("3 ({why} 50s ago)"));
        }
        assert_eq!(Restarts::default().text(now), "0");
    }
}
