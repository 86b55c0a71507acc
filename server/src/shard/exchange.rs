//! Finds the other shards, requests the latest values of their nodes, and takes over nodes from them.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use k8s_openapi::api::apps::v1::StatefulSet;
use kube::Api;
use tokio::task::JoinHandle;

use super::access::Access;
use super::claim::{Claim, MAX_COUNT};
use super::inbox::Inbox;
use super::settings::Count;
use super::shards::{Scope, Shards};
use crate::cluster::Watches;
use crate::scrape::Instants;
use crate::state::{Connection, Origin, PeerError, Peers, TRANSFER_TIMEOUT};
use crate::telemetry::{LogThrottle, chain};

/// The time between two requests to one shard: the staleness of its data, besides the request itself.
const INTERVAL: Duration = Duration::from_secs(1);

/// The timeout of a request for the latest values.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The time between two lists of the addresses.
const LIST_INTERVAL: Duration = Duration::from_secs(3);

/// The longest time that a node waits to be handed over. Its rates stay valid that long.
const PATIENCE: Duration = Duration::from_secs(8);

/// The time between two log lines about one address.
const LOG_INTERVAL: Duration = Duration::from_secs(600);

/// The most addresses.
const MAX_ADDRESSES: usize = 2 * MAX_COUNT as usize;

/// A task that ends when it is dropped.
struct Task(JoinHandle<()>);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Shards {
    /// Exchanges data with the other shards. Does not return.
    pub async fn run(self: Arc<Self>, peers: Peers, watches: Watches) {
        // Reports of nodes that the API server has not listed yet would be dropped.
        watches.nodes.until_synced().await;
        let mut bundle = peers.bundle();
        let clock = Arc::clone(&self.parts.clock);
        let mut applied = None;
        let mut apply = |listed| {
            self.settle(listed);
            let scope = **self.scope.load();
            if applied.replace(scope) != Some(scope) {
                watches.nodes_changed.send_replace(());
            }
        };
        let credentials = loop {
            tokio::select! {
                credentials = peers.credentials() => break credentials,
                () = clock.sleep(INTERVAL) => apply(false),
            }
        };
        let Some(credentials) = credentials else {
            // The server stops.
            return std::future::pending().await;
        };
        bundle.mark_unchanged();
        let access = self.access.get_or_init(|| {
            Arc::new(Access {
                peers,
                credentials: ArcSwap::from_pointee(credentials),
            })
        });
        let access = Arc::clone(access);
        let mut tasks: HashMap<SocketAddr, Task> = HashMap::new();
        let mut problems = LogThrottle::new(LOG_INTERVAL);
        let (mut listed, mut list_at) = (false, clock.elapsed());
        loop {
            if clock.elapsed() >= list_at {
                list_at = clock.elapsed().after(LIST_INTERVAL);
                if bundle.has_changed().unwrap_or_default() {
                    bundle.mark_unchanged();
                    if let Some(credentials) = access.peers.credentials().await {
                        access.credentials.store(Arc::new(credentials));
                    }
                }
                self.count_replicas(&access, &mut problems).await;
                match access.peers.addresses(MAX_ADDRESSES).await {
                    Ok(addresses) => {
                        listed = true;
                        self.members.lock().list(&addresses, clock.elapsed());
                        tasks.retain(|address, _| addresses.contains(address));
                        for address in addresses {
                            tasks.entry(address).or_insert_with(|| {
                                let exchange =
                                    Arc::clone(&self).exchange(address, Arc::clone(&access));
                                Task(tokio::spawn(exchange))
                            });
                        }
                    }
                    Err(error) => {
                        if let Some(unreported) = problems.allow() {
                            tracing::warn!(unreported, "cannot find the other shards: {error}");
                        }
                    }
                }
            }
            apply(listed);
            tokio::select! {
                () = clock.sleep(INTERVAL) => {}
                () = self.answered.notified() => {}
            }
        }
    }

