//! Table answers: the columns kubectl prints, computed on the server as kube-apiserver's printers do.

mod ages;
mod columns;
mod events;
mod hpa;
mod nodes;
mod others;
mod pods;
mod workloads;

use serde_json::{Value, json};

use self::ages::Ages;
use crate::members::Members;
use crate::objects::Resource;

/// The column definitions of a resource.
pub(super) fn definitions(resource: Resource) -> Value {
    json!(columns::of(resource))
}

/// The cells of one object's row, as many as there are columns.
pub(super) fn cells(resource: Resource, object: &Value, now: jiff::Timestamp) -> Vec<Value> {
    let ages = Ages::at(now);
    match resource {
        Resource::Pods => pods::cells(object, ages),
        Resource::Nodes => nodes::cells(object, ages),
        Resource::Events => events::cells(object, ages),
        Resource::Deployments => workloads::deployment(object, ages),
        Resource::ReplicaSets => workloads::replica_set(object, ages),
        Resource::StatefulSets => workloads::stateful_set(object, ages),
        Resource::DaemonSets => workloads::daemon_set(object, ages),
        Resource::HorizontalPodAutoscalers => hpa::cells(object, ages),
        Resource::Namespaces => others::namespace(object, ages),
        Resource::ApiServices => others::api_service(object, ages),
        _ => vec![object.name(), ages.of(object)],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_has_as_many_cells_as_there_are_columns() {
        for resource in Resource::ALL {
            let cells = cells(
                resource,
                &json!({"metadata": {"name": "a"}}),
                jiff::Timestamp::UNIX_EPOCH,
            );
            assert_eq!(cells.len(), columns::of(resource).len(), "{resource:?}");
        }
    }
}
