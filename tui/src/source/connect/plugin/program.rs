//! Runs the program of a plugin.

use std::io::{self, Write};
use std::pin::pin;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use http::HeaderValue;
use kube::config::{ExecConfig, ExecInteractiveMode};
use process_wrap::tokio::{ChildWrapper, CommandWrap, ProcessSession};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::time::timeout;

use super::error::{Failure, PluginError};
use super::protocol::{PluginCredential, exec_info, read};
use super::secrets::{self, Secrets};
use crate::source::connect::identity::Identity;
use crate::source::connect::terminal::{Access, Terminal};
use crate::source::error_text::reason;

/// The largest output. A certificate with its key has a few KiB.
const LONGEST_OUTPUT: usize = 1 << 20;

/// How much of the end of the standard error is stored: the reason is there.
const STDERR_END: usize = 4 << 10;

/// How long the streams are read after the program has ended.
const LEFT_OPEN: Duration = Duration::from_secs(1);

/// A program of a kubeconfig, and the terminal that it may request.
#[derive(Debug)]
pub(super) struct Program {
    pub(super) exec: ExecConfig,
    pub(super) terminal: Terminal,
}

/// The result of a program that has ended.
struct Output {
    status: io::Result<ExitStatus>,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
    /// The output was longer than the limit.
    too_long: bool,
}

impl Program {
    /// The program's name.
    fn command(&self) -> String {
        self.exec.command.clone().unwrap_or_default()
    }

    /// The error for a failure of this program.
    pub(super) fn error(&self, failure: Failure) -> PluginError {
        PluginError {
            command: self.command(),
            failure,
        }
    }

    /// Runs the program. `last` is the credential to renew, which is secret too.
    pub(super) async fn run(
        &self,
        identity: &Identity,
        last: Option<&HeaderValue>,
    ) -> Result<PluginCredential, Failure> {
        let needs_terminal = self.exec.interactive_mode == Some(ExecInteractiveMode::Always);
        let access = match self.exec.interactive_mode {
            Some(ExecInteractiveMode::Never) => Access::None,
            _ => self.terminal.access(self.command(), needs_terminal).await,
        };
        if needs_terminal && matches!(access, Access::None) {
            return Err(Failure::NoTerminal);
        }
        let output = self.output(&access).await?;
        drop(access);
        match output.status {
            _ if output.too_long => Err(Failure::NoCredential(format!(
                "it printed more than {} KiB",
                LONGEST_OUTPUT >> 10
            ))),
            Ok(status) if status.success() => read(&self.exec, &output.stdout, identity),
            Ok(status) => Err(Failure::Failed {
                status: status
                    .code()
                    .map_or_else(|| status.to_string(), |code| format!("exit code {code}")),
                last_line: Secrets::of(&self.exec, last, &output.stdout)
                    .hide(&secrets::last_line(&output.stderr)),
            }),
            Err(error) => Err(Failure::NotStarted(reason(&error))),
        }
    }

    /// Runs the program to its end.
    async fn output(&self, access: &Access) -> Result<Output, Failure> {
        let mut running = self.spawn(access)?;
        let (stdout, stderr) = (running.child.stdout().take(), running.child.stderr().take());
        let (mut printed, mut stderr_end, mut too_long) = (Vec::new(), Vec::new(), false);
        let echo = matches!(access, Access::Lent { .. });
        let status = {
            let mut reading = pin!(async {
                tokio::join!(
                    read_all(stdout, |chunk| {
                        printed.extend_from_slice(chunk);
                        too_long = printed.len() > LONGEST_OUTPUT;
                        !too_long
                    }),
                    read_all(stderr, |chunk| {
                        if echo {
                            // The terminal may be gone; the program then ends another way.
                            let _ = io::stderr().write_all(chunk);
                        }
                        stderr_end.extend_from_slice(chunk);
                        let over = stderr_end.len().saturating_sub(STDERR_END);
                        stderr_end.drain(..over);
                        true
                    })
                )
            });
            tokio::select! {
                _ = &mut reading => running.wait().await,
                status = running.wait() => {
                    // A child that the program left running may hold the streams open.
                    let _ = timeout(LEFT_OPEN, reading).await;
                    status
                }
            }
        };
        Ok(Output {
            status,
            stdout: printed,
            stderr: stderr_end,
            too_long,
        })
    }

    fn spawn(&self, access: &Access) -> Result<Running, Failure> {
        let interactive = !matches!(access, Access::None);
        let mut wrapped = CommandWrap::with_new(self.command(), |program| {
            program
                .args(self.exec.args.iter().flatten())
                .envs(secrets::variables(&self.exec))
                .env("KUBERNETES_EXEC_INFO", exec_info(&self.exec, interactive))
                .stdin(if interactive {
                    Stdio::inherit()
                } else {
                    Stdio::null()
                })
                .stdout(Stdio::piped())
                .stderr(if matches!(access, Access::Shared { .. }) {
                    Stdio::inherit()
                } else {
                    Stdio::piped()
                });
        });
        // A process in its own session has no terminal, not even through /dev/tty. With the terminal it must stay in
        // this program's group, the foreground.
        if !interactive {
            wrapped.wrap(ProcessSession);
        }
        match wrapped.spawn() {
            Ok(child) => Ok(Running {
                child,
                has_group: !interactive,
                ended: false,
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(Failure::NotFound(
                self.exec.install_hint.clone().unwrap_or_default(),
            )),
            Err(error) => Err(Failure::NotStarted(reason(&error))),
        }
    }
}

/// A running plugin. Dropping it kills the plugin and its children, unless they have their own session or process
/// group.
struct Running {
    child: Box<dyn ChildWrapper>,
    /// The process leads a process group.
    has_group: bool,
    ended: bool,
}

impl Running {
    /// Waits until the program ends, and kills its children.
    async fn wait(&mut self) -> io::Result<ExitStatus> {
        let status = self.child.inner_mut().wait().await;
        self.ended = true;
        if self.has_group {
            self.kill();
        }
        status
    }

    fn kill(&mut self) {
        // A process that has just ended cannot be killed.
        let _ = self.child.start_kill();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.ended {
            self.kill();
        }
    }
}

/// Reads to the end, or until `take` returns false; then the stream is closed.
async fn read_all(stream: Option<impl AsyncRead + Unpin>, mut take: impl FnMut(&[u8]) -> bool) {
    let Some(mut stream) = stream else { return };
    let mut buffer = [0; 4096];
    while let Ok(length @ 1..) = stream.read(&mut buffer).await {
        if !take(buffer.get(..length).unwrap_or_default()) {
            break;
        }
    }
}
