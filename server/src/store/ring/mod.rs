//! A compressed series of one container or node: time, CPU, memory and swap, in about two bytes a point.
//!
//! Times lie on a grid of 200 ms (`time`), values on a scale whose levels are at most 1 % apart (`level`): no time
//! is off by more than 100 ms, no value by more than 0.5 %. What is kept is how far each point is from what was to be
//! expected of it, in as many bits as such distances took lately (`coder`), in blocks of 64 bytes (`block`) that a
//! node's series share out among themselves (`blocks`). The oldest block of a series is dropped whole, and used again.

mod bits;
mod block;
mod blocks;
mod coder;
mod level;
mod series;
mod time;

use kubevitals_proto::time::Timestamp;
use kubevitals_proto::units::{Bytes, Nanocores};

pub use block::{BLOCK_BYTES, Block};
pub use blocks::Blocks;
pub use series::{Offered, Ring, Samples, samples};
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
    /// Swap at `at`, where there was any: none in use and none reported are the same.
    pub swap: Option<Bytes>,
    /// Whether it is the first of another run of its container: what came before it was before a restart.
    pub restarted: bool,
}

/// A sample as the ring keeps it.
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
    /// Zero where there is no swap.
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
