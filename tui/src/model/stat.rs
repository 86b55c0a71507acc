//! Statistics of usage over a span.

use clap::ValueEnum;
use kubevitals_proto::vitals::Quantiles;

/// A statistic of usage over a span.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Stat {
    /// The median.
    P50,
    /// The 90th percentile.
    P90,
    /// The 95th percentile.
    #[default]
    P95,
    /// The 99th percentile.
    P99,
    /// The largest value.
    Max,
}

impl Stat {
    /// The name.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::P50 => "p50",
            Self::P90 => "p90",
            Self::P95 => "p95",
            Self::P99 => "p99",
            Self::Max => "max",
        }
    }

    /// The statistic of a percentile; 100 is the maximum. `None` for one that the server does not compute.
    #[must_use]
    pub const fn of_percentile(percentile: u8) -> Option<Self> {
        Some(match percentile {
            50 => Self::P50,
            90 => Self::P90,
            95 => Self::P95,
            99 => Self::P99,
            100 => Self::Max,
            _ => return None,
        })
    }

    /// The percentile; 100 for the maximum.
    #[must_use]
    pub const fn percentile(self) -> u8 {
        match self {
            Self::P50 => 50,
            Self::P90 => 90,
            Self::P95 => 95,
            Self::P99 => 99,
            Self::Max => 100,
        }
    }

    /// The value of the statistic.
    #[must_use]
    pub const fn of(self, quantiles: &Quantiles) -> u64 {
        match self {
            Self::P50 => quantiles.p50,
            Self::P90 => quantiles.p90,
            Self::P95 => quantiles.p95,
            Self::P99 => quantiles.p99,
            Self::Max => quantiles.max,
        }
    }
}
