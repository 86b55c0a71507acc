//! Values of fields, with their text, number, time and severity.

use std::borrow::Cow;

use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::availability;

use super::context::Context;
use super::probes::Probes;
use super::restarts::Restarts;
use crate::model::amount::{Cpu, Memory};
use crate::model::cell::{Cell, Resource};
use crate::model::format;
use crate::model::name::Name;
use crate::model::tone::Tone;

/// The value of a field of a row.
#[derive(Debug, Clone)]
pub enum Value<'a> {
    /// Text.
    Text(Cow<'a, str>),
    /// Text that is sorted by a number.
    Sorted(Cow<'a, str>, f64),
    /// A count.
    Count(u64),
    /// A count and its limit: `13/110`.
    Of(u32, u32),
    /// Whether the object is ready, the ready count and the total: `1/2`.
    Ready(bool, u32, u32),
    /// A count of failing probes.
    Failing(u32),
    /// Restarts in the last hour.
    Recent(u32),
    /// Yes or no.
    Flag(bool),
    /// CPU.
    Cpu(Cpu),
    /// Memory or storage.
    Memory(Memory),
    /// Bytes per second.
    Rate(Option<u64>),
    /// A fraction: 0.5 is half.
    Part(Option<f64>),
    /// A fraction of a limit. The thresholds determine its severity.
    PartOfLimit(Option<f64>),
    /// CPU usage as a sparkline; the second amount is its top.
    CpuTrend(Cpu, Cpu),
    /// Memory usage as a sparkline; the second amount is its top.
    MemoryTrend(Memory, Memory),
    /// The age of a time.
    Since(Option<Timestamp>),
    /// The age of a time, or `never`.
    SinceOrNever(Option<Timestamp>),
    /// The time until a time: `4h50m`, or `now` if it has passed.
    Until(Option<Timestamp>),
    /// A fraction as a bar.
    Gauge(Option<f64>),
    /// Restarts: `5 (OOMKilled 2m ago)`.
    Restarts(&'a Restarts),
    /// Cause and age of the last restart.
    LastRestart(&'a Restarts),
    /// Probes.
    Probes(&'a Probes),
    /// An availability as a fraction: 0.9995.
    Availability(Option<f64>),
    /// A length of time in seconds.
    Duration(Option<u64>),
}

impl<'a> Value<'a> {
    /// The text in a table.
    #[must_use]
    pub fn text(self, now: Timestamp) -> Cow<'a, str> {
        match self {
            Self::Text(text) | Self::Sorted(text, _) => text,
            Self::Count(count) => count.to_string().into(),
            Self::Failing(count) | Self::Recent(count) => count.to_string().into(),
            Self::Of(count, all) | Self::Ready(_, count, all) => format!("{count}/{all}").into(),
            Self::Flag(flag) => if flag { "true" } else { "false" }.into(),
            Self::Cpu(cpu) | Self::CpuTrend(cpu, _) => or_dash(cpu.get(), format::cpu),
            Self::Memory(memory) | Self::MemoryTrend(memory, _) => {
                or_dash(memory.get(), format::bytes)
            }
            Self::Rate(rate) => or_dash(rate, format::rate),
            Self::Part(part) | Self::PartOfLimit(part) | Self::Gauge(part) => {
                or_dash(part, format::percent)
            }
            Self::Until(Some(then)) if then <= now => "now".into(),
            Self::Until(then) => or_dash(then, |then| format::age(now, then)),
            Self::SinceOrNever(None) => "never".into(),
            Self::Since(then) | Self::SinceOrNever(then) => {
                or_dash(then, |then| format::age(then, now))
            }
            Self::Restarts(restarts) => restarts.text(now),
            Self::LastRestart(restarts) => restarts.last_text(now),
            Self::Probes(probes) => probes.text(),
            Self::Availability(part) => or_dash(part, availability::percent),
            Self::Duration(seconds) => or_dash(seconds, format::duration),
        }
    }

    /// The number in the unit of the field. `None` if the value is no number or unknown.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        reason = "counts, rates and ages are exact up to more than there can be"
    )]
    pub fn number(&self, now: Timestamp) -> Option<f64> {
        match *self {
            Self::Text(_) | Self::LastRestart(_) | Self::Probes(_) => None,
            Self::Sorted(_, number) => Some(number),
            Self::Count(count) => Some(count as f64),
            Self::Failing(count) | Self::Recent(count) | Self::Of(count, _) => Some(count.into()),
            Self::Flag(flag) | Self::Ready(flag, ..) => Some(f64::from(u8::from(flag))),
            Self::Cpu(cpu) | Self::CpuTrend(cpu, _) => cpu.number(),
            Self::Memory(memory) | Self::MemoryTrend(memory, _) => memory.number(),
            Self::Rate(count) | Self::Duration(count) => count.map(|count| count as f64),
            Self::Part(part)
            | Self::PartOfLimit(part)
            | Self::Gauge(part)
            | Self::Availability(part) => part.map(|part| part * 100.0),
            Self::Until(then) => then.map(|then| (then.since(now) as f64 / 1e9).max(0.0)),
            Self::Since(then) | Self::SinceOrNever(then) => {
                then.map(|then| (now.since(then) as f64 / 1e9).max(0.0))
            }
            Self::Restarts(restarts) => Some(restarts.count.into()),
        }
    }

    /// The time of an age.
    #[must_use]
    pub const fn time(&self) -> Option<Timestamp> {
        match *self {
            Self::Since(then) | Self::SinceOrNever(then) => then,
            _ => None,
        }
    }

    /// The cell, with the severity that follows from the value.
    #[must_use]
    pub fn cell(self, context: &Context) -> Cell {
        let tone = match &self {
            Self::PartOfLimit(part) => part.map_or(Tone::Dim, |part| context.thresholds.tone(part)),
            Self::Failing(count) if *count > 0 => Tone::Bad,
            Self::Recent(count) if *count > 0 => Tone::Warn,
            Self::Failing(_) | Self::Recent(_) => Tone::Dim,
            Self::Restarts(restarts) => restarts.tone(context.now),
            Self::Probes(probes) => probes.tone(),
            Self::Gauge(Some(part)) => {
                return Cell::Gauge {
                    permille: permille(*part),
                    tone: context.thresholds.tone(*part),
                };
            }
            Self::CpuTrend(_, full) => {
                return Cell::Trend {
                    resource: Resource::Cpu,
                    full: full.get().map(|cpu| cpu.0),
                };
            }
            Self::MemoryTrend(_, full) => {
                return Cell::Trend {
                    resource: Resource::Memory,
                    full: full.get().map(|memory| memory.0),
                };
            }
            _ => {
                let text = self.text(context.now);
                let tone = plain(&text);
                return Cell::new(text, tone);
            }
        };
        Cell::new(self.text(context.now), tone)
    }
}

/// A fraction in thousandths, at most the whole.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped before"
)]
fn permille(part: f64) -> u16 {
    (part.clamp(0.0, 1.0) * 1_000.0) as u16
}

