//! Credential plugins: programs that give a token or a client certificate.
//!
//! <https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins>

use std::io;
use std::pin::pin;
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use http::HeaderValue;
use jiff::Timestamp;
use kube::config::{ExecAuthCluster, ExecConfig, ExecInteractiveMode};
use process_wrap::tokio::{ChildWrapper, CommandWrap, ProcessSession};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::credentials::{Credential, header};
use super::identity::{Identity, IdentityError};
use super::terminal::{Access, Terminal};

/// How much of what a plugin prints is read.
const LONGEST_OUTPUT: usize = 1 << 20;

/// How much of a plugin's standard error is kept: its end, where the reason is.
const STDERR_END: usize = 4 << 10;

/// How long the streams of a plugin that has ended are read further.
const LEFT_OPEN: Duration = Duration::from_secs(1);

/// Waiting times before a plugin runs again that failed, or whose credential was rejected.
const BACKOFF: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

/// A credential plugin. It runs once at a time; its credential is used until it expires or the server rejects it.
#[derive(Debug)]
pub(in crate::source) struct Plugin {
    exec: ExecConfig,
    terminal: Terminal,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    credential: Option<Credential>,
    version: u64,
    /// When the credential must be renewed; none for one that does not expire.
    expires: Option<Timestamp>,
    rejected: bool,
    /// The last failure, and how many there were in a row. A credential that was rejected or came expired counts.
    error: Option<PluginError>,
    failures: u32,
    /// Before this the plugin does not run again.
    not_before: Option<Instant>,
}

/// Why a plugin gave no credential. What it printed to its standard output is in no text, since that is secret.
#[derive(Debug, Clone, thiserror::Error)]
pub(in crate::source) enum PluginError {
    /// There is no such program.
    #[error("exec: executable {command} not found{}", after_blank_line(.hint))]
    NotFound {
        /// The program.
        command: String,
        /// How to install it, by the kubeconfig.
        hint: String,
    },
    /// It could not be started.
    #[error("exec: executable {command} cannot be started: {why}")]
    NotStarted {
        /// The program.
        command: String,
        /// The system's reason.
        why: String,
    },
    /// It ended with a failure.
    #[error("exec: executable {command} failed with {status}{}", after_colon(.said))]
    Failed {
        /// The program.
        command: String,
        /// `exit code 1`, or the signal that ended it.
        status: String,
        /// The last line that it wrote to its standard error.
        said: String,
    },
    /// It needs a terminal and there is none.
    #[error("exec: executable {0} needs a terminal: standard input is not a terminal")]
    NoTerminal(String),
    /// Its output is no credential.
    #[error("exec: executable {command}: {why}")]
    NoCredential {
        /// The program.
        command: String,
        /// What is wrong with the output.
        why: &'static str,
    },
    /// Its client certificate cannot be used.
    #[error("exec: executable {command}: client certificate: {why}")]
    Identity {
        /// The program.
        command: String,
        /// Why.
        why: IdentityError,
    },
}

fn after_blank_line(hint: &str) -> String {
    if hint.is_empty() {
        String::new()
    } else {
        format!("\n\n{hint}")
    }
}

fn after_colon(said: &str) -> String {
    if said.is_empty() {
        String::new()
    } else {
        format!(": {said}")
    }
}

/// What a plugin is given in `KUBERNETES_EXEC_INFO`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Question<'a> {
    kind: &'static str,
    api_version: &'a str,
    spec: QuestionSpec<'a>,
}

#[derive(Serialize)]
struct QuestionSpec<'a> {
    interactive: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    cluster: Option<QuestionCluster<'a>>,
}

/// The cluster. client-go writes `config` where there is none too.
#[derive(Serialize)]
struct QuestionCluster<'a> {
    #[serde(flatten)]
    cluster: &'a ExecAuthCluster,
    #[serde(skip_serializing_if = "Option::is_none")]
    config: Option<serde_json::Value>,
}

/// What a plugin prints.
#[derive(Deserialize)]
struct Answer {
    status: Option<Status>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Status {
    expiration_timestamp: Option<String>,
    token: Option<String>,
    client_certificate_data: Option<String>,
    client_key_data: Option<String>,
}

impl<'a> QuestionCluster<'a> {
    fn of(cluster: &'a ExecAuthCluster) -> Self {
        let config = cluster.config.is_none().then_some(serde_json::Value::Null);
        Self { cluster, config }
    }
}

impl Plugin {
    /// A plugin of a kubeconfig. It does not run yet.
    pub(super) fn new(exec: ExecConfig, terminal: Terminal) -> Self {
        Self {
            exec,
            terminal,
            state: Mutex::default(),
        }
    }

