//! Other replicas: whoever starts without the last minutes asks them for theirs.
//!
//! They are found by the EndpointSlices of the server's own Service, and asked over TLS that is verified by the managed
//! CA under the Service's name: only then does a peer see this server's token. It authenticates and authorizes it like
//! any request. What it sends is read by the decoder that reads the file.

mod slices;
mod transfer;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use kube::Client;
use tokio::sync::watch;
use tokio::time::timeout;

pub use transfer::{PATH, PROCESS};

use super::{Restored, StateParts};
use crate::scrape::{Credentials, Pem, Token, Trust};
use crate::tls::Service;

/// How often peers are looked for: a right that was just granted, or a peer that just came to be, takes a moment.
const ATTEMPTS: u32 = 3;

/// Between two looks.
const RETRY_DELAY: Duration = Duration::from_secs(2);

/// Until there is a CA to verify them by.
const CA_TIMEOUT: Duration = Duration::from_secs(300);

/// What this server shows to others of its kind.
#[derive(Debug, Clone)]
pub struct PeerCredentials {
    /// A client certificate and its key.
    pub identity: Option<(Pem, Pem)>,
    /// The service account's token.
    pub token: Token,
}

/// The other replicas of this server.
pub struct Peers {
    client: Client,
    service: Service,
    credentials_source: PeerCredentials,
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
        credentials_source: PeerCredentials,
        bundle: watch::Receiver<Option<Arc<str>>>,
    ) -> Self {
        Self {
            client: client.clone(),
            service: service.clone(),
            credentials_source,
            bundle,
        }
    }

    /// Asks one after the other until one has answered; what it had. `process` is this server's own mark.
    pub(super) async fn transfer(mut self, parts: &StateParts, process: &str) -> Option<Restored> {
        // No CA in time, or the server ends: nobody is asked.
        let has_ca = self.bundle.wait_for(Option::is_some);
        if timeout(CA_TIMEOUT, has_ca).await.is_err() {
            return None;
        }
        let bundle = self.bundle.borrow().clone()?;
        let PeerCredentials { identity, token } = self.credentials_source.clone();
        let trust = Trust::Ca(Pem::Inline(bundle.as_bytes().to_vec()));
        let credentials = Credentials::new(trust, identity, token);
        for remaining in (0..ATTEMPTS).rev() {
            let addresses = match slices::addresses(&self.client, &self.service).await {
                Ok(addresses) => addresses,
                Err(error) if remaining == 0 => {
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
                match transfer::transfer(address, &self.service, &credentials, parts, process).await
                {
                    Ok(restored) => return Some(restored),
                    Err(transfer::TransferError::Itself) => {}
                    Err(error) => tracing::info!(
                        %address,
                        "another replica was asked for the last hour in vain: {error}"
                    ),
                }
            }
            if remaining > 0 {
                parts.clock.sleep(RETRY_DELAY).await;
            }
        }
        None
    }
}
