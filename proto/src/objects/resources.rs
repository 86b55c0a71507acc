//! Amounts of resources: CPU, memory, ephemeral storage.

use std::ops::Add;

use crate::quantity::Quantity;
use crate::units::{Bytes, Nanocores};
use crate::wire::protobuf::{Fields, Malformed, Value};
use serde::Deserialize;

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
        Self {
            cpu: either(self.cpu.map(|it| it.0), other.cpu.map(|it| it.0)).map(Nanocores),
            memory: bytes(self.memory, other.memory),
            ephemeral: bytes(self.ephemeral, other.ephemeral),
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
        }
    }

    /// The amounts of the resources that `others` does not have.
    pub fn where_unset(self, others: Self) -> Self {
        Self {
            cpu: self.cpu.filter(|_| others.cpu.is_none()),
            memory: self.memory.filter(|_| others.memory.is_none()),
            ephemeral: self.ephemeral.filter(|_| others.ephemeral.is_none()),
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
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub(super) struct WireResources {
    #[serde(deserialize_with = "lenient")]
    cpu: String,
    #[serde(deserialize_with = "lenient")]
    memory: String,
    #[serde(deserialize_with = "lenient")]
    ephemeral_storage: String,
    #[serde(deserialize_with = "lenient")]
    pub(super) pods: String,
}

impl Message for WireResources {
    fn field(&mut self, _: u32, _: Value<'_>) -> Result<(), Malformed> {
        Ok(())
    }

    /// Reads one entry of the map: the resource's name, and a `Quantity`, whose only field is its text.
    fn merge(&mut self, entry: &[u8]) -> Result<(), Malformed> {
        let mut resource = "";
        for field in Fields::new(entry) {
            let amount = match field? {
                (1, value) => {
                    resource = value.str().unwrap_or_default();
                    continue;
                }
                (2, Value::Bytes(quantity)) => quantity,
                _ => continue,
            };
            let text = match resource {
                "cpu" => &mut self.cpu,
                "memory" => &mut self.memory,
                "ephemeral-storage" => &mut self.ephemeral_storage,
                "pods" => &mut self.pods,
                _ => continue,
            };
            for field in Fields::new(amount) {
                if let (1, value) = field? {
                    text.read(value)?;
                }
            }
        }
        Ok(())
    }
}

impl WireResources {
    /// The amounts that can be parsed.
    pub(super) fn convert(&self) -> Resources {
        let quantity = |text: &str| text.parse::<Quantity>().ok();
        Resources {
            cpu: quantity(&self.cpu).map(Quantity::to_nanocores),
            memory: quantity(&self.memory).map(Quantity::to_bytes),
            ephemeral: quantity(&self.ephemeral_storage).map(Quantity::to_bytes),
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
            }
        );
        assert_eq!(list.pods, "110");
    }

    #[test]
    fn a_missing_resource_is_not_zero() {
        let some = Resources {
            cpu: Some(Nanocores(2)),
            memory: Some(Bytes(3)),
            ephemeral: None,
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
