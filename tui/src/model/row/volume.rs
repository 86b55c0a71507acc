//! PersistentVolumeClaims and their volumes.

use std::sync::Arc;

use kubevitals_proto::time::Timestamp;
use kubevitals_proto::units::Bytes;
use kubevitals_proto::vitals::VolumeVitals;

use super::{Context, Entry, Row, Value, from_seconds, to_seconds};
use crate::model::amount::Memory;
use crate::model::column::{Column, Sort};
use crate::model::field::Field;
use crate::model::format;
use crate::model::name::{Key, Name, Names};
use crate::model::part::Part;
use crate::model::scope::{Limits, Open, Scope};
use crate::model::tone::Tone;
use crate::model::view_info::ViewInfo;

/// A volume that is full this soon is a problem, in seconds.
const SOON_SECONDS: f64 = 86_400.0;

/// A volume that is full this soon is a warning, as in the usual alert rules: four days.
const LATER_SECONDS: f64 = 4.0 * 86_400.0;

/// The phase of a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ClaimPhase {
    /// It has a volume.
    Bound,
    /// It has no volume yet.
    Pending,
    /// Its volume is gone.
    Lost,
    /// The claim has not been read: the user may not list claims.
    #[default]
    Unknown,
}

/// A PersistentVolumeClaim, from the API server.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Claim {
    /// The phase.
    pub phase: ClaimPhase,
    /// The storage class; empty without one.
    pub class: Name,
    /// The access modes in short: `RWO,ROX`.
    pub modes: Name,
    /// The requested size.
    pub requested: Memory,
    /// The size of the volume.
    pub capacity: Memory,
    /// Creation time, in seconds since the epoch; zero if unknown.
    pub created_seconds: u32,
}

/// How full a volume is, from kubevitals.io.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct VolumeUsage {
    /// The size of the file system.
    pub capacity: Memory,
    /// Bytes used.
    pub used: Memory,
    /// Bytes that can still be used.
    pub available: Memory,
    /// The fraction of the capacity that cannot be used any more.
    pub part: Option<f64>,
    /// The fraction of the inodes that are used.
    pub inodes: Option<f64>,
    /// The growth in bytes an hour.
    pub growth: Option<i64>,
    /// When the volume is full, in seconds since the epoch; zero if that is far or unknown.
    pub full_seconds: u32,
    /// When the volume was measured, in seconds since the epoch; zero if unknown.
    pub measured_seconds: u32,
    /// The first pods that mount the claim.
    pub pods: Arc<[Name]>,
    /// The number of pods that mount the claim.
    pub pod_count: u32,
    /// The node whose kubelet has the latest values.
    pub node: Name,
    /// The number of nodes that mount the claim.
    pub node_count: u32,
}

/// Why a claim is not bound, from its latest event.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ClaimReason {
    /// `ProvisioningFailed`, `WaitForFirstConsumer`, …
    pub reason: Name,
    /// The sentence.
    pub message: Name,
    /// The time of the event.
    pub at: Timestamp,
}

/// A claim with its volume.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct VolumeRow {
    /// The namespace.
    pub namespace: Name,
    /// The name of the claim.
    pub name: Name,
    /// The claim.
    pub claim: Arc<Claim>,
    /// How full the volume is, if the source reports it.
    pub usage: Option<Arc<VolumeUsage>>,
    /// Why the claim is not bound.
    pub reason: Option<Arc<ClaimReason>>,
}

impl ClaimPhase {
    /// The word of the API; empty if the claim has not been read.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bound => "Bound",
            Self::Pending => "Pending",
            Self::Lost => "Lost",
            Self::Unknown => "",
        }
    }

    /// The phase with this word.
    #[must_use]
    pub fn named(word: &str) -> Self {
        match word {
            "Bound" => Self::Bound,
            "Lost" => Self::Lost,
            // The API server sets it at once; a claim without one has just been created.
            _ => Self::Pending,
        }
    }
}

impl VolumeUsage {
    /// Converts an object of kubevitals.io.
    #[must_use]
    pub fn from_vitals(volume: &VolumeVitals, names: &Names) -> Self {
        let growth = volume.growth.as_ref();
        let count = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
        let node = volume.nodes.first().map(String::as_str);
        Self {
            capacity: volume.capacity.into(),
            used: volume.used.into(),
            available: volume.available.into(),
            part: volume.ratios.used,
            inodes: volume.ratios.inodes,
            growth: growth.map(|growth| growth.bytes_per_hour),
            full_seconds: to_seconds(growth.and_then(|growth| growth.full_at)),
            measured_seconds: to_seconds(volume.timestamp),
            pods: volume.pods.iter().map(|pod| names.intern(pod)).collect(),
            pod_count: count(volume.pod_count),
            node: names.intern(node.unwrap_or_default()),
            node_count: count(volume.node_count),
        }
    }
}

