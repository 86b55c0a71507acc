//! The answers of `/`, of a path that is not there, and of `/version`.

use serde::{Deserialize, Serialize};

/// Every path there is, sorted: the answer of `/`, and with 404 of one that is not there.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RootPaths {
    /// The paths.
    pub paths: Vec<String>,
}

/// `/version`: what the server was built from, and with.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct VersionInfo {
    /// The version's first number.
    pub major: String,
    /// The version's second number.
    pub minor: String,
    /// The version that the server emulates.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub emulation_major: String,
    /// Its second number.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub emulation_minor: String,
    /// The oldest version it gets along with.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub min_compatibility_major: String,
    /// Its second number.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub min_compatibility_minor: String,
    /// The version: `v1.36.0`.
    pub git_version: String,
    /// The commit.
    pub git_commit: String,
    /// `clean` or `dirty`.
    pub git_tree_state: String,
    /// The time of the build, RFC 3339.
    pub build_date: String,
    /// The version of the language.
    pub go_version: String,
    /// The compiler.
    pub compiler: String,
    /// System and architecture: `linux/amd64`.
    pub platform: String,
}
