//! A node's history as bytes, for a file or another replica.
//!
//! The import decodes and encodes all samples again, so it does not trust the blocks of a file: damaged bytes give other
//! samples or an error, never a panic.

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use super::cluster::History;
use super::excerpt::Excerpt;
use super::node::{Inner, NodeHistory};
use super::pod_id::PodId;
use super::series_list::{MAX_SERIES, Series, find, insert_pod, insert_series};
use super::settings::Shared;
use crate::clock::Age;
use crate::cluster::Uid;
use crate::intern::Interner;
use crate::store::ring::{Block, Ring, Tick};
use kubevitals_proto::kubelet::names::LONGEST_POD;

/// The version of the format; no other version can be read.
const VERSION: u8 = 1;

/// An error of an import.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// The version is unknown.
    #[error("a history of an unknown form")]
    Version,
    /// The bytes are truncated or invalid.
    #[error("a history that is not whole")]
    Broken,
}

/// The result of an import.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Imported {
    /// New samples.
    pub points: usize,
    /// Series with new samples.
    pub series: usize,
}

impl NodeHistory {
    /// Appends the node's history at `now` to `out`, about two bytes a sample; nothing if it is empty. It takes the lock
    /// for the time of a copy.
    ///
    /// The caller transfers the age of the export ([`History::import`]) and protects the bytes with a checksum.
    pub fn export(&self, name: &str, now: Age, out: &mut Vec<u8>) {
        self.export_span(name, now, (Tick::EARLIEST, Tick::LATEST), |_| true, out);
    }

    /// The same for the selected pods between two times of the node's clock; `select` is as in [`Self::copy`]. Returns
    /// whether there is any series.
    pub(super) fn export_span(
        &self,
        name: &str,
        now: Age,
        (since, until): (Tick, Tick),
        select: impl FnMut(Option<&PodId>) -> bool,
        out: &mut Vec<u8>,
    ) -> bool {
        let Some(time) = self.time(now) else {
            return false;
        };
        let mut excerpt = Excerpt::default();
        self.copy(&mut excerpt, select, since, until);
        if excerpt.series().next().is_none() {
            return false;
        }
        out.push(VERSION);
        put_name(out, name);
        out.extend_from_slice(&time.time().0.to_le_bytes());
        let mut pod = None;
        for series in excerpt.series() {
            match (series.pod, series.container) {
                (Some(id), Some(container)) => {
                    if pod != Some(id) {
                        out.push(POD);
                        put_name(out, &id.key.namespace);
                        put_name(out, &id.key.name);
                        out.extend_from_slice(&id.uid.to_bytes());
                        pod = Some(id);
                    }
                    out.push(CONTAINER);
                    put_name(out, container);
                }
                _ => out.push(NODE),
            }
            out.extend_from_slice(&series.run.to_le_bytes());
            let blocks = u32::try_from(series.blocks.len()).unwrap_or(u32::MAX);
            out.extend_from_slice(&blocks.to_le_bytes());
            for block in series.blocks.iter().take(blocks as usize) {
                block.write(out);
            }
        }
        out.push(END);
        true
    }
}

/// The name of the node that bytes of [`NodeHistory::export`] are of.
pub(super) fn name_of(exported: &[u8]) -> Result<&str, ImportError> {
    let mut from = Bytes(exported);
    if from.byte()? != VERSION {
        return Err(ImportError::Version);
    }
    from.name()
}

impl History {
    /// Imports at `now` what [`NodeHistory::export`] wrote the time `ago` before, in this process or another. Stored samples
    /// do not change; older and newer ones are added, within the retention and up to the time of the export. It may be
    /// called at any time, also after the node's first scrape. It has no effect if the history is disabled.
    ///
    /// # Errors
    /// When the bytes are not a history; samples before the damage stay.
    pub fn import(
        &self,
        exported: &[u8],
        ago: Duration,
        now: Age,
        names: &Interner,
    ) -> Result<Imported, ImportError> {
        let mut from = Bytes(exported);
        if from.byte()? != VERSION {
            return Err(ImportError::Version);
        }
        let name = names.intern(from.name()?);
        let written = Tick::nearest(from.time()?);
        let Some(node) = self.begin(&name) else {
            return Ok(Imported::default());
        };
        let time = written.plus(Tick::count(ago));
        node.change(|inner, _| {
            if inner.clock.is_none() {
                inner.clock = Some((time, now));
            }
        });
        let span = time.plus(-self.shared.retention_ticks())..=written;
        let mut imported = Imported::default();
        let mut pod: Option<PodId> = None;
        loop {
            let kind = from.byte()?;
            let container = match kind {
                END => return Ok(imported),
                POD => {
                    pod = Some(PodId {
                        key: names.key(from.name()?, from.name()?),
                        uid: Uid::from_bytes(from.array()?),
                    });
                    continue;
                }
                NODE => None,
                CONTAINER => Some(names.intern(from.name()?)),
                _ => return Err(ImportError::Broken),
            };
            let run = u32::from_le_bytes(from.array()?);
            let blocks = from.blocks()?;
            let added = node.change(|inner, shared| match (&pod, &container) {
                (_, None) => merge(inner, shared, None, run, &blocks, &span),
                (Some(_), Some(_)) if inner.series.len() >= MAX_SERIES => Some(0),
                (Some(pod), Some(container)) => {
                    let at = inner.series_of(pod, container, run)?;
                    let added = merge(inner, shared, Some(at), run, &blocks, &span);
                    inner.drop_if_empty(at);
                    added
                }
                (None, Some(_)) => None,
            });
            let added = added.ok_or(ImportError::Broken)?;
            imported.points += added;
            imported.series += usize::from(added > 0);
        }
    }
}

