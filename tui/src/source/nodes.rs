//! The fields of a node that `top` reads.

use kubevitals_proto::quantity::{Format, Quantity};
use serde::Deserialize;

/// Amounts of resources, as far as the node reports them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Resources {
    /// CPU.
    pub cpu: Option<Quantity>,
    /// Memory.
    pub memory: Option<Quantity>,
}

/// A node and its capacity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeCapacity {
    /// The name.
    pub name: String,
    /// The amounts that pods may use.
    pub allocatable: Resources,
    /// The total amounts.
    pub capacity: Resources,
    /// The swap space, if reported.
    pub swap: Option<Quantity>,
}

/// The fields of a `v1.Node` that are read. The parser skips the rest.
#[derive(Deserialize)]
pub(super) struct Node {
    metadata: Metadata,
    #[serde(default)]
    status: Status,
}

#[derive(Deserialize)]
pub(super) struct NodeList {
    #[serde(default)]
    pub items: Vec<Node>,
}

#[derive(Deserialize)]
struct Metadata {
    #[serde(default)]
    name: String,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Status {
    allocatable: Resources,
    capacity: Resources,
    node_info: NodeInfo,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct NodeInfo {
    swap: Option<Swap>,
}

#[derive(Deserialize)]
struct Swap {
    capacity: Option<i64>,
}

impl From<Node> for NodeCapacity {
    fn from(node: Node) -> Self {
        let Status {
            allocatable,
            capacity,
            node_info,
        } = node.status;
        let swap = node_info.swap.and_then(|swap| swap.capacity);
        let swap = swap.map(|bytes| Quantity::new(bytes, 0, Format::BinarySi));
        Self {
            name: node.metadata.name,
            allocatable,
            capacity,
            swap,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_list_is_parsed() {
        let list: NodeList = serde_json::from_str(
            r#"{"kind":"NodeList","metadata":{"resourceVersion":"1"},"items":[
                {"metadata":{"name":"a","labels":{"x":"y"}},"status":{
                    "capacity":{"cpu":"4","memory":"8Gi","pods":"110"},
                    "allocatable":{"cpu":"3920m","ephemeral-storage":"1"},
                    "nodeInfo":{"machineID":"m","swap":{"capacity":1048576}}}},
                {"metadata":{"name":"b"}}]}"#,
        )
        .unwrap();
        let nodes: Vec<NodeCapacity> = list.items.into_iter().map(Into::into).collect();
        let [a, b] = nodes.as_slice() else {
            panic!("two nodes")
        };
        assert_eq!(a.allocatable.cpu.unwrap().milli_value(), 3_920);
        assert_eq!(a.allocatable.memory, None);
        assert_eq!(a.capacity.memory.unwrap().value(), 8 << 30);
        assert_eq!(a.swap.unwrap().value(), 1 << 20);
        assert_eq!(b.name, "b");
        assert_eq!((b.capacity, b.swap), (Resources::default(), None));
    }
}
