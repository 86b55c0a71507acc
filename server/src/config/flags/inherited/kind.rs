//! Types of values. The server refuses an invalid value even of a flag without effect, because it is a mistake.

use kubevitals_proto::quantity::Quantity;

use crate::flag_values::{address, any_duration, count, duration, integer, level};

/// The type of a flag's value, with the peer's restrictions.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Switch,
    Text,
    List,
    Address,
    Integer,
    /// An integer that is not negative.
    Count,
    Number,
    /// A share of requests, from 0 to 0.02.
    Chance,
    AnyDuration,
    /// A duration that is not negative.
    Duration,
    /// A Kubernetes quantity.
    Bytes,
    /// Numbers of elliptic curves, as in Go.
    Curves,
    /// `pattern=N,…` of klog.
    Patterns,
}

impl Kind {
    pub(super) fn value_name(self) -> &'static str {
        match self {
            Self::Switch => "BOOL",
            Self::Text => "TEXT",
            Self::List | Self::Curves => "LIST",
            Self::Address => "IP",
            Self::Integer | Self::Count | Self::Number | Self::Chance => "NUMBER",
            Self::AnyDuration | Self::Duration => "DURATION",
            Self::Bytes => "BYTES",
            Self::Patterns => "FILE=LEVEL,…",
        }
    }

    /// Returns an error for a value that the peer refuses.
    pub(super) fn check(self, text: &str) -> Result<(), String> {
        match self {
            Self::Switch | Self::Text | Self::List => Ok(()),
            Self::Address => address(text).map(drop),
            Self::Integer => integer(text).map(drop),
            Self::Count => count(text).map(drop),
            Self::Number => number(text).map(drop),
            Self::Chance => match number(text)? {
                chance if (0.0..=0.02).contains(&chance) => Ok(()),
                _ => Err("write a share from 0 to 0.02".to_owned()),
            },
            Self::AnyDuration => any_duration(text).map(drop),
            Self::Duration => duration(text).map(drop),
            Self::Bytes => text
                .parse::<Quantity>()
                .map(drop)
                .map_err(|_| "write a quantity like 512 or 4Mi".to_owned()),
            Self::Curves => text.split(',').try_for_each(curve),
            Self::Patterns => text
                .split(',')
                .filter(|one| !one.is_empty())
                .try_for_each(pattern),
        }
    }
}

fn number(text: &str) -> Result<f64, String> {
    text.parse().map_err(|_| "write a number".to_owned())
}

fn curve(text: &str) -> Result<(), String> {
    text.parse::<i32>()
        .map(drop)
        .map_err(|_| "write numbers, with commas between several".to_owned())
}

fn pattern(text: &str) -> Result<(), String> {
    text.split_once('=')
        .filter(|(file, verbosity)| !file.is_empty() && level(verbosity).is_ok())
        .map(drop)
        .ok_or_else(|| "write file=level, with commas between several".to_owned())
}
