//! The paths that annotations and rules may have.

/// The longest path in bytes.
const MAX_PATH: usize = 1024;

/// Whether a path can change nothing but the path: it has one slash at its begin, no query and no fragment, and only
/// characters that a path may have.
pub(in crate::pod_metrics) fn check_path(path: &str) -> Result<(), &'static str> {
    if !path.starts_with('/') || path.starts_with("//") {
        return Err("write a path that begins with one slash");
    }
    if path.len() > MAX_PATH {
        return Err("the path is longer than 1024 bytes");
    }
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~%!$&'()*+,;=:@".contains(&byte);
    if !path.bytes().all(allowed) {
        return Err("a path has no query, no fragment, no spaces and only ASCII characters");
    }
    Ok(())
}