impl VolumeRow {
    /// A field of the usage; the default without usage.
    fn of<T: Default>(&self, field: impl FnOnce(&VolumeUsage) -> T) -> T {
        self.usage.as_deref().map(field).unwrap_or_default()
    }

    /// The size of the file system, or else of the claim.
    #[must_use]
    pub fn capacity(&self) -> Memory {
        let of_volume = self.of(|usage| usage.capacity);
        let claim = &self.claim;
        of_volume.or(claim.capacity).or(claim.requested)
    }

    /// When the volume is full; `None` if that is far or unknown.
    #[must_use]
    pub fn full_at(&self) -> Option<Timestamp> {
        from_seconds(self.of(|usage| usage.full_seconds))
    }

    /// The growth in an hour with its sign.
    #[must_use]
    pub fn growth_text(&self) -> Option<String> {
        let growth = self.of(|usage| usage.growth)?;
        let sign = match growth {
            0 => "",
            1.. => "+",
            _ => "-",
        };
        Some(format!(
            "{sign}{}",
            format::bytes(Bytes(growth.unsigned_abs()))
        ))
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "exact up to nine petabytes an hour"
    )]
    fn growth(&self) -> Value<'_> {
        match (self.growth_text(), self.of(|usage| usage.growth)) {
            (Some(text), Some(growth)) => Value::Sorted(text.into(), growth as f64),
            _ => Value::Text(format::UNKNOWN.into()),
        }
    }

    /// Why the claim is not bound: the word and the sentence.
    fn reason(&self) -> Option<&ClaimReason> {
        self.reason.as_deref().filter(|_| !self.is_usable())
    }

    /// The word for why the claim is not bound; empty for one that is.
    #[must_use]
    pub fn reason_text(&self) -> &str {
        self.reason().map_or("", |reason| &*reason.reason)
    }

    /// The sentence for why the claim is not bound; empty for one that is.
    #[must_use]
    pub fn message(&self) -> &str {
        match (self.reason(), self.claim.phase) {
            (Some(reason), _) => &reason.message,
            (None, ClaimPhase::Lost) => {
                "The PersistentVolume of the claim does not exist any more."
            }
            (None, ClaimPhase::Pending) => "The claim has no volume yet, and no event says why.",
            (None, _) => "",
        }
    }

    /// Whether nothing is known against the claim.
    fn is_usable(&self) -> bool {
        matches!(self.claim.phase, ClaimPhase::Bound | ClaimPhase::Unknown)
    }

    /// The severity of the phase. A claim that waits for its first pod is no problem.
    #[must_use]
    pub fn tone(&self) -> Tone {
        match self.claim.phase {
            ClaimPhase::Bound => Tone::Plain,
            ClaimPhase::Unknown => Tone::Dim,
            ClaimPhase::Pending if self.reason_text() == "WaitForFirstConsumer" => Tone::Plain,
            ClaimPhase::Pending => Tone::Warn,
            ClaimPhase::Lost => Tone::Bad,
        }
    }

    /// What needs attention first: claims without a volume, then what is full first, then what is fullest.
    fn urgency(&self) -> Value<'_> {
        // Larger than a time in seconds, so that a sooner time is a larger number.
        const LATEST: f64 = 1e10;
        let (text, number) = match self.tone() {
            Tone::Bad => ("lost", 3.0 * LATEST),
            Tone::Warn => ("unbound", 2.0 * LATEST),
            Tone::Plain | Tone::Dim => match self.of(|usage| usage.full_seconds) {
                0 => ("", self.of(|usage| usage.part).unwrap_or(-1.0)),
                at if self.of(|usage| usage.available).get() == Some(Bytes(0)) => {
                    ("full", LATEST - f64::from(at))
                }
                at => ("fills up", LATEST - f64::from(at)),
            },
        };
        Value::Sorted(text.into(), number)
    }

    /// The severity of the time until the volume is full.
    fn full_tone(&self, context: &Context) -> Tone {
        let Some(at) = self.full_at() else {
            return Tone::Dim;
        };
        match at.since(context.now) as f64 / 1e9 {
            seconds if seconds <= SOON_SECONDS => Tone::Bad,
            seconds if seconds <= LATER_SECONDS => Tone::Warn,
            _ => Tone::Plain,
        }
    }
}