/// The text of a value; a dash if it is unknown.
fn or_dash<T>(value: Option<T>, text: impl FnOnce(T) -> String) -> Cow<'static, str> {
    value.map_or(format::UNKNOWN.into(), |value| text(value).into())
}

/// The severity of plain text: dim if it is empty or unknown.
pub(super) fn plain(text: &str) -> Tone {
    if text.is_empty() || text == format::UNKNOWN {
        Tone::Dim
    } else {
        Tone::Plain
    }
}

/// Values that entries of [`Row::FIELDS`](super::Row::FIELDS) write with `into()`.
macro_rules! from {
    ($($type:ty: |$from:ident| $value:expr;)*) => {
        $(impl<'a> From<$type> for Value<'a> {
            fn from($from: $type) -> Self {
                $value
            }
        })*
    };
}

from! {
    &'a str: |text| Self::Text(text.into());
    &'a Name: |name| Self::Text((&**name).into());
    &'a Option<Name>: |name| name.as_deref().unwrap_or_default().into();
    String: |text| Self::Text(text.into());
    Cow<'a, str>: |text| Self::Text(text);
    u32: |count| Self::Count(count.into());
    bool: |flag| Self::Flag(flag);
    Cpu: |cpu| Self::Cpu(cpu);
    Memory: |memory| Self::Memory(memory);
}
