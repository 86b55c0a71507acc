//! Who has the terminal: a credential plugin that asks for a password needs it whole.

use std::io::IsTerminal;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::{mpsc, oneshot};

/// The terminal, as a credential plugin may use it.
#[derive(Debug, Clone, Default)]
pub struct Terminal {
    /// Where to ask for it, while something is drawn on it.
    drawn: Arc<Mutex<Option<mpsc::Sender<Handover>>>>,
}

/// A plugin asks for the terminal.
#[derive(Debug)]
pub struct Handover {
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
    Shared,
    /// All of it, until the loan ends.
    Lent { _loan: Loan },
}

impl Terminal {
    /// From now on something is drawn on the terminal. Whoever draws receives what plugins ask for.
    pub fn draw(&self) -> mpsc::Receiver<Handover> {
        let (sender, receiver) = mpsc::channel(1);
        *self.drawn.lock() = Some(sender);
        receiver
    }

    /// Whether something is drawn on the terminal.
    pub(in crate::source) fn is_drawn(&self) -> bool {
        self.drawn.lock().is_some()
    }

    /// Asks for the terminal: for a plugin that cannot do without, or one that uses it where there is one.
    pub(super) async fn access(&self, required: bool) -> Access {
        if !std::io::stdin().is_terminal() {
            return Access::None;
        }
        let drawn = self.drawn.lock().clone();
        let Some(drawn) = drawn else {
            return Access::Shared;
        };
        if !required {
            return Access::None;
        }
        let (ready, loan) = oneshot::channel();
        if drawn.send(Handover { ready }).await.is_err() {
            return Access::None;
        }
        loan.await
            .map_or(Access::None, |loan| Access::Lent { _loan: loan })
    }
}

impl Handover {
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
