//! The rates of a network interface, from two readings of its counters.

use std::num::NonZeroU32;

use kubevitals_proto::kubelet::summary;

/// Bytes a second over the time between the last two readings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct NetworkRate {
    /// Received.
    pub rx: u64,
    /// Sent.
    pub tx: u64,
}

/// The last reading of an interface, and the rate that it made with the one before.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Traffic {
    rx: u64,
    tx: u64,
    /// The time of the reading, in seconds since the epoch; none before the first.
    at: Option<NonZeroU32>,
    /// Received and sent. Times are whole seconds, so seven digits are exact enough.
    rate: Option<(f32, f32)>,
}

impl Traffic {
    /// Applies a reading after the one `before` it. A reading with the same time changes nothing. A counter that fell
    /// has restarted and gives no rate, and neither does a clock that was set back.
    pub(super) fn of(reading: Option<&summary::Traffic>, before: Option<&Self>) -> Self {
        let before = before.copied().unwrap_or_default();
        let Some((at, rx, tx)) = reading.and_then(whole) else {
            return Self::default();
        };
        if Some(at) == before.at {
            return before;
        }
        let seconds = before
            .at
            .and_then(|before| at.get().checked_sub(before.get()));
        Self {
            rx,
            tx,
            at: Some(at),
            rate: seconds.and_then(|seconds| {
                let rx = rx.checked_sub(before.rx)?;
                let tx = tx.checked_sub(before.tx)?;
                Some((per_second(rx, seconds), per_second(tx, seconds)))
            }),
        }
    }

    /// The received and sent bytes, the time of the reading, or zero without one, and the rate.
    pub(super) fn parts(self) -> (u64, u64, u32, Option<(f32, f32)>) {
        let at = self.at.map_or(0, NonZeroU32::get);
        (self.rx, self.tx, at, self.rate)
    }

    /// The reverse of [`Self::parts`]. A rate that is not finite is none.
    pub(super) fn from_parts(rx: u64, tx: u64, at: u32, rate: Option<(f32, f32)>) -> Self {
        Self {
            rx,
            tx,
            at: NonZeroU32::new(at),
            rate: rate.filter(|(rx, tx)| rx.is_finite() && tx.is_finite()),
        }
    }

    /// The rate, if there is one.
    pub(super) fn rate(&self) -> Option<NetworkRate> {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a quotient of whole numbers"
        )]
        self.rate.map(|(rx, tx)| NetworkRate {
            rx: rx.round() as u64,
            tx: tx.round() as u64,
        })
    }
}

fn whole(reading: &summary::Traffic) -> Option<(NonZeroU32, u64, u64)> {
    let at = u32::try_from(reading.time?.as_secs()).ok()?;
    let at = NonZeroU32::new(at)?;
    Some((at, reading.rx_bytes?, reading.tx_bytes?))
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "seven digits will do"
)]
fn per_second(bytes: u64, seconds: u32) -> f32 {
    (bytes as f64 / f64::from(seconds)) as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use kubevitals_proto::time::Timestamp;

    fn read(at: i64, rx: u64, tx: u64) -> summary::Traffic {
        summary::Traffic {
            time: Some(Timestamp::from_secs(at)),
            rx_bytes: Some(rx),
            tx_bytes: Some(tx),
        }
    }

    #[test]
    fn a_rate_is_that_of_the_last_two_readings() {
        // Time, received and sent bytes, and the rates after it.
        type Row = ((i64, u64, u64), Option<(u64, u64)>);
        let two: &[Row] = &[
            ((100, 1_000, 50), None),
            ((158, 59_000, 50), Some((1_000, 0))),
        ];
        let repeated: &[Row] = &[
            ((100, 0, 0), None),
            ((110, 70, 20), Some((7, 2))),
            ((110, 70, 20), Some((7, 2))),
            ((120, 70, 20), Some((0, 0))),
        ];
        // A counter that fell and a clock that was set back give no rate once.
        let reset: &[Row] = &[
            ((100, 5_000, 5_000), None),
            ((110, 10, 6_000), None),
            ((120, 20, 6_010), Some((1, 1))),
            ((60, 30, 6_020), None),
            ((70, 40, 6_030), Some((1, 1))),
        ];
        for rows in [two, repeated, reset] {
            let mut traffic = Traffic::default();
            for ((at, rx, tx), expected) in rows {
                traffic = Traffic::of(Some(&read(*at, *rx, *tx)), Some(&traffic));
                let rate = traffic.rate().map(|rate| (rate.rx, rate.tx));
                assert_eq!(rate, *expected, "{at}");
            }
        }
    }

    #[test]
    fn without_a_time_or_a_counter_there_is_nothing() {
        let mut timeless = read(1, 1, 1);
        timeless.time = None;
        let mut partial = read(1, 1, 1);
        partial.tx_bytes = None;
        for reading in [summary::Traffic::default(), timeless, partial] {
            let before = Traffic::of(Some(&read(100, 1, 1)), None);
            let after = Traffic::of(Some(&reading), Some(&before));
            assert_eq!(after, Traffic::default());
        }
    }
}
