//! Chooses the source: kubevitals.io, or what every cluster serves. While kubevitals.io does not work, the other source
//! runs and kubevitals.io is tried again.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use super::discovery::{self, Served};
use super::fault::Retry;
use super::health::{Health, PATIENCE};
use super::kubernetes::{Kubernetes, is_denied};
use super::metrics_api::METADATA_LIST;
use super::selection_limits::SelectionLimits;
use super::status::About;
use super::usage_polls::UsagePolls;
use super::vitals::{Vitals, group_version};
use super::{Error, vitals_path};
use crate::model::{Fault, FaultKind, Message, Outcome, Part, SourceKind, SourceRequest};

/// A source that worked for this long is retried with the shortest delay when it fails.
const WORKED: Duration = Duration::from_secs(60);

/// The shortest time between two checks of whether the server answers.
const CHECK_INTERVAL: Duration = Duration::from_secs(2);

/// The source of a cluster: the one that is required, or the best one that works.
pub(super) struct Source {
    pub(super) kubernetes: Kubernetes,
    /// The required kind; none for the best one.
    pub(super) required: Option<SourceKind>,
    pub(super) limits: SelectionLimits,
}

impl Source {
    /// Sends messages and serves requests, for ever.
    pub(super) async fn run(&self, mut requests: mpsc::Receiver<SourceRequest>) {
        tokio::join!(self.check_server(), self.send(&mut requests));
    }

    /// Sends messages from the best source that works, for ever.
    async fn send(&self, requests: &mut mpsc::Receiver<SourceRequest>) {
        let served = self.served().await;
        let may_be_vitals = matches!(self.required, None | Some(SourceKind::Vitals));
        let mut retry = Retry::new(self.kubernetes.sender.random);
        let mut down = Down::of(&served).filter(|_| may_be_vitals);
        let mut is_vitals = may_be_vitals && down.is_none();
        loop {
            if is_vitals {
                let began = Instant::now();
                down = Some(Down {
                    why: self.vitals(requests).await,
                    is_reported: true,
                });
                if began.elapsed() >= self.kubernetes.sender.real(WORKED) {
                    retry.reset();
                }
            }
            let down = down.as_ref();
            let no_better = down.map_or("", |down| self.no_better(&down.why));
            let mut polls = UsagePolls::new(&self.kubernetes, &served, no_better);
            if self.required == Some(SourceKind::None) {
                let source = Message::Source(SourceKind::None, "as requested".to_owned());
                self.kubernetes.sender.send(source).await;
            } else {
                polls.announce().await;
            }
            tokio::select! {
                () = self.plain(requests, polls) => {}
                () = self.until_vitals(&mut retry, down) => {}
            }
            is_vitals = true;
        }
    }

    /// What the cluster serves, after discovery succeeds. If discovery is denied, everything counts as served and is
    /// tried.
    async fn served(&self) -> Served {
        let mut retry = Retry::new(self.kubernetes.sender.random);
        loop {
            match self.discover(&mut retry).await {
                Ok(served) => return served,
                Err(due) => self.rest(due).await,
            }
        }
    }

    /// Requests what the cluster serves. If the server does not answer, reports the lost connection and returns when to
    /// retry.
    async fn discover(&self, retry: &mut Retry) -> Result<Served, Instant> {
        let Kubernetes { sender, client, .. } = &self.kubernetes;
        let error = match discovery::served(client).await {
            Ok(served) => {
                sender.up().await;
                return Ok(served);
            }
            Err(error) => error,
        };
        let fault = error.fault();
        if fault.kind.is_refusal() {
            sender.up().await;
            return Ok(Served {
                vitals: true,
                ..Served::default()
            });
        }
        let delay = retry.delay(&error);
        sender.lost(fault.text, Some(sender.after(delay))).await;
        Err(Instant::now() + sender.real(delay))
    }

    async fn rest(&self, due: Instant) {
        tokio::select! {
            () = sleep_until(due) => {}
            () = self.kubernetes.sender.reconnected() => {}
        }
    }

    /// After each request without a response, checks until the server answers.
    async fn check_server(&self) {
        loop {
            self.kubernetes.sender.unanswered().await;
            let mut retry = Retry::new(self.kubernetes.sender.random);
            while let Err(due) = self.discover(&mut retry).await {
                self.rest(due).await;
            }
            self.kubernetes.sender.sleep(CHECK_INTERVAL).await;
        }
    }

