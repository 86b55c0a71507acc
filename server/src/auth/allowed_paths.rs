//! Paths that need no authorization (`--authorization-always-allow-paths`).

/// Paths that are allowed without a review. Without the leading slash; one that ends in `*` is a prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowedPaths(Vec<String>);

impl Default for AllowedPaths {
    /// The paths of metrics-server: the health checks, without the paths below them.
    fn default() -> Self {
        Self(["healthz", "readyz", "livez"].map(str::to_owned).into())
    }
}

impl AllowedPaths {
    /// Parses paths. A path allows itself, or all paths with its prefix if it ends in `*`.
    ///
    /// # Errors
    /// A path with a `*` elsewhere.
    pub fn new<'a>(paths: impl IntoIterator<Item = &'a str>) -> Result<Self, String> {
        let parse = |path: &str| {
            let pattern = without_slash(path);
            if pattern.strip_suffix('*').unwrap_or(pattern).contains('*') {
                return Err(format!("{path:?} has a * that is not at its end"));
            }
            Ok(pattern.to_owned())
        };
        paths
            .into_iter()
            .map(parse)
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Whether a path, as sent, is allowed.
    pub(super) fn allow(&self, path: &str) -> bool {
        let plain = without_slash(path);
        self.0
            .iter()
            .any(|pattern| match pattern.strip_suffix('*') {
                Some(prefix) => plain.starts_with(prefix),
                None => plain == pattern,
            })
    }
}

fn without_slash(path: &str) -> &str {
    path.strip_prefix('/').unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_allowed_exactly_or_by_prefix() {
        let probes = AllowedPaths::default();
        assert_eq!(
            AllowedPaths::new(["/healthz", "/readyz", "/livez"]),
            Ok(probes.clone())
        );
        for (path, expected) in [
            ("/healthz", true),
            ("/livez", true),
            ("/livez/", false),
            ("/livez/ping", false),
            ("/LIVEZ", false),
            ("//livez", false),
            ("/%6Civez", false),
            ("/", false),
            ("", false),
        ] {
            assert_eq!(probes.allow(path), expected, "{path}");
        }
        let more = AllowedPaths::new(["/", "debug/*"]).unwrap();
        for (path, expected) in [("/", true), ("/debug/x", true), ("/debug", false)] {
            assert_eq!(more.allow(path), expected, "{path}");
        }
        assert!(AllowedPaths::new(["/*"]).unwrap().allow("/anything"));
        assert!(AllowedPaths::new(["/a*b"]).is_err());
        assert!(!AllowedPaths::new([]).unwrap().allow("/livez"));
    }
}
