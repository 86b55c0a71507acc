//! How many cells of the map a pod takes.

use std::sync::Arc;

use kubevitals_proto::units::{Bytes, Nanocores};

use crate::model::cell::Resource;
use crate::model::format;
use crate::model::row::PodRow;

/// What the size of a pod stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MapSize {
    /// Nothing: every pod takes one cell.
    #[default]
    One,
    /// The request of a resource.
    Request(Resource),
    /// The usage of a resource.
    Usage(Resource),
}

impl MapSize {
    /// All sizes, in the order of the key.
    const ALL: [Self; 5] = [
        Self::One,
        Self::Request(Resource::Cpu),
        Self::Request(Resource::Memory),
        Self::Usage(Resource::Cpu),
        Self::Usage(Resource::Memory),
    ];

    /// The size after this one; the first follows the last.
    pub(in crate::model) fn next(self) -> Self {
        let at = Self::ALL.iter().position(|size| *size == self).unwrap_or(0);
        Self::ALL.get(at + 1).copied().unwrap_or_default()
    }

    fn resource(self) -> Option<Resource> {
        match self {
            Self::One => None,
            Self::Request(resource) | Self::Usage(resource) => Some(resource),
        }
    }

    /// The amount in nanocores or bytes; `None` if it is unknown or the size has none.
    fn amount(self, pod: &PodRow) -> Option<u64> {
        match self {
            Self::One => None,
            Self::Request(resource) => pod.requests.get(resource),
            Self::Usage(resource) => pod.usage.get(resource),
        }
    }
}

/// The amount that one cell stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unit {
    size: MapSize,
    amount: u64,
}

/// The cells of an average pod.
const CELLS_OF_AVERAGE: u64 = 3;

/// The most cells of a pod. Without a bound, one pod could take the whole map.
const MOST_CELLS: u64 = 48;

impl Unit {
    /// The unit for pods: a round amount, so that a pod takes a few cells. `None` if every pod takes one.
    pub(super) fn of<'a>(
        size: MapSize,
        pods: impl Iterator<Item = &'a Arc<PodRow>>,
    ) -> Option<Self> {
        let resource = size.resource()?;
        let amounts = pods.filter_map(|pod| size.amount(pod));
        let (count, sum) = amounts
            .filter(|amount| *amount > 0)
            .fold((0_u64, 0_u64), |(count, sum), amount| {
                (count + 1, sum.saturating_add(amount))
            });
        let amount = sum / count.max(1) / CELLS_OF_AVERAGE;
        Some(Self {
            size,
            amount: round(amount, resource),
        })
    }

    /// The number of cells of a pod: at least one.
    pub(super) fn cells_of(self, pod: &PodRow) -> u32 {
        let amount = self.size.amount(pod).unwrap_or(0);
        let cells = (amount.saturating_add(self.amount / 2) / self.amount).clamp(1, MOST_CELLS);
        u32::try_from(cells).unwrap_or(1)
    }

    /// The words: `50m of CPU request`.
    #[must_use]
    pub fn text(self) -> String {
        let (kind, resource) = match self.size {
            MapSize::One => return "a pod".to_owned(),
            MapSize::Request(resource) => ("request", resource),
            MapSize::Usage(resource) => ("usage", resource),
        };
        match resource {
            Resource::Cpu => format!("{} of CPU {kind}", format::cpu(Nanocores(self.amount))),
            Resource::Memory => format!("{} of memory {kind}", format::bytes(Bytes(self.amount))),
        }
    }
}

/// The largest round amount that is not larger, but at least a millicore or a mebibyte.
fn round(amount: u64, resource: Resource) -> u64 {
    match resource {
        Resource::Memory => 1 << amount.max(1 << 20).ilog2(),
        Resource::Cpu => {
            let amount = amount.max(1_000_000);
            let ten = 10_u64.pow(amount.ilog10());
            let steps = [5, 2].into_iter().filter_map(|step| ten.checked_mul(step));
            steps
                .into_iter()
                .find(|step| *step <= amount)
                .unwrap_or(ten)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_round() {
        for (amount, resource, expected) in [
            (0, Resource::Cpu, 1_000_000),
            (49_000_000, Resource::Cpu, 20_000_000),
            (50_000_000, Resource::Cpu, 50_000_000),
            (199_000_000, Resource::Cpu, 100_000_000),
            (u64::MAX, Resource::Cpu, 10_000_000_000_000_000_000),
            (0, Resource::Memory, 1 << 20),
            (100 << 20, Resource::Memory, 64 << 20),
            (u64::MAX, Resource::Memory, 1 << 63),
        ] {
            assert_eq!(round(amount, resource), expected, "{amount}");
        }
    }

    #[test]
    fn a_pod_takes_cells_in_proportion() {
        let pod = |cpu: Option<u64>| {
            let mut pod = PodRow::default();
            pod.requests.cpu = cpu.map(|cpu| Nanocores(cpu * 1_000_000)).into();
            Arc::new(pod)
        };
        let amounts = [None, Some(0), Some(10), Some(100), Some(490), Some(99_999)];
        let pods = amounts.map(pod);
        let size = MapSize::Request(Resource::Cpu);
        let unit = Unit {
            size,
            amount: 100_000_000,
        };
        let cells = pods.each_ref().map(|pod| unit.cells_of(pod));
        assert_eq!(cells, [1, 1, 1, 1, 5, 48]);
        assert_eq!(unit.text(), "100m of CPU request");
        assert_eq!(Unit::of(MapSize::One, pods.iter()), None);
        // 200m on average.
        let unit = Unit::of(size, pods[3..5].iter().chain([&pods[2]])).unwrap();
        assert_eq!(unit.amount, 50_000_000);
    }
}
