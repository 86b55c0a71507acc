//! The server's own certificate on disk (`--cert-dir`), under the peer's names.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::authority::Issued;
use super::pair::{Contents, Files, Kind};

/// The pair in a folder, as the peer names it.
pub(super) fn files(folder: &Path) -> Files {
    Files {
        kind: Kind::Serving,
        certificate: folder.join("apiserver.crt"),
        key: folder.join("apiserver.key"),
    }
}

/// Writes a pair, each file whole or not at all; what is in the files afterwards. The key goes first: who reads in
/// between finds a key that does not match, and reads again.
pub(super) fn write(files: &Files, issued: &Issued) -> io::Result<Contents> {
    let contents = Contents {
        certificate: issued.chain_pem.clone().into_bytes(),
        key: issued.key_pem.clone().into_bytes(),
    };
    if let Some(folder) = files.certificate.parent() {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o755)
            .create(folder)?;
    }
    replace(&files.key, &contents.key, 0o600)?;
    replace(&files.certificate, &contents.certificate, 0o644)?;
    Ok(contents)
}

fn replace(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    let new = PathBuf::from(name);
    // One that a former run left may have another mode.
    let _usually_none = fs::remove_file(&new);
    let mut options = fs::OpenOptions::new();
    let mut file = options.write(true).create_new(true).mode(mode).open(&new)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&new, path)
}
