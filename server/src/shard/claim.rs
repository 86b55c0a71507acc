//! Which shard scrapes which node: rendezvous hashing.
//!
//! Each pair of a node and a shard has a weight, a hash of both. The shard with the largest weight scrapes the node. With
//! one shard more, a node moves only if the new shard's weight is the largest, which holds for one node of all shards'
//! number; no node moves between two other shards.

use std::hash::Hasher;

use fnv::FnvHasher;

/// The largest number of shards.
pub(super) const MAX_COUNT: u32 = 256;

/// The shard of this number that scrapes a node.
pub(super) fn owner(node: &str, count: u32) -> u32 {
    let hash = fnv(node);
    let weight = |shard: &u32| mix(hash ^ mix(u64::from(*shard)));
    (0..count).max_by_key(weight).unwrap_or_default()
}

/// What a process claims: its place among the shards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// Its index. With an index beyond the last shard it scrapes nothing, as after the number of shards was reduced.
    pub index: u32,
    /// The number of shards; none until it is known.
    pub count: u32,
}

impl Claim {
    /// Whether the node belongs to it.
    pub(super) fn owns(self, node: &str) -> bool {
        self.index < self.count && owner(node, self.count) == self.index
    }
}

/// All versions of this program must agree, so it cannot be a hash of the standard library.
fn fnv(text: &str) -> u64 {
    let mut hasher = FnvHasher::default();
    hasher.write(text.as_bytes());
    hasher.finish()
}

/// The last step of SplitMix64, so that each bit of the result depends on each bit of the value.
fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Vec<String> {
        let kinds = ["node-", "ip-10-0-17-", "gke-prod-pool-1-a4f2-"];
        let names = kinds
            .iter()
            .flat_map(|kind| (0..2_000).map(move |n| format!("{kind}{n}")));
        names.collect()
    }

    #[test]
    fn the_owner_of_a_node_never_changes() {
        // Shards of two versions run at the same time during an update.
        let owners = ["node-1", "node-2", "ip-10-0-17-3", ""].map(|node| owner(node, 5));
        assert_eq!(owners, [4, 0, 0, 4]);
    }

    #[test]
    fn nodes_are_spread_evenly() {
        let names = names();
        for count in [2, 3, 4, 7, 16] {
            let mut sizes = vec![0_usize; count as usize];
            for name in &names {
                sizes[owner(name, count) as usize] += 1;
            }
            let fair = names.len() / count as usize;
            let off = |size: &usize| size.abs_diff(fair) * 100 / fair;
            assert!(sizes.iter().all(|size| off(size) <= 15), "{sizes:?}");
        }
    }

    #[test]
    fn one_shard_more_or_less_moves_only_its_own_nodes() {
        let names = names();
        for count in [1, 2, 4, 9] {
            let moved = names.iter().filter(|name| {
                let (before, after) = (owner(name, count), owner(name, count + 1));
                assert!(before == after || after == count, "{name}");
                before != after
            });
            let (moved, fair) = (moved.count(), names.len() / (count as usize + 1));
            assert!(moved.abs_diff(fair) * 100 <= fair * 12, "{moved} of {fair}");
        }
    }

    #[test]
    fn an_index_beyond_the_last_shard_owns_nothing() {
        let claim = |index, count| Claim { index, count };
        assert!(names().iter().all(|name| !claim(4, 4).owns(name)));
        assert!(names().iter().all(|name| !claim(0, 0).owns(name)));
        assert!(names().iter().all(|name| claim(0, 1).owns(name)));
    }
}