    /// The credential for a request: the last one while it is good, else a new one.
    pub(super) async fn get(&self, identity: &Identity) -> Result<Credential, PluginError> {
        // Whoever comes while the plugin runs waits for the same run.
        let mut state = self.state.lock().await;
        let waiting = state.not_before.is_some_and(|until| Instant::now() < until);
        match (&state.credential, &state.error) {
            (Some(credential), _) if waiting || state.is_good() => return Ok(credential.clone()),
            (None, Some(error)) if waiting => return Err(error.clone()),
            _ => {}
        }
        let result = self.run(identity).await;
        state.take(result)
    }

    /// Takes in how the server answered a request with a credential of the plugin.
    pub(super) async fn answered(&self, version: u64, rejected: bool) {
        let mut state = self.state.lock().await;
        if state.version != version {
            return;
        }
        if rejected && !state.rejected {
            state.rejected = true;
            state.back_off();
        } else if !rejected && state.is_good() {
            state.failures = 0;
            state.not_before = None;
        }
    }

    fn command(&self) -> String {
        self.exec.command.clone().unwrap_or_default()
    }

    async fn run(
        &self,
        identity: &Identity,
    ) -> Result<(Option<HeaderValue>, Option<Timestamp>), PluginError> {
        let access = match self.exec.interactive_mode {
            Some(ExecInteractiveMode::Never) => Access::None,
            Some(ExecInteractiveMode::Always) => self.terminal.access(true).await,
            Some(ExecInteractiveMode::IfAvailable) | None => self.terminal.access(false).await,
        };
        if matches!(access, Access::None)
            && self.exec.interactive_mode == Some(ExecInteractiveMode::Always)
        {
            return Err(PluginError::NoTerminal(self.command()));
        }
        let output = self.output(&access).await?;
        drop(access);
        self.read(&output, identity)
    }

    /// Runs the program; what it wrote to its standard output.
    async fn output(&self, access: &Access) -> Result<Vec<u8>, PluginError> {
        let command = self.command();
        let interactive = !matches!(access, Access::None);
        let question = serde_json::to_string(&Question {
            kind: "ExecCredential",
            api_version: self.exec.api_version.as_deref().unwrap_or_default(),
            spec: QuestionSpec {
                interactive,
                cluster: self.exec.cluster.as_ref().map(QuestionCluster::of),
            },
        })
        .unwrap_or_default();
        let mut wrapped = CommandWrap::with_new(&command, |program| {
            program
                .args(self.exec.args.iter().flatten())
                .envs(self.variables())
                .env("KUBERNETES_EXEC_INFO", &question)
                .stdout(Stdio::piped());
            if interactive {
                program.stdin(Stdio::inherit()).stderr(Stdio::inherit());
            } else {
                program.stdin(Stdio::null()).stderr(Stdio::piped());
            }
        });
        // A session of its own has no terminal, not even by /dev/tty. With the terminal it must stay in the
        // foreground, which is this program's group.
        if !interactive {
            wrapped.wrap(ProcessSession);
        }
        let mut running = match wrapped.spawn() {
            Ok(child) => Running {
                child,
                ended: false,
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let hint = self.exec.install_hint.clone().unwrap_or_default();
                return Err(PluginError::NotFound { command, hint });
            }
            Err(error) => {
                return Err(PluginError::NotStarted {
                    command,
                    why: crate::source::kubeconfig::reason(&error),
                });
            }
        };
        let (stdout, stderr) = (running.child.stdout().take(), running.child.stderr().take());
        let (mut output, mut said) = (Vec::new(), Vec::new());
        let status = {
            let mut reading = pin!(async {
                tokio::join!(
                    read_beginning(stdout, &mut output),
                    read_end(stderr, &mut said)
                )
            });
            tokio::select! {
                _ = &mut reading => running.wait().await,
                status = running.wait() => {
                    // What it has started and left running may hold the streams open.
                    let _ = timeout(LEFT_OPEN, reading).await;
                    status
                }
            }
        };
        match status {
            Ok(status) if status.success() => Ok(output),
            Ok(status) => Err(PluginError::Failed {
                command,
                status: status
                    .code()
                    .map_or_else(|| status.to_string(), |code| format!("exit code {code}")),
                said: self.without_secrets(last_line(&said)),
            }),
            Err(error) => Err(PluginError::NotStarted {
                command,
                why: crate::source::kubeconfig::reason(&error),
            }),
        }
    }

    /// The environment that the kubeconfig gives the plugin.
    fn variables(&self) -> impl Iterator<Item = (&String, &String)> {
        let variables = self.exec.env.iter().flatten();
        variables.filter_map(|variable| Some((variable.get("name")?, variable.get("value")?)))
    }

    /// A text without the values of the plugin's environment.
    fn without_secrets(&self, text: String) -> String {
        self.variables()
            .filter(|(_, value)| !value.is_empty())
            .fold(text, |text, (name, value)| {
                text.replace(value.as_str(), &format!("${name}"))
            })
    }

