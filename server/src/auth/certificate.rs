//! Verifies client certificates against CAs and reads the names in them.

use std::sync::Arc;

use rustls::RootCertStore;
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, UnixTime};
use x509_parser::prelude::{FromDer, X509Certificate};
use x509_parser::x509::AttributeTypeAndValue;

use crate::telemetry::chain as causes;
use crate::tls::provider;

/// The CAs that client certificates are verified against.
#[derive(Debug, Clone)]
pub(super) struct ClientCas {
    verifier: Arc<dyn ClientCertVerifier>,
}

/// The names in a verified certificate.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Subject {
    /// The common name (CN); empty if there is none.
    pub(super) common_name: String,
    /// All organizations (O).
    pub(super) organizations: Vec<String>,
}

impl ClientCas {
    /// Reads CAs from PEM text.
    ///
    /// # Errors
    /// What is wrong. One certificate that cannot be parsed makes the whole text unusable, because a half-written
    /// file looks like that. A certificate that parses but cannot be used (webpki supports fewer extensions than Go)
    /// is left out if others can be used.
    pub(super) fn from_pem(pem: &[u8]) -> Result<Self, String> {
        let mut roots = RootCertStore::empty();
        let mut unusable = Vec::new();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate =
                certificate.map_err(|error| format!("invalid PEM: {}", causes(&error)))?;
            let Err(error) = roots.add(certificate.clone()) else {
                continue;
            };
            let error = format!("not a CA certificate: {}", causes(&error));
            if X509Certificate::from_der(&certificate).is_err() {
                return Err(error);
            }
            unusable.push(error);
        }
        if roots.is_empty() {
            let none = || "there is no PEM certificate".to_owned();
            return Err(unusable.pop().unwrap_or_else(none));
        }
        if let Some(one) = unusable.first() {
            tracing::warn!(
                left_out = unusable.len(),
                "cannot use a CA certificate for clients, and ignores it: {one}"
            );
        }
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider())
            .build()
            .map_err(|error| causes(&error))?;
        Ok(Self { verifier })
    }

    /// Verifies a chain of certificates, the leaf first, as valid now and for client authentication (extended key
    /// usage clientAuth, if usages are listed).
    ///
    /// # Errors
    /// Why the chain is not valid.
    pub(super) fn verify(
        &self,
        chain: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<Subject, String> {
        let (leaf, intermediates) = chain.split_first().ok_or("there is no certificate")?;
        self.verifier
            .verify_client_cert(leaf, intermediates, now)
            .map_err(|error| causes(&error))?;
        Subject::of(leaf)
    }
}

impl Subject {
    fn of(certificate: &CertificateDer<'_>) -> Result<Self, String> {
        let (_, certificate) = X509Certificate::from_der(certificate)
            .map_err(|error| format!("cannot read the subject: {error}"))?;
        let text = |value: &AttributeTypeAndValue<'_>| {
            value
                .as_str()
                .map(str::to_owned)
                .map_err(|error| format!("cannot read the subject: {error}"))
        };
        let subject = certificate.subject();
        Ok(Self {
            // The last one, as in Go.
            common_name: subject
                .iter_common_name()
                .last()
                .map_or(Ok(String::new()), text)?,
            organizations: subject
                .iter_organization()
                .map(text)
                .collect::<Result<_, _>>()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kubevitals_sim::pki::Authority;
    use rcgen::{
        BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose,
        IsCa, KeyPair, date_time_ymd,
    };

    fn ca() -> CertifiedIssuer<'static, KeyPair> {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
    }

    fn verified(
        issuer: &CertifiedIssuer<'static, KeyPair>,
        change: impl FnOnce(&mut CertificateParams),
    ) -> Result<Subject, String> {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "jane");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, issuer).unwrap();
        let cas = ClientCas::from_pem(issuer.pem().as_bytes()).unwrap();
        cas.verify(&[certificate.der().clone()], UnixTime::now())
    }

    #[test]
    fn a_valid_certificate_names_its_subject() {
        let ca = Authority::new("ca").unwrap();
        let issued = ca.issue_client("jane", &["dev", "ops"]).unwrap();
        let cas = ClientCas::from_pem(ca.pem().as_bytes()).unwrap();
        let subject = cas.verify(&issued.chain().unwrap(), UnixTime::now());
        let expected = Subject {
            common_name: "jane".to_owned(),
            organizations: vec!["dev".to_owned(), "ops".to_owned()],
        };
        assert_eq!(subject, Ok(expected));
    }

    #[test]
    fn any_ca_of_a_bundle_can_verify() {
        let (old, new) = (Authority::new("ca").unwrap(), Authority::new("ca").unwrap());
        let bundle = ClientCas::from_pem((old.pem() + &new.pem()).as_bytes()).unwrap();
        for ca in [old, new] {
            let issued = ca.issue_client("jane", &[]).unwrap();
            let subject = bundle.verify(&issued.chain().unwrap(), UnixTime::now());
            assert_eq!(subject.unwrap().common_name, "jane");
        }
    }

    #[test]
    fn invalid_certificates_are_refused() {
        let (ours, theirs) = (Authority::new("ca").unwrap(), Authority::new("ca").unwrap());
        let cas = ClientCas::from_pem(ours.pem().as_bytes()).unwrap();
        let strangers = theirs.issue_client("jane", &[]).unwrap().chain().unwrap();
        assert!(cas.verify(&strangers, UnixTime::now()).is_err());
        assert!(cas.verify(&[], UnixTime::now()).is_err());
        let garbled = CertificateDer::from(b"0\x80garbled".to_vec());
        assert!(cas.verify(&[garbled], UnixTime::now()).is_err());

        let ca = ca();
        assert!(verified(&ca, |_| {}).is_ok());
        let expired = verified(&ca, |params| params.not_after = date_time_ymd(2020, 1, 1));
        assert!(expired.unwrap_err().contains("expired"));
        let early = verified(&ca, |params| params.not_before = date_time_ymd(4000, 1, 1));
        assert!(early.is_err());
        // A server certificate of the same CA is not for clients.
        let server = verified(&ca, |params| {
            params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        });
        assert!(server.is_err());
        // A certificate without usages is for all of them, as in Go.
        assert!(verified(&ca, |params| params.extended_key_usages.clear()).is_ok());
    }

    #[test]
    fn a_truncated_file_is_refused() {
        let pem = Authority::new("ca").unwrap().pem();
        assert!(ClientCas::from_pem(pem.as_bytes()).is_ok());
        let half = &pem[..pem.len() / 2];
        for broken in ["", "no PEM at all", half, &format!("{pem}{half}")] {
            assert!(ClientCas::from_pem(broken.as_bytes()).is_err(), "{broken}");
        }
        let damaged = pem + "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert!(ClientCas::from_pem(damaged.as_bytes()).is_err());
    }
}
