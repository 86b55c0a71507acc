//! The usage of a container before its termination.

use std::fmt;

use kubevitals_proto::duration::GoDuration;
use kubevitals_proto::time::Timestamp;
use kubevitals_proto::units::{Bytes, Nanocores};

use super::thresholds::{NEAR_LIMIT, SECOND};
use crate::cluster::{PodKey, Resources};

/// One sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UsagePoint {
    /// The time, by the kubelet's clock.
    pub at: Timestamp,
    /// CPU.
    pub cpu: Nanocores,
    /// The working set.
    pub memory: Bytes,
}

/// The container whose usage is read.
#[derive(Debug, Clone, Copy)]
pub struct UsageSubject<'a> {
    /// The pod's node.
    pub node: &'a str,
    /// The pod.
    pub pod: &'a PodKey,
    /// The container.
    pub container: &'a str,
}

/// Gives the usage of containers before now.
pub trait UsageHistory: fmt::Debug + Send + Sync {
    /// The samples of a container between two times, oldest first. Called with health's lock held, so implementations
    /// must be fast and must not call health.
    fn between(&self, of: UsageSubject<'_>, since: Timestamp, until: Timestamp) -> Vec<UsagePoint>;
}

/// Whether the last sample is so near the memory limit that an OOM kill is likely.
pub(super) fn is_near_limit(points: &[UsagePoint], limits: Resources) -> bool {
    let (Some(last), Some(limit)) = (points.last(), limits.memory) else {
        return false;
    };
    last.memory.0 as f64 >= limit.0 as f64 * NEAR_LIMIT
}

/// Whether memory or CPU was near its limit.
pub(super) fn is_at_limit(points: &[UsagePoint], limits: Resources) -> bool {
    let busy = |limit: Nanocores| {
        let near = limit.0 as f64 * NEAR_LIMIT;
        points.iter().any(|point| point.cpu.0 as f64 >= near)
    };
    is_near_limit(points, limits) || limits.cpu.is_some_and(busy)
}

/// Describes the samples: `memory rose from 12Mi to 46Mi in 45s, limit 48Mi; CPU up to 250m, limit 500m`. None without
/// samples.
pub(super) fn in_words(
    points: &[UsagePoint],
    limits: Resources,
    ended: Timestamp,
) -> Option<String> {
    let (first, last) = (points.first()?, points.last()?);
    let span = last.at.since(first.at);
    let (from, to) = (first.memory.0, last.memory.0);
    let mut text = if span > 0 && to > from + from / 10 {
        format!(
            "memory rose from {} to {} in {}",
            bytes(from),
            bytes(to),
            seconds(span)
        )
    } else if span > 0 && from > to + to / 10 {
        format!(
            "memory fell from {} to {} in {}",
            bytes(from),
            bytes(to),
            seconds(span)
        )
    } else {
        format!(
            "memory was {}, {} before the end",
            bytes(to),
            seconds(ended.since(last.at).max(0))
        )
    };
    if let Some(limit) = limits.memory {
        text.push_str(&format!(", limit {}", bytes(limit.0)));
    }
    let most = points.iter().map(|point| point.cpu).max()?;
    text.push_str(&format!("; CPU up to {}m", most.millicores_ceil()));
    if let Some(limit) = limits.cpu {
        text.push_str(&format!(", limit {}m", limit.millicores_ceil()));
    }
    Some(text)
}

/// Bytes in the largest unit that gives at least ten.
pub(super) fn bytes(bytes: u64) -> String {
    let units = [(30, "Gi"), (20, "Mi"), (10, "Ki")];
    for (shift, unit) in units {
        let whole = 1_u64 << shift;
        if bytes >= 10 * whole || (bytes >= whole && bytes.is_multiple_of(whole)) {
            return format!("{}{unit}", (bytes + whole / 2) >> shift);
        }
    }
    format!("{bytes}")
}

/// A duration in whole seconds: `1m4s`.
pub(super) fn seconds(nanoseconds: i64) -> GoDuration {
    GoDuration((nanoseconds + SECOND / 2).div_euclid(SECOND) * SECOND)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(at: i64, memory: u64) -> UsagePoint {
        UsagePoint {
            at: Timestamp::from_secs(at),
            cpu: Nanocores(10_000_000),
            memory: Bytes(memory << 20),
        }
    }

    fn limited(memory: u64) -> Resources {
        Resources {
            memory: Some(Bytes(memory << 20)),
            ..Resources::default()
        }
    }

    #[test]
    fn samples_are_described() {
        let ended = Timestamp::from_secs(70);
        let words = |points: &[UsagePoint]| in_words(points, limited(48), ended).unwrap();
        assert_eq!(
            words(&[point(10, 12), point(30, 30), point(55, 46)]),
            "memory rose from 12Mi to 46Mi in 45s, limit 48Mi; CPU up to 10m"
        );
        assert_eq!(
            words(&[point(10, 40), point(40, 20)]),
            "memory fell from 40Mi to 20Mi in 30s, limit 48Mi; CPU up to 10m"
        );
        assert_eq!(
            words(&[point(58, 30)]),
            "memory was 30Mi, 12s before the end, limit 48Mi; CPU up to 10m"
        );
        assert_eq!(in_words(&[], limited(48), ended), None);
    }

    #[test]
    fn nine_tenths_of_a_limit_are_near_it() {
        assert!(is_near_limit(&[point(1, 44)], limited(48)));
        assert!(!is_near_limit(&[point(1, 43)], limited(48)));
        assert!(!is_near_limit(&[point(1, 43)], Resources::default()));
        assert!(!is_near_limit(&[], limited(48)));
    }

    #[test]
    fn bytes_have_the_largest_unit_that_gives_ten() {
        for (of, said) in [
            (0, "0"),
            (2048, "2Ki"),
            (20_000, "20Ki"),
            (1 << 20, "1Mi"),
            (12 << 20, "12Mi"),
            (5 << 30, "5Gi"),
            ((5 << 30) + (1 << 20), "5121Mi"),
        ] {
            assert_eq!(bytes(of), said);
        }
    }
}
