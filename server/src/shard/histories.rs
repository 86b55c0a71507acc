//! Parts of the history of other shards, for one query.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::time::Duration;

use http::Uri;
use kubevitals_proto::time::Timestamp;
use parking_lot::Mutex;

use super::Shards;
use crate::parameters::parameter;
use crate::state::wire::{Item, Kind, Writer};
use crate::store::History;
use crate::store::history::{Overlay, PodId};

/// The timeout of a request for history. A query waits no longer for a shard.
const TIMEOUT: Duration = Duration::from_secs(5);

/// A part of the history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryScope {
    /// The nodes whose own series are in it.
    pub nodes: NodeScope,
    /// The pods whose containers' series are in it.
    pub pods: PodScope,
    /// Its start. One sample before it is in it too.
    pub since: Timestamp,
    /// Its end.
    pub until: Timestamp,
}

/// Nodes of a part of the history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NodeScope {
    /// None.
    None,
    /// One.
    One(String),
    /// All.
    All,
}

/// Pods of a part of the history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PodScope {
    /// None.
    None,
    /// All pods that had this namespace and name.
    One(String, String),
    /// All of a namespace.
    Namespace(String),
    /// All.
    All,
}

/// The history with the parts of the other shards.
#[derive(Debug)]
pub struct RemoteHistory {
    /// The whole.
    pub history: History,
    /// The shards that have not answered, each as a sentence.
    pub missing: Vec<String>,
}

impl HistoryScope {
    /// Parses the query string of a request.
    pub(super) fn parse(uri: &Uri) -> Result<Self, String> {
        let time = |name: &str| {
            let time = parameter(uri, name).and_then(|text| text.parse().ok());
            time.map(Timestamp)
                .ok_or_else(|| format!("{name}: write nanoseconds since the epoch"))
        };
        let text = |name| parameter(uri, name).map(std::borrow::Cow::into_owned);
        Ok(Self {
            nodes: match (text("nodes"), text("node")) {
                (Some(_), _) => NodeScope::All,
                (None, Some(node)) => NodeScope::One(node),
                (None, None) => NodeScope::None,
            },
            pods: match (text("pods"), text("namespace"), text("pod")) {
                (Some(_), ..) => PodScope::All,
                (None, Some(namespace), Some(pod)) => PodScope::One(namespace, pod),
                (None, Some(namespace), None) => PodScope::Namespace(namespace),
                (None, None, _) => PodScope::None,
            },
            since: time("since")?,
            until: time("until")?,
        })
    }

    /// The query string.
    fn to_query(&self) -> String {
        let mut query = form_urlencoded::Serializer::new("part=history".to_owned());
        query.append_pair("since", &self.since.0.to_string());
        query.append_pair("until", &self.until.0.to_string());
        match &self.nodes {
            NodeScope::None => &mut query,
            NodeScope::One(node) => query.append_pair("node", node),
            NodeScope::All => query.append_pair("nodes", "all"),
        };
        match &self.pods {
            PodScope::None => &mut query,
            PodScope::One(namespace, pod) => query
                .append_pair("namespace", namespace)
                .append_pair("pod", pod),
            PodScope::Namespace(namespace) => query.append_pair("namespace", namespace),
            PodScope::All => query.append_pair("pods", "all"),
        };
        query.finish()
    }

    /// Whether a pod's series, or the node's own, is in it.
    fn contains(&self, node: &str, pod: Option<&PodId>) -> bool {
        let Some(pod) = pod else {
            return match &self.nodes {
                NodeScope::None => false,
                NodeScope::One(name) => name == node,
                NodeScope::All => true,
            };
        };
        match &self.pods {
            PodScope::None => false,
            PodScope::One(namespace, name) => {
                *pod.key.namespace == **namespace && *pod.key.name == **name
            }
            PodScope::Namespace(namespace) => *pod.key.namespace == **namespace,
            PodScope::All => true,
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_is_the_same_after_a_request() {
        let pods = [
            PodScope::None,
            PodScope::One("shop".into(), "web & co".into()),
            PodScope::Namespace("shop".into()),
            PodScope::All,
        ];
        let nodes = [
            NodeScope::None,
            NodeScope::One("node-1".into()),
            NodeScope::All,
        ];
        for (pods, nodes) in pods
            .iter()
            .flat_map(|pods| nodes.iter().map(move |it| (pods, it)))
        {
            let scope = HistoryScope {
                nodes: nodes.clone(),
                pods: pods.clone(),
                since: Timestamp(-5),
                until: Timestamp(7),
            };
            let uri = format!("/state/v1?{}", scope.to_query()).parse().unwrap();
            assert_eq!(HistoryScope::parse(&uri), Ok(scope));
        }
        let uri = Uri::from_static("/state/v1?part=history&since=x&until=1");
        assert!(HistoryScope::parse(&uri).unwrap_err().contains("since"));
    }
}
