//! The flags of serving, checked.

use super::error::ConfigError;
use super::flags::Serving;
use crate::tls::{CipherSuites, MinVersion, Service, Settings};

/// Where a pod finds the name of its namespace.
const NAMESPACE_FILE: &str = "/var/run/secrets/kubernetes.io/serviceaccount/namespace";

/// What the listener needs.
///
/// # Errors
/// Flags that contradict each other.
pub(super) fn settings(flags: &Serving) -> Result<Settings, ConfigError> {
    let wrong = |text: String| Err(ConfigError::Flag(text));
    if flags.tls_cert_file.is_some() != flags.tls_private_key_file.is_some() {
        return wrong(
            "--tls-cert-file and --tls-private-key-file go together: give both or neither"
                .to_owned(),
        );
    }
    if flags.manage_apiservice_ca && flags.tls_cert_file.is_some() {
        return wrong(
            "--manage-apiservice-ca is for a certificate of the server's own: leave out --tls-cert-file and \
             --tls-private-key-file, or write their CA into the APIServices yourself"
                .to_owned(),
        );
    }
    let cipher_suites = match flags.tls_cipher_suites.join(",") {
        none if none.is_empty() => None,
        names => Some(
            names
                .parse::<CipherSuites>()
                .map_err(|error| ConfigError::Flag(format!("--tls-cipher-suites: {error}")))?,
        ),
    };
    tell(flags, cipher_suites.as_ref());
    Ok(Settings {
        certificate: flags
            .tls_cert_file
            .clone()
            .zip(flags.tls_private_key_file.clone()),
        folder: flags.cert_dir.clone(),
        named: flags.tls_sni_cert_key.clone(),
        min_version: flags.tls_min_version,
        cipher_suites,
        http2: !flags.disable_http2_serving,
        streams: flags.http2_max_streams_per_connection,
        share_port: flags.permit_port_sharing,
        service: Service {
            name: flags.service_name.clone(),
            namespace: flags.service_namespace.clone().unwrap_or_else(namespace),
        },
        manage: flags.manage_apiservice_ca,
    })
}

/// Says what is taken otherwise than a reader of the flags may think.
fn tell(flags: &Serving, suites: Option<&CipherSuites>) {
    if flags.tls_min_version.is_too_old() {
        tracing::warn!("--tls-min-version: nothing older than TLS 1.2 is spoken");
    }
    if let Some(suites) = suites {
        if !suites.absent().is_empty() {
            tracing::warn!(
                "--tls-cipher-suites: these are too weak and never offered: {}",
                suites.absent().join(", ")
            );
        }
        if suites.leave_only_tls13() && flags.tls_min_version != MinVersion::Tls13 {
            tracing::warn!("--tls-cipher-suites leaves none for TLS 1.2: only TLS 1.3 is spoken");
        }
    }
    if flags.manage_apiservice_ca && flags.cert_dir.is_some() {
        tracing::warn!(
            "--cert-dir has no effect beside --manage-apiservice-ca: the CA is kept in a Secret"
        );
    }
}

/// The namespace of the pod that this is, else where metrics servers live.
fn namespace() -> String {
    std::fs::read_to_string(NAMESPACE_FILE)
        .map(|namespace| namespace.trim().to_owned())
        .ok()
        .filter(|namespace| !namespace.is_empty())
        .unwrap_or_else(|| Service::default().namespace)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::super::flags::Flags;
    use super::*;

    fn of(flags: &[&str]) -> Result<Settings, String> {
        let arguments = ["vitals-server"].into_iter().chain(flags.iter().copied());
        let flags = Flags::try_parse_from(arguments).map_err(|error| error.to_string())?;
        settings(&flags.serving).map_err(|error| error.to_string())
    }

    #[test]
    fn contradictions_and_names_that_do_not_exist_are_refused() {
        for (flags, said) in [
            (&["--tls-private-key-file=k"][..], "go together"),
            (
                &[
                    "--manage-apiservice-ca",
                    "--tls-cert-file=c",
                    "--tls-private-key-file=k",
                ],
                "leave out --tls-cert-file",
            ),
            (
                &["--tls-cipher-suites=TLS_ROT13"],
                "no cipher suite \"TLS_ROT13\"",
            ),
            (
                &["--tls-cipher-suites=TLS_RSA_WITH_RC4_128_SHA"],
                "too weak",
            ),
            (&["--tls-min-version=VersionSSL30"], "VersionTLS12"),
            (&["--tls-sni-cert-key=a.crt"], "a comma and its key's file"),
            (&["--http2-max-streams-per-connection=-1"], "invalid"),
            (&["--service-name=A.b"], "lower-case"),
            (&["--secure-port=0"], "write a port"),
        ] {
            let refusal = of(flags).unwrap_err();
            assert!(refusal.contains(said), "{flags:?}: {refusal}");
        }
    }

    #[test]
    fn what_the_peers_manifests_and_hardening_guides_give_is_taken() {
        let settings = of(&[
            "--cert-dir=/tmp",
            "--secure-port=10250",
            "--tls-min-version=VersionTLS11",
            "--tls-cipher-suites=TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,TLS_RSA_WITH_AES_128_GCM_SHA256",
            "--tls-cipher-suites=TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
            "--tls-sni-cert-key=a.crt,a.key",
            "--tls-sni-cert-key=b.crt,b.key:*.b.example",
            "--permit-port-sharing",
            "--permit-address-sharing=true",
            "--disable-http2-serving",
            "--service-namespace=monitoring",
        ])
        .unwrap();
        assert_eq!(settings.folder, Some("/tmp".into()));
        assert_eq!(settings.named.len(), 2);
        let suites = settings.cipher_suites.unwrap();
        assert_eq!(suites.absent(), ["TLS_RSA_WITH_AES_128_GCM_SHA256"]);
        assert!(!suites.leave_only_tls13());
        assert!(settings.share_port && !settings.http2 && !settings.manage);
        let service = settings.service;
        assert_eq!(
            (&*service.namespace, &*service.name),
            ("monitoring", "vitals-server")
        );
    }
}
