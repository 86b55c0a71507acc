//! The memory limit: when it is reached, all nodes remember less far back, alike.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::node::NodeHistory;
use super::settings::Shared;
use crate::clock::Age;
use crate::store::ring::{BLOCK_BYTES, Tick};

/// The retention is divided into so many parts to find out how much of it there is memory for.
const PARTS: usize = 256;

/// Brings memory below the limit by remembering less far back; further back again, little by little, when there is
/// room. Whether something was dropped before its time.
pub(super) fn keep_to(shared: &Shared, nodes: &[(Arc<str>, Arc<NodeHistory>)], now: Age) -> bool {
    let limit = shared.settings.memory_limit;
    let asked = Tick::count(shared.settings.retention).max(1);
    let bytes = || shared.bytes.load(Ordering::Relaxed);
    if bytes() <= limit {
        // Nothing older is there: it grows back at the pace at which points are added.
        if shared.keeps() < asked && bytes() < limit / 20 * 19 {
            shared.keep(shared.keeps() + (asked / PARTS as i64).max(1));
        }
        return false;
    }
    // Names and lists go with the last of their blocks, idle blocks when there are many: once may not be enough.
    let mut before = i64::MAX;
    while bytes() > limit && shared.keeps() < before {
        before = shared.keeps();
        let parts = by_age(nodes, now, asked);
        // A tenth below the limit, so that not every round has to.
        let mut excess = (bytes() - limit / 10 * 9).div_ceil(BLOCK_BYTES);
        let mut keeps = usize::try_from(shared.keeps() * PARTS as i64 / asked).unwrap_or(PARTS);
        while excess > 0 && keeps > 1 {
            keeps -= 1;
            let older = parts.get(keeps).copied().unwrap_or_default();
            excess = excess.saturating_sub(older);
        }
        shared.keep(asked * keeps as i64 / PARTS as i64);
        for (_, node) in nodes {
            node.tidy(now, true);
        }
    }
    true
}

/// How many blocks there are of each age, in parts of what was asked for; the last are all that are older.
fn by_age(nodes: &[(Arc<str>, Arc<NodeHistory>)], now: Age, asked: i64) -> [usize; PARTS] {
    let mut parts = [0; PARTS];
    for (_, node) in nodes {
        node.ages(now, |age| {
            let part = usize::try_from(age.max(0) / (asked / PARTS as i64).max(1));
            if let Some(blocks) = parts.get_mut(part.unwrap_or(PARTS).min(PARTS - 1)) {
                *blocks += 1;
            }
        });
    }
    parts
}
