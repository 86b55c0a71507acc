//! The configuration of the dashboard.
//!
//! Flags take precedence over environment variables, these over the configuration file, and the file over the defaults.
//! The file is `~/.config/kubevitals/config.toml`, or the one that `XDG_CONFIG_HOME` or `--config` name. An invalid
//! value is an error with its line; then the whole file is refused.

mod error;
mod file;
mod init;
mod locate;
mod persist;
mod reader;
mod saved;
mod settings;
mod theme;
mod write;

pub use error::{ConfigError, Wrong};
pub(crate) use file::threshold;
pub use init::{InitError, init};
pub use locate::{Location, locate};
pub use persist::{PersistError, persist};
pub(crate) use reader::{view, view_names};
pub(crate) use settings::value_name;
pub use settings::{Colors, Notify, Settings, SourceChoice, ThemeChoice, TimeZoneChoice};
pub(crate) use write::view_name;
pub use write::{show, template};

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
        Ok(text) => match file::parse(&text) {
            Ok(settings) => with_theme_file(settings, &path),
            Err(wrong) => Err(ConfigError::Wrong { path, wrong }),
        },
        Err(error) if is_missing(&error) && !is_explicit => Ok(Settings::default()),
        Err(source) => Err(ConfigError::Read { path, source }),
    }
}

/// Whether there is no such file: its folder may be missing too, or be no folder.
fn is_missing(error: &io::Error) -> bool {
    use io::ErrorKind::{NotADirectory, NotFound};
    matches!(error.kind(), NotFound | NotADirectory)
}

/// Reads the file of the theme, if there is one. Its path is relative to the folder of the configuration. Colours of the
/// configuration have precedence over those of the file.
fn with_theme_file(settings: Settings, config: &Path) -> Result<Settings, ConfigError> {
    let Some(file) = &settings.theme_file else {
        return Ok(settings);
    };
    let folder = config.parent().unwrap_or(Path::new(""));
    let path = folder.join(file);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(source) => return Err(ConfigError::Read { path, source }),
    };
    match theme::parse(&text) {
        Ok((theme, palette)) => Ok(Settings {
            theme,
            palette: palette.with(&settings.palette),
            ..settings
        }),
        Err(wrong) => Err(ConfigError::Wrong { path, wrong }),
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
            "FILE:1: theme is auto, dark, light, catppuccin-mocha, catppuccin-latte, solarized-dark, solarized-light, nord, high-contrast or deuteranopia, or a file like mine.toml, not \"pink\"\n\
             FILE:4: \"hyper-q\" is not a key: use a character, or a name like ctrl-c, shift-tab, enter, left, pgdn or f1"
        );
    }

    #[test]
    fn a_theme_file_gives_colours_and_its_errors_have_its_lines() {
        let (folder, path) = written("theme = \"mine.toml\"\n[palette]\nbad = 9\n");
        let theme = folder.path().join("kubevitals/mine.toml");
        let settings = || load(Some(Path::new(&path)), |_| None);
        let missing = settings().unwrap_err().to_string();
        let expected = format!("cannot read {}: ", theme.display());
        assert!(missing.starts_with(&expected), "{missing}");
        fs::write(&theme, "base = \"nord\"\ngood = \"#0102ff\"\nbad = 1\n").unwrap();
        let read = settings().unwrap();
        assert_eq!(
            (read.theme, read.theme_name().as_str()),
            (ThemeChoice::Nord, "own")
        );
        let colors: Vec<String> = read
            .palette
            .colors()
            .map(|(name, color)| format!("{name} {color}"))
            .collect();
        assert_eq!(colors, ["good #0102FF", "bad 9"]);
        fs::write(
            &theme,
            "base = \"nord\"\n\ngood = \"#12\"\nbat = 4\nwarn = 256\n",
        )
        .unwrap();
        let text = settings().unwrap_err().to_string();
        let text = text.replace(&theme.display().to_string(), "THEME");
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 3, "{text}");
        assert_eq!(
            lines[0],
            "THEME:3: a colour is \"#rrggbb\", 0 to 255, or a name like lightblue, not \"#12\""
        );
        assert!(
            lines[1]
                .starts_with("THEME:4: there is no colour \"bat\": there are background, plain, ")
        );
        assert!(lines[2].starts_with("THEME:5: a colour is "), "{text}");
        assert!(lines[2].ends_with(" not 256"), "{text}");
    }
}
