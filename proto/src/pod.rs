//! A pod in a line of `kubectl get pods`: STATUS, READY and RESTARTS, by the rules of `printPod` in Kubernetes'
//! pkg/printers/internalversion/printers.go.
//!
//! Who reads pods keeps them in a form of its own, and lends it as [`PodView`] and [`ContainerView`].

use std::borrow::Cow;

use crate::time::Timestamp;

/// What the line is made of, beside the containers.
#[derive(Debug, Clone, Copy, Default)]
pub struct PodView<'a> {
    /// `status.phase`.
    pub phase: &'a str,
    /// `status.reason`.
    pub reason: Option<&'a str>,
    /// `status.message`, or why there is no node for it.
    pub message: Option<&'a str>,
    /// Whether its condition PodScheduled has the reason `SchedulingGated`.
    pub gated: bool,
    /// Whether its condition Initialized is True.
    pub initialized: bool,
    /// Whether its condition Ready is True.
    pub ready: bool,
    /// Whether its deletion was asked for.
    pub deleted: bool,
    /// How many init containers its spec has, sidecars included.
    pub init_containers: usize,
}

/// The status of a container.
#[derive(Debug, Clone, Copy, Default)]
pub struct ContainerView<'a> {
    /// Its place in its list of statuses.
    pub index: usize,
    /// Whether it is an init container with `restartPolicy: Always`.
    pub sidecar: bool,
    /// `ready`.
    pub ready: bool,
    /// `started`.
    pub started: bool,
    /// `restartCount`.
    pub restarts: u32,
    /// What it is doing.
    pub state: StateView<'a>,
    /// When the one before it ended, if that is known.
    pub last_finished: Option<Timestamp>,
}

/// What a container is doing.
#[derive(Debug, Clone, Copy)]
pub enum StateView<'a> {
    /// It does not run yet, or not again.
    Waiting {
        /// Why.
        reason: Option<&'a str>,
        /// More about it.
        message: Option<&'a str>,
    },
    /// It runs.
    Running,
    /// It has ended.
    Terminated {
        /// Its exit code.
        exit_code: i32,
        /// The signal that ended it, or zero.
        signal: i32,
        /// Why.
        reason: Option<&'a str>,
        /// More about it.
        message: Option<&'a str>,
    },
}

impl Default for StateView<'_> {
    fn default() -> Self {
        Self::Waiting {
            reason: None,
            message: None,
        }
    }
}

/// A pod in a line of `kubectl get pods`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary<'a> {
    /// STATUS.
    pub status: Cow<'a, str>,
    /// What is said with it, where something is.
    pub message: Option<&'a str>,
    /// READY, before the slash: containers and sidecars that are ready.
    pub ready: u32,
    /// RESTARTS: those of init containers only for as long as they are not done.
    pub restarts: u32,
    /// When the last one of those was.
    pub last_restart: Option<Timestamp>,
}

/// Restarts of some containers, and when the last one was.
#[derive(Debug, Default)]
struct Restarts {
    count: u32,
    last: Option<Timestamp>,
}

impl<'a> Summary<'a> {
    /// The line of a pod. `inits` and `regular` are the statuses of its init and its other containers, each in the order
    /// in which the API server has them.
    pub fn of(
        pod: &PodView<'a>,
        inits: impl Iterator<Item = ContainerView<'a>>,
        regular: impl DoubleEndedIterator<Item = ContainerView<'a>>,
    ) -> Self {
        let mut summary = Self {
            status: pod.reason.unwrap_or(pod.phase).into(),
            message: pod.message,
            ready: 0,
            restarts: 0,
            last_restart: None,
        };
        if pod.gated {
            summary.status = "SchedulingGated".into();
        }
        let (mut all, mut sidecars) = (Restarts::default(), Restarts::default());
        let initializing = summary.init(pod, inits, &mut all, &mut sidecars);
        if !initializing || pod.initialized {
            all = sidecars;
            summary.regular(pod, regular, &mut all);
        }
        (summary.restarts, summary.last_restart) = (all.count, all.last);
        // What is being deleted says so, unless it has ended.
        if pod.deleted {
            if pod.reason == Some("NodeLost") {
                summary.status = "Unknown".into();
            } else if !matches!(pod.phase, "Succeeded" | "Failed") {
                summary.status = "Terminating".into();
            }
        }
        summary
    }

    /// The init containers up to the first that has not done its work; whether there is one. kubectl counts the sidecars
    /// behind that one neither as ready nor as restarted.
    fn init(
        &mut self,
        pod: &PodView<'a>,
        inits: impl Iterator<Item = ContainerView<'a>>,
        all: &mut Restarts,
        sidecars: &mut Restarts,
    ) -> bool {
        for container in inits {
            all.add(&container);
            if container.sidecar {
                sidecars.add(&container);
            }
            let progress = || format!("Init:{}/{}", container.index, pod.init_containers);
            let succeeded = matches!(container.state, StateView::Terminated { exit_code: 0, .. });
            if container.sidecar && container.started && !succeeded {
                self.ready += u32::from(container.ready);
                continue;
            }
            let (status, message) = match container.state {
                StateView::Terminated { exit_code: 0, .. } => continue,
                StateView::Terminated {
                    exit_code,
                    signal,
                    reason,
                    message,
                } => (
                    format!("Init:{}", ending(exit_code, signal, reason)),
                    message,
                ),
                StateView::Waiting { reason, message } => match reason {
                    Some(reason) if reason != "PodInitializing" => {
                        (format!("Init:{reason}"), message)
                    }
                    _ => (progress(), message),
                },
                StateView::Running => (progress(), None),
            };
            self.status = status.into();
            self.message = message.or(self.message);
            return true;
        }
        false
    }

    /// The others: the first one that is in trouble gives the status.
    fn regular(
        &mut self,
        pod: &PodView<'a>,
        regular: impl DoubleEndedIterator<Item = ContainerView<'a>>,
        all: &mut Restarts,
    ) {
        let mut runs = false;
        for container in regular.rev() {
            all.add(&container);
            match container.state {
                StateView::Waiting {
                    reason: Some(reason),
                    message,
                } => {
                    self.status = reason.into();
                    self.message = message;
                }
                StateView::Terminated {
                    exit_code,
                    signal,
                    reason,
                    message,
                } => {
                    self.status = ending(exit_code, signal, reason);
                    self.message = message;
                }
                StateView::Running if container.ready => {
                    runs = true;
                    self.ready += 1;
                }
                StateView::Running | StateView::Waiting { reason: None, .. } => {}
            }
        }
        if self.status == "Completed" && runs {
            self.status = if pod.ready { "Running" } else { "NotReady" }.into();
        }
    }
}

impl Restarts {
    fn add(&mut self, container: &ContainerView<'_>) {
        self.count = self.count.saturating_add(container.restarts);
        self.last = self.last.max(container.last_finished);
    }
}

/// How a container ended: the reason, else the signal, else the exit code.
fn ending(exit_code: i32, signal: i32, reason: Option<&str>) -> Cow<'_, str> {
    match (reason, signal) {
        (Some(reason), _) => reason.into(),
        (None, 0) => format!("ExitCode:{exit_code}").into(),
        (None, signal) => format!("Signal:{signal}").into(),
    }
}
