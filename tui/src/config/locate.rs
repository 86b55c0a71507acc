//! Finds the configuration file.

use std::path::{Path, PathBuf};

/// The location of the configuration file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// The path.
    pub path: PathBuf,
    /// Whether the user named the file. Then it must exist.
    pub is_explicit: bool,
}

/// The path of `--config`, else `kubevitals/config.toml` in `XDG_CONFIG_HOME` or `~/.config`, by the XDG base directory
/// specification, which ignores relative paths. None without a home directory.
pub fn locate(explicit: Option<&Path>, env: &impl Fn(&str) -> Option<String>) -> Option<Location> {
    let absolute = |name: &str| {
        env(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    let folder = || absolute("XDG_CONFIG_HOME").or_else(|| Some(absolute("HOME")?.join(".config")));
    let path = match explicit {
        Some(path) => path.to_owned(),
        None => folder()?.join("kubevitals/config.toml"),
    };
    Some(Location {
        path,
        is_explicit: explicit.is_some(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_location_follows_the_xdg_specification() {
        let home = Some("/home/u");
        let in_home = Some("/home/u/.config/kubevitals/config.toml");
        for (explicit, xdg, home, expected) in [
            (None, None, home, in_home),
            (None, Some("/x"), home, Some("/x/kubevitals/config.toml")),
            (None, Some("relative"), home, in_home),
            (None, Some(""), home, in_home),
            (Some("c.toml"), Some("/x"), None, Some("c.toml")),
            (None, None, None, None),
        ] {
            let env = |name: &str| match name {
                "XDG_CONFIG_HOME" => xdg.map(str::to_owned),
                "HOME" => home.map(str::to_owned),
                _ => None,
            };
            let found = locate(explicit.map(Path::new), &env);
            let found = found.as_ref().map(|location| location.path.as_path());
            assert_eq!(found, expected.map(Path::new));
        }
    }
}
