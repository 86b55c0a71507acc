//! Amounts of resources: CPU, memory, ephemeral storage, GPUs.

use std::fmt;
use std::ops::Add;

use crate::quantity::Quantity;
use crate::units::{Bytes, Gpus, Nanocores};
use crate::wire::protobuf::{Fields, Malformed, Value};
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::protobuf::{Field, Message, message};
use crate::lenient::lenient;

/// The amounts in a `ResourceList`, without other resources. A missing resource is `None`, not zero: no limit is not a
/// limit of zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Resources {
    /// Cores.
    pub cpu: Option<Nanocores>,
    /// Memory.
    pub memory: Option<Bytes>,
    /// Ephemeral storage.
    pub ephemeral: Option<Bytes>,
    /// GPUs, of all vendors together.
    pub gpus: Option<Gpus>,
}

impl Resources {
    /// Whether all amounts are missing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Combines each resource: `both` of the two amounts, or the only one.
    fn with(self, other: Self, both: impl Fn(u64, u64) -> u64) -> Self {
        let either = |one: Option<u64>, other: Option<u64>| match (one, other) {
            (Some(one), Some(other)) => Some(both(one, other)),
            (one, other) => one.or(other),
        };
        let bytes = |one: Option<Bytes>, other: Option<Bytes>| {
            either(one.map(|it| it.0), other.map(|it| it.0)).map(Bytes)
        };
        let gpus = either(
            self.gpus.map(|it| it.0.into()),
            other.gpus.map(|it| it.0.into()),
        );
        Self {
            cpu: either(self.cpu.map(|it| it.0), other.cpu.map(|it| it.0)).map(Nanocores),
            memory: bytes(self.memory, other.memory),
            ephemeral: bytes(self.ephemeral, other.ephemeral),
            gpus: gpus.map(|count| Gpus(u32::try_from(count).unwrap_or(u32::MAX))),
        }
    }

    /// The larger amount of each resource.
    pub fn max(self, other: Self) -> Self {
        self.with(other, u64::max)
    }

    /// The amounts of the resources that `others` has too.
    pub fn where_set(self, others: Self) -> Self {
        Self {
            cpu: self.cpu.filter(|_| others.cpu.is_some()),
            memory: self.memory.filter(|_| others.memory.is_some()),
            ephemeral: self.ephemeral.filter(|_| others.ephemeral.is_some()),
            gpus: self.gpus.filter(|_| others.gpus.is_some()),
        }
    }

    /// The amounts of the resources that `others` does not have.
    pub fn where_unset(self, others: Self) -> Self {
        Self {
            cpu: self.cpu.filter(|_| others.cpu.is_none()),
            memory: self.memory.filter(|_| others.memory.is_none()),
            ephemeral: self.ephemeral.filter(|_| others.ephemeral.is_none()),
            gpus: self.gpus.filter(|_| others.gpus.is_none()),
        }
    }

    /// The amounts of `self`, or of `other` where `self` has none.
    pub fn or(self, other: Self) -> Self {
        self.with(other, |one, _| one)
    }
}

/// The sum of each resource; saturates.
impl Add for Resources {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        self.with(other, u64::saturating_add)
    }
}

/// A `ResourceList` on the wire.
#[derive(Debug, Clone, Default)]
pub(super) struct WireResources {
    cpu: String,
    memory: String,
    ephemeral_storage: String,
    pub(super) pods: String,
    gpus: Option<Gpus>,
}

/// A resource that is read.
#[derive(Debug, Clone, Copy)]
enum Resource {
    Cpu,
    Memory,
    EphemeralStorage,
    Pods,
    /// Several resources count GPUs.
    Gpu,
}

impl Resource {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "cpu" => Self::Cpu,
            "memory" => Self::Memory,
            "ephemeral-storage" => Self::EphemeralStorage,
            "pods" => Self::Pods,
            "nvidia.com/gpu"
            | "nvidia.com/gpu.shared"
            | "amd.com/gpu"
            | "gpu.intel.com/i915"
            | "gpu.intel.com/xe" => Self::Gpu,
            name if name.starts_with("nvidia.com/mig-") => Self::Gpu,
            _ => return None,
        })
    }
}

impl Message for WireResources {
    fn field(&mut self, _: u32, _: Value<'_>) -> Result<(), Malformed> {
        Ok(())
    }

    /// Reads one entry of the map: the resource's name, and a `Quantity`, whose only field is its text.
    fn merge(&mut self, entry: &[u8]) -> Result<(), Malformed> {
        let mut resource = None;
        for field in Fields::new(entry) {
            let amount = match field? {
                (1, value) => {
                    resource = value.str().ok().and_then(Resource::named);
                    continue;
                }
                (2, Value::Bytes(quantity)) => quantity,
                _ => continue,
            };
            let Some(resource) = resource else { continue };
            let mut text = String::new();
            for field in Fields::new(amount) {
                if let (1, value) = field? {
                    text.read(value)?;
                }
            }
            self.set(resource, text);
        }
        Ok(())
    }
}

impl<'de> Deserialize<'de> for WireResources {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;

