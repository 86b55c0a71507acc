//! How connections are served: flags and settings.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;

use clap::Args;

use super::{CipherSuites, MinVersion};
use crate::flag_values::port;

/// Where a pod finds the name of its namespace.
const NAMESPACE_FILE: &str = "/var/run/secrets/kubernetes.io/serviceaccount/namespace";

/// The Service of the manifests.
const SERVICE: &str = "vitals-server";

/// The flags of serving.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Serving")]
pub struct ServingFlags {
    /// The address to serve on; 0.0.0.0 and :: are every address of both families.
    #[arg(long, value_name = "IP", default_value = "0.0.0.0")]
    pub bind_address: IpAddr,

    /// The port to serve HTTPS on.
    #[arg(long, value_name = "PORT", default_value_t = 443, value_parser = port)]
    pub secure_port: u16,

    /// The serving certificate, followed by its chain. Read again when it changes. Without it, the server makes its
    /// own CA and certificate.
    #[arg(long, value_name = "FILE")]
    pub tls_cert_file: Option<PathBuf>,

    /// The serving certificate's key.
    #[arg(long, value_name = "FILE")]
    pub tls_private_key_file: Option<PathBuf>,

    /// A certificate and key for clients that ask for certain names: "FILE,FILE", or "FILE,FILE:PATTERN,PATTERN"
    /// with names, *.wildcards and IP addresses instead of the certificate's own names. Can be repeated; exact names
    /// win over wildcards, patterns over certificates' names, the first over the next.
    #[arg(long, value_name = "PAIR", value_parser = named_pair)]
    pub tls_sni_cert_key: Vec<NamedPair>,

    /// The oldest TLS version: VersionTLS12 (the default) or VersionTLS13. VersionTLS10 and VersionTLS11 are taken,
    /// and 1.2 is the oldest all the same.
    #[arg(
        long,
        value_name = "VERSION",
        default_value = "",
        hide_default_value = true
    )]
    pub tls_min_version: MinVersion,

    /// The cipher suites of TLS 1.2, by Go's names; those that are weak are left out. TLS 1.3 always has all of its
    /// own.
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub tls_cipher_suites: Vec<String>,

    /// A folder to keep the server's own certificate in, as apiserver.crt and apiserver.key; without it, it is in
    /// memory only. What is there already is used. Without effect beside --tls-cert-file.
    #[arg(long, value_name = "FOLDER")]
    pub cert_dir: Option<PathBuf>,

    /// Serve HTTP/1.1 only.
    #[arg(long)]
    pub disable_http2_serving: bool,

    /// How many requests at a time one HTTP/2 connection may carry; 0 is 250.
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    pub http2_max_streams_per_connection: u32,

    /// Listen with SO_REUSEADDR, as is done anyway.
    #[arg(long)]
    pub permit_address_sharing: bool,

    /// Listen with SO_REUSEPORT: several servers may then share one address and port.
    #[arg(long)]
    pub permit_port_sharing: bool,

    /// The Service that the server is reached by: its own certificate is for NAME.NAMESPACE.svc.
    #[arg(long, value_name = "NAME", default_value = SERVICE, value_parser = dns_label)]
    pub service_name: String,

    /// The Service's namespace. [default: the pod's own, else kube-system]
    #[arg(long, value_name = "NAMESPACE", value_parser = dns_label)]
    pub service_namespace: Option<String>,

    /// Keep the server's CA in the Secret vitals-server-ca, shared by its replicas, and write it into the caBundle of
    /// the server's APIServices, so that the API server verifies what it connects to. The Secret has to be there, and
    /// may be empty.
    #[arg(long)]
    pub manage_apiservice_ca: bool,
}

fn named_pair(text: &str) -> Result<NamedPair, String> {
    let (files, patterns) = match text.split_once(':') {
        Some((files, patterns)) => (files, Some(patterns)),
        None => (text, None),
    };
    let (certificate, key) = files
        .split_once(',')
        .map(|(certificate, key)| (certificate.trim(), key.trim()))
        .filter(|(certificate, key)| {
            !certificate.is_empty() && !key.is_empty() && !key.contains(',')
        })
        .ok_or_else(|| "write a certificate's file, a comma and its key's file".to_owned())?;
    let patterns: Vec<String> = patterns
        .map(|patterns| {
            patterns
                .split(',')
                .map(|one| one.trim().to_owned())
                .collect()
        })
        .unwrap_or_default();
    if patterns.iter().any(String::is_empty) {
        return Err("after the colon there is a name missing".to_owned());
    }
    Ok(NamedPair {
        certificate: certificate.into(),
        key: key.into(),
        patterns,
    })
}

/// A name of a Service or a namespace (RFC 1123 label).
fn dns_label(text: &str) -> Result<String, String> {
    let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let is = (1..=63).contains(&text.len())
        && text.bytes().all(inner)
        && !text.starts_with('-')
        && !text.ends_with('-');
    is.then(|| text.to_owned())
        .ok_or_else(|| "write a name of lower-case letters, digits and '-'".to_owned())
}

