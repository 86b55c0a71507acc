//! The CAs that the replicas share, and the replacement of one by the next. Without input or output: the caller reads
//! and stores the data of the Secret.
//!
//! A new CA is announced before it issues certificates: for a day it is in the bundles beside the old one, so that
//! every replica and the kube-apiserver trust it before they meet its first certificate. Afterwards the old one stays
//! in the bundles until it expires, for a replica that has not switched yet.

use std::collections::BTreeMap;
use std::time::Duration;

use k8s_openapi::ByteString;
use kubevitals_proto::time::Timestamp;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use crate::tls::{Authority, pem_of, validity_of};

/// How long a new CA is announced before it issues certificates.
const ANNOUNCEMENT: Duration = Duration::from_secs(24 * 3600);

/// The most replaced CAs in a bundle.
const MAX_PREVIOUS: usize = 4;

/// The data of a Secret.
pub(super) type Data = BTreeMap<String, ByteString>;

/// The CAs.
#[derive(Debug)]
pub(super) struct Authorities {
    current: Authority,
    next: Option<Authority>,
    /// Certificates of replaced CAs, PEM, the newest first.
    previous: Vec<String>,
    bundle: String,
}

impl Authorities {
    /// Creates a new CA. The certificates in `replaced` (PEM) stay in the bundle while they are valid.
    pub(super) fn make(replaced: &str, now: Timestamp) -> Result<Self, String> {
        let current = Authority::make(now)?;
        Ok(Self::of(current, None, replaced, now))
    }

    /// Reads the data of a Secret. `tls.crt` and `tls.key`, or else `next.crt` and `next.key`, must be a valid CA.
    /// Other data that cannot be read is ignored.
    pub(super) fn read(data: &Data, now: Timestamp) -> Result<Self, String> {
        let text = |key: &str| {
            let bytes = data.get(key).map(|ByteString(bytes)| bytes.as_slice());
            String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned()
        };
        let current = Authority::read(&text("tls.crt"), &text("tls.key"), now);
        let next = Authority::read(&text("next.crt"), &text("next.key"), now).ok();
        let (current, next) = match (current, next) {
            (Ok(current), next) => (current, next),
            (Err(_), Some(next)) => (next, None),
            (Err(error), None) => return Err(error),
        };
        Ok(Self::of(current, next, &text("previous.crt"), now))
    }

    fn of(current: Authority, next: Option<Authority>, previous: &str, now: Timestamp) -> Self {
        let mut authorities = Self {
            previous: valid_certificates(previous, now),
            current,
            next,
            bundle: String::new(),
        };
        authorities.update_bundle();
        authorities
    }

    /// Announces or switches to the next CA, if it is time.
    pub(super) fn advance(&mut self, now: Timestamp) -> Result<(), String> {
        let announced = i64::try_from(ANNOUNCEMENT.as_nanos()).unwrap_or(i64::MAX);
        match &self.next {
            None if self.current.is_old(now) => self.next = Some(Authority::make(now)?),
            Some(next) if now.since(next.made()) >= announced => {
                if let Some(next) = self.next.take() {
                    let replaced = std::mem::replace(&mut self.current, next);
                    self.previous.insert(0, replaced.pem().to_owned());
                }
            }
            _ => {}
        }
        self.update_bundle();
        Ok(())
    }

    /// The CA that issues certificates.
    pub(super) fn current(&self) -> &Authority {
        &self.current
    }

    /// All CAs to trust, PEM.
    pub(super) fn bundle(&self) -> &str {
        &self.bundle
    }

    /// The data to store in the Secret. `ca.crt` is for people and for monitoring.
    pub(super) fn data(&self) -> Data {
        let mut data = Data::new();
        let mut put = |key: &str, text: &str| {
            if !text.is_empty() {
                data.insert(key.to_owned(), ByteString(text.as_bytes().to_vec()));
            }
        };
        put("tls.crt", self.current.pem());
        put("tls.key", &self.current.key_pem());
        if let Some(next) = &self.next {
            put("next.crt", next.pem());
            put("next.key", &next.key_pem());
        }
        put("previous.crt", &self.previous.concat());
        put("ca.crt", &self.bundle);
        data
    }

