//! Warns of served certificates that expire.

use std::time::Duration;

use kubevitals_proto::time::Timestamp;

use super::pair::{Kind, Pair};

/// The longest time before the expiry at which a certificate is reported.
const WARNING: Duration = Duration::from_secs(7 * 24 * 3600);

/// How near the expiry of a certificate is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Good,
    Expiring,
    Expired,
}

impl Stage {
    /// A certificate is expiring in the last tenth of its validity, and at most for a week.
    fn of(pair: &Pair, now: Timestamp) -> Self {
        let validity = pair.not_after().since(pair.not_before());
        let warning = i64::try_from(WARNING.as_nanos()).unwrap_or(i64::MAX);
        let left = pair.not_after().since(now);
        if left < 0 {
            Self::Expired
        } else if left < warning.min(validity / 10) {
            Self::Expiring
        } else {
            Self::Good
        }
    }
}

/// The expiry and the stage that were logged last, for each pair.
#[derive(Debug, Default)]
pub(super) struct ExpiryWarnings(Vec<(Timestamp, Stage)>);

impl ExpiryWarnings {
    /// Logs once for each certificate that it is about to expire, and once that it has expired. The pairs come in the
    /// same order each time.
    pub(super) fn warn(&mut self, pairs: &[(Kind, Pair)], now: Timestamp) {
        self.0
            .resize(pairs.len(), (Timestamp::default(), Stage::Good));
        for ((kind, pair), last) in pairs.iter().zip(&mut self.0) {
            let (until, stage) = (pair.not_after(), Stage::of(pair, now));
            let before = if last.0 == until { last.1 } else { Stage::Good };
            *last = (until, stage);
            if stage <= before {
                continue;
            }
            let (kind, names) = (kind.name(), pair.fields.names.join(", "));
            let until = until.to_rfc3339_seconds();
            if stage == Stage::Expired {
                tracing::error!(
                    kind,
                    names,
                    until,
                    "a served certificate has expired: clients that verify it cannot connect; replace its files, the \
                     server reloads them"
                );
            } else {
                tracing::warn!(kind, names, until, "a served certificate expires soon");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 24 * 3600;

    /// A pair that is valid for this many days.
    fn pair(days: i64) -> Pair {
        let mut params = rcgen::CertificateParams::new(vec!["a".to_owned()]).unwrap();
        let epoch = rcgen::date_time_ymd(2030, 1, 1);
        let validity = Duration::from_secs(u64::try_from(days * DAY).unwrap());
        (params.not_before, params.not_after) = (epoch, epoch + validity);
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let key = rustls_pki_types::PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        Pair::new(vec![certificate.into()], key).unwrap()
    }

    #[test]
    fn a_certificate_expires_in_the_last_tenth_of_its_validity_or_the_last_week() {
        for (days, left, expected) in [
            (365, 8 * DAY, Stage::Good),
            (365, 7 * DAY - 1, Stage::Expiring),
            (365, 0, Stage::Expiring),
            (365, -1, Stage::Expired),
            (10, DAY + 1, Stage::Good),
            (10, DAY - 1, Stage::Expiring),
        ] {
            let pair = pair(days);
            let now = Timestamp::from_secs(pair.not_after().as_secs() - left);
            assert_eq!(Stage::of(&pair, now), expected, "{days} {left}");
        }
    }
}