/// What the server shows, and how connections are taken.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The serving certificate and its key, as files; without, the server makes its own.
    pub certificate: Option<(PathBuf, PathBuf)>,
    /// A folder that the server's own certificate is kept in; without, it is in memory only.
    pub folder: Option<PathBuf>,
    /// Further certificates, for clients that ask for other names.
    pub named: Vec<NamedPair>,
    /// The oldest version of TLS.
    pub min_version: MinVersion,
    /// The cipher suites of TLS 1.2; those of TLS 1.3 cannot be chosen, as in Go.
    pub cipher_suites: Option<CipherSuites>,
    /// Whether HTTP/2 is offered.
    pub http2: bool,
    /// The limit of concurrent requests of one HTTP/2 connection; without one it is 250.
    pub streams: Option<NonZeroU32>,
    /// Let other processes listen on the same address and port (SO_REUSEPORT).
    pub share_port: bool,
    /// The Service that the server is reached by: `SERVICE.NAMESPACE.svc` is what its own certificate names.
    pub service: Service,
    /// Whether the CA is kept in a Secret and written into the server's APIServices.
    pub manage: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            certificate: None,
            folder: None,
            named: Vec::new(),
            min_version: MinVersion::default(),
            cipher_suites: None,
            http2: true,
            streams: None,
            share_port: false,
            service: Service::default(),
            manage: false,
        }
    }
}

/// A Service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl Default for Service {
    fn default() -> Self {
        Self {
            namespace: "kube-system".to_owned(),
            name: SERVICE.to_owned(),
        }
    }
}

impl Service {
    /// The names that the server's own certificate is for: the one the kube-apiserver asks for first, then what
    /// people and monitoring inside the cluster dial, then what a port-forward does.
    pub(crate) fn names(&self) -> Vec<String> {
        let Self { namespace, name } = self;
        vec![
            format!("{name}.{namespace}.svc"),
            format!("{name}.{namespace}.svc.cluster.local"),
            format!("{name}.{namespace}"),
            "localhost".to_owned(),
            "127.0.0.1".to_owned(),
            "::1".to_owned(),
        ]
    }
}

/// A certificate for clients that ask for certain names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedPair {
    /// The certificate, followed by its chain.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
    /// Names, `*.` wildcards and IP addresses; when there are none, the certificate's own names.
    pub patterns: Vec<String>,
}

impl ServingFlags {
    /// The settings of the listener.
    ///
    /// # Errors
    /// What does not fit, in one line.
    pub fn settings(&self) -> Result<Settings, String> {
        let flags = self;
        if flags.tls_cert_file.is_some() != flags.tls_private_key_file.is_some() {
            return Err(
                "--tls-cert-file and --tls-private-key-file go together: give both or neither"
                    .to_owned(),
            );
        }
        if flags.manage_apiservice_ca && flags.tls_cert_file.is_some() {
            return Err(
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
                    .map_err(|error| format!("--tls-cipher-suites: {error}"))?,
            ),
        };
        warn(flags, cipher_suites.as_ref());
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
            streams: NonZeroU32::new(flags.http2_max_streams_per_connection),
            share_port: flags.permit_port_sharing,
            service: Service {
                name: flags.service_name.clone(),
                namespace: flags.service_namespace.clone().unwrap_or_else(namespace),
            },
            manage: flags.manage_apiservice_ca,
        })
    }
}

/// Warns of flags that have another effect than they seem to have.
fn warn(flags: &ServingFlags, suites: Option<&CipherSuites>) {
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

    use super::*;
    use crate::flag_values::go_like;

    #[derive(Parser)]
    #[command(mut_args = go_like)]
    struct Flags {
        #[command(flatten)]
        serving: ServingFlags,
    }

    #[test]
    fn a_pair_may_have_patterns() {
        let pair = named_pair("a.crt, a.key: *.a.example,2001:db8::1").unwrap();
        assert_eq!(pair.certificate, PathBuf::from("a.crt"));
        assert_eq!(pair.key, PathBuf::from("a.key"));
        assert_eq!(pair.patterns, ["*.a.example", "2001:db8::1"]);
        assert!(named_pair("a.crt,a.key").unwrap().patterns.is_empty());
        for wrong in ["", "a.crt", "a.crt,", "a,b,c", "a.crt,a.key:", "a,b:x,"] {
            assert!(named_pair(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_service_has_a_label_for_a_name() {
        assert!(dns_label("metrics-server").is_ok());
        for wrong in ["", "-a", "a.b", "A", &"a".repeat(64)] {
            assert!(dns_label(wrong).is_err(), "{wrong}");
        }
    }

    fn of(flags: &[&str]) -> Result<Settings, String> {
        let arguments = ["vitals-server"].into_iter().chain(flags.iter().copied());
        let flags = Flags::try_parse_from(arguments).map_err(|error| error.to_string())?;
        flags.serving.settings()
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
