//! The log of incidents: JSON lines in a file that is renamed above a size, with a bounded number of renamed files.
//!
//! The file is opened for each line, because incidents are rare: a file that another program has renamed or removed is
//! created again. After a write that did not fit, the beginning of the line is removed.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::PathBuf;

use tokio::task::spawn_blocking;

use super::notice::Notice;
use super::settings::LogSettings;
use super::target::{Failure, Kind, Target};

/// The log of incidents.
#[derive(Debug)]
pub(super) struct IncidentLog(pub(super) LogSettings);

impl Target for IncidentLog {
    const KIND: Kind = Kind {
        label: "log",
        words: "the log of incidents",
    };

    fn location(&self) -> String {
        self.0.path.display().to_string()
    }

    async fn deliver(&mut self, notice: &Notice) -> Result<(), Failure> {
        let (settings, mut line) = (self.0.clone(), notice.to_json());
        line.push(b'\n');
        let written = spawn_blocking(move || settings.append(&line)).await;
        let written = written.unwrap_or_else(|error| Err(io::Error::other(error)));
        written.map_err(|error| {
            Failure::temporary(format!(
                "{error}; check that the server's user may write there, and that there is space"
            ))
        })
    }
}

impl LogSettings {
    /// Appends a line, first to an empty file if it would exceed the size.
    fn append(&self, line: &[u8]) -> io::Result<()> {
        let mut file = self.open()?;
        let mut metadata = file.metadata()?;
        let is_full = metadata.len().saturating_add(line.len() as u64) > self.max_size;
        if metadata.is_file() && metadata.len() > 0 && is_full {
            self.rotate()?;
            file = self.open()?;
            metadata = file.metadata()?;
        }
        let written = file.write_all(line);
        if written.is_err() && metadata.is_file() {
            file.set_len(metadata.len())?;
        }
        written
    }

    fn open(&self) -> io::Result<File> {
        OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.path)
    }

    /// Renames the file to `FILE.1`, that one to `FILE.2`, and so on. The last one is removed.
    fn rotate(&self) -> io::Result<()> {
        let exists = |renamed: io::Result<()>| match renamed {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other,
        };
        if self.max_files == 0 {
            return fs::remove_file(&self.path);
        }
        for number in (1..self.max_files).rev() {
            exists(fs::rename(self.numbered(number), self.numbered(number + 1)))?;
        }
        fs::rename(&self.path, self.numbered(1))
    }

    fn numbered(&self, number: usize) -> PathBuf {
        let mut name = self.path.clone().into_os_string();
        name.push(format!(".{number}"));
        name.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &std::path::Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn the_log_is_rotated_and_its_files_are_bounded() {
        for (max_files, files, kept) in [
            (2, vec!["log", "log.1", "log.2"], "45\n67\n89\n"),
            (1, vec!["log", "log.1"], "67\n89\n"),
            (0, vec!["log"], "89\n"),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let log = LogSettings {
                path: folder.path().join("log"),
                max_size: 3,
                max_files,
            };
            for line in ["01\n", "23\n", "45\n", "67\n", "89\n"] {
                log.append(line.as_bytes()).unwrap();
            }
            assert_eq!(names(folder.path()), files);
            let mut text = String::new();
            for number in (1..=max_files).rev() {
                text += &fs::read_to_string(log.numbered(number)).unwrap();
            }
            text += &fs::read_to_string(&log.path).unwrap();
            assert_eq!(text, kept);
        }
    }

    #[test]
    fn a_line_larger_than_the_size_is_written_and_no_empty_file_is_rotated() {
        let folder = tempfile::tempdir().unwrap();
        let log = LogSettings {
            path: folder.path().join("log"),
            max_size: 3,
            max_files: 2,
        };
        log.append(b"a long line\n").unwrap();
        assert_eq!(names(folder.path()), ["log"]);
        // Another program may rename it.
        fs::rename(&log.path, folder.path().join("taken")).unwrap();
        log.append(b"b\n").unwrap();
        assert_eq!(names(folder.path()), ["log", "taken"]);
    }

    #[test]
    fn a_full_disk_is_an_error_and_leaves_no_part_of_a_line() {
        let log = LogSettings {
            path: "/dev/full".into(),
            max_size: 100,
            max_files: 2,
        };
        let error = log.append(b"a\n").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    }
}
