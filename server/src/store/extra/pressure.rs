//! Pressure stall information: the part of the last minute in which some task waited.

use std::num::NonZeroU16;

use kubevitals_proto::kubelet::summary::{Extras, Pressured, Stall};

/// A percentage in hundredths; an `Option` of it takes two bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Percent(NonZeroU16);

impl Percent {
    /// Rounds to hundredths, within 0 and 100.
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

/// The part of the last minute in which some task waited for a resource (`some avg60`).
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
    /// Converts the pressures. `supported`: whether the node's kernel reports pressure.
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

impl Pressure {
    /// CPU, memory and IO in hundredths of a percent, plus one; zero for none.
    pub(super) fn hundredths(self) -> [u32; 3] {
        [self.cpu, self.memory, self.io]
            .map(|percent| percent.map_or(0, |percent| percent.0.get().into()))
    }

    /// The reverse of [`Self::hundredths`]. An impossible value is none.
    pub(super) fn from_hundredths(hundredths: [u32; 3]) -> Self {
        let percent = |value: u32| {
            let value = u16::try_from(value).ok().filter(|value| *value <= 10_001);
            value.and_then(NonZeroU16::new).map(Percent)
        };
        let [cpu, memory, io] = hundredths.map(percent);
        Self { cpu, memory, io }
    }
}

/// Whether a node's kernel reports pressure. If it does not, all values are zero; if it does, at least one is not.
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
