//! `vitals config init`.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::write::template;

/// Why no file was written.
#[derive(Debug, thiserror::Error)]
pub enum InitError {
    /// What the user has written is not to be lost.
    #[error(
        "{0} exists already and is not changed; `vitals config show` prints the settings in effect"
    )]
    Exists(PathBuf),
    /// It cannot be written.
    #[error("cannot write {path}: {source}")]
    Write {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Writes a commented file that changes nothing yet; makes its folder.
///
/// # Errors
/// That there is one, which is never overwritten, or that it cannot be written.
pub fn init(path: &Path) -> Result<(), InitError> {
    let failed = |source: io::Error| match source.kind() {
        io::ErrorKind::AlreadyExists => InitError::Exists(path.to_owned()),
        _ => InitError::Write {
            path: path.to_owned(),
            source,
        },
    };
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path)
        .map_err(failed)?;
    file.write_all(template().as_bytes()).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_is_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b/config.toml");
        init(&path).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), template());
        fs::write(&path, "fps = 1").unwrap();
        assert!(matches!(init(&path), Err(InitError::Exists(_))));
        assert_eq!(fs::read_to_string(&path).unwrap(), "fps = 1");
    }
}
