//! Explains why TLS cannot use a certificate with its key.

use rustls_pki_types::CertificateDer;
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;
use x509_parser::public_key::PublicKey;
use x509_parser::x509::X509Version;

/// The fewest bits of an RSA key.
const RSA_BITS: usize = 2_048;

/// The most bits of a supported curve: P-384.
const CURVE_BITS: usize = 384;

/// Explains why a certificate with its key cannot be used: by the certificate itself, else by the error of TLS.
///
/// The server supports X.509 v3 with RSA of at least 2,048 bits, ECDSA with P-256 or P-384, and Ed25519. Go supports
/// more, so clusters may have other certificates.
pub(crate) fn why_unusable(certificate: &CertificateDer<'_>, error: &rustls::Error) -> String {
    let parsed = X509Certificate::from_der(certificate).ok();
    let reason = parsed.and_then(|(_, certificate)| unsupported(&certificate));
    reason.unwrap_or_else(|| error.to_string())
}

/// What is unsupported about a certificate.
fn unsupported(certificate: &X509Certificate<'_>) -> Option<String> {
    if certificate.version() != X509Version::V3 {
        let version = certificate.version().0.saturating_add(1);
        return Some(format!(
            "it is X.509 v{version}, which has no extensions; issue a certificate of version 3"
        ));
    }
    let key = match certificate.public_key().parsed().ok()? {
        PublicKey::RSA(key) if key.key_size() < RSA_BITS => {
            format!("RSA of {} bits", key.key_size())
        }
        PublicKey::EC(point) if point.key_size() > CURVE_BITS => "ECDSA with P-521".to_owned(),
        _ => return None,
    };
    Some(format!(
        "its key is {key}; issue one with RSA of at least {RSA_BITS} bits, ECDSA with P-256 or P-384, or Ed25519"
    ))
}

#[cfg(test)]
mod tests {
    use rustls_pki_types::pem::PemObject as _;

    use super::*;

    #[test]
    fn an_unusable_certificate_is_explained() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../tui/tests/fixtures/tls/");
        let error = rustls::Error::General("error of TLS".to_owned());
        for (file, expected) in [
            ("client-v1-rsa.crt", "it is X.509 v1"),
            ("client-v1-p256.crt", "it is X.509 v1"),
            ("client-p521-pkcs8.crt", "its key is ECDSA with P-521"),
            ("server-p521.crt", "its key is ECDSA with P-521"),
            ("client-ed25519.crt", "error of TLS"),
            ("server.crt", "error of TLS"),
        ] {
            let certificate = CertificateDer::from_pem_file(format!("{folder}{file}")).unwrap();
            let why = why_unusable(&certificate, &error);
            assert!(why.contains(expected), "{file}: {why}");
        }
    }
}
