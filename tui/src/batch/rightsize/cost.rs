//! What the advice saves, in cores, bytes and money.

use std::ops::AddAssign;

use kubevitals_proto::units::{Bytes, Nanocores};

use super::evidence::Evidence;
use super::rules::Advice;

/// The hours of a month: those of a year, divided by twelve.
pub const HOURS_OF_MONTH: f64 = 730.0;

/// Prices; those that are not set are unknown.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Prices {
    /// Of a core for an hour.
    pub cpu: Option<f64>,
    /// Of a GiB of memory for an hour.
    pub memory: Option<f64>,
}

impl Prices {
    /// The price of an amount for a month, to the hundredth; none if no price is set. A resource without a price costs
    /// nothing.
    pub fn of_month(&self, amount: &Change) -> Option<f64> {
        if self.cpu.is_none() && self.memory.is_none() {
            return None;
        }
        let cpu = amount.cores() * self.cpu.unwrap_or_default();
        let memory = amount.gibibytes() * self.memory.unwrap_or_default();
        Some(((cpu + memory) * HOURS_OF_MONTH * 100.0).round() / 100.0)
    }
}

/// A change of requests: positive if the advice requests less.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Change {
    /// Nanocores.
    pub cpu: i128,
    /// Bytes.
    pub memory: i128,
}

impl Change {
    /// The requests of all existing replicas now, less those that are advised. What is not advised does not change, and
    /// a request that is not set is zero.
    pub fn of(evidence: &Evidence, advice: &Advice) -> Self {
        let replicas = i128::from(evidence.replicas);
        let less = |now: Option<u64>, advised: Option<u64>| {
            let less = |advised: u64| i128::from(now.unwrap_or_default()) - i128::from(advised);
            advised.map_or(0, less) * replicas
        };
        let (cpu, memory) = (
            advice.cpu.ok().map(|it| it.request.0),
            advice.memory.ok().map(|it| it.request.0),
        );
        Self {
            cpu: less(evidence.spec.cpu_request.map(|it| it.0), cpu),
            memory: less(evidence.spec.memory_request.map(|it| it.0), memory),
        }
    }

    /// The amounts of which there is less.
    pub fn saved(&self) -> (Nanocores, Bytes) {
        let part = |change: i128| u64::try_from(change.max(0)).unwrap_or(u64::MAX);
        (Nanocores(part(self.cpu)), Bytes(part(self.memory)))
    }

    /// The amounts of which there is more.
    pub fn added(&self) -> (Nanocores, Bytes) {
        let part = |change: i128| u64::try_from((-change).max(0)).unwrap_or(u64::MAX);
        (Nanocores(part(self.cpu)), Bytes(part(self.memory)))
    }

    /// CPU in cores.
    #[expect(
        clippy::cast_precision_loss,
        reason = "sums of requests are far below 2^53 nanocores times a million"
    )]
    pub fn cores(&self) -> f64 {
        self.cpu as f64 / 1e9
    }

    /// Memory in GiB.
    #[expect(clippy::cast_precision_loss, reason = "the price of a byte is nothing")]
    pub fn gibibytes(&self) -> f64 {
        self.memory as f64 / f64::from(1 << 30)
    }
}

impl AddAssign for Change {
    fn add_assign(&mut self, other: Self) {
        self.cpu += other.cpu;
        self.memory += other.memory;
    }
}

/// The changes of several containers: what is saved, and what is added where requests are too low.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Changes {
    /// The sum of what is saved.
    pub saved: Change,
    /// The sum of what is added, as a negative change.
    pub added: Change,
}

impl AddAssign<Change> for Changes {
    fn add_assign(&mut self, change: Change) {
        self.saved += Change {
            cpu: change.cpu.max(0),
            memory: change.memory.max(0),
        };
        self.added += Change {
            cpu: change.cpu.min(0),
            memory: change.memory.min(0),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::super::evidence::Spec;
    use super::super::rules::{Advised, Refusal};
    use super::*;

    fn change(request: (u64, u64), advised: Option<(u64, u64)>) -> Change {
        let evidence = Evidence {
            replicas: 3,
            spec: Spec {
                cpu_request: Some(Nanocores(request.0)).filter(|it| it.0 > 0),
                memory_request: Some(Bytes(request.1)).filter(|it| it.0 > 0),
                ..Spec::default()
            },
            ..Evidence::default()
        };
        let advised = advised.ok_or(Refusal::NoSamples);
        let advice = Advice {
            cpu: advised.map(|(cpu, _)| Advised {
                request: Nanocores(cpu),
                limit: None,
                at_least: false,
            }),
            memory: advised.map(|(_, memory)| Advised {
                request: Bytes(memory),
                limit: None,
                at_least: false,
            }),
        };
        Change::of(&evidence, &advice)
    }

    #[test]
    fn a_change_is_of_all_replicas() {
        for (now, advised, expected) in [
            ((500, 100), Some((200, 40)), (900, 180)),
            ((100, 100), Some((200, 40)), (-300, 180)),
            // What is not requested now is all new.
            ((0, 0), Some((200, 40)), (-600, -120)),
            ((500, 100), None, (0, 0)),
        ] {
            let change = change(now, advised);
            assert_eq!((change.cpu, change.memory), expected, "{now:?}");
        }
        let mut all = Changes::default();
        all += change((500, 100), Some((200, 40)));
        all += change((100, 100), Some((200, 40)));
        assert_eq!(all.saved.saved(), (Nanocores(900), Bytes(360)));
        assert_eq!(all.added.added(), (Nanocores(300), Bytes(0)));
    }

    #[test]
    fn money_is_per_month() {
        let change = Change {
            cpu: 2_000_000_000,
            memory: -(4 << 30),
        };
        let prices = |cpu, memory| Prices { cpu, memory };
        for (prices, expected) in [
            (prices(None, None), None),
            (prices(Some(0.03), None), Some(43.8)),
            (prices(Some(0.03), Some(0.004)), Some(32.12)),
            (prices(None, Some(0.004)), Some(-11.68)),
        ] {
            let found = prices.of_month(&change);
            let is_equal = |a: f64, b: f64| (a - b).abs() < 1e-9;
            assert!(
                found.zip(expected).is_none_or(|(a, b)| is_equal(a, b))
                    && found.is_some() == expected.is_some(),
                "{prices:?}: {found:?}"
            );
        }
    }
}
