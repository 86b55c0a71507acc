//! The volumes of a pod that have a claim.

use super::bounded::{Elements, bounded_by};
use super::lenient::{number, time};
use crate::lenient::{Lenient, lenient};
use crate::time::Timestamp;
use serde::de::MapAccess;
use serde::de::value::MapAccessDeserializer;
use serde::{Deserialize, Deserializer};
use std::borrow::Cow;

/// A volume of a pod.
///
/// The kubelet measures volumes every one to two minutes (`--volume-stats-agg-period`, with jitter).
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, remote = "Self")]
pub struct VolumeStats<'a> {
    /// The claim; none for a volume that has none, such as an emptyDir.
    #[serde(borrow)]
    pub pvc_ref: Option<ClaimName<'a>>,
    /// When the kubelet measured the volume.
    #[serde(deserialize_with = "time")]
    pub time: Option<Timestamp>,
    /// Bytes left.
    #[serde(deserialize_with = "number")]
    pub available_bytes: Option<u64>,
    /// The size in bytes.
    #[serde(deserialize_with = "number")]
    pub capacity_bytes: Option<u64>,
    /// Bytes used.
    #[serde(deserialize_with = "number")]
    pub used_bytes: Option<u64>,
    /// Inodes in all. Zero for file systems without inodes.
    #[serde(deserialize_with = "number")]
    pub inodes: Option<u64>,
    /// Inodes used.
    #[serde(deserialize_with = "number")]
    pub inodes_used: Option<u64>,
}

/// The name of a PersistentVolumeClaim.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub struct ClaimName<'a> {
    /// The name.
    #[serde(borrow)]
    pub name: Cow<'a, str>,
    /// The namespace.
    #[serde(borrow)]
    pub namespace: Cow<'a, str>,
}

impl<'de> Deserialize<'de> for VolumeStats<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        lenient(deserializer)
    }
}

/// What is no object is a volume without a claim: it must not discard the page.
impl<'de> Lenient<'de> for VolumeStats<'de> {
    fn object<A: MapAccess<'de>>(object: A) -> Result<Self, A::Error> {
        Self::deserialize(MapAccessDeserializer::new(object))
    }
}

impl Elements for VolumeStats<'_> {}

/// Parses a list of volumes, and skips those without a claim.
pub(super) fn claimed<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<VolumeStats<'de>>, D::Error> {
    bounded_by(deserializer, |volume: &VolumeStats<'de>| {
        volume.pvc_ref.is_some()
    })
}
