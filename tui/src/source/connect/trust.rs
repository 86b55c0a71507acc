//! Which server certificates are accepted.

use std::sync::Arc;

use kube::client::ConfigExt;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, RootCertStore, SignatureScheme};
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::source::Error;

/// Which server certificates are accepted.
#[derive(Debug, Clone)]
pub(in crate::source) enum Trust {
    /// Those that the system trusts.
    System,
    /// Those of these authorities, and these certificates themselves.
    Of(Vec<CertificateDer<'static>>),
    /// Any.
    Any,
}

impl Trust {
    /// Parses a bundle in PEM form. As in Go, invalid entries are skipped, unless nothing is left.
    pub(in crate::source) fn of_pem(bundle: &[u8]) -> Option<Self> {
        let mut store = RootCertStore::empty();
        let certificates: Vec<_> = CertificateDer::pem_slice_iter(bundle)
            .filter_map(Result::ok)
            .filter(|certificate| store.add(certificate.clone()).is_ok())
            .collect();
        (!certificates.is_empty()).then_some(Self::Of(certificates))
    }

    /// Whether no certificate of the bundle may sign others: it holds a server's certificate instead of a CA.
    pub(in crate::source) fn has_no_authority(&self) -> bool {
        match self {
            Self::Of(certificates) => !certificates.iter().any(is_authority),
            Self::System | Self::Any => false,
        }
    }

    /// The TLS configuration, without a client certificate.
    pub(super) fn client_config(
        &self,
        config: &kube::Config,
    ) -> Result<rustls::ClientConfig, Error> {
        let mut config = config.clone();
        config.accept_invalid_certs = matches!(self, Self::Any);
        if let Self::Of(certificates) = self {
            config.root_cert = Some(certificates.iter().map(|der| der.to_vec()).collect());
        }
        let cannot = |why: &dyn std::fmt::Display| Error::Config(why.to_string());
        let mut tls = config.rustls_client_config().map_err(|why| cannot(&why))?;
        if let Self::Of(certificates) = self {
            let mut roots = RootCertStore::empty();
            roots.add_parsable_certificates(certificates.iter().cloned());
            let signed = WebPkiServerVerifier::builder(Arc::new(roots)).build();
            let verifier = Verifier {
                signed: signed.map_err(|why| cannot(&why))?,
                bundle: certificates.clone(),
            };
            tls.dangerous().set_certificate_verifier(Arc::new(verifier));
        }
        Ok(tls)
    }
}

fn is_authority(der: &CertificateDer<'static>) -> bool {
    X509Certificate::from_der(der).is_ok_and(|(_, certificate)| certificate.is_ca())
}

/// Accepts what the authorities have signed and, as Go does, a certificate that is in the bundle itself, whether or
/// not it may sign others.
#[derive(Debug)]
struct Verifier {
    signed: Arc<WebPkiServerVerifier>,
    bundle: Vec<CertificateDer<'static>>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let signed = self.signed.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        );
        if signed.is_ok() || !self.bundle.contains(end_entity) {
            return signed;
        }
        verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
        if !is_valid_at(end_entity, now) {
            return Err(CertificateError::Expired.into());
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.signed
            .verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.signed
            .verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.signed.supported_verify_schemes()
    }
}

fn is_valid_at(certificate: &CertificateDer<'_>, now: UnixTime) -> bool {
    let Ok((_, certificate)) = X509Certificate::from_der(certificate) else {
        return false;
    };
    let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    let validity = certificate.validity();
    (validity.not_before.timestamp()..=validity.not_after.timestamp()).contains(&now)
}
