//! Statuses of containers: state, restarts, last termination.

use std::sync::Arc;

use super::bounds::Reported;
use super::intern::Interner;
use super::protobuf::message;
use super::resources::{WireRequirements, WireResources};
use super::text::{self, WireTime};
use crate::time::Timestamp;
use crate::vitals;

/// A container's status, as the kubelet last reported it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ContainerStatus {
    /// Whether the container is ready.
    pub ready: bool,
    /// Whether the startup probe, if there is one, has passed.
    pub started: bool,
    /// The index in its list of statuses, whose order kubectl uses; none until the kubelet reports the container.
    pub(super) position: Position,
    /// The number of restarts.
    pub restarts: u32,
    /// The state.
    pub state: State,
    /// The last termination, if the container was restarted.
    pub last: Option<Box<Ended>>,
}

impl ContainerStatus {
    /// The number of terminations that a restart followed or will follow. A termination with exit code 0 counts once the
    /// container has restarted. `stays` means that the container does not restart.
    ///
    /// The kubelet's restart count is the number of the current run, from 0. While a container waits for its next start,
    /// the count is still that of the run that ended.
    pub fn terminations(&self, stays: bool) -> u32 {
        let again = match &self.state {
            State::Running { .. } => false,
            State::Terminated(ended) => ended.exit_code != 0 && !stays,
            State::Waiting(_) => self.last.is_some(),
        };
        self.restarts.saturating_add(u32::from(again))
    }
}

/// The state of a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// The container does not run yet, or has not restarted yet.
    Waiting(Option<Box<Waiting>>),
    /// The container runs.
    Running {
        /// The start, in seconds since the epoch; zero if unknown.
        since_seconds: u32,
    },
    /// The container has ended.
    Terminated(Box<Ended>),
}

impl Default for State {
    fn default() -> Self {
        Self::Waiting(None)
    }
}

/// Why a container waits.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Waiting {
    /// `CrashLoopBackOff`, `ImagePullBackOff`, `ContainerCreating`, …
    pub reason: Option<Arc<str>>,
    /// The message that goes with the reason.
    pub message: Option<Box<str>>,
}

/// A termination of a container.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ended {
    /// The exit code.
    pub exit_code: i32,
    /// The signal that ended the container; zero if the runtime reports none.
    pub signal: i32,
    /// `OOMKilled`, `Error`, `Completed`, …
    pub reason: Option<Arc<str>>,
    /// The termination message.
    pub message: Option<Box<str>>,
    /// The start of the container, in seconds since the epoch; zero if unknown.
    pub started_seconds: u32,
    /// The end of the container, in the same form.
    pub finished_seconds: u32,
}

impl Ended {
    /// The end of the container.
    pub fn finished(&self) -> Option<Timestamp> {
        text::time(self.finished_seconds)
    }

    /// Converts a termination to the API's type.
    pub fn to_api(&self) -> vitals::Ended {
        vitals::Ended {
            exit_code: self.exit_code,
            signal: (self.signal != 0).then_some(self.signal),
            reason: self.reason.as_deref().unwrap_or_default().to_owned(),
            message: self.message.as_deref().unwrap_or_default().to_owned(),
            started: text::time(self.started_seconds),
            finished: self.finished(),
        }
    }
}

/// An index in a short list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Position(u8);

impl Position {
    const NONE: Self = Self(u8::MAX);

    /// Indices above 254 saturate to 254.
    pub(super) fn of(index: usize) -> Self {
        Self(u8::try_from(index).unwrap_or(u8::MAX - 1).min(u8::MAX - 1))
    }

    pub(super) fn index(self) -> usize {
        self.0.into()
    }
}

impl Default for Position {
    fn default() -> Self {
        Self::NONE
    }
}

impl ContainerStatus {
    /// Whether the kubelet has reported the container.
    pub fn is_reported(&self) -> bool {
        self.position != Position::NONE
    }

    /// The reason why the container waits.
    pub fn waiting_reason(&self) -> Option<&str> {
        match &self.state {
            State::Waiting(Some(waiting)) => waiting.reason.as_deref(),
            _ => None,
        }
    }

    /// The last termination.
    pub fn last_ended(&self) -> Option<&Ended> {
        match &self.state {
            State::Terminated(ended) => Some(ended),
            State::Waiting(_) | State::Running { .. } => self.last.as_deref(),
        }
    }

    /// Converts the state to the API's type. The state of a container whose node is `lost` is unknown, unless it has
    /// ended: a termination is final.
    pub fn to_api(&self, lost: bool) -> vitals::ContainerState {
        let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
        let name = |name: &str| if lost { "Unknown" } else { name }.to_owned();
        match &self.state {
            State::Waiting(waiting) => {
                let waiting = waiting.as_deref();
                vitals::ContainerState {
                    state: name("Waiting"),
                    reason: text(waiting.and_then(|waiting| waiting.reason.as_deref())),
                    message: text(waiting.and_then(|waiting| waiting.message.as_deref())),
                    since: None,
                }
            }
            State::Running { since_seconds } => vitals::ContainerState {
                state: name("Running"),
                since: text::time(*since_seconds),
                ..vitals::ContainerState::default()
            },
            State::Terminated(ended) => vitals::ContainerState {
                state: "Terminated".to_owned(),
                reason: text(ended.reason.as_deref()),
                message: text(ended.message.as_deref()),
                since: ended.finished(),
            },
        }
    }

    /// Whether the container runs.
    pub fn is_running(&self) -> bool {
        matches!(self.state, State::Running { .. })
    }

