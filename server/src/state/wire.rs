//! The form of the state in a file and between replicas: a header, frames, and an end frame with the number of
//! frames.
//!
//! ```text
//! header  "KBVITALS" · version u32 · written i64 (nanoseconds since the epoch) · CRC-32 of these, u32
//! frame   kind u8 · length u32 · CRC-32 of kind, length and payload, u32 · payload
//! end     a frame of kind 0 whose payload is the number of frames before it, u64
//! ```
//!
//! All numbers are little-endian. Each frame is complete by itself, so that the frames before damage can be used.
//! Unknown kinds are skipped. A new version means that known kinds have another meaning.

use std::io::{self, Write};

use bytes::Buf;
use kubevitals_proto::time::Timestamp;

const MAGIC: [u8; 8] = *b"KBVITALS";

/// The version that is written, and the newest that is read.
const VERSION: u32 = 1;

const HEADER: usize = 24;
const FRAME: usize = 9;

/// The largest payload in bytes. The history of a node takes tens of kilobytes, with hundreds of pods a megabyte;
/// many incidents take some ten megabytes.
pub(super) const MAX_FRAME: usize = 64 << 20;

/// The kind of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// The number of frames.
    End = 0,
    /// The samples and rates of a node.
    Latest = 1,
    /// The incidents.
    Health = 2,
    /// The history of a node.
    History = 3,
    /// The availability of some workloads.
    Availability = 4,
    /// The shard that answers. Only between shards.
    Shard = 5,
    /// The latest values of a node. Only between shards.
    Report = 6,
    /// The counters of a node's probes. Only between shards.
    Probes = 7,
    /// A part of the history of a node. Only between shards.
    Excerpt = 8,
}

impl Kind {
    fn of(byte: u8) -> Option<Self> {
        const ALL: [Kind; 9] = [
            Kind::End,
            Kind::Latest,
            Kind::Health,
            Kind::History,
            Kind::Availability,
            Kind::Shard,
            Kind::Report,
            Kind::Probes,
            Kind::Excerpt,
        ];
        ALL.into_iter().find(|kind| *kind as u8 == byte)
    }
}

/// Why state is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StateError {
    /// The bytes are something else.
    #[error("it is not a state of this program")]
    Foreign,
    /// A later version of this program has written the state.
    #[error(
        "it has form {version}, which a later version of this program writes; this version reads up to {VERSION}"
    )]
    TooNew {
        /// The version of the form.
        version: u32,
    },
    /// The state is too old.
    #[error("it is too old")]
    TooOld,
    /// The bytes are damaged.
    #[error("it is damaged after byte {at}: {what}")]
    Damaged {
        /// The number of bytes before the damage.
        at: u64,
        /// What is wrong.
        what: &'static str,
    },
}

/// An item of the form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Item<'a> {
    /// The header.
    Header {
        /// When the state was written, by the writer's wall clock.
        written: Timestamp,
    },
    /// A complete frame.
    Frame(Kind, &'a [u8]),
}

/// Writes the form.
#[derive(Debug)]
pub struct Writer<W> {
    out: W,
    frames: u64,
    bytes: u64,
}

impl<W: Write> Writer<W> {
    /// Writes the header.
    ///
    /// # Errors
    /// The error of `out`.
    pub fn begin(mut out: W, written: Timestamp) -> io::Result<Self> {
        let mut header = Vec::with_capacity(HEADER);
        header.extend_from_slice(&MAGIC);
        header.extend_from_slice(&VERSION.to_le_bytes());
        header.extend_from_slice(&written.0.to_le_bytes());
        let checksum = crc32fast::hash(&header);
        header.extend_from_slice(&checksum.to_le_bytes());
        out.write_all(&header)?;
        Ok(Self {
            out,
            frames: 0,
            bytes: HEADER as u64,
        })
    }

    /// Writes a frame. Skips a frame that a reader would refuse.
    ///
    /// # Errors
    /// The error of `out`.
    pub fn frame(&mut self, kind: Kind, payload: &[u8]) -> io::Result<()> {
        let Some(length) = u32::try_from(payload.len())
            .ok()
            .filter(|_| payload.len() <= MAX_FRAME)
        else {
            return Ok(());
        };
        let (kind, length) = (kind as u8, length.to_le_bytes());
        self.out.write_all(&[kind])?;
        self.out.write_all(&length)?;
        self.out
            .write_all(&checksum(kind, length, payload).to_le_bytes())?;
        self.out.write_all(payload)?;
        self.frames += 1;
        self.bytes += (FRAME + payload.len()) as u64;
        Ok(())
    }