        impl<'de> Visitor<'de> for Entries {
            type Value = WireResources;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("amounts of resources by name")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<WireResources, A::Error> {
                let mut all = WireResources::default();
                while let Some((Name(resource), Text(text))) = map.next_entry()? {
                    if let Some(resource) = resource {
                        all.set(resource, text);
                    }
                }
                Ok(all)
            }
        }

        deserializer.deserialize_map(Entries)
    }
}

/// The name of a resource, if the resource is read.
struct Name(Option<Resource>);

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl Visitor<'_> for Text {
            type Value = Name;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a resource")
            }

            fn visit_str<E>(self, name: &str) -> Result<Name, E> {
                Ok(Name(Resource::named(name)))
            }
        }

        deserializer.deserialize_str(Text)
    }
}

/// The text of a quantity.
#[derive(Deserialize)]
struct Text(#[serde(deserialize_with = "lenient")] String);

impl WireResources {
    fn set(&mut self, resource: Resource, text: String) {
        match resource {
            Resource::Cpu => self.cpu = text,
            Resource::Memory => self.memory = text,
            Resource::EphemeralStorage => self.ephemeral_storage = text,
            Resource::Pods => self.pods = text,
            Resource::Gpu => {
                let count: Option<u32> = text.parse().ok();
                let count = count.filter(|count| *count > 0).map(Gpus);
                self.gpus = self.gpus.into_iter().chain(count).reduce(Gpus::add);
            }
        }
    }

    /// The amounts that can be parsed.
    pub(super) fn convert(&self) -> Resources {
        let quantity = |text: &str| text.parse::<Quantity>().ok();
        Resources {
            cpu: quantity(&self.cpu).map(Quantity::to_nanocores),
            memory: quantity(&self.memory).map(Quantity::to_bytes),
            ephemeral: quantity(&self.ephemeral_storage).map(Quantity::to_bytes),
            gpus: self.gpus,
        }
    }
}

message! {
    /// `requests` and `limits` on the wire.
    pub(super) struct WireRequirements {
        pub(super) requests: Option<WireResources> = 2,
        pub(super) limits: Option<WireResources> = 1,
    }
}

/// The amounts of a list that may be missing.
pub(super) fn amounts(list: Option<&WireResources>) -> Resources {
    list.map(WireResources::convert).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_parsed_and_a_wrong_one_costs_only_itself() {
        let list: WireResources = serde_json::from_str(
            r#"{"cpu":"1500m","memory":"much","ephemeral-storage":1024,"nvidia.com/gpu":"1","pods":"110"}"#,
        )
        .unwrap();
        assert_eq!(
            list.convert(),
            Resources {
                cpu: Some(Nanocores(1_500_000_000)),
                memory: None,
                ephemeral: Some(Bytes(1024)),
                gpus: Some(Gpus(1)),
            }
        );
        assert_eq!(list.pods, "110");
    }

    #[test]
    fn gpus_of_all_vendors_are_counted() {
        for (json, expected) in [
            ("{}", None),
            (r#"{"nvidia.com/gpu":"0"}"#, None),
            (r#"{"nvidia.com/gpu":2,"cpu":"1"}"#, Some(2)),
            (
                r#"{"nvidia.com/mig-1g.5gb":"3","nvidia.com/mig-2g.10gb":"1"}"#,
                Some(4),
            ),
            (r#"{"amd.com/gpu":"8"}"#, Some(8)),
            (
                r#"{"gpu.intel.com/i915":"1","gpu.intel.com/millicores":"500"}"#,
                Some(1),
            ),
            (r#"{"nvidia.com/gpu":"-1","amd.com/gpu":"many"}"#, None),
            (
                r#"{"nvidia.com/gpu":"4294967295","amd.com/gpu":"9"}"#,
                Some(u32::MAX),
            ),
            (r#"{"nvidia.com/gpu":{},"cpu":[1]}"#, None),
        ] {
            let list: WireResources = serde_json::from_str(json).unwrap();
            assert_eq!(list.convert().gpus, expected.map(Gpus), "{json}");
        }
        let (one, two) = (Some(Gpus(1)), Some(Gpus(2)));
        let of = |gpus| Resources {
            gpus,
            ..Resources::default()
        };
        assert_eq!((of(one) + of(two)).gpus, Some(Gpus(3)));
        assert_eq!(of(one).max(of(two)).gpus, two);
        assert_eq!((of(None) + of(two)).gpus, two);
    }

    #[test]
    fn a_missing_resource_is_not_zero() {
        let some = Resources {
            cpu: Some(Nanocores(2)),
            memory: Some(Bytes(3)),
            ..Resources::default()
        };
        let other = Resources {
            cpu: Some(Nanocores(5)),
            ..Resources::default()
        };
        assert_eq!((some + other).cpu, Some(Nanocores(7)));
        assert_eq!((some + other).memory, Some(Bytes(3)));
        assert_eq!((some + other).ephemeral, None);
        assert_eq!(some.max(other).cpu, Some(Nanocores(5)));
        assert_eq!(some.or(other), some);
        assert_eq!(some.where_set(other).memory, None);
    }
}
