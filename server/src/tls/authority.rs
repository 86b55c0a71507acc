//! The server's own certificate authority, and the serving certificates that it issues.

use std::fmt;
use std::time::Duration;

use kubevitals_proto::time::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose,
};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;

use super::pair::{Fields, Pair};

/// The prefix of each authority's common name. The time of creation follows, so that names differ.
pub(super) const NAME: &str = "vitals-server-ca@";

/// A day in nanoseconds.
const DAY: i64 = 24 * 3600 * 1_000_000_000;

/// The validity of an authority, in nanoseconds.
const AUTHORITY_VALIDITY: i64 = 5 * 365 * DAY;

/// The validity of a serving certificate, in nanoseconds.
const SERVING_VALIDITY: i64 = 90 * DAY;

/// How long before its creation a certificate is valid, in nanoseconds: clocks differ.
const SKEW: i64 = DAY / 24;

/// A certificate authority with its key.
pub struct Authority {
    certificate: CertificateDer<'static>,
    pem: String,
    issuer: Issuer<'static, KeyPair>,
    not_before: Timestamp,
    not_after: Timestamp,
}

impl fmt::Debug for Authority {
    // Leaves out the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authority")
            .field("not_after", &self.not_after)
            .finish_non_exhaustive()
    }
}

impl Authority {
    /// Makes a new authority, valid from about `now`.
    ///
    /// # Errors
    /// The error of the cryptography.
    pub fn make(now: Timestamp) -> Result<Self, String> {
        let failed = |error: rcgen::Error| error.to_string();
        let key = KeyPair::generate().map_err(failed)?;
        let not_before = now.plus_nanos(-SKEW);
        let not_after = now.plus_nanos(AUTHORITY_VALIDITY);
        let name = format!("{NAME}{}", now.as_secs());
        let mut params = params(Vec::new(), &name, not_before, not_after).map_err(failed)?;
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let certificate = params.self_signed(&key).map_err(failed)?;
        Ok(Self {
            pem: certificate.pem(),
            certificate: certificate.der().clone(),
            issuer: Issuer::new(params, key),
            not_before,
            not_after,
        })
    }

    /// Parses a persisted authority from PEM.
    ///
    /// # Errors
    /// The certificate is no authority that may sign, has another key, or has expired.
    pub fn read(certificate: &str, key: &str, now: Timestamp) -> Result<Self, String> {
        let der = CertificateDer::from_pem_slice(certificate.as_bytes())
            .map_err(|_| "its certificate is not PEM".to_owned())?;
        let key =
            KeyPair::from_pem(key).map_err(|_| "its key is not the PEM of a key".to_owned())?;
        {
            let (_, parsed) = X509Certificate::from_der(&der)
                .map_err(|_| "its certificate is not an X.509 certificate".to_owned())?;
            let usage = parsed.key_usage().ok().flatten();
            if !parsed.is_ca() || usage.is_some_and(|usage| !usage.value.key_cert_sign()) {
                return Err("its certificate is not an authority's".to_owned());
            }
            if parsed.public_key().subject_public_key.data.as_ref() != key.public_key_raw() {
                return Err("its key belongs to another certificate".to_owned());
            }
        }
        let (not_before, not_after) = validity_of(&der).unwrap_or_default();
        if not_after <= now {
            return Err("its certificate has expired".to_owned());
        }
        let issuer = Issuer::from_ca_cert_der(&der, key).map_err(|error| error.to_string())?;
        Ok(Self {
            pem: pem_of(&der),
            certificate: der,
            issuer,
            not_before,
            not_after,
        })
    }

    /// The certificate as PEM.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// The key as PEM. Only to persist the authority.
    pub fn key_pem(&self) -> String {
        self.issuer.key().serialize_pem()
    }

    /// The end of the validity.
    pub fn not_after(&self) -> Timestamp {
        self.not_after
    }

    /// The time of creation, according to the certificate.
    pub fn made(&self) -> Timestamp {
        self.not_before.plus_nanos(SKEW)
    }

    /// Whether the last fifth of the validity has begun, and a next authority is due.
    pub fn is_old(&self, now: Timestamp) -> bool {
        past(self.not_before, self.not_after, now, 4, 5)
    }

    /// Whether a certificate that it issues now has its full validity.
    pub fn outlives_what_it_issues(&self, now: Timestamp) -> bool {
        now.plus_nanos(SERVING_VALIDITY) <= self.not_after
    }

    /// Issues a serving certificate for `names` with a new key. The chain includes this authority's certificate.
    ///
    /// # Errors
    /// A name is invalid, or the cryptography fails.
    pub fn issue(&self, names: Vec<String>, now: Timestamp) -> Result<Issued, String> {
        let failed = |error: rcgen::Error| error.to_string();
        let key = KeyPair::generate().map_err(failed)?;
        let not_before = now.plus_nanos(-SKEW);
        let not_after = now.plus_nanos(SERVING_VALIDITY).min(self.not_after);
        let mut params = params(names, "vitals-server", not_before, not_after).map_err(failed)?;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let certificate = params.signed_by(&key, &self.issuer).map_err(failed)?;
        let (chain_pem, key_pem) = (certificate.pem() + &self.pem, key.serialize_pem());
        let chain = vec![certificate.into(), self.certificate.clone()];
        let key = PrivateKeyDer::try_from(key.serialize_der()).map_err(str::to_owned)?;
        Ok(Issued {
            pair: Pair::new(chain, key)?,
            chain_pem,
            key_pem,
        })
    }
}

