//! Fuzzing of restored state.

use std::sync::Arc;
use std::time::Duration;

use super::parts::{Origin, StateParts};
use super::wire::{Decoder, Kind, StateError, Writer};
use crate::availability::{Availability, RETENTION};
use crate::clock::SystemClock;
use crate::health::Health;
use crate::store::{Store, history};

/// Restores bytes as they are, and as the payload of each kind of frame. A checksum protects a frame against damage,
/// but not against an attacker.
pub(crate) fn check_any_input(bytes: &[u8]) {
    // Most inputs are refused.
    let _error = restore(&parts(), bytes);
    for kind in [Kind::Latest, Kind::Health, Kind::History] {
        let parts = parts();
        let framed = Writer::begin(Vec::new(), parts.clock.wall()).and_then(|mut writer| {
            writer.frame(kind, bytes)?;
            writer.end()
        });
        if let Ok((framed, _)) = framed {
            assert_eq!(restore(&parts, &framed), Ok(()), "a frame that is whole");
        }
        // The restored state can be written and read again.
        if let Ok((again, _)) = parts.write(Vec::new()) {
            assert_eq!(restore(&self::parts(), &again), Ok(()));
        }
    }
}

/// A server without any state.
fn parts() -> StateParts {
    StateParts {
        store: Arc::new(Store::new(history::Settings {
            retention: Duration::from_secs(3600),
            step: Duration::ZERO,
            memory_limit: 1 << 20,
            resolution: Duration::from_secs(15),
        })),
        cluster: Arc::default(),
        health: Health::unfed(),
        availability: Some(Availability::new(
            Arc::default(),
            Arc::new(SystemClock::default()),
            RETENTION,
        )),
        clock: Arc::new(SystemClock::default()),
        resolution: Duration::from_secs(15),
        max_age: Duration::from_secs(3600),
    }
}

fn restore(parts: &StateParts, bytes: &[u8]) -> Result<(), StateError> {
    let (mut decoder, mut restorer) = (Decoder::default(), parts.restorer(Origin::File));
    decoder.push(bytes, &mut |item| restorer.apply(item))?;
    decoder.finish()
}