    /// Reads the number of shards from the StatefulSet, if it follows from that.
    async fn count_replicas(&self, access: &Access, problems: &mut LogThrottle) {
        let Count::StatefulSet(name) = &self.settings.count else {
            return;
        };
        let namespace = &access.peers.service().namespace;
        let sets: Api<StatefulSet> = Api::namespaced(access.peers.client().clone(), namespace);
        let error = match sets.get(name).await {
            Ok(set) => {
                let replicas = set.spec.and_then(|spec| spec.replicas).unwrap_or(1);
                let count = u32::try_from(replicas).unwrap_or_default().min(MAX_COUNT);
                self.set_count(count);
                return;
            }
            Err(error) => chain(&error),
        };
        if let Some(unreported) = problems.allow() {
            tracing::warn!(
                unreported,
                "cannot read the number of shards from the StatefulSet {namespace}/{name}: {error}; the last number stays \
                 in use; grant this service account get on it, or give --shard=auto/N"
            );
        }
    }

    /// Sets the number of shards. Nodes that this shard gains are scraped when the others have handed them over.
    fn set_count(&self, count: u32) {
        let scope = **self.scope.load();
        let claim = Claim {
            count,
            ..scope.claim
        };
        if claim == scope.claim || count == 0 {
            return;
        }
        tracing::info!(
            "the number of shards changes from {} to {count}; this is shard {}",
            scope.claim.count,
            claim.index
        );
        self.scope.store(Arc::new(Scope {
            claim,
            before: Some(scope.before.unwrap_or(scope.claim)),
            since: self.parts.clock.elapsed(),
            ..scope
        }));
    }

    /// Starts to scrape nodes that have been handed over, and stops or resumes if another server with the same index
    /// appears or disappears. `listed`: the addresses of the other shards are complete.
    fn settle(&self, listed: bool) {
        let now = self.parts.clock.elapsed();
        let scope = **self.scope.load();
        let (superseded, settled) = {
            let members = self.members.lock();
            let settled = listed && members.are_settled(scope.claim);
            (self.is_superseded(&members, now), settled)
        };
        let mut next = scope;
        if superseded != scope.stands_by {
            next.stands_by = superseded;
            let index = scope.claim.index;
            if superseded {
                tracing::warn!(
                    "another server that started later is shard {index} too; it scrapes the nodes of this shard; give each \
                     server an index of its own (--shard)"
                );
            } else {
                tracing::info!(
                    "no other server is shard {index} any more; this one scrapes its nodes"
                );
            }
        }
        if settled || now.since(scope.since) > PATIENCE {
            next.before = None;
        }
        if next != scope {
            self.scope.store(Arc::new(next));
        }
    }

    /// Requests the data of one address again and again, until the task is dropped.
    async fn exchange(self: Arc<Self>, address: SocketAddr, access: Arc<Access>) {
        let clock = Arc::clone(&self.parts.clock);
        let mut connection = None;
        let mut problems = LogThrottle::new(LOG_INTERVAL);
        loop {
            let result = self.request_latest(address, &access, &mut connection).await;
            let itself = matches!(result, Err(None));
            let answers = self.record(address, result, &mut problems);
            let claim = self.claim();
            if answers && self.hands_over(address, claim) {
                self.take_over(address, &access, &mut connection, claim)
                    .await;
            }
            self.answered.notify_one();
            if itself {
                return;
            }
            clock.sleep(INTERVAL).await;
        }
    }

    /// Records the result of a request. Returns whether the address has answered.
    fn record(
        &self,
        address: SocketAddr,
        result: Result<Instants, Option<String>>,
        problems: &mut LogThrottle,
    ) -> bool {
        let mut members = self.members.lock();
        let Some(member) = members.0.get_mut(&address) else {
            return false;
        };
        let before = member.problem.take();
        let problem = match result {
            Ok(sent) => {
                self.metrics.answered.inc();
                member.answered = Some(sent);
                if before.is_some() {
                    tracing::info!(%address, "the shard at {address} answers again");
                }
                return true;
            }
            Err(None) => {
                member.itself = true;
                return false;
            }
            Err(Some(problem)) => problem,
        };
        self.metrics.failed.inc();
        if before.as_ref() != Some(&problem)
            && let Some(unreported) = problems.allow()
        {
            tracing::warn!(
                %address, unreported,
                "the shard at {address} does not answer: {problem}; the metrics of its nodes will be absent"
            );
        }
        member.problem = Some(problem);
        false
    }