/// A new serving certificate.
pub struct Issued {
    /// The pair to serve.
    pub pair: Pair,
    /// The certificate and its authority's, as PEM.
    pub(super) chain_pem: String,
    /// The key, as PEM.
    pub(super) key_pem: String,
}

/// Whether a serving certificate of the server's own is due for renewal: the last third of its validity has begun.
pub(crate) fn is_due(pair: &Pair, now: Timestamp) -> bool {
    past(pair.not_before(), pair.not_after(), now, 2, 3)
}

/// Whether `part` of `parts` of the time between two moments has passed.
fn past(from: Timestamp, until: Timestamp, now: Timestamp, part: i64, parts: i64) -> bool {
    let validity = until.as_secs().saturating_sub(from.as_secs());
    let passed = now.as_secs().saturating_sub(from.as_secs());
    passed >= validity.saturating_mul(part) / parts
}

/// The parameters that all certificates have.
fn params(
    names: Vec<String>,
    common_name: &str,
    not_before: Timestamp,
    not_after: Timestamp,
) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name = DistinguishedName::new();
    params
        .distinguished_name
        .push(DnType::CommonName, common_name);
    (params.not_before, params.not_after) = (date(not_before), date(not_after));
    Ok(params)
}

/// Converts a time for rcgen. A time before 1970 becomes 1970.
fn date<T>(time: Timestamp) -> T
where
    T: From<std::time::SystemTime>,
{
    let seconds = u64::try_from(time.as_secs()).unwrap_or_default();
    T::from(std::time::UNIX_EPOCH + Duration::from_secs(seconds))
}

/// The start and the end of a certificate's validity; none if it cannot be parsed.
pub(crate) fn validity_of(der: &CertificateDer<'_>) -> Option<(Timestamp, Timestamp)> {
    let fields = Fields::read(der).ok()?;
    Some((fields.not_before, fields.not_after))
}

/// Encodes a certificate as PEM.
pub(crate) fn pem_of(der: &CertificateDer<'_>) -> String {
    use base64::Engine as _;
    let body = base64::engine::general_purpose::STANDARD.encode(der);
    let lines: Vec<&str> = (0..body.len())
        .step_by(64)
        .filter_map(|start| body.get(start..body.len().min(start + 64)))
        .collect();
    format!(
        "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
        lines.join("\n")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

    fn in_days(days: i64) -> Timestamp {
        NOW.plus_nanos(DAY * days)
    }

    #[test]
    fn a_serving_certificate_is_renewed_in_the_last_third_of_its_validity() {
        let authority = Authority::make(NOW).unwrap();
        let pair = authority.issue(vec!["a".to_owned()], NOW).unwrap().pair;
        assert_eq!(pair.not_after(), in_days(90));
        assert!(!is_due(&pair, in_days(59)) && is_due(&pair, in_days(61)));
    }

    #[test]
    fn no_issued_certificate_outlives_its_authority() {
        let authority = Authority::make(NOW).unwrap();
        let end = 5 * 365;
        assert!(authority.outlives_what_it_issues(in_days(end - 90)));
        assert!(!authority.outlives_what_it_issues(in_days(end - 89)));
        let late = authority.issue(vec!["a".to_owned()], in_days(end - 1));
        assert_eq!(late.unwrap().pair.not_after(), in_days(end));
        assert!(!authority.is_old(in_days(end * 4 / 5 - 1)));
        assert!(authority.is_old(in_days(end * 4 / 5 + 1)));
    }

    #[test]
    fn a_persisted_authority_is_the_same() {
        let authority = Authority::make(NOW).unwrap();
        let restored = Authority::read(authority.pem(), &authority.key_pem(), NOW).unwrap();
        assert_eq!(restored.pem(), authority.pem());
        assert_eq!(restored.made(), NOW);
        let pair = restored.issue(vec!["a".to_owned()], NOW).unwrap().pair;
        assert_eq!(pair.fields.issuer, format!("{NAME}1800000000"));
    }

    #[test]
    fn an_unusable_authority_is_refused() {
        let authority = Authority::make(NOW).unwrap();
        let (pem, key) = (authority.pem(), authority.key_pem());
        let other = Authority::make(NOW).unwrap();
        let serving = authority.issue(vec!["a".to_owned()], NOW).unwrap();
        for (pem, key, now, expected) in [
            ("garbage", &*key, NOW, "not PEM"),
            (pem, "garbage", NOW, "not the PEM of a key"),
            (pem, &other.key_pem(), NOW, "belongs to another certificate"),
            (
                &serving.chain_pem,
                &serving.key_pem,
                NOW,
                "not an authority's",
            ),
            (pem, &key, in_days(5 * 365), "has expired"),
        ] {
            let refusal = Authority::read(pem, key, now).unwrap_err();
            assert!(refusal.contains(expected), "{expected}: {refusal}");
        }
    }
}
