//! Transfers the state of another replica to a server that starts.
//!
//! The EndpointSlices of the server's own Service name the replicas. TLS verifies a replica by the managed CA and the
//! Service's name before this server sends its token. The replica authenticates and authorizes the request like any
//! other. The decoder of the state file reads the response.

mod slices;
mod transfer;

use std::sync::Arc;
use std::time::Duration;

use kube::Client;
use tokio::sync::watch;
use tokio::time::timeout;

pub use transfer::{PATH, PROCESS};
use transfer::{TIMEOUT, TransferError, transfer};

use super::{Restored, StateParts};
use crate::scrape::{Credentials, Pem, Token, Trust};
use crate::tls::Service;

/// The number of attempts: a permission that was just granted, or a replica that has just started, may take some
/// seconds.
const ATTEMPTS: u32 = 3;

/// The time between two attempts.
const RETRY_DELAY: Duration = Duration::from_secs(2);

/// The longest time to wait for a CA.
const CA_TIMEOUT: Duration = Duration::from_secs(300);

/// The credentials of this server for other replicas.
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
    /// All agreed CAs, PEM; none until there is one.
    bundle: watch::Receiver<Option<Arc<str>>>,
}

impl Peers {
    /// Makes the replicas behind `service`, verified by `bundle`.
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

    /// Requests one replica after the other until one has sent its state. Returns what was restored. `process` is the
    /// id of this process.
    pub(super) async fn transfer(mut self, parts: &StateParts, process: &str) -> Option<Restored> {
        // Without a CA, or if the server stops, there is no transfer.
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
                        "cannot find other replicas, which may have the history: {error}; grant this service account \
                         list on endpointslices in the namespace {} (deploy/base/rbac.yaml)",
                        self.service.namespace
                    );
                    return None;
                }
                Err(_) => Vec::new(),
            };
            for address in addresses {
                let transfer = transfer(address, &self.service, &credentials, parts, process);
                let transferred = timeout(TIMEOUT, transfer).await;
                match transferred.unwrap_or(Err(TransferError::Timeout)) {
                    Ok(restored) => return Some(restored),
                    Err(TransferError::Itself) => {}
                    Err(error) => tracing::info!(
                        %address,
                        "cannot transfer the state of another replica: {error}"
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
