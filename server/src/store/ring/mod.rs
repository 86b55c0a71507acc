//! A compressed series of one container or node: time, CPU, memory and swap, in about two bytes a point.
//!
//! Times lie on a grid of 200 ms (`time`), and values on a scale with levels at most 1 % apart (`level`): the largest
//! error is 100 ms for a time and 0.5 % for a value. A point stores the difference from its prediction, with a number of
//! bits that adapts to recent differences (`coder`). Points are in blocks of 64 bytes (`block`) from a pool that the
//! series of a node share (`blocks`). The oldest block of a series is dropped as a whole and used again.

mod bits;
mod block;
mod blocks;
mod coder;
mod level;
mod scalar;
mod series;
mod time;

use kubevitals_proto::time::Timestamp;
use kubevitals_proto::units::{Bytes, Nanocores};

pub use block::{BLOCK_BYTES, Block};
pub use blocks::Blocks;
pub use series::{Offered, Ring, Samples, sample_at, samples};
pub use time::Tick;

use level::Level;

/// A point of a series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// The end of the window that CPU was averaged over, by the kubelet's clock.
    pub at: Timestamp,
    /// CPU over the window.
    pub cpu: Nanocores,
    /// Working set at `at`.
    pub memory: Bytes,
    /// Swap at `at`; none if it is zero or not reported.
    pub swap: Option<Bytes>,
    /// Whether the container restarted since the sample before.
    pub restarted: bool,
}

/// A sample as the ring stores it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Point {
    tick: Tick,
    levels: Levels,
    restarted: bool,
}

/// The values of a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
struct Levels {
    cpu: Level,
    memory: Level,
    /// Zero without swap.
    swap: Level,
}

impl From<&Sample> for Point {
    fn from(sample: &Sample) -> Self {
        Self {
            tick: Tick::nearest(sample.at),
            levels: Levels {
                cpu: Level::of(sample.cpu.0),
                memory: Level::of(sample.memory.0),
                swap: Level::of(sample.swap.unwrap_or_default().0),
            },
            restarted: sample.restarted,
        }
    }
}

impl From<Point> for Sample {
    fn from(point: Point) -> Self {
        let swap = point.levels.swap.value();
        Self {
            at: point.tick.time(),
            cpu: Nanocores(point.levels.cpu.value()),
            memory: Bytes(point.levels.memory.value()),
            swap: (swap > 0).then_some(Bytes(swap)),
            restarted: point.restarted,
        }
    }
}

#[cfg(test)]
mod tests;
