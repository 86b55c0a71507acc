//! How requests are authenticated and authorized: flags and settings.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::AllowedPaths;
use super::proxy::ProxyHeaders;
use crate::flag_values::duration;

/// The flags of authentication.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Authentication")]
pub struct AuthenticationFlags {
    /// The kubeconfig of the API server that authenticates tokens; without it, the API server of --kubeconfig.
    #[arg(long, value_name = "FILE")]
    pub authentication_kubeconfig: Option<PathBuf>,

    /// Do not read the ConfigMap extension-apiserver-authentication of that API server.
    #[arg(long)]
    pub authentication_skip_lookup: bool,

    /// Until that ConfigMap has been read, ignore client certificates instead of refusing them.
    #[arg(long)]
    pub authentication_tolerate_lookup_failure: bool,

    /// How long the result of a TokenReview is cached.
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = duration)]
    pub authentication_token_webhook_cache_ttl: Duration,

    /// The CAs of client certificates, instead of those in the ConfigMap. Reloaded when the file changes.
    #[arg(long, value_name = "FILE")]
    pub client_ca_file: Option<PathBuf>,

    /// The CAs of front proxies, likewise. With it, the flags below apply instead of the ConfigMap.
    #[arg(long, value_name = "FILE")]
    pub requestheader_client_ca_file: Option<PathBuf>,

    /// The common names that a front proxy's certificate may have; empty for any.
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub requestheader_allowed_names: Vec<String>,

    /// Headers with the user's name. The first header with a value counts.
    #[arg(
        long,
        value_name = "HEADERS",
        value_delimiter = ',',
        default_value = "x-remote-user"
    )]
    pub requestheader_username_headers: Vec<String>,

    /// Headers with the user's UID.
    #[arg(long, value_name = "HEADERS", value_delimiter = ',')]
    pub requestheader_uid_headers: Vec<String>,

    /// Headers with the user's groups.
    #[arg(
        long,
        value_name = "HEADERS",
        value_delimiter = ',',
        default_value = "x-remote-group"
    )]
    pub requestheader_group_headers: Vec<String>,

    /// Prefixes of the headers with the user's extra values.
    #[arg(
        long,
        value_name = "PREFIXES",
        value_delimiter = ',',
        default_value = "x-remote-extra-"
    )]
    pub requestheader_extra_headers_prefix: Vec<String>,
}

/// The flags of authorization.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Authorization")]
pub struct AuthorizationFlags {
    /// The kubeconfig of the API server that authorizes requests; without it, the API server of --kubeconfig.
    #[arg(long, value_name = "FILE")]
    pub authorization_kubeconfig: Option<PathBuf>,

    /// Paths that need no authorization. A path with * at the end stands for all that start with it.
    #[arg(
        long,
        value_name = "PATHS",
        value_delimiter = ',',
        default_value = "/healthz,/readyz,/livez"
    )]
    pub authorization_always_allow_paths: Vec<String>,

    /// How long a decision that allows a request is cached.
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = duration)]
    pub authorization_webhook_cache_authorized_ttl: Duration,

    /// How long a decision that denies a request is cached.
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = duration)]
    pub authorization_webhook_cache_unauthorized_ttl: Duration,
}

/// How requests are authenticated and authorized.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The file with the CAs of client certificates; without, the configmap has them.
    pub client_ca: Option<PathBuf>,
    /// The front proxies; without, the configmap has them.
    pub front_proxy: Option<ProxySettings>,
    /// Whether to read the configmap for what the flags leave open.
    pub lookup: Lookup,
    /// The API server that reviews tokens and has the configmap; without, the one of the watches.
    pub authentication: Option<kube::Config>,
    /// The API server that reviews access; without, the one of the watches.
    pub authorization: Option<kube::Config>,
    /// The lifetime of a TokenReview's result.
    pub token_lifetime: Duration,
    /// The lifetime of a decision that allows.
    pub allowed_lifetime: Duration,
    /// The lifetime of a decision that denies.
    pub denied_lifetime: Duration,
    /// The paths that need no authorization.
    pub always_allow: AllowedPaths,
}

/// What identifies front proxies, and the headers in which they name the user.
#[derive(Debug, Clone)]
pub struct ProxySettings {
    /// The file with the CAs of front proxies.
    pub(super) ca: PathBuf,
    /// The common names of front proxies; empty for any.
    pub(super) allowed_names: Vec<String>,
    pub(super) headers: ProxyHeaders,
}

/// Whether to read the configmap for what the flags leave open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lookup {
    /// The configmap is read. Until then requests with a certificate are refused.
    Required,
    /// The configmap is read. Until then certificates are ignored.
    Tolerated,
    /// The configmap is not read.
    Skipped,
}

