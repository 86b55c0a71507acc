//! Converts parts of objects of kubevitals.io/v1alpha1. Each row converts its own object.

use kubevitals_proto::labels::Labels;
use kubevitals_proto::objects::Uid;
use kubevitals_proto::vitals;

use super::{Bounds, Probes, to_seconds};
use crate::model::amount::{Amounts, Memory, Percent};
use crate::model::name::{Name, Names};

pub(super) fn usage(usage: Option<&vitals::Usage>) -> (Amounts, Memory, u32) {
    usage.map_or_else(Default::default, |usage| {
        let amounts = Amounts {
            cpu: usage.cpu.into(),
            memory: usage.memory.into(),
        };
        (amounts, usage.swap.into(), to_seconds(usage.timestamp))
    })
}

pub(super) fn labels(labels: &Labels, names: &Names) -> Labels {
    Labels::from_iter(
        labels
            .iter()
            .map(|(key, value)| (names.intern(key), names.intern(value))),
    )
}

pub(super) fn absent(absent: Option<&vitals::Absence>, names: &Names) -> Option<Name> {
    absent.map(|absent| names.intern(&absent.message))
}

pub(super) fn memory_stall(pressure: Option<vitals::Pressure>) -> Percent {
    pressure.and_then(|pressure| pressure.memory).into()
}

pub(super) fn probes<'a>(probes: impl Iterator<Item = &'a vitals::Probe>) -> Probes {
    probes.fold(Probes::default(), |mut all, probe| {
        all.count(probe.kind, probe.status);
        all
    })
}

pub(super) fn bounds(resize: &vitals::Resize) -> Bounds {
    Bounds::new(&resize.requests, &resize.limits)
}

/// A hash of a UID, which distinguishes pods of one name; zero if it is unknown.
pub(crate) fn uid_hash(uid: Uid) -> u64 {
    use std::hash::{DefaultHasher, Hash, Hasher};
    if !uid.is_some() {
        return 0;
    }
    let mut hasher = DefaultHasher::new();
    uid.hash(&mut hasher);
    hasher.finish().max(1)
}
