//! Requests the state of other replicas: all of it for a server that starts, and parts of it between shards.
//!
//! The EndpointSlices of the server's own Service name the replicas. TLS verifies a replica by the managed CA and the
//! Service's name before this server sends its token. The replica authenticates and authorizes the request like any
//! other. The decoder of the state file reads the response.

mod connection;
mod slices;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use kube::Client;
use tokio::sync::watch;
use tokio::time::timeout;

use connection::receive;
pub use connection::{Connection, PATH, PROCESS, PeerError};

use super::wire::{Item, StateError};
use super::{Origin, Restored, StateParts};
use crate::scrape::{Credentials, Pem, Token, Trust};
use crate::tls::Service;

/// The number of attempts: a permission that was just granted, or a replica that has just started, may take some
/// seconds.
const ATTEMPTS: u32 = 3;

/// The time between two attempts.
const RETRY_DELAY: Duration = Duration::from_secs(2);

/// The longest time to wait for a CA.
const CA_TIMEOUT: Duration = Duration::from_secs(300);

/// The timeout of the transfer of a whole state. That of the largest cluster is some hundred megabytes.
pub const TRANSFER_TIMEOUT: Duration = Duration::from_secs(60);

/// The most replicas that are requested for a whole state, because each request takes time.
const MAX_REPLICAS: usize = 8;

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
    /// The id of this process.
    process: String,
}

impl Peers {
    /// Makes the replicas behind `service`, verified by `bundle`. `process` is the id of this process.
    pub fn new(
        client: &Client,
        service: &Service,
        credentials_source: PeerCredentials,
        bundle: watch::Receiver<Option<Arc<str>>>,
        process: &str,
    ) -> Self {
        Self {
            client: client.clone(),
            service: service.clone(),
            credentials_source,
            bundle,
            process: process.to_owned(),
        }
    }

    /// The Service whose endpoints are the replicas.
    pub fn service(&self) -> &Service {
        &self.service
    }

    /// The client of the API server.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The credentials for replicas with a certificate of the present CA; waits for the first CA.
    pub async fn credentials(&self) -> Option<Credentials> {
        let mut bundle = self.bundle.clone();
        let bundle = bundle.wait_for(Option::is_some).await.ok()?.clone()?;
        let PeerCredentials { identity, token } = self.credentials_source.clone();
        let trust = Trust::Ca(Pem::Inline(bundle.as_bytes().to_vec()));
        Some(Credentials::new(trust, identity, token))
    }

    /// A receiver that is notified when the CA changes.
    pub fn bundle(&self) -> watch::Receiver<Option<Arc<str>>> {
        self.bundle.clone()
    }

    /// The addresses of serving replicas, this process included, at most `limit`.
    ///
    /// # Errors
    /// Why they cannot be listed, and what to do.
    pub async fn addresses(&self, limit: usize) -> Result<Vec<SocketAddr>, String> {
        let addresses = slices::addresses(&self.client, &self.service, limit).await;
        addresses.map_err(|error| {
            format!(
                "{error}; grant this service account list on endpointslices in the namespace {} \
                 (deploy/base/rbac.yaml)",
                self.service.namespace
            )
        })
    }

    /// Requests the state of the replica at `address` with this query string, and calls `apply` for each item as it
    /// arrives. Connects first if there is no connection, and drops it after an error. Returns the number of bytes.
    ///
    /// # Errors
    /// Why there is no complete response within `limit`.
    pub async fn request(
        &self,
        address: SocketAddr,
        connection: &mut Option<Connection>,
        credentials: &Credentials,
        (query, limit): (&str, Duration),
        apply: &mut (dyn FnMut(Item<'_>) -> Result<(), StateError> + Send),
    ) -> Result<u64, PeerError> {
        let mut taken = connection.take();
        let response = async {
            let open = match &mut taken {
                Some(open) => open,
                none => none.insert(Connection::open(address, &self.service, credentials).await?),
            };
            let body = open.get(query, credentials, &self.process).await?;
            receive(body, apply).await
        };
        let response = timeout(limit, response).await;
        let bytes = response.unwrap_or(Err(PeerError::Timeout(limit)))?;
        *connection = taken;
        Ok(bytes)
    }

    /// Requests one replica after the other until one has sent its state. Returns what was restored.
    pub(super) async fn transfer(self, parts: &StateParts) -> Option<Restored> {
        // Without a CA, or if the server stops, there is no transfer.
        let credentials = timeout(CA_TIMEOUT, self.credentials()).await.ok()??;
        for remaining in (0..ATTEMPTS).rev() {
            let addresses = match self.addresses(MAX_REPLICAS).await {
                Ok(addresses) => addresses,
                Err(error) if remaining == 0 => {
                    tracing::warn!(
                        "cannot find other replicas, which may have the history: {error}"
                    );
                    return None;
                }
                Err(_) => Vec::new(),
            };
            for address in addresses {
                let mut restorer = parts.restorer(Origin::Peer);
                let transferred = self
                    .request(
                        address,
                        &mut None,
                        &credentials,
                        ("", TRANSFER_TIMEOUT),
                        &mut |item| restorer.apply(item),
                    )
                    .await;
                match transferred {
                    Ok(_) => return Some(restorer.restored),
                    Err(PeerError::Itself) => {}
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
