//! The cluster's certificate authorities and the certificates they issue.

use std::net::IpAddr;
use std::sync::Arc;

use parking_lot::RwLock;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose, SanType,
};
use rustls::ServerConfig;
use rustls::server::{ResolvesServerCert, WebPkiClientVerifier};
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use thiserror::Error;

/// A certificate could not be made or read.
#[derive(Debug, Error)]
pub enum PkiError {
    /// Generating a key or signing failed.
    #[error("cannot issue a certificate for {subject}")]
    Issue {
        /// The common name.
        subject: String,
        /// What the certificate library says.
        #[source]
        source: rcgen::Error,
    },
    /// A client certificate cannot name that many groups here.
    #[error("a client certificate for {0} can name two groups at most")]
    TooManyGroups(String),
    /// PEM text that holds no certificate or key.
    #[error("cannot read PEM")]
    Pem(#[from] rustls_pki_types::pem::Error),
    /// rustls refused a certificate, a key or a root.
    #[error("TLS configuration is refused")]
    Tls(#[from] rustls::Error),
    /// A certificate verifier could not be built.
    #[error("certificate verifier cannot be built")]
    Verifier(#[from] rustls::server::VerifierBuilderError),
}

/// A certificate and its private key.
#[derive(Clone, Debug)]
pub struct Certified {
    /// The certificate, PEM.
    pub cert_pem: String,
    /// The private key, PKCS#8 PEM.
    pub key_pem: String,
}

impl Certified {
    /// The certificate chain in the form of rustls.
    ///
    /// # Errors
    /// When the PEM holds no certificate.
    pub fn chain(&self) -> Result<Vec<CertificateDer<'static>>, PkiError> {
        certificates(&self.cert_pem)
    }

    /// The private key in the form of rustls.
    ///
    /// # Errors
    /// When the PEM holds no key.
    pub fn private_key(&self) -> Result<PrivateKeyDer<'static>, PkiError> {
        Ok(PrivateKeyDer::from_pem_slice(self.key_pem.as_bytes())?)
    }

    /// Both in the form of a rustls server.
    pub(crate) fn key(&self) -> Result<CertifiedKey, PkiError> {
        let (chain, key) = (self.chain()?, self.private_key()?);
        Ok(CertifiedKey::from_der(chain, key, &provider())?)
    }
}

/// Every certificate in PEM text.
///
/// # Errors
/// When a block is damaged.
pub fn certificates(pem: &str) -> Result<Vec<CertificateDer<'static>>, PkiError> {
    Ok(CertificateDer::pem_slice_iter(pem.as_bytes()).collect::<Result<_, _>>()?)
}

/// The trust roots in PEM text.
///
/// # Errors
/// When a block is damaged, or no trust anchor.
pub fn roots(pem: &str) -> Result<Arc<rustls::RootCertStore>, PkiError> {
    let mut roots = rustls::RootCertStore::empty();
    for certificate in certificates(pem)? {
        roots.add(certificate)?;
    }
    Ok(Arc::new(roots))
}

/// The TLS configuration of a server that accepts, and does not require, client certificates of an authority (PEM).
pub(crate) fn server_tls(
    authority: &str,
    certificates: Arc<dyn ResolvesServerCert>,
) -> Result<ServerConfig, PkiError> {
    let verifier = WebPkiClientVerifier::builder_with_provider(roots(authority)?, provider())
        .allow_unauthenticated()
        .build()?;
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        .with_client_cert_verifier(verifier)
        .with_cert_resolver(certificates);
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

/// A certificate authority.
#[derive(Debug)]
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    /// A new self-signed authority.
    ///
    /// # Errors
    /// When the certificate cannot be made.
    pub fn new(common_name: &str) -> Result<Self, PkiError> {
        let fail = |source| issue_error(common_name, source);
        let mut params = CertificateParams::default();
        params.distinguished_name = name(common_name, &[]);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![
            KeyUsagePurpose::KeyCertSign,
            KeyUsagePurpose::CrlSign,
            KeyUsagePurpose::DigitalSignature,
        ];
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().map_err(fail)?)
            .map_err(fail)?;
        Ok(Self { issuer })
    }

    /// The authority's certificate, PEM.
    pub fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// The authority's certificate, DER.
    pub fn der(&self) -> CertificateDer<'static> {
        self.issuer.der().clone()
    }

    /// A serving certificate valid for these IP addresses and DNS names.
    ///
    /// # Errors
    /// When a name is not one, or signing fails.
    pub fn issue_server(
        &self,
        common_name: &str,
        ips: &[IpAddr],
        dns: &[&str],
    ) -> Result<Certified, PkiError> {
        let mut params = CertificateParams::default();
        params.subject_alt_names = ips.iter().map(|ip| SanType::IpAddress(*ip)).collect();
        for dns in dns {
            let dns = (*dns).try_into();
            let dns = dns.map_err(|source| issue_error(common_name, source))?;
            params.subject_alt_names.push(SanType::DnsName(dns));
        }
        self.issue(
            common_name,
            &[],
            ExtendedKeyUsagePurpose::ServerAuth,
            params,
        )
    }

    /// A client certificate: the common name is the user, the organizations (two at most) its groups.
    ///
    /// # Errors
    /// When signing fails.
    pub fn issue_client(
        &self,
        common_name: &str,
        organizations: &[&str],
    ) -> Result<Certified, PkiError> {
        if organizations.len() > 2 {
            return Err(PkiError::TooManyGroups(common_name.to_owned()));
        }
        let params = CertificateParams::default();
        let usage = ExtendedKeyUsagePurpose::ClientAuth;
        self.issue(common_name, organizations, usage, params)
    }

    /// A client certificate that was valid once.
    ///
    /// # Errors
    /// When signing fails.
    pub fn issue_expired_client(&self, common_name: &str) -> Result<Certified, PkiError> {
        let mut params = CertificateParams::default();
        params.not_after = rcgen::date_time_ymd(2020, 1, 1);
        self.issue(
            common_name,
            &[],
            ExtendedKeyUsagePurpose::ClientAuth,
            params,
        )
    }

    fn issue(
        &self,
        common_name: &str,
        organizations: &[&str],
        usage: ExtendedKeyUsagePurpose,
        mut params: CertificateParams,
    ) -> Result<Certified, PkiError> {
        let fail = |source| issue_error(common_name, source);
        params.distinguished_name = name(common_name, organizations);
        params.extended_key_usages = vec![usage];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate().map_err(fail)?;
        let certificate = params.signed_by(&key, &self.issuer).map_err(fail)?;
        Ok(Certified {
            cert_pem: certificate.pem(),
            key_pem: key.serialize_pem(),
        })
    }
}

