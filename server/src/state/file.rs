//! The folder in which the state is kept: one file, replaced as a whole, and what could not be read set aside.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Read, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use super::parts::{Origin, Restored, StateParts};
use super::wire::{Decoder, StateError};

const NAME: &str = "vitals.state";

/// What is being written, or was when the process was killed.
const UNFINISHED: &str = "vitals.state.unfinished";

/// Read and written at a time.
const CHUNK: usize = 64 << 10;

/// The folder.
#[derive(Debug, Clone)]
pub(super) struct Folder(PathBuf);

/// What became of a file.
#[derive(Debug)]
pub(super) enum Outcome {
    /// There is none.
    Missing,
    /// It was taken in.
    Complete(Restored),
    /// It was refused, after so much had been taken in, and is out of the way under another name, if that was possible.
    SetAside(StateError, Restored, PathBuf),
    /// It cannot be read at all.
    Failed(io::Error),
}

impl Folder {
    /// The folder at a path.
    pub(super) fn new(path: PathBuf) -> Self {
        Self(path)
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// Makes the folder if it is not there, and sees that it can be written to. What a killed process left unfinished
    /// is taken away.
    ///
    /// # Errors
    /// What the system said.
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
        // Names of pods and what was wrong with them are not for everyone.
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)
    }

    /// Writes what there is, and puts it into the place of what was there before when all of it is on the disk. How
    /// many bytes that were. Whoever is killed meanwhile leaves the earlier state as it was.
    ///
    /// # Errors
    /// What the system said; the earlier state is as it was.
    pub(super) fn write(&self, parts: &StateParts) -> io::Result<u64> {
        let file = BufWriter::with_capacity(CHUNK, self.create()?);
        let (mut file, bytes) = parts.write(file)?;
        file.flush()?;
        file.get_ref().sync_all()?;
        drop(file);
        fs::rename(self.0.join(UNFINISHED), self.0.join(NAME))?;
        // The new name is on the disk only when the folder is.
        File::open(&self.0)?.sync_all()?;
        Ok(bytes)
    }

    /// Reads what is there, and tells `ready` when all is taken in that answers at once.
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

    /// Gives what was refused another name, one for each reason, so that there are never more than four.
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

/// Reads a file to its end, or to where it is refused.
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
