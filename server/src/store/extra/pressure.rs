//! Pressure stall information: for what part of the last minute some work waited.

use std::num::NonZeroU16;

use kubevitals_proto::kubelet::summary::{Extras, Pressured, Stall};

/// A percentage to its hundredth, in two bytes, absence included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Percent(NonZeroU16);

impl Percent {
    /// What is more than 100 is 100, what is less than nothing is nothing.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "from 1 to 10001"
    )]
    fn of(percent: f64) -> Option<Self> {
        let hundredths = (percent.clamp(0.0, 100.0) * 100.0).round();
        NonZeroU16::new(hundredths as u16 + 1).map(Self)
    }

    /// The percentage.
    pub fn get(self) -> f64 {
        f64::from(self.0.get() - 1) / 100.0
    }
}

/// For what part of the last minute some work waited for a resource (`some avg60`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pressure {
    /// CPU.
    pub cpu: Option<Percent>,
    /// Memory.
    pub memory: Option<Percent>,
    /// Input and output.
    pub io: Option<Percent>,
}

impl Pressure {
    /// `supported`: whether the node's kernel measures it at all.
    pub(super) fn of(
        cpu: Option<Pressured>,
        memory: Option<Pressured>,
        io: Option<Pressured>,
        supported: bool,
    ) -> Self {
        let percent = |pressured: Option<Pressured>| {
            let stalls = pressured?.psi.filter(|_| supported)?;
            Percent::of(stalls.some.avg60)
        };
        Self {
            cpu: percent(cpu),
            memory: percent(memory),
            io: percent(io),
        }
    }
}

/// Whether a node's kernel measures pressure. Where it does not, the kubelet writes zeros all the same; where it does,
/// something has waited somewhere since the node was started.
pub(super) fn has_pressure(extras: &Extras<'_>) -> bool {
    let node = &extras.node;
    let pods = extras
        .pods
        .iter()
        .flat_map(|pod| [pod.cpu, pod.memory, pod.io]);
    [node.cpu, node.memory, node.io]
        .into_iter()
        .chain(pods)
        .flatten()
        .filter_map(|pressured| pressured.psi)
        .flat_map(|stalls| [stalls.some, stalls.full])
        .any(|Stall { total, avg60 }| total.is_some_and(|total| total > 0) || avg60 > 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentage_keeps_its_hundredths_and_its_bounds() {
        for (value, expected) in [
            (0.0, 0.0),
            (38.43, 38.43),
            (0.004, 0.0),
            (100.0, 100.0),
            (250.0, 100.0),
            (-3.0, 0.0),
            (f64::INFINITY, 100.0),
        ] {
            assert_eq!(Percent::of(value).unwrap().get(), expected, "{value}");
        }
        assert_eq!(size_of::<Pressure>(), 6);
    }
}
