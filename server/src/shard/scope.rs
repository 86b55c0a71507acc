//! The parts of a history that shards request from each other.

use std::borrow::Cow;

use http::Uri;
use kubevitals_proto::time::Timestamp;

use crate::parameters::parameter;
use crate::store::history::PodId;

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

impl HistoryScope {
    /// Parses the query string of a request.
    pub(super) fn parse(uri: &Uri) -> Result<Self, String> {
        let time = |name: &str| {
            let time = parameter(uri, name).and_then(|text| text.parse().ok());
            time.map(Timestamp)
                .ok_or_else(|| format!("{name}: write nanoseconds since the epoch"))
        };
        let text = |name| parameter(uri, name).map(Cow::into_owned);
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
    pub(super) fn to_query(&self) -> String {
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
    pub(super) fn contains(&self, node: &str, pod: Option<&PodId>) -> bool {
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
