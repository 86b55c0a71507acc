//! How far the series of each node are written.

use std::collections::HashMap;
use std::hash::Hasher;
use std::sync::Arc;

use fnv::FnvHasher;
use kubevitals_proto::time::Timestamp;

/// Samples of one container that are nearer than this, in nanoseconds, are one. The time in the ring may be 100 ms off,
/// and a first rate has the time of another page. Two samples of a container are seconds apart.
pub(super) const NEAR: i64 = 1_000_000_000;

/// How far the series of all nodes are written, as it is kept with a request on disk.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Cursor {
    #[prost(message, repeated, tag = "1")]
    nodes: Vec<NodeTime>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct NodeTime {
    #[prost(string, tag = "1")]
    node: String,
    #[prost(sfixed64, tag = "2")]
    newest: i64,
    #[prost(fixed32, repeated, tag = "3")]
    recent: Vec<u32>,
}

impl Cursor {
    pub(super) fn of<'a>(nodes: impl Iterator<Item = (&'a Arc<str>, Written)>) -> Self {
        let nodes = nodes.map(|(node, written)| NodeTime {
            node: node.to_string(),
            newest: written.newest.0,
            recent: written.recent,
        });
        Self {
            nodes: nodes.collect(),
        }
    }

    /// By node.
    pub(super) fn nodes(self) -> HashMap<Box<str>, Written> {
        let nodes = self.nodes.into_iter();
        nodes
            .map(|it| {
                let written = Written {
                    newest: Timestamp(it.newest),
                    recent: it.recent,
                };
                (it.node.into(), written)
            })
            .collect()
    }
}

/// How far the series of one node are written, by the clock of its kubelet.
///
/// Every sample that a scrape brings is later than all samples of the scrapes before it, perhaps by less than the error of
/// the times in the ring. So the newest time alone does not tell whether a sample near it is written: the series whose
/// last written sample is near it are listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Written {
    /// The newest sample.
    pub(super) newest: Timestamp,
    /// The series that have a written sample less than [`NEAR`] before it.
    pub(super) recent: Vec<u32>,
}

impl Written {
    /// The time after which, by at least [`NEAR`], the samples of a series are not written yet.
    ///
    /// A series that is not listed has nothing written within [`NEAR`] before the newest. Half of that separates its
    /// written samples from the others, whatever the error of their times in the ring.
    pub(super) fn floor(&self, series: u32) -> Timestamp {
        if self.recent.contains(&series) {
            self.newest
        } else {
            self.newest.plus_nanos(-NEAR - NEAR / 2)
        }
    }
}

/// Identifies the series of a container among those of its node; the node's own has no names.
///
/// All versions of this program must agree, so it cannot be a hash of the standard library.
pub(super) fn series((namespace, pod, container): (&str, &str, &str)) -> u32 {
    let mut hasher = FnvHasher::default();
    for name in [namespace, pod, container] {
        hasher.write(name.as_bytes());
        hasher.write(b"/");
    }
    let hash = hasher.finish();
    #[expect(clippy::cast_possible_truncation, reason = "both halves are used")]
    let folded = (hash ^ (hash >> 32)) as u32;
    folded
}

/// The names of a node's own series.
pub(super) const OWN: (&str, &str, &str) = ("", "", "");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_series_begins_after_its_own_last_sample() {
        let (seen, other) = (series(("shop", "web", "web")), series(("shop", "db", "db")));
        assert_ne!(seen, other);
        let newest = Timestamp::from_secs(100);
        let written = Written {
            newest,
            recent: vec![seen],
        };
        let after = |of| written.floor(of).plus_nanos(NEAR);
        // What is written of it may be 100 ms later in the ring.
        assert!(newest.plus_nanos(100_000_000) < after(seen));
        // What is new of the other came after the newest, and may be 100 ms earlier in the ring.
        assert!(newest.plus_nanos(-100_000_000) > after(other));
        // What is written of the other is older than the newest by the least distance.
        assert!(newest.plus_nanos(-NEAR + 100_000_000) < after(other));
    }

    #[test]
    fn a_cursor_outlives_its_encoding() {
        use prost::Message;

        let node: Arc<str> = "node-1".into();
        let written = Written {
            newest: Timestamp::from_secs(7),
            recent: vec![series(OWN), 5],
        };
        let cursor = Cursor::of([(&node, written.clone())].into_iter());
        let decoded = Cursor::decode(&*cursor.encode_to_vec()).unwrap();
        assert_eq!(decoded.nodes(), HashMap::from([("node-1".into(), written)]));
    }
}