    /// Whether an address has yet to hand over for a claim.
    fn hands_over(&self, address: SocketAddr, claim: Claim) -> bool {
        let members = self.members.lock();
        let member = members.0.get(&address);
        member.is_some_and(|member| member.handed != Some(claim))
    }

    /// Requests what has changed since the last answer. Returns the time of the request, or why there is no answer: no
    /// reason if the address is this process.
    async fn request_latest(
        &self,
        address: SocketAddr,
        access: &Access,
        connection: &mut Option<Connection>,
    ) -> Result<Instants, Option<String>> {
        let clock = &self.parts.clock;
        let sent = Instants {
            age: clock.elapsed(),
            wall: clock.wall(),
        };
        let before = {
            let members = self.members.lock();
            members.0.get(&address).and_then(|it| it.hello.clone())
        };
        let query = match &before {
            Some(hello) => format!(
                "part=latest&since={}&process={}",
                hello.sequence, hello.process
            ),
            None => "part=latest".to_owned(),
        };
        let mut inbox = Inbox::new(self, sent, before);
        let credentials = access.credentials();
        let received = access
            .peers
            .request(
                address,
                connection,
                &credentials,
                (&query, TIMEOUT),
                &mut |item| inbox.apply(item),
            )
            .await;
        let Inbox { hello, refusal, .. } = inbox;
        let bytes = match received {
            Ok(bytes) => bytes,
            Err(PeerError::Itself) => return Err(None),
            Err(error) => return Err(Some(refusal.unwrap_or_else(|| error.to_string()))),
        };
        self.metrics.received.inc_by(bytes);
        let Some(hello) = hello else {
            let problem = "it is no shard: give all servers of the Service a --shard".to_owned();
            return Err(Some(problem));
        };
        let own = self.claim().count;
        if let Some(member) = self.members.lock().0.get_mut(&address) {
            let before = member.hello.as_ref().map(|before| before.count);
            if hello.count != own && before != Some(hello.count) {
                tracing::warn!(
                    %address,
                    "shard {} at {address} counts {} shards, and this one {own}: until both agree, nodes may be scraped \
                     twice or not at all; give all servers the same --shard",
                    hello.index, hello.count
                );
            }
            member.hello = Some(hello);
        }
        Ok(sent)
    }

    /// Requests the series and the history that another shard has of the nodes of this one.
    async fn take_over(
        &self,
        address: SocketAddr,
        access: &Access,
        connection: &mut Option<Connection>,
        claim: Claim,
    ) {
        let query = format!("part=handover&index={}&count={}", claim.index, claim.count);
        let mut restorer = self.parts.restorer(Origin::Peer);
        let credentials = access.credentials();
        let received = access
            .peers
            .request(
                address,
                connection,
                &credentials,
                (&query, TRANSFER_TIMEOUT),
                &mut |item| restorer.apply(item),
            )
            .await;
        match received {
            Ok(bytes) => {
                self.metrics.received.inc_by(bytes);
                self.metrics.handed.inc();
                let restored = restorer.restored;
                if restored.nodes + restored.histories > 0 {
                    tracing::info!(
                        %address, nodes = restored.nodes, histories = restored.histories,
                        "took over the nodes of shard {}/{} from {address}", claim.index, claim.count
                    );
                }
                if let Some(member) = self.members.lock().0.get_mut(&address) {
                    member.handed = Some(claim);
                }
            }
            Err(error) => {
                self.metrics.hand_over_failed.inc();
                tracing::warn!(
                    %address,
                    "cannot take over nodes from the shard at {address}: {error}; retrying in a second"
                );
            }
        }
    }
}
