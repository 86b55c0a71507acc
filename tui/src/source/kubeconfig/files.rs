//! Finds and reads kubeconfig files.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

use kube::config::{Kubeconfig, KubeconfigError};

use crate::cli::Connection;
use crate::cli::given;
use crate::source::Error;

/// The file `--kubeconfig` names, else the files `$KUBECONFIG` lists, else the one at home. Only
/// the first must exist.
pub(super) fn read(flags: &Connection) -> Result<Kubeconfig, Error> {
    if let Some(path) = given(flags.kubeconfig.as_ref()) {
        fs::metadata(path)
            .map_err(|error| Error::Config(format!("stat {path}: {}", reason(&error))))?;
        return read_one(Path::new(path));
    }
    let listed: Vec<PathBuf> = env::var_os("KUBECONFIG")
        .map(|list| {
            env::split_paths(&list)
                .filter(|path| !path.as_os_str().is_empty())
                .collect()
        })
        .unwrap_or_default();
    let paths = if listed.is_empty() {
        env::home_dir()
            .map(|home| home.join(".kube").join("config"))
            .into_iter()
            .collect()
    } else {
        listed
    };
    paths
        .iter()
        .filter(|path| path.exists())
        .try_fold(Kubeconfig::default(), |merged, path| {
            let next = read_one(path)?;
            merged
                .merge(next)
                .map_err(|error| not_loaded(path, &error.to_string()))
        })
}

fn read_one(path: &Path) -> Result<Kubeconfig, Error> {
    let shown = path.display();
    if path.is_dir() {
        return Err(not_loaded(path, &format!("read {shown}: is a directory")));
    }
    Kubeconfig::read_from(path).map_err(|error| {
        let why = match &error {
            KubeconfigError::ReadConfig(error, _) => format!("open {shown}: {}", reason(error)),
            KubeconfigError::Parse(error) => {
                let text = error.to_string();
                format!("yaml: {}", text.lines().next().unwrap_or_default())
            }
            other => other.to_string(),
        };
        not_loaded(path, &why)
    })
}

fn not_loaded(path: &Path, why: &str) -> Error {
    Error::Config(format!(
        "error loading config file \"{}\": {why}",
        path.display()
    ))
}

/// An I/O error in the words of the system, as Go gives them: without the number, in lower case.
pub(super) fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut letters = text.chars();
    letters
        .next()
        .map(|first| first.to_lowercase().chain(letters).collect())
        .unwrap_or_default()
}
