//! Flags and settings of serving.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;

use clap::Args;

use super::{CipherSuites, MinVersion};
use crate::flag_values::{is_dns_label, port};

/// The file with the name of the pod's namespace.
const NAMESPACE_FILE: &str = "/var/run/secrets/kubernetes.io/serviceaccount/namespace";

/// The name of the Service in the manifests.
const SERVICE: &str = "vitals-server";

/// The flags of serving.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Serving")]
pub struct ServingFlags {
    /// The address to serve on; 0.0.0.0 and :: are all addresses of IPv4 and IPv6.
    #[arg(long, value_name = "IP", default_value = "0.0.0.0")]
    pub bind_address: IpAddr,

    /// The port to serve HTTPS on.
    #[arg(long, value_name = "PORT", default_value_t = 443, value_parser = port)]
    pub secure_port: u16,

    /// The serving certificate with its chain. The server reloads it when the file changes. Without it, the server
    /// makes its own CA and certificate.
    #[arg(long, value_name = "FILE")]
    pub tls_cert_file: Option<PathBuf>,

    /// The key of the serving certificate.
    #[arg(long, value_name = "FILE")]
    pub tls_private_key_file: Option<PathBuf>,

    /// A certificate and key for clients that request certain names: "FILE,FILE" for the certificate's own names, or
    /// "FILE,FILE:PATTERN,PATTERN" with names, *.wildcards and IP addresses. Can be repeated: exact names win over
    /// wildcards, patterns over certificates' own names, the first flag over the next.
    #[arg(long, value_name = "PAIR", value_parser = named_pair)]
    pub tls_sni_cert_key: Vec<NamedPair>,

    /// The oldest TLS version: VersionTLS12 (the default) or VersionTLS13. VersionTLS10 and VersionTLS11 mean
    /// VersionTLS12.
    #[arg(
        long,
        value_name = "VERSION",
        default_value = "",
        hide_default_value = true
    )]
    pub tls_min_version: MinVersion,

    /// The cipher suites of TLS 1.2, by Go's names. Weak ones are left out. Those of TLS 1.3 are always offered.
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub tls_cipher_suites: Vec<String>,

    /// The folder of the server's own certificate: apiserver.crt and apiserver.key. Existing files are used. Without
    /// it, the certificate is in memory only. No effect with --tls-cert-file.
    #[arg(long, value_name = "FOLDER")]
    pub cert_dir: Option<PathBuf>,

    /// Serve HTTP/1.1 only.
    #[arg(long)]
    pub disable_http2_serving: bool,

    /// Limit of concurrent requests of one HTTP/2 connection; 0 means 250.
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    pub http2_max_streams_per_connection: u32,

    /// Listen with SO_REUSEADDR. The server always does.
    #[arg(long)]
    pub permit_address_sharing: bool,

    /// Listen with SO_REUSEPORT: several servers may then share one address and port.
    #[arg(long)]
    pub permit_port_sharing: bool,

    /// The server's Service: its own certificate is for NAME.NAMESPACE.svc.
    #[arg(long, value_name = "NAME", default_value = SERVICE, value_parser = dns_label)]
    pub service_name: String,

    /// The Service's namespace. [default: the pod's namespace, else kube-system]
    #[arg(long, value_name = "NAMESPACE", value_parser = dns_label)]
    pub service_namespace: Option<String>,

    /// Store the server's CA in the Secret vitals-server-ca, which its replicas share, and write it into the caBundle
    /// of the server's APIServices, so that the API server verifies the server. The Secret must exist and may be
    /// empty.
    #[arg(long)]
    pub manage_apiservice_ca: bool,
}

fn named_pair(text: &str) -> Result<NamedPair, String> {
    let (files, patterns) = text.split_once(':').unzip();
    let list = |text: &str| -> Vec<String> {
        let texts = text.split(',');
        texts.map(|one| one.trim().to_owned()).collect()
    };
    let files: [String; 2] = list(files.unwrap_or(text))
        .try_into()
        .ok()
        .filter(|files: &[String; 2]| !files.iter().any(String::is_empty))
        .ok_or("write the certificate's file, a comma and the key's file")?;
    let patterns = patterns.map(list).unwrap_or_default();
    if patterns.iter().any(String::is_empty) {
        return Err("a name is missing after the colon".to_owned());
    }
    let [certificate, key] = files.map(PathBuf::from);
    Ok(NamedPair {
        certificate,
        key,
        patterns,
    })
}

/// Parses the name of a Service or a namespace (RFC 1123 label).
fn dns_label(text: &str) -> Result<String, String> {
    let valid = text.len() <= 63 && is_dns_label(text);
    valid
        .then(|| text.to_owned())
        .ok_or_else(|| "write a name of lower-case letters, digits and '-'".to_owned())
}

