//! Credential plugins: programs that print a token or a client certificate.
//!
//! <https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins>

mod error;
mod program;
mod protocol;
mod secrets;

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::FutureExt;
use futures::future::{BoxFuture, Shared};
use http::HeaderValue;
use jiff::Timestamp;
use kube::config::{ExecConfig, ExecInteractiveMode};
use parking_lot::Mutex;
use tokio::task::AbortHandle;

use super::credential::Credential;
use super::identity::Identity;
use super::terminal::Terminal;
use error::Failure;
pub(in crate::source) use error::PluginError;
use program::Program;
use protocol::PluginCredential;

/// The first back-off after a failure or a rejected credential.
const BACKOFF: Duration = Duration::from_secs(1);

/// The first back-off of a plugin that requires the terminal: a person must be able to read the error.
const BACKOFF_INTERACTIVE: Duration = Duration::from_secs(10);

/// The longest back-off.
const LONGEST_BACKOFF: Duration = Duration::from_secs(60);

/// A credential plugin. At most one run is in flight; its credential is used until it expires or the server rejects it.
///
/// A run continues if the request that started it is dropped, so that a login in a browser can take its time. Dropping
/// the plugin ends the run.
#[derive(Debug)]
pub(in crate::source) struct Plugin {
    program: Arc<Program>,
    state: Arc<Mutex<State>>,
}

/// The result of a run, shared by all requests that wait for it.
type Outcome = Shared<BoxFuture<'static, Result<Credential, PluginError>>>;

#[derive(Debug, Default)]
struct State {
    /// The first back-off.
    backoff: Duration,
    /// The run in flight.
    run: Option<(Outcome, AbortHandle)>,
    credential: Option<Credential>,
    /// The header of the last credential. Each later error text of the plugin may contain it, and must hide it.
    last: Option<HeaderValue>,
    version: u64,
    /// When the credential expires; none if it does not.
    expires: Option<Timestamp>,
    rejected: bool,
    /// The last failure, and the number of failures in a row. A rejected or expired credential counts as one.
    error: Option<PluginError>,
    failures: u32,
    /// The end of the back-off.
    not_before: Option<Instant>,
}

impl Plugin {
    /// A plugin of a kubeconfig. It does not run yet.
    pub(super) fn new(exec: ExecConfig, terminal: Terminal) -> Self {
        let takes_terminal = exec.interactive_mode == Some(ExecInteractiveMode::Always);
        let state = State {
            backoff: if takes_terminal {
                BACKOFF_INTERACTIVE
            } else {
                BACKOFF
            },
            ..State::default()
        };
        Self {
            program: Arc::new(Program { exec, terminal }),
            state: Arc::new(Mutex::new(state)),
        }
    }

    /// The credential for a request: the last one while it is valid, else that of a new run.
    pub(super) async fn get(&self, identity: &Arc<Identity>) -> Result<Credential, PluginError> {
        let outcome = {
            let mut state = self.state.lock();
            if let Some((outcome, _)) = &state.run {
                outcome.clone()
            } else if let Some(outcome) = state.without_run() {
                return outcome;
            } else {
                let run = self.start(identity, &mut state);
                state.run.insert(run).0.clone()
            }
        };
        outcome.await
    }

    /// Applies the server's response to a credential of the plugin.
    pub(super) fn apply(&self, version: u64, rejected: bool) {
        let mut state = self.state.lock();
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

    fn start(&self, identity: &Arc<Identity>, before: &mut State) -> (Outcome, AbortHandle) {
        let (program, identity) = (Arc::clone(&self.program), Arc::clone(identity));
        let state = Arc::clone(&self.state);
        if let Some(credential) = before.credential.take() {
            before.last = credential.header;
        }
        let last = before.last.clone();
        let task = tokio::spawn(async move {
            let result = program.run(&identity, last.as_ref()).await;
            let mut state = state.lock();
            state.run = None;
            let result = state.apply(result.map_err(|failure| program.error(failure)));
            if let Err(error) = &result {
                let wait = state.wait();
                tracing::warn!(%error, retry_in = ?wait, "the credential plugin gave no credential");
            }
            result
        });
        let abort = task.abort_handle();
        let (state, program) = (Arc::clone(&self.state), Arc::clone(&self.program));
        let outcome = async move {
            task.await.unwrap_or_else(|_| {
                state.lock().run = None;
                Err(program.error(Failure::Ended))
            })
        };
        (outcome.boxed().shared(), abort)
    }
}

impl Drop for Plugin {
    fn drop(&mut self) {
        if let Some((_, run)) = self.state.lock().run.take() {
            run.abort();
        }
    }
}

impl State {
    /// The result without a run: a valid credential, or the last result during the back-off.
    fn without_run(&self) -> Option<Result<Credential, PluginError>> {
        let waiting = self.not_before.is_some_and(|until| Instant::now() < until);
        match (&self.credential, &self.error) {
            (Some(credential), _) if waiting || self.is_good() => Some(Ok(credential.clone())),
            (None, Some(error)) if waiting => Some(Err(error.clone())),
            _ => None,
        }
    }

    fn is_good(&self) -> bool {
        !self.rejected
            && self
                .expires
                .is_none_or(|expires| Timestamp::now() < expires)
    }

    /// The rest of the back-off.
    fn wait(&self) -> Duration {
        self.not_before.map_or(Duration::ZERO, |until| {
            until.saturating_duration_since(Instant::now())
        })
    }

    fn back_off(&mut self) {
        let wait = self
            .backoff
            .saturating_mul(1 << self.failures.min(16))
            .min(LONGEST_BACKOFF);
        self.failures = self.failures.saturating_add(1);
        self.not_before = Some(Instant::now() + wait);
    }

    fn apply(
        &mut self,
        result: Result<PluginCredential, PluginError>,
    ) -> Result<Credential, PluginError> {
        match result {
            Ok(PluginCredential { header, expires }) => {
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
                    // The failures are reset when the server accepts the credential.
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
