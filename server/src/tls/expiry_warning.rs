//! Certificates that end, spoken of in time.

use std::time::Duration;

use kubevitals_proto::time::Timestamp;

use super::pair::{Kind, Pair};

/// The most time before its end at which a certificate is spoken of.
const WARNING: Duration = Duration::from_secs(7 * 24 * 3600);

/// How near its end a certificate is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Good,
    Ending,
    Ended,
}

impl Stage {
    /// A tenth of a certificate's life before its end, at most a week, it should have been replaced.
    fn of(pair: &Pair, now: Timestamp) -> Self {
        let life = pair.not_after().since(pair.not_before());
        let warning = i64::try_from(WARNING.as_nanos()).unwrap_or(i64::MAX);
        let left = pair.not_after().since(now);
        if left < 0 {
            Self::Ended
        } else if left < warning.min(life / 10) {
            Self::Ending
        } else {
            Self::Good
        }
    }
}

/// What has been said of each pair.
#[derive(Debug, Default)]
pub(super) struct Ends(Vec<(Timestamp, Stage)>);

impl Ends {
    /// Says once of each certificate that it is about to end, and once that it has. The pairs come in the same order
    /// each time.
    pub(super) fn tell(&mut self, pairs: &[(Kind, Pair)], now: Timestamp) {
        self.0
            .resize(pairs.len(), (Timestamp::default(), Stage::Good));
        for ((kind, pair), told) in pairs.iter().zip(&mut self.0) {
            let (until, stage) = (pair.not_after(), Stage::of(pair, now));
            let before = if told.0 == until { told.1 } else { Stage::Good };
            *told = (until, stage);
            if stage <= before {
                continue;
            }
            let (kind, names) = (kind.name(), pair.names.join(", "));
            let until = until.to_rfc3339_seconds();
            if stage == Stage::Ended {
                tracing::error!(
                    kind,
                    names,
                    "a certificate that is shown has ended at {until}: who verifies it can no longer connect; \
                     replace its files, they are read without a restart"
                );
            } else {
                tracing::warn!(kind, names, "a certificate that is shown ends at {until}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 24 * 3600;

    /// A pair that is good from the first day to the last.
    fn pair(days: i64) -> Pair {
        let mut params = rcgen::CertificateParams::new(vec!["a".to_owned()]).unwrap();
        let epoch = rcgen::date_time_ymd(2030, 1, 1);
        let life = Duration::from_secs(u64::try_from(days * DAY).unwrap());
        (params.not_before, params.not_after) = (epoch, epoch + life);
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let key = rustls_pki_types::PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        Pair::new(vec![certificate.into()], key).unwrap()
    }

    #[test]
    fn a_certificate_is_spoken_of_a_tenth_of_its_life_before_its_end_or_a_week() {
        for (life, left, expected) in [
            (365, 8 * DAY, Stage::Good),
            (365, 7 * DAY - 1, Stage::Ending),
            (365, 0, Stage::Ending),
            (365, -1, Stage::Ended),
            (10, DAY + 1, Stage::Good),
            (10, DAY - 1, Stage::Ending),
        ] {
            let pair = pair(life);
            let now = Timestamp::from_secs(pair.not_after().as_secs() - left);
            assert_eq!(Stage::of(&pair, now), expected, "{life} {left}");
        }
    }
}
