//! The delay before a request is retried.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// A source of random fractions from 0 up to 1.
pub type Random = fn() -> f64;

/// Delays that double from `min` to `max`, each varied by up to a fifth at random.
#[derive(Debug, Clone)]
pub struct Backoff {
    min: Duration,
    max: Duration,
    next: Duration,
    random: Random,
}

impl Backoff {
    /// Starts with `min`.
    pub fn new(min: Duration, max: Duration, random: Random) -> Self {
        Self {
            min,
            max,
            next: min,
            random,
        }
    }

    /// The delay before the next attempt.
    pub fn delay(&mut self) -> Duration {
        let delay = self.next;
        self.next = delay.saturating_mul(2).min(self.max);
        delay.mul_f64(0.8 + 0.4 * (self.random)().clamp(0.0, 1.0))
    }

    /// Starts again with `min`, after a successful attempt.
    pub fn reset(&mut self) {
        self.next = self.min;
    }
}

/// A random fraction from 0 up to 1, made of the random keys of hash maps.
pub fn random() -> f64 {
    let bits = RandomState::new().hash_one(()) >> 11;
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
    let (bits, all) = (bits as f64, (1_u64 << 53) as f64);
    bits / all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_up_to_the_maximum_and_reset() {
        let mut backoff = Backoff::new(Duration::from_secs(2), Duration::from_secs(600), || 0.5);
        let mut delays = || backoff.delay().as_secs();
        let ten: Vec<u64> = (0..10).map(|_| delays()).collect();
        assert_eq!(ten, [2, 4, 8, 16, 32, 64, 128, 256, 512, 600]);
        assert_eq!(delays(), 600);
        backoff.reset();
        assert_eq!(backoff.delay().as_secs(), 2);
    }

    #[test]
    fn a_delay_varies_by_a_fifth() {
        for (random, expected) in [((|| 0.0) as Random, 1600), (|| 1.0, 2400), (|| 9.0, 2400)] {
            let mut backoff = Backoff::new(Duration::from_secs(2), Duration::MAX, random);
            assert_eq!(backoff.delay().as_millis(), expected);
        }
    }
}