    fn update_bundle(&mut self) {
        let (current, next) = (self.current.pem(), self.next.as_ref().map(Authority::pem));
        self.previous
            .retain(|pem| pem != current && Some(pem.as_str()) != next);
        self.previous.truncate(MAX_PREVIOUS);
        let previous = self.previous.iter().map(String::as_str);
        self.bundle = [current].into_iter().chain(next).chain(previous).collect();
    }
}

/// The certificates in PEM text that have not expired, each once.
fn valid_certificates(text: &str, now: Timestamp) -> Vec<String> {
    let mut valid_certificates = Vec::new();
    for der in CertificateDer::pem_slice_iter(text.as_bytes()).filter_map(Result::ok) {
        let pem = pem_of(&der);
        let is_valid = validity_of(&der).is_some_and(|(_, until)| until > now);
        if is_valid && !valid_certificates.contains(&pem) {
            valid_certificates.push(pem);
        }
    }
    valid_certificates
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

    fn in_days(days: i64) -> Timestamp {
        Timestamp::from_secs(NOW.as_secs() + days * 24 * 3600)
    }

    /// Stores the CAs, reads them at another time, and advances.
    fn later(authorities: &Authorities, now: Timestamp) -> Authorities {
        let mut later = Authorities::read(&authorities.data(), now).unwrap();
        later.advance(now).unwrap();
        later
    }

    fn count(authorities: &Authorities) -> usize {
        authorities.bundle().matches("BEGIN").count()
    }

    #[test]
    fn stored_authorities_are_read_unchanged() {
        let first = Authorities::make("", NOW).unwrap();
        let same = later(&first, in_days(1000));
        assert_eq!(same.data(), first.data());
        assert_eq!(same.bundle(), first.current().pem());
    }

    #[test]
    fn a_new_ca_is_announced_a_day_before_it_issues() {
        let first = Authorities::make("", NOW).unwrap();
        let old = first.current().pem().to_owned();
        let announced = later(&first, in_days(1500));
        assert_eq!(announced.current().pem(), old);
        assert_eq!(count(&announced), 2);
        let waiting = later(
            &announced,
            Timestamp::from_secs(in_days(1501).as_secs() - 1),
        );
        assert_eq!(waiting.data(), announced.data());

        let changed = later(&waiting, in_days(1501));
        assert_ne!(changed.current().pem(), old);
        assert!(announced.bundle().contains(changed.current().pem()));
        assert!(changed.bundle().contains(&old) && count(&changed) == 2);
        let settled = later(&changed, in_days(5 * 365));
        assert_eq!(settled.bundle(), changed.current().pem());
    }

    #[test]
    fn an_expired_ca_is_replaced_by_the_next() {
        let first = Authorities::make("", NOW).unwrap();
        let announced = later(&first, in_days(1500));
        let late = later(&announced, in_days(2000));
        assert!(announced.bundle().contains(late.current().pem()));
        assert_eq!(count(&late), 1);
    }

    #[test]
    fn valid_replaced_cas_stay_up_to_a_limit() {
        let replaced: Vec<String> = (0..6)
            .map(|_| Authority::make(NOW).unwrap().pem().to_owned())
            .collect();
        let twice = replaced.concat() + "garbage\n" + &replaced.concat();
        let made = Authorities::make(&twice, NOW).unwrap();
        assert_eq!(count(&made), 1 + MAX_PREVIOUS);
        assert!(made.bundle().contains(&replaced[0]) && !made.bundle().contains(&replaced[5]));
        let later = Authorities::make(&twice, in_days(5 * 365)).unwrap();
        assert_eq!(count(&later), 1);
    }

    #[test]
    fn a_secret_without_a_valid_ca_is_an_error() {
        let mut data = Authorities::make("", NOW).unwrap().data();
        assert!(Authorities::read(&data, in_days(5 * 365)).is_err());
        data.insert("tls.key".to_owned(), ByteString(b"garbage".to_vec()));
        assert!(Authorities::read(&data, NOW).is_err());
        assert!(Authorities::read(&Data::new(), NOW).is_err());
    }
}
