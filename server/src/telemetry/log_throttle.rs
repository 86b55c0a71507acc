//! Limits how often a recurring message is logged.

use std::num::NonZeroU64;
use std::time::{Duration, Instant};

/// The number of messages that were suppressed since the last one. A log line leaves out the field if there were
/// none.
pub type Unreported = Option<NonZeroU64>;

/// Allows a number of messages per interval, and counts the others.
#[derive(Debug)]
pub struct LogThrottle {
    lines: u32,
    interval: Duration,
    began: Option<Instant>,
    spent: u32,
    unreported: u64,
}

impl LogThrottle {
    /// Allows one message per `interval`.
    pub fn new(interval: Duration) -> Self {
        Self::lines(1, interval)
    }

    /// Allows `lines` messages per `interval`, for one source of many messages: a thousand failing nodes do not make a
    /// thousand lines.
    pub fn lines(lines: u32, interval: Duration) -> Self {
        Self {
            lines,
            interval,
            began: None,
            spent: 0,
            unreported: 0,
        }
    }

    /// Returns `Some` if a message may be logged now, with the number that was suppressed since the last one.
    pub fn allow(&mut self) -> Option<Unreported> {
        self.allow_at(Instant::now())
    }

    fn allow_at(&mut self, now: Instant) -> Option<Unreported> {
        if self
            .began
            .is_none_or(|began| now.saturating_duration_since(began) >= self.interval)
        {
            self.began = Some(now);
            self.spent = 0;
        }
        if self.spent >= self.lines {
            self.unreported += 1;
            return None;
        }
        self.spent += 1;
        Some(NonZeroU64::new(std::mem::take(&mut self.unreported)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_throttle_allows_one_message_per_interval() {
        let start = Instant::now();
        let mut throttle = LogThrottle::new(Duration::from_secs(60));
        assert_eq!(throttle.allow_at(start), Some(None));
        for second in 1..60 {
            assert_eq!(throttle.allow_at(start + Duration::from_secs(second)), None);
        }
        assert_eq!(
            throttle.allow_at(start + Duration::from_secs(60)),
            Some(NonZeroU64::new(59))
        );
        assert_eq!(
            throttle.allow_at(start + Duration::from_secs(120)),
            Some(None)
        );
    }

    #[test]
    fn a_throttle_allows_several_messages_per_interval() {
        let start = Instant::now();
        let mut throttle = LogThrottle::lines(2, Duration::from_secs(10));
        let allowed: Vec<_> = (0..4).map(|_| throttle.allow_at(start)).collect();
        assert_eq!(allowed, [Some(None), Some(None), None, None]);
        assert_eq!(
            throttle.allow_at(start + Duration::from_secs(10)),
            Some(NonZeroU64::new(2))
        );
    }
}
