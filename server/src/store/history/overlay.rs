//! The history of this process with parts of other processes' histories on top, for one query.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use kubevitals_proto::time::Timestamp;

use super::cluster::History;
use super::node::NodeHistory;
use super::pod_id::PodId;
use super::transfer::{ImportError, Imported, name_of};
use crate::clock::Age;
use crate::intern::Interner;
use crate::store::ring::Tick;

/// A history to which parts of others are added. The nodes of this process are shared until another one has a part of
/// them.
#[derive(Debug)]
pub struct Overlay {
    history: History,
    /// The names of the nodes that are not shared.
    own: HashSet<Arc<str>>,
}

impl NodeHistory {
    /// Appends a part of the node's history at `now` to `out`; nothing if it has none. `since` and `until` are times of the
    /// server's clock, which shows `wall`.
    pub fn export_part(
        &self,
        name: &str,
        (now, wall): (Age, Timestamp),
        (since, until): (Timestamp, Timestamp),
        select: impl FnMut(Option<&PodId>) -> bool,
        out: &mut Vec<u8>,
    ) {
        let offset = self.offset(now, wall);
        let begin = out.len();
        out.push(u8::from(self.is_clock_set()));
        let span = (
            Tick::nearest(offset.theirs(since)),
            Tick::nearest(offset.theirs(until)),
        );
        if !self.export_span(name, now, span, select, out) {
            out.truncate(begin);
        }
    }
}

impl Overlay {
    /// The history without any part.
    pub fn new(history: &History) -> Self {
        Self {
            history: history.shared_copy(),
            own: HashSet::new(),
        }
    }

    /// Adds what [`NodeHistory::export_part`] has written in another process, just now.
    ///
    /// # Errors
    /// The bytes are not a part of a history; samples before the damage stay.
    pub fn import(
        &mut self,
        part: &[u8],
        now: Age,
        names: &Interner,
    ) -> Result<Imported, ImportError> {
        let (clock_set, exported) = part.split_first().ok_or(ImportError::Broken)?;
        let name = names.intern(name_of(exported)?);
        if self.own.insert(Arc::clone(&name))
            && let Some(shared) = self.history.remove(&name)
        {
            let mut copy = Vec::new();
            shared.export(&name, now, &mut copy);
            if !copy.is_empty() {
                self.history.import(&copy, Duration::ZERO, now, names)?;
            }
        }
        let imported = self.history.import(exported, Duration::ZERO, now, names)?;
        if *clock_set > 0
            && let Some(node) = self.history.node(&name)
        {
            node.trust_clock();
        }
        Ok(imported)
    }

    /// The memory of the parts, in bytes.
    pub fn bytes(&self) -> usize {
        self.history.bytes()
    }

    /// The whole.
    pub fn into_history(self) -> History {
        self.history
    }
}
