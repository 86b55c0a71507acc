//! The terminal: its width, and a line of progress for what takes longer than a second.

use std::io::{self, IsTerminal, Write};
use std::pin::pin;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use crate::text::{clean, head};

/// The time before the line is shown, and between two updates.
const PAUSE: Duration = Duration::from_secs(1);

/// The longest line in cells: it must not wrap.
const WIDTH: usize = 70;

/// Erases the line of the cursor.
const ERASE: &str = "\r\x1b[2K";

/// A line of progress on the standard error. It is erased when it is dropped.
pub(super) struct Progress {
    is_on_terminal: bool,
    is_shown: bool,
    due: Instant,
}

impl Progress {
    /// No line yet.
    pub(super) fn new() -> Self {
        Self {
            is_on_terminal: io::stderr().is_terminal(),
            is_shown: false,
            due: Instant::now() + PAUSE,
        }
    }

    /// When the line should be shown next.
    pub(super) const fn due(&self) -> Instant {
        self.due
    }

    /// Shows what is going on, if that is due.
    pub(super) fn show(&mut self, what: &str) {
        if Instant::now() < self.due {
            return;
        }
        self.due = Instant::now() + PAUSE;
        if self.is_on_terminal {
            self.is_shown = true;
            let what = clean(what);
            let what = head(&what, WIDTH);
            // Progress is only a help: if it cannot be written, the command goes on.
            let _ = write!(io::stderr(), "{ERASE}{what} …");
        }
    }

    /// Runs a task, and shows it while it takes long.
    pub(super) async fn during<T>(&mut self, what: &str, task: impl Future<Output = T>) -> T {
        let mut task = pin!(task);
        loop {
            match timeout_at(self.due, &mut task).await {
                Ok(done) => return done,
                Err(_) => self.show(what),
            }
        }
    }

    /// Erases the line.
    pub(super) fn end(&mut self) {
        if std::mem::take(&mut self.is_shown) {
            let _ = write!(io::stderr(), "{ERASE}");
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.end();
    }
}

/// The columns and rows of the terminal to which tables are printed; `None` if the output is no terminal.
pub(in crate::batch) fn terminal_size() -> Option<(u16, u16)> {
    if !io::stdout().is_terminal() {
        return None;
    }
    crossterm::terminal::size().ok()
}
