//! PersistentVolumeClaims, as the API server sends them.

use kubevitals_proto::objects::{WireMeta, lenient};
use kubevitals_proto::quantity::Quantity;
use kubevitals_proto::units::Bytes;
use serde::Deserialize;
use serde_json::Value;

use crate::model::row::{Claim, ClaimPhase};
use crate::model::{Key, Names};

/// A PersistentVolumeClaim.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct WireClaim {
    #[serde(deserialize_with = "lenient")]
    pub(super) metadata: WireMeta,
    #[serde(deserialize_with = "lenient")]
    spec: Option<Spec>,
    #[serde(deserialize_with = "lenient")]
    status: Option<Status>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Spec {
    access_modes: Value,
    resources: Value,
    #[serde(deserialize_with = "lenient")]
    storage_class_name: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Status {
    #[serde(deserialize_with = "lenient")]
    phase: String,
    access_modes: Value,
    capacity: Value,
}

impl WireClaim {
    /// The claim and its key; none without a name, which no API server sends.
    pub(super) fn claim(&self, names: &Names) -> Option<(Key, Claim)> {
        let meta = &self.metadata;
        if meta.name.is_empty() || meta.namespace.is_empty() {
            return None;
        }
        let key = Key::new(&names.intern(&meta.namespace), &names.intern(&meta.name));
        let (spec, status) = (self.spec.clone(), self.status.clone());
        let (spec, status) = (spec.unwrap_or_default(), status.unwrap_or_default());
        // A claim that is not bound has its modes in the spec only.
        let modes = [&status.access_modes, &spec.access_modes].map(modes);
        let modes = modes.iter().find(|modes| !modes.is_empty());
        let requested = spec.resources.pointer("/requests/storage");
        let claim = Claim {
            phase: ClaimPhase::named(&status.phase),
            class: names.intern(&spec.storage_class_name),
            modes: names.intern(modes.map_or("", String::as_str)),
            requested: bytes(requested).into(),
            capacity: bytes(status.capacity.get("storage")).into(),
            created_seconds: meta.created_seconds(),
        };
        Some((key, claim))
    }
}

fn bytes(quantity: Option<&Value>) -> Option<Bytes> {
    let quantity = quantity.filter(|value| !value.is_null())?;
    Some(Quantity::deserialize(quantity).ok()?.to_bytes())
}

/// Access modes in short, as kubectl writes them.
fn modes(modes: &Value) -> String {
    let modes = modes.as_array().into_iter().flatten().take(4);
    let short = modes.filter_map(|mode| match mode.as_str()? {
        "ReadWriteOnce" => Some("RWO"),
        "ReadOnlyMany" => Some("ROX"),
        "ReadWriteMany" => Some("RWX"),
        "ReadWriteOncePod" => Some("RWOP"),
        _ => None,
    });
    short.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(json: &str) -> Option<(Key, Claim)> {
        let claim: WireClaim = serde_json::from_str(json).unwrap();
        claim.claim(&Names::default())
    }

    #[test]
    fn a_claim_is_read() {
        let (key, claim) = claim(
            r#"{"metadata":{"namespace":"shop","name":"data-db-0","creationTimestamp":"1970-01-01T00:00:09Z"},
            "spec":{"accessModes":["ReadWriteOnce"],"storageClassName":"fast","resources":{"requests":{"storage":"10Gi"}}},
            "status":{"phase":"Bound","accessModes":["ReadWriteOnce","ReadOnlyMany"],"capacity":{"storage":"12Gi"}}}"#,
        )
        .unwrap();
        assert_eq!((&*key.namespace, &*key.name), ("shop", "data-db-0"));
        assert_eq!((claim.phase, claim.created_seconds), (ClaimPhase::Bound, 9));
        assert_eq!((&*claim.class, &*claim.modes), ("fast", "RWO,ROX"));
        assert_eq!(claim.requested.get(), Some(Bytes(10 << 30)));
        assert_eq!(claim.capacity.get(), Some(Bytes(12 << 30)));
    }

    #[test]
    fn a_claim_of_no_size_or_class_is_read_and_one_without_a_name_is_not() {
        let (_, bare) = claim(r#"{"metadata":{"namespace":"a","name":"b"}}"#).unwrap();
        assert_eq!((bare.phase, &*bare.modes), (ClaimPhase::Pending, ""));
        assert_eq!(bare.requested.get(), None);
        let (_, odd) = claim(
            r#"{"metadata":{"namespace":"a","name":"b"},"spec":{"accessModes":"x","storageClassName":7,
            "resources":{"requests":{"storage":"much"}}},"status":{"phase":"Lost","capacity":[]}}"#,
        )
        .unwrap();
        assert_eq!((odd.phase, odd.requested.get()), (ClaimPhase::Lost, None));
        assert!(claim(r#"{"metadata":{"name":"b"}}"#).is_none());
        assert!(claim("{}").is_none());
    }
}
