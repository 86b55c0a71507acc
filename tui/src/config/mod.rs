//! The configuration of the dashboard.
//!
//! Flags take precedence over environment variables, these over the configuration file, and the file over the defaults.
//! The file is `~/.config/kubevitals/config.toml`, or the one that `XDG_CONFIG_HOME` or `--config` name. An invalid
//! value is an error with its line; then the whole file is refused.

mod error;
mod file;
mod init;
mod locate;
mod settings;
mod write;

pub use error::{ConfigError, Wrong};
pub(crate) use file::threshold;
pub use init::{InitError, init};
pub use locate::{Location, locate};
pub use settings::{Colors, Settings, SourceChoice, ThemeChoice, TimeZoneChoice};
pub use write::{show, template};
pub(crate) use write::{value_name, view_name};

use std::fs;
use std::io;
use std::path::Path;

/// Loads the settings from `path` or from the default location.
///
/// # Errors
/// The file at `path` does not exist, or the file cannot be read or has invalid values. The default file is optional.
pub fn load(
    path: Option<&Path>,
    env: impl Fn(&str) -> Option<String>,
) -> Result<Settings, ConfigError> {
    let Some(Location { path, is_explicit }) = locate(path, &env) else {
        return Ok(Settings::default());
    };
    match fs::read_to_string(&path) {
        Ok(text) => file::parse(&text).map_err(|wrong| ConfigError::Wrong { path, wrong }),
        Err(error) if error.kind() == io::ErrorKind::NotFound && !is_explicit => {
            Ok(Settings::default())
        }
        Err(source) => Err(ConfigError::Read { path, source }),
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
    fn the_default_file_is_optional_an_explicit_one_is_not() {
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
    fn each_invalid_value_is_reported_with_its_line() {
        let (_folder, path) = written("theme = \"pink\"\n\n[keys]\nquit = [\"hyper-q\"]\n");
        let error = load(Some(Path::new(&path)), |_| None).unwrap_err();
        let text = error.to_string().replace(&path, "FILE");
        assert_eq!(
            text,
            "FILE:1: theme is auto, dark or light, not \"pink\"\n\
             FILE:4: \"hyper-q\" is not a key: use a character, or a name like ctrl-c, shift-tab, enter, left, pgdn or f1"
        );
    }
}