    fn read(
        &self,
        output: &[u8],
        identity: &Identity,
    ) -> Result<(Option<HeaderValue>, Option<Timestamp>), PluginError> {
        let no_credential = |why| PluginError::NoCredential {
            command: self.command(),
            why,
        };
        let answer: Answer = serde_json::from_slice(output)
            .map_err(|_| no_credential("its output is no ExecCredential in JSON"))?;
        let status = answer
            .status
            .ok_or_else(|| no_credential("exec plugin didn't return a status field"))?;
        let given = |text: Option<String>| text.filter(|text| !text.is_empty());
        let token = given(status.token);
        match (
            given(status.client_certificate_data),
            given(status.client_key_data),
        ) {
            (Some(certificate), Some(key)) => identity
                .replace(certificate.as_bytes(), key.as_bytes())
                .map_err(|why| PluginError::Identity {
                    command: self.command(),
                    why,
                })?,
            (None, None) if token.is_none() => {
                return Err(no_credential(
                    "exec plugin didn't return a token or cert/key pair",
                ));
            }
            (None, None) => {}
            _ => {
                return Err(no_credential(
                    "exec plugin returned only certificate or key, not both",
                ));
            }
        }
        let expires = given(status.expiration_timestamp)
            .map(|text| text.parse::<Timestamp>())
            .transpose()
            .map_err(|_| no_credential("its expirationTimestamp is no time"))?;
        let header = token
            .map(|token| header("Bearer", token.trim(), "token"))
            .transpose()
            .map_err(|_| no_credential("its token has characters that a header cannot carry"))?;
        Ok((header, expires))
    }
}

impl State {
    fn is_good(&self) -> bool {
        !self.rejected
            && self
                .expires
                .is_none_or(|expires| Timestamp::now() < expires)
    }

    fn back_off(&mut self) {
        let (first, longest) = BACKOFF;
        let wait = first
            .saturating_mul(1 << self.failures.min(16))
            .min(longest);
        self.failures = self.failures.saturating_add(1);
        self.not_before = Some(Instant::now() + wait);
    }

    fn take(
        &mut self,
        result: Result<(Option<HeaderValue>, Option<Timestamp>), PluginError>,
    ) -> Result<Credential, PluginError> {
        match result {
            Ok((header, expires)) => {
                self.version = self.version.wrapping_add(1);
                let credential = Credential {
                    header,
                    version: self.version,
                };
                self.credential = Some(credential.clone());
                self.expires = expires;
                self.rejected = false;
                self.error = None;
                if self.is_good() {
                    // The failures are forgotten when the server accepts the credential.
                    self.not_before = None;
                } else {
                    self.back_off();
                }
                Ok(credential)
            }
            Err(error) => {
                self.back_off();
                self.credential = None;
                self.error = Some(error.clone());
                Err(error)
            }
        }
    }
}

/// A plugin that runs. Whatever happens to the request that waits for it, the plugin does not outlive that.
struct Running {
    child: Box<dyn ChildWrapper>,
    ended: bool,
}

impl Running {
    async fn wait(&mut self) -> io::Result<ExitStatus> {
        let status = self.child.wait().await;
        self.ended = true;
        status
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.ended {
            // One that has just ended cannot be killed, which is well.
            let _ = self.child.start_kill();
        }
    }
}

/// Reads to the end and keeps the beginning.
async fn read_beginning(stream: Option<impl AsyncRead + Unpin>, kept: &mut Vec<u8>) {
    read_all(stream, |piece| {
        let room = LONGEST_OUTPUT.saturating_sub(kept.len());
        kept.extend(piece.iter().take(room));
    })
    .await;
}

/// Reads to the end and keeps that.
async fn read_end(stream: Option<impl AsyncRead + Unpin>, kept: &mut Vec<u8>) {
    read_all(stream, |piece| {
        kept.extend_from_slice(piece);
        let over = kept.len().saturating_sub(STDERR_END);
        kept.drain(..over);
    })
    .await;
}

async fn read_all(stream: Option<impl AsyncRead + Unpin>, mut take: impl FnMut(&[u8])) {
    let Some(mut stream) = stream else { return };
    let mut buffer = [0; 4096];
    while let Ok(length @ 1..) = stream.read(&mut buffer).await {
        take(buffer.get(..length).unwrap_or_default());
    }
}

/// The last line with something in it, without escape sequences.
fn last_line(bytes: &[u8]) -> String {
    let text = strip_ansi_escapes::strip_str(String::from_utf8_lossy(bytes));
    let line = text.lines().rev().find(|line| !line.trim().is_empty());
    line.unwrap_or_default().trim().to_owned()
}