    /// Runs on kubevitals.io until it fails although the cluster answers; returns the cause.
    async fn vitals(&self, requests: &mut mpsc::Receiver<SourceRequest>) -> Fault {
        let sender = &self.kubernetes.sender;
        let patience = if self.kubernetes.subset.is_everything() {
            sender.real(PATIENCE)
        } else {
            Duration::ZERO
        };
        let health = Arc::new(Health::new(patience));
        let source = Message::Source(SourceKind::Vitals, group_version());
        sender.send(source).await;
        let kubernetes = Kubernetes {
            sender: sender.with_health(&health),
            ..self.kubernetes.clone()
        };
        tokio::select! {
            () = Vitals::new(kubernetes, self.limits).run(requests) => std::future::pending().await,
            why = self.broken(&health) => why,
        }
    }

    /// Waits until kubevitals.io fails although the cluster answers; returns the cause.
    async fn broken(&self, health: &Health) -> Fault {
        let Kubernetes { sender, client, .. } = &self.kubernetes;
        loop {
            let why = health.broken().await;
            match discovery::served(client).await {
                Err(error) if !error.fault().kind.is_refusal() => {
                    sender.sleep(CHECK_INTERVAL).await
                }
                _ => return why,
            }
        }
    }

    /// Runs on the API server and metrics.k8s.io, for ever.
    async fn plain(&self, requests: &mut mpsc::Receiver<SourceRequest>, polls: UsagePolls<'_>) {
        if self.required == Some(SourceKind::None) {
            self.kubernetes.run(requests).await;
        } else {
            tokio::join!(self.kubernetes.run(requests), polls.run());
        }
    }

    /// Why kubevitals.io is not the source; empty if that needs no mention.
    fn no_better(&self, down: &Fault) -> &'static str {
        match down.kind {
            FaultKind::NotFound if self.required.is_none() => "",
            FaultKind::NotFound => "the cluster has no kubevitals.io",
            FaultKind::Forbidden => "kubevitals.io is forbidden",
            FaultKind::Unauthorized => "kubevitals.io does not accept your credential",
            _ => "kubevitals.io does not answer",
        }
    }

    /// Waits until kubevitals.io answers, with growing delays.
    async fn until_vitals(&self, retry: &mut Retry, down: Option<&Down>) {
        let Some(down) = down else {
            return std::future::pending().await;
        };
        let sender = &self.kubernetes.sender;
        let mut down = down.clone();
        loop {
            let delay = retry.delay_after(down.why.kind);
            let retry_at = Some(sender.after(delay));
            if down.is_reported {
                let why = Fault {
                    text: format!("kubevitals.io: {}", down.why.text),
                    ..down.why
                };
                let outcome = Outcome::Failed { why, retry_at };
                sender.send(Message::Part(Part::Incidents, outcome)).await;
            }
            self.rest(Instant::now() + sender.real(delay)).await;
            match self.request_vitals().await {
                Ok(()) => return,
                Err(error) => down.why = error.fault(),
            }
        }
    }

    /// Requests one pod from kubevitals.io: in all namespaces, or in one if the list of all is denied.
    async fn request_vitals(&self) -> Result<(), Error> {
        let client = &self.kubernetes.client;
        let get = async |path: String| {
            let path = vitals_path(&format!("{path}?limit=1"));
            client.get(&path, METADATA_LIST, About::default()).await
        };
        if !self.kubernetes.only {
            match get("/podvitals".to_owned()).await {
                Ok(_) => return Ok(()),
                Err(error) if is_denied(&error) => {}
                Err(error) => return Err(error),
            }
        }
        let namespace = &self.kubernetes.namespace;
        get(format!("/namespaces/{namespace}/podvitals"))
            .await
            .map(drop)
    }
}

/// Why kubevitals.io is not the source.
#[derive(Debug, Clone)]
struct Down {
    why: Fault,
    /// Whether the dashboard reports it. A cluster that never had kubevitals.io does not miss it.
    is_reported: bool,
}

impl Down {
    /// Returns none if discovery lists kubevitals.io as working.
    fn of(served: &Served) -> Option<Self> {
        if served.vitals {
            return None;
        }
        let (kind, text) = if served.vitals_stale {
            (FaultKind::Unavailable, "it does not answer")
        } else {
            (FaultKind::NotFound, "the cluster has no kubevitals.io")
        };
        Some(Self {
            why: Fault {
                kind,
                text: text.to_owned(),
            },
            is_reported: served.vitals_stale,
        })
    }
}
