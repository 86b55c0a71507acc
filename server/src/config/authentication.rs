//! The flags of authentication and authorization, checked.

use std::path::PathBuf;

use super::apiserver::{bounded, from_file};
use super::error::ConfigError;
use super::flags::{Authentication, Authorization};
use crate::auth::{AllowedPaths, Lookup, ProxySettings, Settings};

/// What authentication and authorization need. Files of CAs are read when the server starts.
///
/// # Errors
/// Flags that contradict each other, or a kubeconfig that cannot be used.
pub(super) async fn settings(
    who: &Authentication,
    may: &Authorization,
) -> Result<Settings, ConfigError> {
    let paths = filled(&may.authorization_always_allow_paths);
    let always_allow = AllowedPaths::new(paths.iter().map(String::as_str)).map_err(|error| {
        ConfigError::Flag(format!("--authorization-always-allow-paths: {error}"))
    })?;
    tell(who);
    Ok(Settings {
        client_ca: who.client_ca_file.clone(),
        front_proxy: front_proxy(who)?,
        lookup: match who {
            who if who.authentication_skip_lookup => Lookup::Skipped,
            who if who.authentication_tolerate_lookup_failure => Lookup::Tolerated,
            _ => Lookup::Required,
        },
        authentication: kubeconfig(who.authentication_kubeconfig.as_ref()).await?,
        authorization: kubeconfig(may.authorization_kubeconfig.as_ref()).await?,
        token_lifetime: who.authentication_token_webhook_cache_ttl,
        allowed_lifetime: may.authorization_webhook_cache_authorized_ttl,
        denied_lifetime: may.authorization_webhook_cache_unauthorized_ttl,
        always_allow,
    })
}

fn front_proxy(flags: &Authentication) -> Result<Option<ProxySettings>, ConfigError> {
    let Some(ca) = flags.requestheader_client_ca_file.clone() else {
        return Ok(None);
    };
    let username_headers = filled(&flags.requestheader_username_headers);
    if username_headers.is_empty() {
        return Err(ConfigError::Flag(
            "--requestheader-client-ca-file is of no use without --requestheader-username-headers: name the header \
             that says who asks, such as x-remote-user"
                .to_owned(),
        ));
    }
    Ok(Some(ProxySettings {
        ca,
        allowed_names: filled(&flags.requestheader_allowed_names),
        username_headers,
        uid_headers: filled(&flags.requestheader_uid_headers),
        group_headers: filled(&flags.requestheader_group_headers),
        extra_prefixes: filled(&flags.requestheader_extra_headers_prefix),
    }))
}

/// A list's texts that are some; an empty flag is an empty list, as for the peer.
fn filled(texts: &[String]) -> Vec<String> {
    let texts = texts.iter().filter(|text| !text.is_empty());
    texts.cloned().collect()
}

async fn kubeconfig(path: Option<&PathBuf>) -> Result<Option<kube::Config>, ConfigError> {
    match path {
        Some(path) => Ok(Some(bounded(from_file(path).await?))),
        None => Ok(None),
    }
}

/// Says what has another effect than a reader of the flags may think.
fn tell(flags: &Authentication) {
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
    use super::*;
    use crate::config::Flags;
    use clap::Parser;

    async fn read(flags: &[&str]) -> Result<Settings, String> {
        let words = ["vitals-server"].iter().chain(flags);
        let flags = Flags::try_parse_from(words).map_err(|error| error.to_string())?;
        settings(&flags.authentication, &flags.authorization)
            .await
            .map_err(|error| error.to_string())
    }

    #[tokio::test]
    async fn the_defaults_are_the_peers() {
        let (flags, default) = (read(&[]).await.unwrap(), Settings::default());
        assert_eq!(format!("{flags:?}"), format!("{default:?}"));
    }

    #[tokio::test]
    async fn front_proxies_are_described_by_flags_or_by_the_configmap() {
        let described = read(&[
            "--requestheader-client-ca-file=/ca.crt",
            "--requestheader-allowed-names=a,b",
            "--requestheader-uid-headers=x-uid",
        ])
        .await
        .unwrap()
        .front_proxy
        .unwrap();
        assert_eq!(described.allowed_names, ["a", "b"]);
        assert_eq!(described.username_headers, ["x-remote-user"]);
        assert_eq!(described.group_headers, ["x-remote-group"]);
        assert_eq!(described.extra_prefixes, ["x-remote-extra-"]);
        assert_eq!(described.uid_headers, ["x-uid"]);
        let names_only = read(&["--requestheader-allowed-names=a"]).await.unwrap();
        assert!(names_only.front_proxy.is_none());
    }

    #[tokio::test]
    async fn lookups_are_required_tolerated_or_skipped() {
        let tolerate = "--authentication-tolerate-lookup-failure";
        let skip = "--authentication-skip-lookup";
        for (flags, expected) in [
            (&[][..], Lookup::Required),
            (&[tolerate], Lookup::Tolerated),
            (&[skip], Lookup::Skipped),
            (&[skip, tolerate], Lookup::Skipped),
            (&["--authentication-skip-lookup=false"], Lookup::Required),
        ] {
            assert_eq!(read(flags).await.unwrap().lookup, expected, "{flags:?}");
        }
    }

    #[tokio::test]
    async fn what_makes_no_sense_is_one_line() {
        for (flags, said) in [
            (
                &["--authorization-always-allow-paths=/a*b"][..],
                "not at its end",
            ),
            (
                &[
                    "--requestheader-client-ca-file=c",
                    "--requestheader-username-headers=",
                ],
                "--requestheader-username-headers",
            ),
            (
                &["--authentication-kubeconfig=/nowhere/config"],
                "/nowhere/config",
            ),
            (
                &["--authorization-kubeconfig=/nowhere/config"],
                "/nowhere/config",
            ),
        ] {
            let error = read(flags).await.unwrap_err();
            assert!(error.contains(said) && !error.contains('\n'), "{error}");
        }
    }
}
