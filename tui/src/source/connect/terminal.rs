//! Shares the terminal between the dashboard and credential plugins, which may prompt for a password.

use std::io::IsTerminal;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::{mpsc, oneshot};

/// The terminal, as a credential plugin may use it.
#[derive(Debug, Clone, Default)]
pub struct Terminal {
    drawn: Arc<Mutex<DrawState>>,
}

#[derive(Debug, Default)]
struct DrawState {
    /// Sends the requests of plugins; none before the dashboard draws.
    requests: Option<mpsc::Sender<Handover>>,
    /// The receiving end, until the dashboard takes it.
    received: Option<mpsc::Receiver<Handover>>,
}

/// A plugin's request for the terminal.
#[derive(Debug)]
pub struct Handover {
    command: String,
    ready: oneshot::Sender<Loan>,
}

/// The plugin has the terminal until this is dropped.
#[derive(Debug)]
pub(super) struct Loan {
    _returned: oneshot::Sender<()>,
}

/// The access of a plugin to the terminal.
#[derive(Debug)]
pub(super) enum Access {
    /// Nothing.
    None,
    /// The terminal, shared with this program, which does not draw.
    Shared { _modes: Modes },
    /// The terminal alone, until the loan ends.
    Lent { _modes: Modes, _loan: Loan },
}

impl Terminal {
    /// Starts drawing. Returns the requests of plugins, which the dashboard must serve.
    pub fn draw(&self) -> mpsc::Receiver<Handover> {
        self.reserve();
        let received = self.drawn.lock().received.take();
        received.unwrap_or_else(|| mpsc::channel(1).1)
    }

    /// Stops sharing the terminal with plugins, because the dashboard is about to draw.
    pub(in crate::source) fn reserve(&self) {
        let mut drawn = self.drawn.lock();
        if drawn.requests.is_none() {
            let (requests, received) = mpsc::channel(1);
            *drawn = DrawState {
                requests: Some(requests),
                received: Some(received),
            };
        }
    }

    /// Whether the dashboard draws, or is about to.
    pub(in crate::source) fn is_drawn(&self) -> bool {
        self.drawn.lock().requests.is_some()
    }

    /// Requests the terminal for a plugin that requires it or can use it.
    pub(super) async fn access(&self, command: String, required: bool) -> Access {
        if !std::io::stdin().is_terminal() {
            return Access::None;
        }
        let requests = self.drawn.lock().requests.clone();
        let Some(requests) = requests else {
            let _modes = Modes::now();
            return Access::Shared { _modes };
        };
        if !required {
            return Access::None;
        }
        let (ready, loan) = oneshot::channel();
        if requests.send(Handover { command, ready }).await.is_err() {
            return Access::None;
        }
        loan.await.map_or(Access::None, |_loan| Access::Lent {
            _modes: Modes::now(),
            _loan,
        })
    }
}

impl Handover {
    /// The plugin's program.
    pub fn command(&self) -> &str {
        &self.command
    }

    /// Lends the terminal, which must be in its original state, and waits until it is returned.
    pub async fn lend(self) {
        let (returned, wait) = oneshot::channel();
        let loan = Loan {
            _returned: returned,
        };
        if self.ready.send(loan).is_ok() {
            // The loan ends when the sender is dropped, which is an error here.
            let _ = wait.await;
        }
    }
}

/// The terminal's modes. Dropping restores them: a plugin that is killed during a password prompt leaves the echo off.
#[derive(Debug)]
pub struct Modes {
    #[cfg(unix)]
    before: Option<rustix::termios::Termios>,
}

impl Modes {
    /// The present modes.
    #[must_use]
    pub fn now() -> Self {
        Self {
            #[cfg(unix)]
            before: rustix::termios::tcgetattr(std::io::stdin()).ok(),
        }
    }
}

#[cfg(unix)]
impl Drop for Modes {
    fn drop(&mut self) {
        use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};
        let Some(before) = &self.before else { return };
        let is_changed = tcgetattr(std::io::stdin()).is_ok_and(|now| {
            now.local_modes != before.local_modes
                || now.input_modes != before.input_modes
                || now.output_modes != before.output_modes
                || now.control_modes != before.control_modes
        });
        if is_changed {
            // A terminal that is gone has no modes.
            let _ = tcsetattr(std::io::stdin(), OptionalActions::Now, before);
        }
    }
}
