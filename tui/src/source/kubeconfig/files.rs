//! Finds and reads kubeconfig files.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::{env, fs};

use kube::config::{Kubeconfig, KubeconfigError};

use super::normalize::normalize;
use crate::cli::Connection;
use crate::cli::non_empty;
use crate::source::Error;
use crate::source::error_text::reason;

/// The content of the files, normalized and merged.
#[derive(Debug, Default)]
pub(super) struct Files {
    /// The first definition of each name.
    pub config: Kubeconfig,
    /// The file that defines each user.
    pub users: HashMap<String, PathBuf>,
}

impl Files {
    fn add(mut self, path: &Path) -> Result<Self, Error> {
        let next = read_one(path)?;
        for user in &next.auth_infos {
            self.users
                .entry(user.name.clone())
                .or_insert_with(|| path.to_owned());
        }
        self.config = self
            .config
            .merge(next)
            .map_err(|error| not_loaded(path, &error.to_string()))?;
        Ok(self)
    }
}

/// Reads the file of `--kubeconfig`, else the files of `$KUBECONFIG`, else the one in the home directory. Only the
/// first must exist.
pub(super) fn read(flags: &Connection) -> Result<Files, Error> {
    if let Some(path) = non_empty(flags.kubeconfig.as_ref()) {
        fs::metadata(path)
            .map_err(|error| Error::Config(format!("stat {path}: {}", reason(&error))))?;
        return Files::default().add(Path::new(path));
    }
    let listed = env::var_os("KUBECONFIG").unwrap_or_default();
    let listed = env::split_paths(&listed);
    let mut paths: Vec<PathBuf> = listed.filter(|path| !path.as_os_str().is_empty()).collect();
    if paths.is_empty() {
        paths.extend(env::home_dir().map(|home| home.join(".kube").join("config")));
    }
    paths
        .iter()
        .filter(|path| path.exists())
        .try_fold(Files::default(), |files, path| files.add(path))
}

fn read_one(path: &Path) -> Result<Kubeconfig, Error> {
    let file = path.display();
    if path.is_dir() {
        return Err(not_loaded(path, &format!("read {file}: is a directory")));
    }
    // Paths in the file are relative to its folder, so the full path is needed.
    let full = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut config = Kubeconfig::read_from(full).map_err(|error| {
        let why = match &error {
            KubeconfigError::ReadConfig(error, _) => format!("open {file}: {}", reason(error)),
            KubeconfigError::Parse(error) => {
                let text = error.to_string();
                let line = text.lines().next().unwrap_or_default();
                format!("yaml: {}", line.trim_start_matches("error: "))
            }
            other => other.to_string(),
        };
        not_loaded(path, &why)
    })?;
    normalize(&mut config);
    match config.kind.as_deref() {
        None | Some("" | "Config") => Ok(config),
        Some(kind) => {
            let version = config.api_version.as_deref().unwrap_or_default();
            let why = format!("no kind {kind:?} is registered for version {version:?}");
            Err(not_loaded(path, &why))
        }
    }
}

fn not_loaded(path: &Path, why: &str) -> Error {
    Error::Config(format!(
        "error loading config file \"{}\": {why}",
        path.display()
    ))
}
