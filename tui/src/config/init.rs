//! `vitals config init`.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::write::template;

/// Why no file was written.
#[derive(Debug, thiserror::Error)]
pub enum InitError {
    /// The file exists; it is not overwritten.
    #[error(
        "{0} already exists and is not changed; `vitals config show` prints the settings in effect"
    )]
    Exists(PathBuf),
    /// The file cannot be written.
    #[error("cannot write {path}: {source}")]
    Write {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
}

/// Writes a commented file with the defaults, and creates its folder.
///
/// # Errors
/// The file exists, or cannot be written.
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
    fn an_existing_file_is_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b/config.toml");
        init(&path).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), template());
        fs::write(&path, "fps = 1").unwrap();
        assert!(matches!(init(&path), Err(InitError::Exists(_))));
        assert_eq!(fs::read_to_string(&path).unwrap(), "fps = 1");
    }
}
