//! The part of the other shards' histories that a request reads.

use std::sync::Arc;

use axum::response::Response;
use kubevitals_proto::time::nanos;

use super::kind::{Clusters, Kind, Nodes, Pods};
use super::parameters::ListOptions;
use crate::api::incomplete;
use crate::query::Query;
use crate::shard::{HistoryScope, NodeScope, PodScope};

/// The samples before a time that may count for it, and before a span, in resolutions.
const MARGIN: i64 = 5;

/// Queries that read what a list or a single object needs of the other shards' histories.
pub(super) async fn query<K: Kind>(
    query: &Arc<Query>,
    options: &ListOptions,
    namespace: Option<&str>,
    name: Option<&str>,
) -> (Arc<Query>, Vec<String>) {
    let scope = || scope::<K>(query, options, namespace, name);
    query.with_history_of_shards(scope).await
}

fn scope<K: Kind>(
    query: &Query,
    options: &ListOptions,
    namespace: Option<&str>,
    name: Option<&str>,
) -> Option<HistoryScope> {
    if options.at.is_none() && options.stats.is_none() && options.trend.is_none() {
        return None;
    }
    let (wall, resolution) = (query.wall(), nanos(query.resolution()));
    let until = options.at.map_or(wall, |at| at.time(wall));
    let steps = options.trend.map_or(0, i64::from) + MARGIN;
    let trend = resolution.saturating_mul(steps);
    let span = options.stats.map_or(0, nanos).max(trend);
    let owned = |text: &str| text.to_owned();
    let (nodes, pods) = if K::RESOURCE == Pods::RESOURCE {
        let pods = match (namespace, name) {
            (Some(namespace), Some(name)) => PodScope::One(owned(namespace), owned(name)),
            (Some(namespace), None) => PodScope::Namespace(owned(namespace)),
            (None, _) => PodScope::All,
        };
        (NodeScope::None, pods)
    } else if K::RESOURCE == Nodes::RESOURCE {
        let nodes = name.map(owned);
        (nodes.map_or(NodeScope::All, NodeScope::One), PodScope::None)
    } else if K::RESOURCE == Clusters::RESOURCE {
        (NodeScope::All, PodScope::None)
    } else {
        return None;
    };
    Some(HistoryScope {
        nodes,
        pods,
        since: until.plus_nanos(span.saturating_neg()),
        until,
    })
}

/// Adds a warning for each shard whose history is missing in a response.
pub(super) fn warn(mut response: Response, missing: &[String]) -> Response {
    missing
        .iter()
        .for_each(|text| incomplete::add(&mut response, text));
    response
}
