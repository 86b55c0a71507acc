//! Other replicas: whoever starts without the last minutes asks them for theirs.
//!
//! They are found by the EndpointSlices of the server's own Service, and asked over TLS that is verified by the managed
//! CA under the Service's name: only then does a peer see this server's token. It authenticates and authorizes it like
//! any request. What it sends is read by the decoder that reads the file.

mod ask;
mod slices;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use kube::Client;
use tokio::sync::watch;
use tokio::time::timeout;

pub use ask::{PATH, PROCESS};

use super::{Parts, Taken};
use crate::scrape::{Credentials, Pem, Token, Trust};
use crate::tls::Service;

/// How often peers are looked for: a right that was just granted, or a peer that just came to be, takes a moment.
const TRIES: u32 = 3;

/// Between two looks.
const PAUSE: Duration = Duration::from_secs(2);

/// Until there is a CA to verify them by.
const UNTIL_CA: Duration = Duration::from_secs(300);

/// What this server shows to others of its kind.
#[derive(Debug, Clone)]
pub struct Shown {
    /// A client certificate and its key.
    pub identity: Option<(Pem, Pem)>,
    /// The service account's token.
    pub token: Token,
}

/// The other replicas of this server.
pub struct Peers {
    client: Client,
    service: Service,
    shown: Shown,
    /// Every CA that is agreed on, PEM; nothing until then.
    bundle: watch::Receiver<Option<Arc<str>>>,
}

impl fmt::Debug for Peers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peers")
            .field("service", &self.service)
            .finish_non_exhaustive()
    }
}

impl Peers {
    /// Those behind `service`, verified by `bundle`.
    pub fn new(
        client: &Client,
        service: &Service,
        shown: Shown,
        bundle: watch::Receiver<Option<Arc<str>>>,
    ) -> Self {
        Self {
            client: client.clone(),
            service: service.clone(),
            shown,
            bundle,
        }
    }

    /// Asks one after the other until one has answered; what it had. `process` is this server's own mark.
    pub(super) async fn ask(mut self, parts: &Parts, process: &str) -> Option<Taken> {
        // No CA in time, or the server ends: nobody is asked.
        let known = self.bundle.wait_for(Option::is_some);
        if timeout(UNTIL_CA, known).await.is_err() {
            return None;
        }
        let bundle = self.bundle.borrow().clone()?;
        let Shown { identity, token } = self.shown.clone();
        let trust = Trust::Ca(Pem::Inline(bundle.as_bytes().to_vec()));
        let credentials = Credentials::new(trust, identity, token);
        for again in (0..TRIES).rev() {
            let addresses = match slices::addresses(&self.client, &self.service).await {
                Ok(addresses) => addresses,
                Err(error) if again == 0 => {
                    tracing::warn!(
                        "cannot find other replicas, which may have the last hour: {error}; grant this service account \
                         list on endpointslices in the namespace {} (deploy/base/rbac.yaml)",
                        self.service.namespace
                    );
                    return None;
                }
                Err(_) => Vec::new(),
            };
            for address in addresses {
                match ask::ask(address, &self.service, &credentials, parts, process).await {
                    Ok(taken) => return Some(taken),
                    Err(ask::Unanswered::Itself) => {}
                    Err(error) => tracing::info!(
                        %address,
                        "another replica was asked for the last hour in vain: {error}"
                    ),
                }
            }
            if again > 0 {
                parts.clock.sleep(PAUSE).await;
            }
        }
        None
    }
}
