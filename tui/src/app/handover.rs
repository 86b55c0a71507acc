//! Hands the terminal over to kubectl and takes it back whole.

use std::io::{self, Write};
use std::process::ExitStatus;

use tokio::process::Command;

use super::jobs::{Job, Jobs};
use super::{App, discard_typed};
use crate::model::Kubectl;
use crate::shutdown::ShutdownSignals;
use crate::source::Modes;

/// The program.
const KUBECTL: &str = "kubectl";

impl App {
    /// Runs a command on the original screen. Meanwhile the dashboard does not draw or read keys. Ctrl-C is for the
    /// command: the dashboard has the terminal's modes and its screen again when the command ends, however it ends.
    pub(super) async fn hand_over(
        &mut self,
        command: &Kubectl,
        ending: &mut ShutdownSignals,
    ) -> io::Result<()> {
        self.leave();
        let modes = Modes::now();
        writeln!(io::stdout(), "{command}")?;
        let mut program = Command::new(KUBECTL);
        program.args(&command.args).kill_on_drop(true);
        let ended = match program.spawn() {
            Ok(mut child) => loop {
                tokio::select! {
                    biased;
                    status = child.wait() => break status,
                    () = ending.wait_to_end() => {
                        self.over = true;
                        drop(modes);
                        return Ok(());
                    }
                    job = self.jobs.next() => {
                        // The command is in the same job: Ctrl-Z stops both.
                        if job == Job::Stop && Jobs::has_shell()? {
                            self.jobs.stop().await?;
                        }
                    }
                }
            },
            Err(error) => Err(error),
        };
        drop(modes);
        // Ctrl-C was for the command.
        ending.forget_interrupts();
        // Discards input that was typed for the command.
        discard_typed();
        self.enter().await?;
        let (text, bad) = result(&ended);
        self.state.say(text, bad);
        Ok(())
    }
}

/// What to show of the end of the command.
fn result(ended: &io::Result<ExitStatus>) -> (String, bool) {
    match ended {
        Ok(status) if status.success() => ("kubectl ended".to_owned(), false),
        Ok(status) => match status.code() {
            // A shell ends with the status of its last command, and with 130 after Ctrl-C.
            Some(code) => (format!("kubectl ended with exit code {code}"), code != 130),
            None => (format!("kubectl ended: {status}"), true),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let text = "cannot run kubectl: it is not in the PATH; install it from https://kubernetes.io/docs/tasks/tools";
            (text.to_owned(), true)
        }
        Err(error) => (format!("cannot run kubectl: {error}"), true),
    }
}
