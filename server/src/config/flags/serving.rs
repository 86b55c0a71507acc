//! Where and how requests are taken.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::{ArgAction, Args};

use super::port;
use crate::tls::{MinVersion, NamedPair};

/// Where and how requests are taken.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Serving")]
pub struct Serving {
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
    #[arg(long, default_value_t = false, action = ArgAction::Set, num_args = 0..=1,
          require_equals = true, default_missing_value = "true")]
    pub disable_http2_serving: bool,

    /// How many requests at a time one HTTP/2 connection may carry; 0 is 250.
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    pub http2_max_streams_per_connection: u32,

    /// Listen with SO_REUSEADDR, as is done anyway.
    #[arg(long, default_value_t = false, action = ArgAction::Set, num_args = 0..=1,
          require_equals = true, default_missing_value = "true")]
    pub permit_address_sharing: bool,

    /// Listen with SO_REUSEPORT: several servers may then share one address and port.
    #[arg(long, default_value_t = false, action = ArgAction::Set, num_args = 0..=1,
          require_equals = true, default_missing_value = "true")]
    pub permit_port_sharing: bool,

    /// The Service that the server is reached by: its own certificate is for NAME.NAMESPACE.svc.
    #[arg(long, value_name = "NAME", default_value = "vitals-server", value_parser = dns_label)]
    pub service_name: String,

    /// The Service's namespace. [default: the pod's own, else kube-system]
    #[arg(long, value_name = "NAMESPACE", value_parser = dns_label)]
    pub service_namespace: Option<String>,

    /// Keep the server's CA in the Secret vitals-server-ca, shared by its replicas, and write it into the caBundle of
    /// the server's APIServices, so that the API server verifies what it connects to. The Secret has to be there, and
    /// may be empty.
    #[arg(long, default_value_t = false, action = ArgAction::Set, num_args = 0..=1,
          require_equals = true, default_missing_value = "true")]
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

#[cfg(test)]
mod tests {
    use super::*;

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
}
