//! Who has the terminal: a credential plugin that asks for a password needs it whole.

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
    /// Where to requests for the terminal, while something is drawn on it or is about to be.
    requests: Option<mpsc::Sender<Handover>>,
    /// The other end, until something is drawn.
    received: Option<mpsc::Receiver<Handover>>,
}

/// A plugin asks for the terminal.
#[derive(Debug)]
pub struct Handover {
    command: String,
    ready: oneshot::Sender<Loan>,
}

/// The terminal is the plugin's until this is dropped.
#[derive(Debug)]
pub(super) struct Loan {
    _returned: oneshot::Sender<()>,
}

/// What a plugin gets of the terminal.
#[derive(Debug)]
pub(super) enum Access {
    /// Nothing.
    None,
    /// All of it, shared with this program, which draws nothing.
    Shared { _modes: Modes },
    /// All of it, until the loan ends.
    Lent { _modes: Modes, _loan: Loan },
}

impl Terminal {
    /// From now on something is drawn on the terminal. Whoever draws receives what plugins requests for.
    pub fn draw(&self) -> mpsc::Receiver<Handover> {
        self.reserve();
        let received = self.drawn.lock().received.take();
        received.unwrap_or_else(|| mpsc::channel(1).1)
    }

    /// Something is about to be drawn: from now on no plugin shares the terminal.
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

    /// Whether something is drawn on the terminal, or is about to be.
    pub(in crate::source) fn is_drawn(&self) -> bool {
        self.drawn.lock().requests.is_some()
    }

    /// Asks for the terminal: for a plugin that cannot do without, or one that uses it where there is one.
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
    /// The program that asks.
    pub fn command(&self) -> &str {
        &self.command
    }

    /// Hands the terminal over, which must be as it was before anything was drawn, and waits until it comes back.
    pub async fn lend(self) {
        let (returned, wait) = oneshot::channel();
        let loan = Loan {
            _returned: returned,
        };
        if self.ready.send(loan).is_ok() {
            // An error is how the end of the loan shows: the sender is dropped.
            let _ = wait.await;
        }
    }
}

/// How the terminal edits and shows what is typed. Dropped, it is so again, whatever a plugin has made of it: one that
/// is ended while it asks for a password leaves a terminal that shows nothing.
#[derive(Debug)]
pub(super) struct Modes {
    #[cfg(unix)]
    before: Option<rustix::termios::Termios>,
}

impl Modes {
    fn now() -> Self {
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
