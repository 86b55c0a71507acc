//! How requests are authenticated and authorized, as flags say.

use std::path::PathBuf;
use std::time::Duration;

use super::AllowedPaths;

/// How requests are authenticated and authorized.
#[derive(Debug, Clone)]
pub struct Settings {
    /// A file with the CAs of clients' certificates; without, the configmap says them.
    pub client_ca: Option<PathBuf>,
    /// Who is a front proxy; without, the configmap says it.
    pub front_proxy: Option<ProxySettings>,
    /// What is done about what these leave open.
    pub lookup: Lookup,
    /// How the API server that reviews tokens, and has the configmap, is reached; without, as for everything else.
    pub authentication: Option<kube::Config>,
    /// How the API server that reviews access is reached; without, as for everything else.
    pub authorization: Option<kube::Config>,
    /// How long what a TokenReview said is believed.
    pub token_lifetime: Duration,
    /// How long it is believed that somebody may.
    pub allowed_lifetime: Duration,
    /// How long it is believed that somebody may not.
    pub denied_lifetime: Duration,
    /// What everybody may.
    pub always_allow: AllowedPaths,
}

/// Who is a front proxy, and where it says who asks.
#[derive(Debug, Clone)]
pub struct ProxySettings {
    /// A file with the CAs of front proxies.
    pub ca: PathBuf,
    /// Their common names; none: any.
    pub allowed_names: Vec<String>,
    /// Headers with the user's name, the first one that has any.
    pub username_headers: Vec<String>,
    /// Headers with the user's UID, likewise.
    pub uid_headers: Vec<String>,
    /// Headers with the user's groups, all of them.
    pub group_headers: Vec<String>,
    /// What the names of headers begin with that say more.
    pub extra_prefixes: Vec<String>,
}

/// What is done about what the flags leave open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lookup {
    /// The configmap is read; until it is, no certificate is judged.
    Required,
    /// The configmap is read; until it is, nobody is believed by certificate.
    Tolerated,
    /// It is not read.
    Skipped,
}

impl Default for Settings {
    /// The peer's defaults.
    fn default() -> Self {
        const TTL: Duration = Duration::from_secs(10);
        Self {
            client_ca: None,
            front_proxy: None,
            lookup: Lookup::Required,
            authentication: None,
            authorization: None,
            token_lifetime: TTL,
            allowed_lifetime: TTL,
            denied_lifetime: TTL,
            always_allow: AllowedPaths::default(),
        }
    }
}
