//! A certificate authority of the server's own, and the serving certificates it issues.

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

use super::pair::Pair;

/// How the common name of each authority begins; its birth follows, so that two are told apart.
pub(super) const NAME: &str = "vitals-server-ca@";

const DAY: Duration = Duration::from_secs(24 * 3600);

/// How long an authority is good.
const AUTHORITY_LIFE: Duration = DAY.saturating_mul(5 * 365);

/// How long a serving certificate is good.
const SERVING_LIFE: Duration = DAY.saturating_mul(90);

/// A certificate is good from this long before it is made: clocks differ.
const SKEW: Duration = Duration::from_secs(3600);

/// A certificate authority with its key.
pub struct Authority {
    certificate: CertificateDer<'static>,
    pem: String,
    issuer: Issuer<'static, KeyPair>,
    not_before: Timestamp,
    not_after: Timestamp,
}

impl fmt::Debug for Authority {
    // Keys are not for logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authority")
            .field("not_after", &self.not_after)
            .finish_non_exhaustive()
    }
}

impl Authority {
    /// A new one, good from about `now` on.
    ///
    /// # Errors
    /// What the cryptography says.
    pub fn make(now: Timestamp) -> Result<Self, String> {
        let failed = |error: rcgen::Error| error.to_string();
        let key = KeyPair::generate().map_err(failed)?;
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params
            .distinguished_name
            .push(DnType::CommonName, format!("{NAME}{}", now.as_secs()));
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let not_before = before(now, SKEW);
        let not_after = after(now, AUTHORITY_LIFE);
        (params.not_before, params.not_after) = (date(not_before), date(not_after));
        let certificate = params.self_signed(&key).map_err(failed)?;
        Ok(Self {
            pem: certificate.pem(),
            certificate: certificate.der().clone(),
            issuer: Issuer::new(params, key),
            not_before,
            not_after,
        })
    }

