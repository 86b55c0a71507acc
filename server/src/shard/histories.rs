//! Parts of the history of other shards, for one query.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::time::Duration;

use parking_lot::Mutex;

use super::scope::HistoryScope;
use super::shards::Shards;
use crate::state::wire::{Item, Kind, Writer};
use crate::store::History;
use crate::store::history::Overlay;

/// The timeout of a request for history. A query waits no longer for a shard.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The history with the parts of the other shards.
#[derive(Debug)]
pub struct RemoteHistory {
    /// The whole.
    pub history: History,
    /// The shards that have not answered, each as a sentence.
    pub missing: Vec<String>,
}

impl Shards {
    /// Writes a part of the history of this shard.
    pub(super) fn write_history<W: Write>(&self, scope: &HistoryScope, out: W) -> io::Result<W> {
        let clock = &self.parts.clock;
        let mut writer = Writer::begin(out, clock.wall())?;
        let mut payload = Vec::new();
        for (node, history) in self.parts.store.history().nodes() {
            payload.clear();
            history.export_part(
                &node,
                (clock.elapsed(), clock.wall()),
                (scope.since, scope.until),
                |pod| scope.contains(&node, pod),
                &mut payload,
            );
            if !payload.is_empty() {
                writer.frame(Kind::Excerpt, &payload)?;
                std::thread::yield_now();
            }
        }
        Ok(writer.end()?.0)
    }

    /// The history of this shard with a part of the others'. A shard that does not answer in time is missing.
    pub async fn history(&self, scope: &HistoryScope) -> RemoteHistory {
        // Never closed.
        let _slot = self.queries.acquire().await;
        let now = self.parts.clock.elapsed();
        let overlay = Mutex::new(Overlay::new(self.parts.store.history()));
        let mut missing = Vec::new();
        let addresses: Vec<SocketAddr> = {
            let members = self.members.lock();
            let answering = members.0.iter().filter(|(_, it)| it.answers(now));
            answering.map(|(address, _)| *address).collect()
        };
        let query = scope.to_query();
        let requests = addresses
            .iter()
            .map(|address| self.request_history(*address, &query, &overlay));
        for (address, result) in addresses
            .iter()
            .zip(futures::future::join_all(requests).await)
        {
            if let Err(problem) = result {
                missing.push(format!(
                    "the shard at {address} gives no history: {problem}"
                ));
            }
        }
        RemoteHistory {
            history: overlay.into_inner().into_history(),
            missing,
        }
    }

    async fn request_history(
        &self,
        address: SocketAddr,
        query: &str,
        overlay: &Mutex<Overlay>,
    ) -> Result<(), String> {
        let Some(access) = self.access.get() else {
            return Err("there is no CA to verify it yet".to_owned());
        };
        let mut connection = self.members.lock().take_spare(address);
        let (names, limit) = (
            self.parts.cluster.names(),
            self.parts.store.history().settings().memory_limit,
        );
        let (mut damaged, mut full) = (0, false);
        let mut apply = |item: Item<'_>| {
            if let Item::Frame(Kind::Excerpt, part) = item {
                let mut overlay = overlay.lock();
                full |= overlay.bytes() > limit;
                if !full {
                    let imported = overlay.import(part, self.parts.clock.elapsed(), names);
                    damaged += usize::from(imported.is_err());
                }
            }
            Ok(())
        };
        let credentials = access.credentials();
        let received = access
            .peers
            .request(
                address,
                &mut connection,
                &credentials,
                (query, TIMEOUT),
                &mut apply,
            )
            .await;
        let bytes = received.map_err(|error| error.to_string())?;
        self.metrics.received.inc_by(bytes);
        if let Some(connection) = connection {
            self.members.lock().store_spare(address, connection);
        }
        if full {
            return Err(format!(
                "the answer takes more than {limit} bytes (--history-memory-limit); request a shorter span or one namespace"
            ));
        }
        match damaged {
            0 => Ok(()),
            damaged => Err(format!("the history of {damaged} nodes is damaged")),
        }
    }
}