impl Inner {
    /// The index of a container's series, which is created if it does not exist. A new pod is inserted before pods of the
    /// same name, because scrapes have already reported the current one.
    fn series_of(&mut self, pod: &PodId, container: &Arc<str>, run: u32) -> Option<usize> {
        let first = self.pods.partition_point(|it| it.id.key < pod.key);
        let later = self.pods.iter().enumerate().skip(first);
        let same_name = later.take_while(|(_, it)| it.id.key == pod.key);
        let existing = same_name.filter(|(_, it)| it.id.may_be(pod.uid)).last();
        let at = existing.map(|(at, _)| at).unwrap_or_else(|| {
            insert_pod(&mut self.pods, &self.series, first, pod.clone());
            first
        });
        match find(&self.pods, &self.series, at, container) {
            Ok(found) => Some(found),
            Err(index) => {
                let new = Series {
                    name: Arc::clone(container),
                    ring: Ring::default(),
                    run,
                };
                insert_series(&mut self.pods, &mut self.series, at, index, new);
                Some(index)
            }
        }
    }

    /// Removes a series that was created for samples that were then not stored.
    fn drop_if_empty(&mut self, at: usize) {
        if self
            .series
            .get(at)
            .is_some_and(|series| series.ring.is_empty())
        {
            self.drop_empty();
        }
    }
}

/// Adds the samples of `blocks` within `span` to a container's series, or to the node's own. Returns the number of new
/// ones; none if there is no such series.
fn merge(
    inner: &mut Inner,
    shared: &Shared,
    series: Option<usize>,
    run: u32,
    blocks: &[Block],
    span: &RangeInclusive<Tick>,
) -> Option<usize> {
    let (ring, own_run) = match series {
        None => (&mut inner.node, run),
        Some(at) => {
            let series = inner.series.get_mut(at)?;
            (&mut series.ring, series.run)
        }
    };
    if shared.is_full(false) {
        return Some(0);
    }
    let step = shared.settings.resolution.max(shared.settings.step);
    let (before, after) = ring.merge(&mut inner.blocks, blocks, span, step, own_run == run);
    inner.points = (inner.points + after).saturating_sub(before);
    Some(after.saturating_sub(before))
}

const END: u8 = 0;
const NODE: u8 = 1;
const POD: u8 = 2;
const CONTAINER: u8 = 3;

fn put_name(out: &mut Vec<u8>, name: &str) {
    let length = u16::try_from(name.len()).unwrap_or_default();
    out.extend_from_slice(&length.to_le_bytes());
    if length > 0 {
        out.extend_from_slice(name.as_bytes());
    }
}

/// A reader of bytes from the front.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], ImportError> {
        let (taken, left) = self.0.split_at_checked(count).ok_or(ImportError::Broken)?;
        self.0 = left;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], ImportError> {
        self.take(N)?.try_into().map_err(|_| ImportError::Broken)
    }

    fn byte(&mut self) -> Result<u8, ImportError> {
        self.array().map(u8::from_le_bytes)
    }

    fn time(&mut self) -> Result<kubevitals_proto::time::Timestamp, ImportError> {
        let nanos = self.array().map(i64::from_le_bytes)?;
        Ok(kubevitals_proto::time::Timestamp(nanos))
    }

    fn name(&mut self) -> Result<&'a str, ImportError> {
        let length = usize::from(self.array().map(u16::from_le_bytes)?);
        if length == 0 || length > LONGEST_POD {
            return Err(ImportError::Broken);
        }
        std::str::from_utf8(self.take(length)?).map_err(|_| ImportError::Broken)
    }

    fn blocks(&mut self) -> Result<Vec<Block>, ImportError> {
        let count = self.array().map(u32::from_le_bytes)? as usize;
        let bytes = count
            .checked_mul(Block::WRITTEN)
            .ok_or(ImportError::Broken)?;
        let written = self.take(bytes)?.chunks_exact(Block::WRITTEN);
        written
            .map(|bytes| Block::read_from(bytes).ok_or(ImportError::Broken))
            .collect()
    }
}
