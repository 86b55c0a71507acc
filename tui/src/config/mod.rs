//! How the dashboard looks and answers, as the user wants it.
//!
//! What a flag says holds; then what its environment variable says; then what the configuration file says; then what
//! is usual. The file is `~/.config/kubevitals/config.toml`, or where `XDG_CONFIG_HOME` or `--config` say. A wrong
//! value is named with its line, and nothing of the file is then guessed at.

mod file;
mod init;
mod locate;
mod settings;
mod write;

pub use init::{InitError, init};
pub use locate::{Location, locate};
pub use settings::{Colors, Settings, SourceChoice, ThemeChoice, TimeZoneChoice};
pub use write::{show, template};

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Values are wrong; each with its line.
    #[error("{}", lines(path, wrong))]
    Wrong {
        /// In which file.
        path: PathBuf,
        /// What is wrong, in the order of the file.
        wrong: Vec<Wrong>,
    },
}

/// A wrong value in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// Its line, counted from one.
    pub line: usize,
    /// What is wrong with it.
    pub message: String,
}

fn lines(path: &Path, wrong: &[Wrong]) -> String {
    let lines = wrong
        .iter()
        .map(|wrong| format!("{}:{}: {}", path.display(), wrong.line, wrong.message));
    lines.collect::<Vec<_>>().join("\n")
}

/// The settings of the file that there is, at `path` or where it usually is.
///
/// # Errors
/// A file at `path` that does not exist; a file that cannot be read or has wrong values. The usual file is optional.
pub fn load(
    path: Option<&Path>,
    env: impl Fn(&str) -> Option<String>,
) -> Result<Settings, ConfigError> {
    match locate(path, &env) {
        Some(location) => read(&location),
        None => Ok(Settings::default()),
    }
}

fn read(location: &Location) -> Result<Settings, ConfigError> {
    let path = location.path();
    match fs::read_to_string(path) {
        Ok(text) => file::parse(&text).map_err(|wrong| ConfigError::Wrong {
            path: path.to_owned(),
            wrong,
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound && !location.is_explicit() => {
            Ok(Settings::default())
        }
        Err(source) => Err(ConfigError::Read {
            path: path.to_owned(),
            source,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> (tempfile::TempDir, String) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("kubevitals/config.toml");
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        (folder, path.display().to_string())
    }

    #[test]
    fn the_usual_file_need_not_be_there_but_one_that_is_explicit_must() {
        let (folder, _) = written("fps = 5\n");
        let home = folder.path().display().to_string();
        let env = |name: &str| (name == "XDG_CONFIG_HOME").then(|| home.clone());
        assert_eq!(load(None, env).unwrap().fps, 5);
        let nowhere = |name: &str| (name == "HOME").then(|| "/nowhere".to_owned());
        assert_eq!(load(None, nowhere).unwrap(), Settings::default());
        let error = load(Some(Path::new("/nowhere/x.toml")), nowhere).unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("cannot read /nowhere/x.toml: "),
            "{error}"
        );
    }

    #[test]
    fn each_wrong_value_is_named_by_its_line() {
        let (_folder, path) = written("theme = \"pink\"\n\n[keys]\nquit = [\"hyper-q\"]\n");
        let error = load(Some(Path::new(&path)), |_| None).unwrap_err();
        let text = error.to_string().replace(&path, "FILE");
        assert_eq!(
            text,
            "FILE:1: theme is auto, dark or light, not \"pink\"\n\
             FILE:4: \"hyper-q\" is no key: write a character, or a name like ctrl-c, shift-tab, enter, left, pgdn or f1"
        );
    }
}