    /// The bytes on the heap, without interned reasons.
    pub(super) fn bytes(&self) -> usize {
        let ended =
            |ended: &Ended| size_of::<Ended>() + ended.message.as_deref().map_or(0, str::len);
        let state = match &self.state {
            State::Waiting(Some(waiting)) => {
                size_of::<Waiting>() + waiting.message.as_deref().map_or(0, str::len)
            }
            State::Terminated(end) => ended(end),
            State::Waiting(None) | State::Running { .. } => 0,
        };
        state + self.last.as_deref().map_or(0, ended)
    }
}

message! {
    /// A container's status on the wire.
    pub(super) struct WireContainerStatus {
        pub(super) name: String = 1,
        ready: bool = 4,
        started: bool = 9,
        restart_count: i64 = 5,
        state: Option<WireState> = 2,
        last_state: Option<WireState> = 3,
        resources: Option<WireRequirements> = 11,
        allocated_resources: Option<WireResources> = 10,
    }

    struct WireState {
        waiting: Option<WireWaiting> = 1,
        running: Option<WireRunning> = 2,
        terminated: Option<WireEnded> = 3,
    }

    struct WireWaiting {
        reason: String = 1,
        message: String = 2,
    }

    struct WireRunning {
        started_at: WireTime = 1,
    }

    struct WireEnded {
        exit_code: i64 = 1,
        signal: i64 = 2,
        reason: String = 3,
        message: String = 4,
        started_at: WireTime = 5,
        finished_at: WireTime = 6,
    }
}

impl WireContainerStatus {
    /// The container's resources as reported.
    pub(super) fn reported(&self) -> Reported {
        Reported::new(self.resources.as_ref(), self.allocated_resources.as_ref())
    }

    /// Converts the status at `index` of its list.
    pub(super) fn convert(self, index: usize, names: &Interner) -> ContainerStatus {
        ContainerStatus {
            ready: self.ready,
            started: self.started,
            position: Position::of(index),
            restarts: u32::try_from(self.restart_count).unwrap_or_default(),
            state: self
                .state
                .map_or_else(State::default, |state| state.convert(names)),
            last: self
                .last_state
                .and_then(|state| state.terminated)
                .map(|ended| Box::new(ended.convert(names))),
        }
    }
}

impl WireState {
    /// Converts the state. A state with none of the three fields is `Waiting`, as in Kubernetes.
    fn convert(self, names: &Interner) -> State {
        if let Some(ended) = self.terminated {
            return State::Terminated(Box::new(ended.convert(names)));
        }
        if let Some(running) = self.running {
            return State::Running {
                since_seconds: running.started_at.seconds(),
            };
        }
        let waiting = self.waiting.map(|waiting| Waiting {
            reason: text::word(waiting.reason, names),
            message: text::message(waiting.message),
        });
        State::Waiting(waiting.filter(|it| *it != Waiting::default()).map(Box::new))
    }
}

impl WireEnded {
    fn convert(self, names: &Interner) -> Ended {
        let number = |number: i64| i32::try_from(number).unwrap_or_default();
        Ended {
            exit_code: number(self.exit_code),
            signal: number(self.signal),
            reason: text::word(self.reason, names),
            message: text::message(self.message),
            started_seconds: self.started_at.seconds(),
            finished_seconds: self.finished_at.seconds(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn convert(json: &str) -> ContainerStatus {
        serde_json::from_str::<WireContainerStatus>(json)
            .unwrap()
            .convert(0, &Interner::default())
    }

    #[test]
    fn a_status_is_small() {
        assert_eq!(size_of::<ContainerStatus>(), 32);
    }

    #[test]
    fn the_state_is_the_one_that_is_there() {
        let state = |json: &str| convert(&format!(r#"{{"state":{json}}}"#)).state;
        for nothing in [
            "null",
            "{}",
            "7",
            r#"{"waiting":{}}"#,
            r#"{"waiting":{"reason":""}}"#,
        ] {
            assert_eq!(state(nothing), State::Waiting(None), "{nothing}");
        }
        assert_eq!(
            state(r#"{"running":{"startedAt":"1970-01-01T00:00:09Z"}}"#),
            State::Running { since_seconds: 9 }
        );
        assert_eq!(
            state(r#"{"running":{}}"#),
            State::Running { since_seconds: 0 }
        );
        let waiting = state(r#"{"waiting":{"reason":"CrashLoopBackOff","message":"back-off"}}"#);
        let State::Waiting(Some(waiting)) = waiting else {
            panic!("{waiting:?}")
        };
        assert_eq!(waiting.reason.as_deref(), Some("CrashLoopBackOff"));
        assert_eq!(waiting.message.as_deref(), Some("back-off"));
    }

    #[test]
    fn how_it_ended_is_read_of_both_states() {
        let status = convert(
            r#"{"restartCount":3,"state":{"terminated":{"exitCode":7,"reason":"Error"}},
            "lastState":{"terminated":{"exitCode":137,"signal":9,"reason":"OOMKilled","message":"gone",
            "startedAt":"1970-01-01T00:00:01Z","finishedAt":"1970-01-01T00:00:02Z"}}}"#,
        );
        assert_eq!(status.restarts, 3);
        let State::Terminated(now) = &status.state else {
            panic!("{status:?}")
        };
        assert_eq!((now.exit_code, now.reason.as_deref()), (7, Some("Error")));
        let last = status.last.unwrap();
        assert_eq!((last.exit_code, last.signal), (137, 9));
        assert_eq!((last.started_seconds, last.finished_seconds), (1, 2));
        assert_eq!(last.message.as_deref(), Some("gone"));
    }
}