    /// One that was kept, as PEM. It must be an authority that may sign, with its own key, and not have ended.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(certificate: &str, key: &str, now: Timestamp) -> Result<Self, String> {
        let der = CertificateDer::from_pem_slice(certificate.as_bytes())
            .map_err(|_| "its certificate is no PEM".to_owned())?;
        let key = KeyPair::from_pem(key).map_err(|_| "its key is no PEM of a key".to_owned())?;
        {
            let (_, facts) = X509Certificate::from_der(&der)
                .map_err(|_| "its certificate is no X.509 certificate".to_owned())?;
            let signs = facts.key_usage().ok().flatten();
            if !facts.is_ca() || signs.is_some_and(|usage| !usage.value.key_cert_sign()) {
                return Err("its certificate is not an authority's".to_owned());
            }
            if facts.public_key().subject_public_key.data.as_ref() != key.public_key_raw() {
                return Err("its key is another certificate's".to_owned());
            }
        }
        let (not_before, not_after) = validity_of(&der).unwrap_or_default();
        if not_after <= now {
            return Err("its certificate has ended".to_owned());
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

    /// Its certificate, PEM.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// Its key, PEM. For where it is kept, and nowhere else.
    pub fn key_pem(&self) -> String {
        self.issuer.key().serialize_pem()
    }

    /// The last moment at which it is good.
    pub fn not_after(&self) -> Timestamp {
        self.not_after
    }

    /// When it was made, by its certificate.
    pub fn made(&self) -> Timestamp {
        after(self.not_before, SKEW)
    }

    /// Whether the last fifth of its life has begun: time for a next one.
    pub fn is_old(&self, now: Timestamp) -> bool {
        past(self.not_before, self.not_after, now, 4, 5)
    }

    /// Whether what it would issue now would end with it and not after it.
    pub fn outlives_what_it_issues(&self, now: Timestamp) -> bool {
        after(now, SERVING_LIFE) <= self.not_after
    }

    /// A serving certificate for `names`, with a new key, and this authority's certificate after it.
    ///
    /// # Errors
    /// A name that is none, or what the cryptography says.
    pub fn issue(&self, names: Vec<String>, now: Timestamp) -> Result<Issued, String> {
        let failed = |error: rcgen::Error| error.to_string();
        let key = KeyPair::generate().map_err(failed)?;
        let mut params = CertificateParams::new(names).map_err(failed)?;
        params.distinguished_name = DistinguishedName::new();
        params
            .distinguished_name
            .push(DnType::CommonName, "vitals-server");
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        params.not_before = date(before(now, SKEW));
        params.not_after = date(after(now, SERVING_LIFE).min(self.not_after));
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

/// A serving certificate that was just issued.
pub struct Issued {
    /// As it is shown.
    pub pair: Pair,
    /// The certificate and its authority's, PEM.
    pub(super) chain_pem: String,
    /// Its key, PEM.
    pub(super) key_pem: String,
}

/// Whether a serving certificate of our own is due to be made anew: its last third has begun.
pub(crate) fn is_due(pair: &Pair, now: Timestamp) -> bool {
    past(pair.not_before(), pair.not_after(), now, 2, 3)
}

/// Whether `part` of `parts` of the time between two moments has passed.
fn past(from: Timestamp, until: Timestamp, now: Timestamp, part: i64, parts: i64) -> bool {
    let life = until.as_secs().saturating_sub(from.as_secs());
    let passed = now.as_secs().saturating_sub(from.as_secs());
    passed >= life.saturating_mul(part) / parts
}

fn after(time: Timestamp, by: Duration) -> Timestamp {
    time.plus_nanos(i64::try_from(by.as_nanos()).unwrap_or(i64::MAX))
}

fn before(time: Timestamp, by: Duration) -> Timestamp {
    time.plus_nanos(i64::try_from(by.as_nanos()).map_or(i64::MIN, std::ops::Neg::neg))
}

/// rcgen's form of a time. It has nothing before 1970 from us.
fn date<T>(time: Timestamp) -> T
where
    T: From<std::time::SystemTime>,
{
    let seconds = u64::try_from(time.as_secs()).unwrap_or_default();
    T::from(std::time::UNIX_EPOCH + Duration::from_secs(seconds))
}

/// From when until when a certificate is good; nothing when it is none.
pub(crate) fn validity_of(der: &CertificateDer<'_>) -> Option<(Timestamp, Timestamp)> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    let validity = certificate.validity();
    Some((
        Timestamp::from_secs(validity.not_before.timestamp()),
        Timestamp::from_secs(validity.not_after.timestamp()),
    ))
}

/// A certificate as PEM.
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

    fn in_days(days: u32) -> Timestamp {
        after(NOW, DAY.saturating_mul(days))
    }

    #[test]
    fn a_serving_certificate_is_made_anew_in_the_last_third_of_its_life() {
        let authority = Authority::make(NOW).unwrap();
        let pair = authority.issue(vec!["a".to_owned()], NOW).unwrap().pair;
        assert_eq!(pair.not_after(), in_days(90));
        assert!(!is_due(&pair, in_days(59)) && is_due(&pair, in_days(61)));
    }

    #[test]
    fn what_an_authority_issues_does_not_outlive_it() {
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
    fn an_authority_that_was_kept_is_the_same() {
        let authority = Authority::make(NOW).unwrap();
        let kept = Authority::read(authority.pem(), &authority.key_pem(), NOW).unwrap();
        assert_eq!(kept.pem(), authority.pem());
        assert_eq!(kept.made(), NOW);
        let pair = kept.issue(vec!["a".to_owned()], NOW).unwrap().pair;
        assert_eq!(pair.issuer, format!("{NAME}1800000000"));
    }

    #[test]
    fn what_is_no_authority_is_refused() {
        let authority = Authority::make(NOW).unwrap();
        let (pem, key) = (authority.pem(), authority.key_pem());
        let other = Authority::make(NOW).unwrap();
        let serving = authority.issue(vec!["a".to_owned()], NOW).unwrap();
        for (pem, key, now, said) in [
            ("garbage", &*key, NOW, "no PEM"),
            (pem, "garbage", NOW, "no PEM of a key"),
            (pem, &other.key_pem(), NOW, "another certificate's"),
            (
                &serving.chain_pem,
                &serving.key_pem,
                NOW,
                "not an authority's",
            ),
            (pem, &key, in_days(5 * 365), "has ended"),
        ] {
            let refusal = Authority::read(pem, key, now).unwrap_err();
            assert!(refusal.contains(said), "{said}: {refusal}");
        }
    }
}
