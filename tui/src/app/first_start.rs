//! Whether the dashboard starts for the first time.

use std::fs;
use std::path::PathBuf;

use crate::config::locate;

/// Returns whether neither a configuration nor the mark of an earlier start exists, and leaves the mark. If it cannot be
/// written, the next start is the first one again.
pub(super) fn is_first_start(env: &impl Fn(&str) -> Option<String>) -> bool {
    let Some(mark) = mark(env) else {
        return false;
    };
    if mark.exists() {
        return false;
    }
    let is_configured = locate(None, env).is_some_and(|file| file.path.exists());
    if let Some(folder) = mark.parent() {
        let _ = fs::create_dir_all(folder);
    }
    let _ = fs::write(&mark, "");
    !is_configured
}

/// The mark, in the folder of the XDG base directory specification for state.
fn mark(env: &impl Fn(&str) -> Option<String>) -> Option<PathBuf> {
    let absolute = |name: &str| {
        let path = env(name).map(PathBuf::from);
        path.filter(|path| path.is_absolute())
    };
    let state = absolute("XDG_STATE_HOME");
    let folder = state.or_else(|| Some(absolute("HOME")?.join(".local/state")))?;
    Some(folder.join("kubevitals/started"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_start_is_the_one_without_a_mark_and_a_configuration() {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().display().to_string();
        let env = |name: &str| (name == "HOME").then(|| home.clone());
        assert!(is_first_start(&env));
        assert!(!is_first_start(&env));
        fs::remove_dir_all(folder.path().join(".local")).unwrap();
        fs::create_dir_all(folder.path().join(".config/kubevitals")).unwrap();
        fs::write(folder.path().join(".config/kubevitals/config.toml"), "").unwrap();
        assert!(!is_first_start(&env));
        // A folder that cannot be written is no error.
        let nowhere = |name: &str| (name == "XDG_STATE_HOME").then(|| "/dev/null/x".to_owned());
        assert!(is_first_start(&nowhere));
        assert!(!is_first_start(&|_| None));
    }
}
