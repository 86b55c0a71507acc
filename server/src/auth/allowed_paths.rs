//! Paths that need no authorization (`--authorization-always-allow-paths`).

/// Paths that are allowed without a review.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowedPaths {
    /// Without the leading slash.
    exact: Vec<String>,
    prefixes: Vec<String>,
}

impl Default for AllowedPaths {
    /// The paths of metrics-server: the health checks, without the paths below them.
    fn default() -> Self {
        Self {
            exact: ["healthz", "readyz", "livez"].map(str::to_owned).into(),
            prefixes: Vec::new(),
        }
    }
}

impl AllowedPaths {
    /// Parses paths. A path allows itself, or all paths with its prefix if it ends in `*`.
    ///
    /// # Errors
    /// A path with a `*` elsewhere.
    pub fn new<'a>(paths: impl IntoIterator<Item = &'a str>) -> Result<Self, String> {
        let mut allowed = Self {
            exact: Vec::new(),
            prefixes: Vec::new(),
        };
        for path in paths {
            let plain = path.strip_prefix('/').unwrap_or(path);
            let (list, plain) = match plain.strip_suffix('*') {
                Some(prefix) => (&mut allowed.prefixes, prefix),
                None => (&mut allowed.exact, plain),
            };
            if plain.contains('*') {
                return Err(format!("{path:?} has a * that is not at its end"));
            }
            list.push(plain.to_owned());
        }
        Ok(allowed)
    }

    /// Whether a path, as sent, is allowed.
    pub(super) fn allow(&self, path: &str) -> bool {
        let plain = path.strip_prefix('/').unwrap_or(path);
        self.exact.iter().any(|exact| exact == plain)
            || self.prefixes.iter().any(|prefix| plain.starts_with(prefix))
    }
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