    /// Writes the end frame. Returns the output and the number of bytes.
    ///
    /// # Errors
    /// The error of `out`.
    pub fn end(mut self) -> io::Result<(W, u64)> {
        let frames = self.frames.to_le_bytes();
        self.frame(Kind::End, &frames)?;
        Ok((self.out, self.bytes))
    }
}

fn checksum(kind: u8, length: [u8; 4], payload: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&[kind]);
    hasher.update(&length);
    hasher.update(payload);
    hasher.finalize()
}

/// Decodes the form from chunks. Buffers at most one frame and one chunk.
#[derive(Debug, Default)]
pub struct Decoder {
    /// The bytes of the next item that have arrived.
    buffer: Vec<u8>,
    /// The number of bytes before the next item.
    consumed: u64,
    frames: u64,
    has_header: bool,
    ended: bool,
}

impl Decoder {
    /// Decodes the next bytes, and calls `apply` for each complete item.
    ///
    /// # Errors
    /// What is wrong with the bytes, or the error of `apply`. After an error nothing may be pushed.
    pub fn push(
        &mut self,
        bytes: &[u8],
        apply: &mut dyn FnMut(Item<'_>) -> Result<(), StateError>,
    ) -> Result<(), StateError> {
        self.buffer.extend_from_slice(bytes);
        let mut buffer = std::mem::take(&mut self.buffer);
        let mut rest = buffer.as_slice();
        while let Some(left) = self.item(rest, apply)? {
            self.consumed += (rest.len() - left.len()) as u64;
            rest = left;
        }
        let used = buffer.len() - rest.len();
        buffer.drain(..used);
        self.buffer = buffer;
        Ok(())
    }

    /// Checks that the end frame has arrived.
    ///
    /// # Errors
    /// The end frame is missing.
    pub fn finish(&self) -> Result<(), StateError> {
        if self.ended {
            return Ok(());
        }
        Err(self.damaged("the end frame is missing"))
    }

    /// Decodes the first item. Returns the rest, or none if the item is not complete.
    fn item<'a>(
        &mut self,
        bytes: &'a [u8],
        apply: &mut dyn FnMut(Item<'_>) -> Result<(), StateError>,
    ) -> Result<Option<&'a [u8]>, StateError> {
        if !self.has_header {
            return self.header(bytes, apply);
        }
        if self.ended && !bytes.is_empty() {
            return Err(self.damaged("bytes follow the end frame"));
        }
        let Some((head, rest)) = bytes.split_first_chunk::<FRAME>() else {
            return Ok(None);
        };
        let [kind, l0, l1, l2, l3, s0, s1, s2, s3] = *head;
        let (length, expected) = ([l0, l1, l2, l3], u32::from_le_bytes([s0, s1, s2, s3]));
        let size = u32::from_le_bytes(length) as usize;
        if size > MAX_FRAME {
            return Err(self.damaged("a frame is too large"));
        }
        let Some((payload, rest)) = rest.split_at_checked(size) else {
            return Ok(None);
        };
        if checksum(kind, length, payload) != expected {
            return Err(self.damaged("the checksum of a frame is wrong"));
        }
        match Kind::of(kind) {
            Some(Kind::End) => {
                if *payload != self.frames.to_le_bytes() {
                    return Err(self.damaged("frames are missing"));
                }
                self.ended = true;
                return Ok(Some(rest));
            }
            Some(kind) => apply(Item::Frame(kind, payload))?,
            None => {}
        }
        self.frames += 1;
        Ok(Some(rest))
    }

