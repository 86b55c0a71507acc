//! The volumes of StatefulSets' pods: a claim for each, and how it fills.

use kubevitals_proto::time::Timestamp;

use super::catalog::Kind;
use super::epoch::{Epoch, SECOND};
use super::hash::{hash, stream, unit};
use super::pod::Pod;
use super::workload::Workload;

pub(crate) const GI: u64 = 1 << 30;

/// The part of a file system that only root may use.
const RESERVED: f64 = 0.05;

/// The time between two measurements of a volume by the kubelet, in seconds.
const PERIOD: i64 = 60;

/// The volume of a claim.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Volume {
    /// The size in bytes.
    pub(crate) size: u64,
    pub(crate) seed: u64,
    fill: Fill,
}

/// How the part that is used of a volume changes.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fill {
    Static(f64),
    /// From this part to all of it in so many hours.
    Grows(f64, f64),
    /// Grows by a twentieth of the volume in two hours, and is cleaned up.
    Swings(f64),
}

/// What the kubelet measured of a volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Measured {
    pub(crate) at: Timestamp,
    pub(crate) used: u64,
    pub(crate) available: u64,
    pub(crate) inodes: u64,
    pub(crate) inodes_used: u64,
}

impl Volume {
    /// The volume of a pod; none for a pod without one.
    pub(crate) fn of_pod(pod: &Pod) -> Option<Self> {
        let app = pod.revision.app;
        (app.kind == Kind::StatefulSet).then(|| Self::new(app.name, pod.revision.seed, pod.ordinal))
    }

    /// The volume of the `ordinal`-th pod of a StatefulSet.
    pub(crate) fn of(w: &Workload, ordinal: u32) -> Self {
        Self::new(w.app.name, w.seed, ordinal)
    }

    fn new(app: &str, seed: u64, ordinal: u32) -> Self {
        let seed = hash(seed, stream("volume") ^ u64::from(ordinal));
        let any = 0.15 + 0.5 * unit(seed);
        let (size, fill) = match (app, ordinal) {
            // The cases that a reader of volumes should see in the smallest cluster.
            ("postgres", 0) => (20 * GI, Fill::Grows(0.84, 5.0)),
            ("postgres", 1) => (20 * GI, Fill::Static(1.0)),
            ("postgres", _) => (20 * GI, Fill::Grows(any, 400.0)),
            ("prometheus", _) => (50 * GI, Fill::Swings(any)),
            _ => (5 * GI, Fill::Static(any)),
        };
        Self { size, seed, fill }
    }

    /// What the kubelet knows at `now` of the volume in a world of this epoch.
    pub(crate) fn measured(&self, epoch: Epoch, now: Timestamp) -> Measured {
        let phase = i64::try_from(self.seed % PERIOD.unsigned_abs()).unwrap_or_default();
        let seconds = (now.as_secs() - phase).div_euclid(PERIOD) * PERIOD + phase;
        let at = Timestamp::from_secs(seconds);
        let hours = epoch.secs_since_start(at) / 3_600.0;
        let part = match self.fill {
            Fill::Static(part) => part,
            Fill::Grows(from, in_hours) => from + (1.0 - from) * hours.max(0.0) / in_hours,
            Fill::Swings(from) => from + 0.05 * (hours / 2.0).rem_euclid(1.0),
        };
        let usable = self.size as f64 * (1.0 - RESERVED);
        let used = (usable * part.clamp(0.0, 1.0)) as u64 & !0xfff;
        Measured {
            at,
            used,
            available: (usable as u64 & !0xfff).saturating_sub(used),
            inodes: self.size / 16_384,
            inodes_used: 11 + used / (1 << 20),
        }
    }
}

impl Epoch {
    /// Seconds since the world started.
    fn secs_since_start(self, t: Timestamp) -> f64 {
        self.secs(t) - (Self::BEFORE_START / SECOND) as f64
    }
}

/// The name of the claim of a pod with a volume.
pub(crate) fn claim_name(app: &str, ordinal: u32) -> String {
    format!("data-{app}-{ordinal}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn volumes_are_static_or_fill_and_are_never_more_than_full() {
        let start = Timestamp::from_secs(1_800_000_000);
        let epoch = Epoch::before(start);
        let after = |volume: &Volume, hours: i64| {
            volume.measured(epoch, start.plus_nanos(hours * 3_600 * SECOND))
        };
        let growing = Volume::new("postgres", 1, 0);
        let first = after(&growing, 0);
        assert!(first.used < after(&growing, 1).used);
        assert!(first.available > 0);
        let full = after(&growing, 6);
        assert_eq!((full.available, full.used), (0, after(&growing, 60).used));
        assert_eq!(after(&Volume::new("postgres", 1, 1), 0).available, 0);
        let redis = Volume::new("redis", 1, 0);
        assert_eq!(after(&redis, 0).used, after(&redis, 9).used);
        // The kubelet measures once a minute, at a moment of the volume's own.
        let measured = after(&redis, 0).at;
        let next = redis.measured(epoch, measured.plus_nanos(59 * SECOND)).at;
        assert_eq!(next, measured);
        let next = redis.measured(epoch, measured.plus_nanos(60 * SECOND)).at;
        assert_eq!(next.since(measured), 60 * SECOND);
    }
}