fn issue_error(common_name: &str, source: rcgen::Error) -> PkiError {
    PkiError::Issue {
        subject: common_name.to_owned(),
        source,
    }
}

/// A subject. rcgen stores one value for each attribute type, so a second organization goes under a type that it takes
/// for another and that is encoded alike.
fn name(common_name: &str, organizations: &[&str]) -> DistinguishedName {
    let types = [
        DnType::OrganizationName,
        DnType::CustomDnType(vec![2, 5, 4, 10]),
    ];
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, common_name);
    for (dn_type, organization) in types.into_iter().zip(organizations) {
        name.push(dn_type, *organization);
    }
    name
}

/// The authorities of a cluster: one for the API server, the kubelets and clients, another for the front proxy (the
/// API server as it presents itself to aggregated servers).
#[derive(Debug)]
pub struct Pki {
    cluster: Arc<Authority>,
    front_proxy: RwLock<FrontProxy>,
}

#[derive(Debug)]
struct FrontProxy {
    current: Arc<Authority>,
    next: Option<Arc<Authority>>,
}

impl Pki {
    /// New authorities.
    ///
    /// # Errors
    /// When a key or certificate cannot be made.
    pub fn new() -> Result<Self, PkiError> {
        let current = Arc::new(Authority::new("front-proxy-ca")?);
        Ok(Self {
            cluster: Arc::new(Authority::new("kubernetes")?),
            front_proxy: RwLock::new(FrontProxy {
                current,
                next: None,
            }),
        })
    }

    /// The cluster's authority.
    pub fn cluster(&self) -> &Arc<Authority> {
        &self.cluster
    }

    /// The front proxy's authority, as it is now.
    pub fn front_proxy(&self) -> Arc<Authority> {
        self.front_proxy.read().current.clone()
    }

    /// The front proxy's authorities that are to be trusted, PEM: the current one, and the next if it is announced.
    pub fn front_proxy_bundle(&self) -> String {
        let front_proxy = self.front_proxy.read();
        let next = front_proxy.next.as_ref().map(|n| n.pem());
        front_proxy.current.pem() + &next.unwrap_or_default()
    }

    /// Makes the front proxy's next authority, to be trusted before it is used.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn announce_front_proxy(&self) -> Result<(), PkiError> {
        let next = Arc::new(Authority::new("front-proxy-ca")?);
        self.front_proxy.write().next = Some(next);
        Ok(())
    }

    /// Has the front proxy use the announced authority; the one before it stays trusted until [`Pki::retire_front_proxy`].
    /// Nothing happens when none is announced.
    pub fn switch_front_proxy(&self) {
        let mut front_proxy = self.front_proxy.write();
        if let Some(next) = front_proxy.next.take() {
            let before = std::mem::replace(&mut front_proxy.current, next);
            front_proxy.next = Some(before);
        }
    }

    /// Trusts the front proxy's present authority and no other.
    pub fn retire_front_proxy(&self) {
        self.front_proxy.write().next = None;
    }

    /// Replaces the front proxy's authority by the announced one, else by a new one.
    ///
    /// # Errors
    /// When a new one cannot be made; the old one stays.
    pub fn rotate_front_proxy(&self) -> Result<(), PkiError> {
        if self.front_proxy.read().next.is_none() {
            self.announce_front_proxy()?;
        }
        self.switch_front_proxy();
        self.retire_front_proxy();
        Ok(())
    }
}

/// The cryptography every TLS configuration here uses, named explicitly: with two providers in the dependency graph
/// rustls has no default.
pub fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}