impl Settings {
    /// The settings of these flags, but for the kubeconfigs. Files of CAs are read when the server starts.
    ///
    /// # Errors
    /// What does not fit, in one line.
    pub fn new(
        authentication: &AuthenticationFlags,
        authorization: &AuthorizationFlags,
    ) -> Result<Self, String> {
        let paths = filled(&authorization.authorization_always_allow_paths);
        let always_allow = AllowedPaths::new(paths.iter().map(String::as_str))
            .map_err(|error| format!("--authorization-always-allow-paths: {error}"))?;
        warn(authentication);
        Ok(Self {
            client_ca: authentication.client_ca_file.clone(),
            front_proxy: front_proxy(authentication)?,
            lookup: match authentication {
                flags if flags.authentication_skip_lookup => Lookup::Skipped,
                flags if flags.authentication_tolerate_lookup_failure => Lookup::Tolerated,
                _ => Lookup::Required,
            },
            authentication: None,
            authorization: None,
            token_lifetime: authentication.authentication_token_webhook_cache_ttl,
            allowed_lifetime: authorization.authorization_webhook_cache_authorized_ttl,
            denied_lifetime: authorization.authorization_webhook_cache_unauthorized_ttl,
            always_allow,
        })
    }
}

fn front_proxy(flags: &AuthenticationFlags) -> Result<Option<ProxySettings>, String> {
    let Some(ca) = flags.requestheader_client_ca_file.clone() else {
        return Ok(None);
    };
    let headers = ProxyHeaders::new(
        &flags.requestheader_username_headers,
        &flags.requestheader_uid_headers,
        &flags.requestheader_group_headers,
        &flags.requestheader_extra_headers_prefix,
    )
    .map_err(|error| format!("a --requestheader-…-headers flag cannot be used: {error}"))?;
    if headers.username.is_empty() {
        return Err(
            "--requestheader-client-ca-file is of no use without --requestheader-username-headers: name the header \
             that says who asks, such as x-remote-user"
                .to_owned(),
        );
    }
    Ok(Some(ProxySettings {
        ca,
        allowed_names: filled(&flags.requestheader_allowed_names),
        headers,
    }))
}

/// The texts of a list that are not empty; an empty flag is an empty list, as for the peer.
fn filled(texts: &[String]) -> Vec<String> {
    let texts = texts.iter().filter(|text| !text.is_empty());
    texts.cloned().collect()
}

/// Warns of flags that have another effect than they seem to have.
fn warn(flags: &AuthenticationFlags) {
    if flags.requestheader_client_ca_file.is_none()
        && !filled(&flags.requestheader_allowed_names).is_empty()
    {
        tracing::warn!(
            "--requestheader-allowed-names has no effect without --requestheader-client-ca-file, as in metrics-server: \
             the configmap kube-system/extension-apiserver-authentication says all about front proxies",
        );
    }
    if flags.authentication_skip_lookup && flags.requestheader_client_ca_file.is_none() {
        tracing::warn!(
            "--authentication-skip-lookup without --requestheader-client-ca-file: the kube-apiserver is not believed \
             when it asks for somebody else, and everybody who comes through it is anonymous",
        );
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::flag_values::{go_like, rows};

    #[derive(Parser)]
    #[command(mut_args = go_like)]
    struct Flags {
        #[command(flatten)]
        authentication: AuthenticationFlags,
        #[command(flatten)]
        authorization: AuthorizationFlags,
    }

    impl Default for Settings {
        fn default() -> Self {
            read(&[]).unwrap()
        }
    }

    fn read(flags: &[&str]) -> Result<Settings, String> {
        let flags = Flags::try_parse_from(["vitals-server"].iter().chain(flags)).unwrap();
        Settings::new(&flags.authentication, &flags.authorization)
    }

    #[test]
    fn front_proxies_are_described_by_flags_or_by_the_configmap() {
        let described = read(&[
            "--requestheader-client-ca-file=/ca.crt",
            "--requestheader-allowed-names=a,b",
            "--requestheader-uid-headers=x-uid",
        ])
        .unwrap()
        .front_proxy
        .unwrap();
        assert_eq!(described.allowed_names, ["a", "b"]);
        let headers = described.headers;
        assert_eq!(headers.username, ["x-remote-user"]);
        assert_eq!(headers.groups, ["x-remote-group"]);
        assert_eq!(headers.extra_prefixes, ["x-remote-extra-"]);
        assert_eq!(headers.uid, ["x-uid"]);
        let names_only = read(&["--requestheader-allowed-names=a"]).unwrap();
        assert!(names_only.front_proxy.is_none());
    }

    #[test]
    fn lookups_are_required_tolerated_or_skipped() {
        let tolerate = "--authentication-tolerate-lookup-failure";
        let skip = "--authentication-skip-lookup";
        for (flags, expected) in [
            (&[][..], Lookup::Required),
            (&[tolerate], Lookup::Tolerated),
            (&[skip], Lookup::Skipped),
            (&[skip, tolerate], Lookup::Skipped),
            (&["--authentication-skip-lookup=false"], Lookup::Required),
        ] {
            assert_eq!(read(flags).unwrap().lookup, expected, "{flags:?}");
        }
    }

    #[test]
    fn an_invalid_flag_is_one_line() {
        for (flags, expected) in rows(
            r#"
            --authorization-always-allow-paths=/a*b | not at its end
            --requestheader-client-ca-file=c --requestheader-username-headers= | --requestheader-username-headers
            --requestheader-client-ca-file=c --requestheader-uid-headers=a/b | flag cannot be used: "a/b"
            "#,
        ) {
            let error = read(&flags).unwrap_err();
            assert!(error.contains(expected) && !error.contains('\n'), "{error}");
        }
    }
}
