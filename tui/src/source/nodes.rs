//! What `top` needs of a node: how much there is of what it uses.

use kubevitals_proto::quantity::{Format, Quantity};
use serde::Deserialize;

/// How much of each measured resource there is, as far as the node says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Resources {
    /// CPU.
    pub cpu: Option<Quantity>,
    /// Memory.
    pub memory: Option<Quantity>,
}

/// A node, and how much it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeCapacity {
    /// Its name.
    pub name: String,
    /// What its pods may use.
    pub allocatable: Resources,
    /// What there is in all.
    pub capacity: Resources,
    /// Its swap space, if it says.
    pub swap: Option<Quantity>,
}

/// The few fields that are read of a `v1.Node`; the rest is skipped as it is parsed.
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
    fn reads_what_is_there() {
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
