//! The queue of one receiver on disk: a file for each request, whose name is its number.
//!
//! A file is written before its request is sent, and removed after the receiver has accepted it. So a process that was
//! killed continues where it ended. The last accepted request with a cursor stays as a sent file, because the cursor says
//! what need not be written again. Files are not synced to the disk: they survive the process, not the power.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use kubevitals_proto::time::Timestamp;
use prost::Message as _;

use super::cursor::Cursor;
use super::encode::Protocol;

/// The end of the name of a file whose request waits.
const WAITING: &str = "request";

/// The end of the name of a file whose request was sent.
const SENT: &str = "sent";

/// The first bytes of a file, with the version of the form.
const MAGIC: &[u8; 8] = b"KVRW\0\0\0\x01";

/// The most bytes of a file that is read.
const MAX_FILE: u64 = 64 << 20;

/// A request in a file.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Saved {
    #[prost(bytes = "bytes", tag = "1")]
    pub(super) body: Bytes,
    #[prost(uint64, tag = "2")]
    pub(super) samples: u64,
    /// When the samples were collected, in nanoseconds.
    #[prost(sfixed64, tag = "3")]
    pub(super) collected: i64,
    #[prost(bool, tag = "4")]
    pub(super) v2: bool,
    /// What is written with this request and those before it; only in the last request of a round.
    #[prost(message, optional, tag = "5")]
    pub(super) cursor: Option<Cursor>,
}

impl Saved {
    pub(super) fn protocol(&self) -> Protocol {
        if self.v2 { Protocol::V2 } else { Protocol::V1 }
    }

    pub(super) fn collected(&self) -> Timestamp {
        Timestamp(self.collected)
    }
}

/// A file in the folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) number: u64,
    /// Whether the request was sent.
    pub(super) sent: bool,
}

impl Found {
    /// A request that waits.
    pub(super) fn waiting(number: u64) -> Self {
        Self {
            number,
            sent: false,
        }
    }
}

/// The folder of one receiver.
#[derive(Debug, Clone)]
pub(super) struct Folder(PathBuf);

impl Folder {
    /// The folder for a receiver below the state's folder. Its name is a hash of the URL, which may contain secrets.
    pub(super) fn of(state: &Path, url: &str) -> Self {
        let name = uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_URL, url.as_bytes());
        Self(state.join("remote-write").join(name.to_string()))
    }

    /// The files, in order.
    pub(super) fn list(&self) -> io::Result<Vec<Found>> {
        fs::create_dir_all(&self.0)?;
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.0)? {
            let path = entry?.path();
            let sent = match path.extension().and_then(|it| it.to_str()) {
                Some(WAITING) => false,
                Some(SENT) => true,
                _ => continue,
            };
            let number = path.file_stem().and_then(|it| it.to_str()?.parse().ok());
            files.extend(number.map(|number| Found { number, sent }));
        }
        files.sort_unstable_by_key(|it| it.number);
        Ok(files)
    }

    /// Writes a request.
    pub(super) fn write(&self, number: u64, saved: &Saved) -> io::Result<()> {
        let payload = saved.encode_to_vec();
        let mut file = Vec::with_capacity(MAGIC.len() + 4 + payload.len());
        file.extend_from_slice(MAGIC);
        file.extend_from_slice(&crc32fast::hash(&payload).to_le_bytes());
        file.extend_from_slice(&payload);
        let unfinished = self.0.join(format!("{number:020}.tmp"));
        fs::write(&unfinished, &file)?;
        fs::rename(&unfinished, self.path(number, WAITING))
    }

    /// Reads a request.
    ///
    /// # Errors
    /// It cannot be read, or is not what was written.
    pub(super) fn read(&self, Found { number, sent }: Found) -> io::Result<Saved> {
        let path = self.path(number, if sent { SENT } else { WAITING });
        if fs::metadata(&path)?.len() > MAX_FILE {
            return Err(invalid("it is too large"));
        }
        let file = Bytes::from(fs::read(path)?);
        let rest = file
            .strip_prefix(MAGIC)
            .ok_or_else(|| invalid("it is no request"))?;
        let (crc, payload) = rest
            .split_first_chunk()
            .ok_or_else(|| invalid("it is cut off"))?;
        if u32::from_le_bytes(*crc) != crc32fast::hash(payload) {
            return Err(invalid("its checksum is wrong"));
        }
        Saved::decode(file.slice_ref(payload)).map_err(io::Error::other)
    }

    /// Removes a request.
    pub(super) fn remove(&self, Found { number, sent }: Found) -> io::Result<()> {
        fs::remove_file(self.path(number, if sent { SENT } else { WAITING }))
    }

    /// Marks a request as sent.
    pub(super) fn mark_sent(&self, number: u64) -> io::Result<()> {
        fs::rename(self.path(number, WAITING), self.path(number, SENT))
    }

    /// The path of the folder.
    pub(super) fn display(&self) -> std::path::Display<'_> {
        self.0.display()
    }

    fn path(&self, number: u64, extension: &str) -> PathBuf {
        self.0.join(format!("{number:020}.{extension}"))
    }
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}
