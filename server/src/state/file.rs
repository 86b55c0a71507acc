//! The folder of the state file. The file is replaced as a whole; a file that cannot be read is set aside.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Read, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;

use super::parts::{Origin, Restored, StateParts};
use super::wire::{Decoder, StateError};

const NAME: &str = "vitals.state";

/// The file that is being written, or was when the process was killed.
const UNFINISHED: &str = "vitals.state.unfinished";

/// The bytes that are read or written at once.
const CHUNK: usize = 64 << 10;

/// The folder with this path.
#[derive(Debug, Clone)]
pub(super) struct Folder(pub(super) PathBuf);

/// The result of reading the file.
#[derive(Debug)]
pub(super) enum Outcome {
    /// There is no file.
    Missing,
    /// The file was restored.
    Complete(Restored),
    /// The file was refused, after a part had been restored. It has the new name, if it could be renamed.
    SetAside(StateError, Restored, PathBuf),
    /// The file cannot be read.
    Failed(io::Error),
}

impl Folder {
    /// Creates the folder if it does not exist, checks that it is writable, and removes what a killed process left
    /// unfinished.
    ///
    /// # Errors
    /// The error of the operating system.
    pub(super) fn prepare(&self) -> io::Result<()> {
        fs::create_dir_all(&self.0)?;
        drop(self.create()?);
        fs::remove_file(self.0.join(UNFINISHED))
    }

    fn create(&self) -> io::Result<File> {
        let path = self.0.join(UNFINISHED);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        // Only the owner may read the names of pods and their problems.
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)
    }

    /// Writes the state, and replaces the earlier file when everything is on the disk. Returns the number of bytes.
    /// If the process is killed, the earlier file stays.
    ///
    /// # Errors
    /// The error of the operating system; the earlier file stays.
    pub(super) fn write(&self, parts: &StateParts) -> io::Result<u64> {
        let file = BufWriter::with_capacity(CHUNK, self.create()?);
        let (mut file, bytes) = parts.write(file)?;
        file.flush()?;
        file.get_ref().sync_all()?;
        drop(file);
        fs::rename(self.0.join(UNFINISHED), self.0.join(NAME))?;
        // The new name is on the disk only after the folder is synchronized.
        File::open(&self.0)?.sync_all()?;
        Ok(bytes)
    }

    /// Restores the file. Calls `ready` once the rates are restored.
    pub(super) fn read(&self, parts: &StateParts, ready: impl FnOnce() + Send) -> Outcome {
        let path = self.0.join(NAME);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Outcome::Missing,
            Err(error) => return Outcome::Failed(error),
        };
        let mut restorer = parts.restorer(Origin::File);
        restorer.notify_when_ready(ready);
        let read = read(file, &mut |item| restorer.apply(item));
        let restored = restorer.restored;
        match read {
            Ok(Ok(())) => Outcome::Complete(restored),
            Ok(Err(error)) => Outcome::SetAside(error, restored, self.set_aside(error)),
            Err(error) => Outcome::Failed(error),
        }
    }

    /// Renames a refused file by the reason, so that there are at most four such files.
    fn set_aside(&self, error: StateError) -> PathBuf {
        let reason = match error {
            StateError::Foreign => "foreign",
            StateError::TooNew { .. } => "newer",
            StateError::TooOld => "old",
            StateError::Damaged { .. } => "damaged",
        };
        let path = self.0.join(NAME);
        let aside = self.0.join(format!("{NAME}.{reason}"));
        match fs::rename(&path, &aside) {
            Ok(()) => aside,
            Err(_) => path,
        }
    }
}

/// Reads a file to its end, or until it is refused.
fn read(
    mut file: File,
    apply: &mut dyn FnMut(super::wire::Item<'_>) -> Result<(), StateError>,
) -> io::Result<Result<(), StateError>> {
    let (mut decoder, mut chunk) = (Decoder::default(), vec![0; CHUNK]);
    loop {
        let count = match file.read(&mut chunk) {
            Ok(0) => return Ok(decoder.finish()),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if let Err(error) = decoder.push(chunk.get(..count).unwrap_or_default(), apply) {
            return Ok(Err(error));
        }
    }
}
