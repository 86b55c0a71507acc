//! Endpoints of pods that misbehave, for the tests of the scraper.

use std::time::Duration;

use kubevitals_proto::time::nanos;

use super::exposition::{Family, Kind, Value};

/// How the endpoint of a pod misbehaves.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EndpointFault {
    /// Connections are closed as soon as they are made.
    Refuse,
    /// Connections are accepted and never answered.
    Hang,
    /// Every request is answered with this status and nothing but its name.
    Status(u16),
    /// A request without this `Authorization` is answered with 401.
    Protected(String),
    /// Every request is redirected to this location.
    Redirect(String),
    /// Every request is answered with an HTML page and status 200.
    Html,
    /// The page has this `Content-Type`, whatever its format.
    ContentType(&'static str),
    /// The body has 200 MB.
    Huge,
    /// The body is a few hundred kilobytes that unpack to 512 MiB.
    GzipBomb,
    /// The body ends in its midst.
    HalfBody,
    /// The page has a million series.
    MillionSeries,
    /// Labels are not UTF-8, in the text formats.
    InvalidUtf8,
    /// Counters are gauges, and gauges are counters.
    TypeChange,
    /// Every series is there twice, the second time with another value.
    Repeated,
    /// Every value is NaN.
    NotANumber,
    /// Every value is negative.
    Negative,
    /// Every series has a timestamp that much in the future.
    Ahead(Duration),
    /// Every series has a timestamp that much in the past.
    Behind(Duration),
}

impl EndpointFault {
    /// Changes the families of a page of this time in milliseconds, if it is such a fault.
    pub(super) fn apply(&self, families: &mut [Family], now: i64) {
        let millis = |by: &Duration| nanos(*by) / 1_000_000;
        match self {
            Self::TypeChange => {
                for family in families {
                    family.kind = match family.kind {
                        Kind::Counter => Kind::Gauge,
                        Kind::Gauge => Kind::Counter,
                        Kind::Histogram => Kind::Histogram,
                    };
                }
            }
            Self::Repeated => {
                for family in families {
                    let mut again = family.series.clone();
                    for series in &mut again {
                        series.value.change(|value| value + 1.0);
                    }
                    family.series.extend(again);
                }
            }
            Self::NotANumber => change(families, |_| f64::NAN),
            Self::Negative => change(families, |value| -value - 1.0),
            Self::Ahead(by) => stamp(families, now + millis(by)),
            Self::Behind(by) => stamp(families, now - millis(by)),
            _ => {}
        }
    }
}

impl Value {
    /// Changes a number, or the sum of a histogram.
    fn change(&mut self, change: impl Fn(f64) -> f64) {
        match self {
            Self::Number(value) => *value = change(*value),
            Self::Histogram(it) => it.sum = change(it.sum),
        }
    }
}

fn change(families: &mut [Family], change: impl Fn(f64) -> f64) {
    for series in families.iter_mut().flat_map(|it| &mut it.series) {
        series.value.change(&change);
    }
}

fn stamp(families: &mut [Family], at: i64) {
    for series in families.iter_mut().flat_map(|it| &mut it.series) {
        series.at = Some(at);
    }
}

/// Makes the first byte of every label value of a text one that UTF-8 does not have.
pub(super) fn break_labels(page: &mut [u8]) {
    let mut before = [0, 0];
    for byte in page {
        if before == *b"=\"" {
            *byte = 0xff;
        }
        before = [before[1], *byte];
    }
}
