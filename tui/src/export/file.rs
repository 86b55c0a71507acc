//! Writes an export to a file.

use std::fs::OpenOptions;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use kubevitals_proto::time::Timestamp;

use crate::model::{ExportAs, View};

/// The highest number of files with one name; a further one is refused.
const MOST: u32 = 1_000;

/// Returns the file name of an exported view: `vitals-pods-20260708T140509Z.csv`. The time is the displayed one.
pub fn file_name(view: View, now: Timestamp, form: ExportAs) -> String {
    let ending = match form {
        ExportAs::Table => "txt",
        ExportAs::Csv => "csv",
        ExportAs::Json => "json",
    };
    // RFC 3339 to the second, without the characters that some file systems refuse.
    let time = now.to_rfc3339_seconds().replace(['-', ':'], "");
    format!("vitals-{}-{time}.{ending}", view.title().to_lowercase())
}

/// Writes a file into a folder and returns its path. An existing file stays: the new one gets a number.
///
/// # Errors
/// The I/O error, or `AlreadyExists` if all numbers are in use.
pub fn save(
    folder: &Path,
    name: &str,
    content: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<PathBuf> {
    let (stem, ending) = name.rsplit_once('.').unwrap_or((name, "txt"));
    let numbered = |number: u32| match number {
        0 => folder.join(name),
        number => folder.join(format!("{stem}-{number}.{ending}")),
    };
    for path in (0..MOST).map(numbered) {
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(file) => {
                let mut file = BufWriter::new(file);
                content(&mut file)?;
                file.flush()?;
                return Ok(path);
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_named_by_view_and_time() {
        let now: Timestamp = "2026-07-08T14:05:09.5Z".parse().unwrap();
        assert_eq!(
            file_name(View::Pods, now, ExportAs::Csv),
            "vitals-pods-20260708T140509Z.csv"
        );
    }

    #[test]
    fn no_file_is_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let names: Vec<String> = ["a", "b", "c"]
            .iter()
            .map(|text| {
                let content = |out: &mut dyn Write| out.write_all(text.as_bytes());
                let path = save(folder.path(), "v.csv", content).unwrap();
                assert_eq!(std::fs::read_to_string(&path).unwrap(), *text);
                path.file_name().unwrap().to_string_lossy().into_owned()
            })
            .collect();
        assert_eq!(names, ["v.csv", "v-1.csv", "v-2.csv"]);
    }
}
