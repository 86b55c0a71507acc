//! The volumes of a node that have a claim, and how full each was in the last hour.

use kubevitals_proto::kubelet::names::may_be_pod;
use kubevitals_proto::kubelet::summary::{ClaimName, PodExtras, VolumeStats};
use kubevitals_proto::time::Timestamp;
use kubevitals_proto::units::Bytes;
use kubevitals_proto::vitals::forecast::Sample;

use super::non_max::NonMaxU64;
use crate::cluster::PodKey;
use crate::intern::Interner;
use crate::store::sorted::advance_to;

/// The time between two samples, in seconds. Kubelets measure a volume every one to two minutes: from a kubelet that is
/// on time it is every second value.
const SAMPLE_SECONDS: u32 = 110;

/// The time for which samples are stored, in seconds.
const SPAN_SECONDS: u32 = 3_600;

/// The most samples of a claim.
pub(super) const MAX_SAMPLES: usize = (SPAN_SECONDS / SAMPLE_SECONDS) as usize + 1;

/// The volume of a claim on one node.
#[derive(Debug, Clone, PartialEq)]
pub struct ClaimExtra {
    /// The namespace and the name of the claim.
    pub key: PodKey,
    /// The names of the pods that mount it, sorted. They are in the namespace of the claim.
    pub pods: Box<[PodKey]>,
    /// The last measurement.
    pub last: Measurement,
    /// The used bytes of the last hour, in order of time.
    pub samples: Box<[Sample]>,
}

/// How full a volume is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Measurement {
    /// Seconds since the epoch by the kubelet's clock; zero if unknown.
    pub(super) at: u32,
    pub(super) capacity: Option<NonMaxU64>,
    pub(super) available: Option<NonMaxU64>,
    pub(super) used: Option<NonMaxU64>,
    /// All inodes; zero for a file system without a fixed number.
    pub(super) inodes: u64,
    pub(super) inodes_used: Option<NonMaxU64>,
}

impl ClaimExtra {
    /// The claims of a node's pods, sorted. Each has the samples of the same claim in `before`, which is sorted too.
    /// Volumes of a claim in another namespace than the pod's, or with a name that Kubernetes does not allow, are left
    /// out.
    pub(super) fn all(
        pods: &[(PodKey, &PodExtras<'_>)],
        before: &[Self],
        names: &Interner,
    ) -> Box<[Self]> {
        let mut volumes: Vec<Volume<'_>> = pods
            .iter()
            .flat_map(|(pod, extras)| {
                let volumes = extras.volumes.iter();
                volumes.filter_map(|stats| Volume::of(pod, stats))
            })
            .collect();
        volumes.sort_by(|a, b| (a.claim, a.pod).cmp(&(b.claim, b.pod)));
        let mut before = before.iter().peekable();
        let of_claims = volumes.chunk_by(|a, b| a.claim == b.claim);
        let claims = of_claims.filter_map(|volumes| {
            let first = volumes.first()?;
            let before = advance_to(&mut before, |it| it.names().cmp(&first.claim));
            Some(Self::of(first.claim, volumes, before, names))
        });
        claims.collect()
    }

    /// One claim. All pods on a node mount the same file system, so the newest measurement counts.
    fn of(
        (namespace, name): (&str, &str),
        volumes: &[Volume<'_>],
        before: Option<&Self>,
        names: &Interner,
    ) -> Self {
        let mut pods: Vec<PodKey> = volumes.iter().map(|volume| volume.pod.clone()).collect();
        pods.dedup();
        let measurements = volumes.iter().map(|volume| Measurement::of(volume.stats));
        let last = measurements.max_by_key(|it| it.at).unwrap_or_default();
        Self {
            key: before.map_or_else(|| names.key(namespace, name), |before| before.key.clone()),
            pods: pods.into_boxed_slice(),
            last,
            samples: match before {
                Some(before) => last.appended_to(&before.samples),
                None => last.appended_to(&[]),
            },
        }
    }

    fn names(&self) -> (&str, &str) {
        (&self.key.namespace, &self.key.name)
    }

    /// The memory beside the value itself, in bytes, without the shared names.
    pub(super) fn heap_bytes(&self) -> usize {
        size_of_val(&*self.pods) + size_of_val(&*self.samples)
    }
}

/// A volume with a possible claim.
struct Volume<'a> {
    claim: (&'a str, &'a str),
    pod: &'a PodKey,
    stats: &'a VolumeStats<'a>,
}

impl<'a> Volume<'a> {
    fn of(pod: &'a PodKey, stats: &'a VolumeStats<'_>) -> Option<Self> {
        let ClaimName { name, namespace } = stats.pvc_ref.as_ref()?;
        // Names of claims have the same limits as those of pods.
        let possible = **namespace == *pod.namespace && may_be_pod(namespace, name);
        possible.then_some(Self {
            claim: (namespace, name),
            pod,
            stats,
        })
    }
}

impl Measurement {
    fn of(stats: &VolumeStats<'_>) -> Self {
        let (capacity, available) = (stats.capacity_bytes, stats.available_bytes);
        let rest = || Some(capacity?.saturating_sub(available?));
        let at = stats
            .time
            .and_then(|time| u32::try_from(time.as_secs()).ok());
        Self {
            at: at.unwrap_or_default(),
            capacity: capacity.and_then(NonMaxU64::new),
            available: available.and_then(NonMaxU64::new),
            used: stats.used_bytes.or_else(rest).and_then(NonMaxU64::new),
            inodes: stats.inodes.unwrap_or_default(),
            inodes_used: stats.inodes_used.and_then(NonMaxU64::new),
        }
    }

    /// When the kubelet measured.
    pub fn at(&self) -> Option<Timestamp> {
        (self.at > 0).then(|| Timestamp::from_secs(self.at.into()))
    }

    /// The size of the file system.
    pub fn capacity(&self) -> Option<Bytes> {
        self.capacity.map(|it| Bytes(it.get()))
    }

    /// Bytes left.
    pub fn available(&self) -> Option<Bytes> {
        self.available.map(|it| Bytes(it.get()))
    }

    /// Bytes used.
    pub fn used(&self) -> Option<Bytes> {
        self.used.map(|it| Bytes(it.get()))
    }

    /// The inodes used, and all inodes; none for a file system without a fixed number.
    pub fn inodes(&self) -> Option<(u64, u64)> {
        let used = self.inodes_used.filter(|_| self.inodes > 0)?;
        Some((used.get(), self.inodes))
    }

    /// The samples of the last hour with this measurement, if enough time is between them. A clock that was set back
    /// starts again.
    fn appended_to(&self, samples: &[Sample]) -> Box<[Sample]> {
        let Some(used) = self.used.filter(|_| self.at > 0) else {
            return samples.into();
        };
        #[expect(clippy::cast_precision_loss, reason = "seven digits are enough")]
        let sample = Sample {
            at: self.at,
            value: used.get() as f32,
        };
        match samples.last() {
            Some(last) if self.at < last.at => [sample].into(),
            Some(last) if self.at - last.at < SAMPLE_SECONDS => samples.into(),
            _ => {
                let is_recent = |it: &&Sample| self.at.saturating_sub(it.at) <= SPAN_SECONDS;
                let recent = samples.iter().filter(is_recent).copied();
                recent.chain([sample]).collect()
            }
        }
    }
}