type E = Entry<VolumeRow>;

#[rustfmt::skip] // one entry a line: a table
impl Row for VolumeRow {
    const FIELDS: &'static [E] = &[
        E::text(Field::Namespace, "NAMESPACE", (9, 20), 3, |row| (&row.namespace).into()).searched(),
        E::text(Field::Name, "CLAIM", (12, 60), 0, |row| (&row.name).into()).searched(),
        E::text(Field::Status, "STATUS", (7, 7), 1, |row| row.claim.phase.as_str().into())
            .tone(|row, _| row.tone())
            .searched(),
        E::number(Field::Used, "USED", 7, 2, |row| row.of(|usage| usage.used).into()),
        E::number(Field::Capacity, "SIZE", 7, 3, |row| row.capacity().into()),
        E::number(Field::UsedPercent, "USED%", 6, 1, |row| Value::PartOfLimit(row.of(|usage| usage.part))),
        E::text(Field::UsedBar, "FILL", (8, 12), 5, |row| Value::Gauge(row.of(|usage| usage.part))),
        E::number(Field::Growth, "GROWTH/h", 9, 3, Self::growth),
        E::number(Field::FullIn, "FULL IN", 8, 1, |row| Value::Until(row.full_at())).tone(|row, context| row.full_tone(context)),
        E::number(Field::InodesPercent, "INODES", 7, 7, |row| Value::PartOfLimit(row.of(|usage| usage.inodes))),
        E::text(Field::Class, "CLASS", (8, 20), 6, |row| (&row.claim.class).into()).searched(),
        E::text(Field::AccessModes, "MODE", (4, 12), 6, |row| (&row.claim.modes).into()).searched(),
        E::number(Field::Pods, "PODS", 5, 4, |row| match &row.usage {
            Some(usage) => usage.pod_count.into(),
            None => Value::Text(format::UNKNOWN.into()),
        }),
        E::text(Field::Reason, "REASON", (8, 24), 2, |row| row.reason_text().into())
            .tone(|row, _| row.tone())
            .searched(),
        E::text(Field::Message, "MESSAGE", (12, 100), 8, |row| row.message().into()).searched(),
        E::number(Field::Age, "AGE", 6, 9, |row| Value::Since(from_seconds(row.claim.created_seconds))),
        E::text(Field::Node, "NODE", (8, 40), Column::ON_DEMAND, |row| {
            row.usage.as_ref().map_or("", |usage| &*usage.node).into()
        })
            .searched(),
        E::number(Field::Nodes, "NODES", 5, Column::ON_DEMAND, |row| match &row.usage {
            Some(usage) => usage.node_count.into(),
            None => Value::Text(format::UNKNOWN.into()),
        }),
        E::number(Field::Urgency, "URGENCY", 8, Column::ON_DEMAND, Self::urgency),
        E::number(Field::Measured, "MEASURED", 8, Column::ON_DEMAND, |row| {
            Value::Since(from_seconds(row.of(|usage| usage.measured_seconds)))
        }),
    ];

    const VIEW: ViewInfo = ViewInfo {
        help: "volumes: how full, and when full",
        rows: "volumes",
        sort: Sort::by(Field::Urgency),
        also: &[Part::Volumes, Part::Events],
        ..ViewInfo::new("Volumes", "Vol", "volumes", Part::Claims)
    };

    fn key(&self) -> Key {
        Key::new(&self.namespace, &self.name)
    }

    fn is_in(&self, limits: &Limits<'_>) -> bool {
        limits.has_object_of(&self.namespace)
    }

    /// The pod that mounts the claim, or the list of those that do.
    fn open(&self) -> Open {
        let pods = self.usage.as_ref().map(|usage| Arc::clone(&usage.pods));
        let pods = pods.unwrap_or_default();
        match &*pods {
            [pod] => Scope::Pod(Key::new(&self.namespace, pod)).into(),
            _ => Scope::Claim(self.key(), pods).into(),
        }
    }

    fn reference(&self) -> String {
        format!("persistentvolumeclaim/{}", self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::order::{select, sorted};

    fn row(name: &str, phase: ClaimPhase, usage: Option<VolumeUsage>) -> Arc<VolumeRow> {
        Arc::new(VolumeRow {
            namespace: "ns".into(),
            name: name.into(),
            claim: Arc::new(Claim {
                phase,
                ..Claim::default()
            }),
            usage: usage.map(Arc::new),
            reason: None,
        })
    }

    fn usage(part: f64, full_seconds: u32) -> Option<VolumeUsage> {
        Some(VolumeUsage {
            part: Some(part),
            full_seconds,
            ..VolumeUsage::default()
        })
    }

    #[test]
    fn what_needs_attention_is_first() {
        let rows = [
            row("half", ClaimPhase::Bound, usage(0.5, 0)),
            row("later", ClaimPhase::Bound, usage(0.1, 2_000_000)),
            row("bare", ClaimPhase::Bound, None),
            row("sooner", ClaimPhase::Unknown, usage(0.1, 1_000_000)),
            row("fuller", ClaimPhase::Bound, usage(0.8, 0)),
            row("pending", ClaimPhase::Pending, None),
            row("lost", ClaimPhase::Lost, None),
        ];
        let all = select(&rows, 0.., |_| true);
        let order = sorted(&rows, all, VolumeRow::VIEW.sort, Timestamp(0));
        let names: Vec<&str> = order.iter().map(|at| &*rows[*at as usize].name).collect();
        let expected = [
            "lost", "pending", "sooner", "later", "fuller", "half", "bare",
        ];
        assert_eq!(names, expected);
    }

    #[test]
    fn only_a_claim_that_is_not_bound_has_a_reason() {
        let with = |phase, reason: &str| {
            let reason = ClaimReason {
                reason: reason.into(),
                message: "because".into(),
                at: Timestamp::default(),
            };
            VolumeRow {
                reason: Some(Arc::new(reason)),
                ..VolumeRow::clone(&row("a", phase, None))
            }
        };
        for (phase, reason, message, tone) in [
            (ClaimPhase::Bound, "ProvisioningSucceeded", "", Tone::Plain),
            (ClaimPhase::Unknown, "ProvisioningFailed", "", Tone::Dim),
            (
                ClaimPhase::Pending,
                "ProvisioningFailed",
                "because",
                Tone::Warn,
            ),
            (
                ClaimPhase::Pending,
                "WaitForFirstConsumer",
                "because",
                Tone::Plain,
            ),
            (ClaimPhase::Lost, "ClaimLost", "because", Tone::Bad),
        ] {
            let row = with(phase, reason);
            assert_eq!(
                (row.message(), row.tone()),
                (message, tone),
                "{phase:?} {reason}"
            );
        }
        let pending = row("a", ClaimPhase::Pending, None);
        assert!(pending.message().contains("no event"));
    }

    #[test]
    fn enter_opens_the_pod_or_the_list_of_pods() {
        let of = |pods: &[&str]| {
            let usage = VolumeUsage {
                pods: pods.iter().map(|pod| Name::from(*pod)).collect(),
                ..VolumeUsage::default()
            };
            row("data", ClaimPhase::Bound, Some(usage)).open().scope
        };
        assert_eq!(of(&["a"]), Scope::Pod(Key::new(&"ns".into(), &"a".into())));
        let Scope::Claim(key, pods) = of(&["a", "b"]) else {
            panic!("no list")
        };
        assert_eq!((&*key.name, pods.len()), ("data", 2));
        assert!(matches!(of(&[]), Scope::Claim(_, pods) if pods.is_empty()));
    }

    #[test]
    fn a_size_is_that_of_the_file_system_or_else_of_the_claim() {
        let claim = |requested: Option<u64>, capacity: Option<u64>, file_system: Option<u64>| {
            let row = VolumeRow {
                claim: Arc::new(Claim {
                    requested: requested.map(Bytes).into(),
                    capacity: capacity.map(Bytes).into(),
                    ..Claim::default()
                }),
                usage: Some(Arc::new(VolumeUsage {
                    capacity: file_system.map(Bytes).into(),
                    ..VolumeUsage::default()
                })),
                ..VolumeRow::default()
            };
            row.capacity().get().map(|bytes| bytes.0)
        };
        assert_eq!(claim(Some(1), Some(2), Some(3)), Some(3));
        assert_eq!(claim(Some(1), Some(2), None), Some(2));
        assert_eq!(claim(Some(1), None, None), Some(1));
        assert_eq!(claim(None, None, None), None);
        assert_eq!(claim(None, None, Some(0)), Some(0));
    }
}