/// The settings of serving.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// The files of the serving certificate and its key; without them, the server makes its own.
    pub certificate: Option<(PathBuf, PathBuf)>,
    /// The folder of the server's own certificate; without it, the certificate is in memory only.
    pub folder: Option<PathBuf>,
    /// Further certificates, for clients that request certain names.
    pub named: Vec<NamedPair>,
    /// The oldest TLS version.
    pub min_version: MinVersion,
    /// The cipher suites of TLS 1.2; those of TLS 1.3 are fixed, as in Go.
    pub cipher_suites: Option<CipherSuites>,
    /// Whether the server offers only HTTP/1.1.
    pub http1_only: bool,
    /// The limit of concurrent requests of one HTTP/2 connection; 250 if none is set.
    pub streams: Option<NonZeroU32>,
    /// Whether other processes may listen on the same address and port (SO_REUSEPORT).
    pub share_port: bool,
    /// The server's Service; its own certificate is for `SERVICE.NAMESPACE.svc`.
    pub service: Service,
    /// Whether a Secret stores the CA, and the server writes it into its APIServices.
    pub manage: bool,
}

/// A Service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// The namespace.
    pub namespace: String,
    /// The name.
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
    /// The names in the server's own certificate: first the one that the kube-apiserver requests, then those that
    /// clients in the cluster use, then those of a port-forward.
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

/// A certificate for clients that request certain names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedPair {
    /// The file of the certificate with its chain.
    pub certificate: PathBuf,
    /// The file of the key.
    pub key: PathBuf,
    /// Names, `*.` wildcards and IP addresses; if there are none, the certificate's own names.
    pub patterns: Vec<String>,
}

impl ServingFlags {
    /// Makes the settings of serving.
    ///
    /// # Errors
    /// Which flags contradict each other, in one line.
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
            "--manage-apiservice-ca needs a certificate of the server's own: leave out --tls-cert-file and \
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
            http1_only: flags.disable_http2_serving,
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

/// Warns of flags whose effect may surprise.
fn warn(flags: &ServingFlags, suites: Option<&CipherSuites>) {
    if flags.tls_min_version.is_too_old() {
        tracing::warn!("--tls-min-version: TLS 1.2 is the oldest supported version");
    }
    if let Some(suites) = suites {
        if !suites.unsupported().is_empty() {
            tracing::warn!(
                "--tls-cipher-suites: these are too weak and never offered: {}",
                suites.unsupported().join(", ")
            );
        }
        if suites.leave_only_tls13() && flags.tls_min_version != MinVersion::Tls13 {
            tracing::warn!(
                "--tls-cipher-suites has none for TLS 1.2: the server supports TLS 1.3 only"
            );
        }
    }
    if flags.manage_apiservice_ca && flags.cert_dir.is_some() {
        tracing::warn!(
            "--cert-dir has no effect with --manage-apiservice-ca: a Secret stores the CA"
        );
    }
}

/// The namespace of this pod; kube-system outside a pod.
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
    use crate::flag_values::{go_like, rows};

    #[derive(Parser)]
    #[command(mut_args = go_like)]
    struct Flags {
        #[command(flatten)]
        serving: ServingFlags,
    }

    #[test]
    fn a_named_pair_may_have_patterns() {
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
    fn the_name_of_a_service_is_a_dns_label() {
        assert!(dns_label("metrics-server").is_ok());
        for wrong in ["", "-a", "a.b", "A", &"a".repeat(64)] {
            assert!(dns_label(wrong).is_err(), "{wrong}");
        }
    }

    fn settings(flags: &[&str]) -> Result<Settings, String> {
        let arguments = ["vitals-server"].into_iter().chain(flags.iter().copied());
        let flags = Flags::try_parse_from(arguments).map_err(|error| error.to_string())?;
        flags.serving.settings()
    }

    #[test]
    fn contradictions_and_unknown_names_are_refused() {
        for (flags, expected) in rows(
            r#"
            --tls-private-key-file=k                     | go together
            --manage-apiservice-ca --tls-cert-file=c --tls-private-key-file=k | leave out --tls-cert-file
            --tls-cipher-suites=TLS_ROT13                | no cipher suite "TLS_ROT13"
            --tls-cipher-suites=TLS_RSA_WITH_RC4_128_SHA | too weak
            --tls-min-version=VersionSSL30               | VersionTLS12
            --tls-sni-cert-key=a.crt                     | a comma and the key's file
            --http2-max-streams-per-connection=-1        | invalid
            --service-name=A.b                           | lower-case
            --secure-port=0                              | write a port
            "#,
        ) {
            let refusal = settings(&flags).unwrap_err();
            assert!(refusal.contains(expected), "{flags:?}: {refusal}");
        }
    }

    #[test]
    fn flags_of_the_peers_manifests_and_of_hardening_guides_are_accepted() {
        let settings = settings(&[
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
        assert_eq!(suites.unsupported(), ["TLS_RSA_WITH_AES_128_GCM_SHA256"]);
        assert!(!suites.leave_only_tls13());
        assert!(settings.share_port && settings.http1_only && !settings.manage);
        let service = settings.service;
        assert_eq!(
            (&*service.namespace, &*service.name),
            ("monitoring", "vitals-server")
        );
    }
}