    fn header<'a>(
        &mut self,
        bytes: &'a [u8],
        apply: &mut dyn FnMut(Item<'_>) -> Result<(), StateError>,
    ) -> Result<Option<&'a [u8]>, StateError> {
        let has_magic = bytes.iter().zip(&MAGIC).all(|(a, b)| a == b);
        if !has_magic {
            return Err(StateError::Foreign);
        }
        let Some((header, rest)) = bytes.split_first_chunk::<HEADER>() else {
            return Ok(None);
        };
        let (mut fields, mut sum) = header.split_at(HEADER - 4);
        if crc32fast::hash(fields) != sum.get_u32_le() {
            return Err(self.damaged("the checksum of the header is wrong"));
        }
        fields.advance(MAGIC.len());
        let version = fields.get_u32_le();
        if version > VERSION {
            return Err(StateError::TooNew { version });
        }
        let written = Timestamp(fields.get_i64_le());
        self.has_header = true;
        apply(Item::Header { written })?;
        Ok(Some(rest))
    }

    fn damaged(&self, what: &'static str) -> StateError {
        StateError::Damaged {
            at: self.consumed,
            what,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const WRITTEN: Timestamp = Timestamp(-1_234_567_890_123_456_789);

    fn written(frames: &[(Kind, Vec<u8>)]) -> Vec<u8> {
        let mut writer = Writer::begin(Vec::new(), WRITTEN).unwrap();
        for (kind, payload) in frames {
            writer.frame(*kind, payload).unwrap();
        }
        let (bytes, count) = writer.end().unwrap();
        assert_eq!(bytes.len() as u64, count);
        bytes
    }

    fn frames() -> Frames {
        vec![
            (Kind::Latest, b"a node".to_vec()),
            (Kind::History, Vec::new()),
            (Kind::History, vec![7; 1000]),
        ]
    }

    type Frames = Vec<(Kind, Vec<u8>)>;

    /// Reads bytes in chunks of `step`. Returns the frames and the result.
    fn read(bytes: &[u8], step: usize) -> (Frames, Result<(), StateError>) {
        let (mut decoder, mut frames) = (Decoder::default(), Vec::new());
        let mut apply = |item: Item<'_>| {
            match item {
                Item::Header { written } => assert_eq!(written, WRITTEN),
                Item::Frame(kind, payload) => frames.push((kind, payload.to_vec())),
            }
            Ok(())
        };
        let pushed = bytes
            .chunks(step)
            .try_for_each(|bytes| decoder.push(bytes, &mut apply));
        let result = pushed.and_then(|()| decoder.finish());
        (frames, result)
    }

    #[test]
    fn frames_are_read_in_any_chunks() {
        let bytes = written(&frames());
        for step in [1, 2, 7, 24, 100, 10_000] {
            assert_eq!(read(&bytes, step), (frames(), Ok(())), "{step}");
        }
    }

    #[test]
    fn a_truncated_state_yields_its_complete_frames() {
        let bytes = written(&frames());
        for length in 0..bytes.len() {
            let (read, result) = read(&bytes[..length], 10_000);
            assert!(
                matches!(result, Err(StateError::Damaged { .. })),
                "{length}"
            );
            assert_eq!(read, frames()[..read.len()], "{length}");
        }
    }

    #[test]
    fn foreign_and_later_forms_differ_from_damage() {
        assert_eq!(read(b"#!/bin/sh\n", 10).1, Err(StateError::Foreign));
        let mut later = written(&[]);
        later[8] = 2;
        let checksum = crc32fast::hash(&later[..20]).to_le_bytes();
        later[20..24].copy_from_slice(&checksum);
        assert_eq!(read(&later, 1000).1, Err(StateError::TooNew { version: 2 }));
        let mut longer = written(&frames());
        longer.push(0);
        assert!(matches!(
            read(&longer, 1).1,
            Err(StateError::Damaged { .. })
        ));
    }

    #[test]
    fn unknown_kinds_are_skipped() {
        let mut writer = Writer::begin(Vec::new(), WRITTEN).unwrap();
        writer.frame(Kind::Latest, b"x").unwrap();
        let payload = b"from a later version";
        let length = (payload.len() as u32).to_le_bytes();
        writer.out.push(99);
        writer.out.extend_from_slice(&length);
        let checksum = checksum(99, length, payload).to_le_bytes();
        writer.out.extend_from_slice(&checksum);
        writer.out.extend_from_slice(payload);
        writer.frames += 1;
        let (bytes, _) = writer.end().unwrap();
        assert_eq!(
            read(&bytes, 10),
            (vec![(Kind::Latest, b"x".to_vec())], Ok(()))
        );
    }

    #[test]
    fn a_huge_frame_is_refused_by_its_length() {
        let mut bytes = written(&[]);
        bytes.truncate(HEADER);
        bytes.push(Kind::History as u8);
        bytes.extend_from_slice(&u32::MAX.to_le_bytes());
        bytes.extend_from_slice(&[0; 4]);
        assert!(matches!(
            read(&bytes, 10_000).1,
            Err(StateError::Damaged { .. })
        ));
    }

    proptest! {
        #[test]
        fn one_changed_bit_is_detected(at in 0_usize..1090, bit in 0_u8..8) {
            let mut bytes = written(&frames());
            let at = at % bytes.len();
            bytes[at] ^= 1 << bit;
            let (read, result) = read(&bytes, 333);
            prop_assert!(result.is_err());
            prop_assert_eq!(&read[..], &frames()[..read.len()]);
        }
    }
}
