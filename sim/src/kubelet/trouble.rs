//! Kubelets that misbehave, for the tests of the scraper.

use std::io::{self, Write};
use std::sync::OnceLock;
use std::time::Duration;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::CONTENT_LENGTH;
use http::{Response, StatusCode};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use kubevitals_proto::time::nanos;

use crate::connections::{Body, response};

/// How a kubelet misbehaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kill {
    /// Connections are closed as soon as they are made. (The listener is shared by all nodes, so that the handshake
    /// of TCP itself cannot be refused to one of them.)
    Refuse,
    /// Connections are reset.
    Reset,
    /// Connections are accepted and never answered.
    Hang,
    /// Every request is answered with this status.
    Status(u16),
    /// Every request is answered with an HTML page and status 200, as a captive portal does.
    Html,
    /// The answer ends in its midst.
    HalfBody,
    /// The answer is a few hundred kilobytes that unpack to 512 MiB.
    GzipBomb,
    /// The answer has a million series.
    MillionSeries,
    /// The answer is not UTF-8.
    InvalidUtf8,
    /// Values are NaN, infinite, negative and larger than any counter.
    BadNumbers,
    /// The node's clock is that much ahead.
    ClockAhead(Duration),
    /// The node's clock is that much behind.
    ClockBehind(Duration),
    /// The kubelet could not collect: 200 and only `resource_scrape_error 1`.
    ScrapeError,
}

impl Kill {
    /// Nanoseconds by which the node's clock is off.
    pub(crate) fn clock_off(self) -> i64 {
        match self {
            Self::ClockAhead(by) => nanos(by),
            Self::ClockBehind(by) => -nanos(by),
            _ => 0,
        }
    }
}

pub(crate) const HTML: &str = "<!DOCTYPE html>\n<html><head><title>502 Bad Gateway</title></head>\n<body><h1>502 Bad Gateway</h1></body></html>\n";

pub(crate) const SCRAPE_ERROR: &str = "# HELP resource_scrape_error [STABLE] 1 if there was an error while getting container metrics, 0 otherwise\n# TYPE resource_scrape_error gauge\nresource_scrape_error 1\n";

/// Numbers that no counter has, in the place of the first ones of the page.
const BAD_NUMBERS: [&str; 6] = ["NaN", "+Inf", "-12.5", "1e+300", "-0", "0x1p-3"];

/// Replaces the values of every third line.
pub(crate) fn bad_numbers(page: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(page.len());
    let mut bad = BAD_NUMBERS.iter().cycle();
    for (n, line) in page.split_inclusive(|b| *b == b'\n').enumerate() {
        let struck = n % 3 == 0 && !line.starts_with(b"#");
        let mut fields = line.splitn(3, |b| *b == b' ');
        let (series, value, rest) = (fields.next(), fields.next(), fields.next());
        match (series, value, struck.then(|| bad.next()).flatten()) {
            (Some(series), Some(_), Some(value)) => {
                out.extend_from_slice(series);
                out.push(b' ');
                out.extend_from_slice(value.as_bytes());
                out.push(if rest.is_some() { b' ' } else { b'\n' });
                out.extend_from_slice(rest.unwrap_or_default());
            }
            _ => out.extend_from_slice(line),
        }
    }
    out
}

/// Breaks the encoding of every label value that has an `o`.
pub(crate) fn invalid_utf8(page: &[u8]) -> Vec<u8> {
    page.split_inclusive(|b| *b == b'\n')
        .flat_map(|line| {
            let (mut quoted, comment) = (false, line.starts_with(b"#"));
            line.iter().map(move |byte| {
                quoted ^= *byte == b'"';
                if *byte == b'o' && quoted && !comment {
                    0xff
                } else {
                    *byte
                }
            })
        })
        .collect()
}

/// Announces the whole page, sends half of it, and breaks off.
pub(crate) fn half(kind: &'static str, mut out: Vec<u8>) -> Response<Body> {
    let length = out.len();
    out.truncate(length / 2);
    let broken = io::Error::from(io::ErrorKind::ConnectionReset);
    let parts = [Ok(Frame::data(Bytes::from(out))), Err(broken)];
    let body = StreamBody::new(futures::stream::iter(parts)).boxed_unsync();
    let mut response = response(StatusCode::OK, kind, body);
    response.headers_mut().insert(CONTENT_LENGTH, length.into());
    response
}

/// What unpacks to 512 MiB of one comment. Made once.
pub(crate) fn gzip_bomb() -> Bytes {
    static BOMB: OnceLock<Bytes> = OnceLock::new();
    BOMB.get_or_init(|| {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
        let block = [b'#'; 1 << 16];
        let written = (0..(512 << 20) / block.len()).try_for_each(|_| gzip.write_all(&block));
        // Writing to a Vec does not fail; were it to, half a bomb is as good.
        written
            .and_then(|()| gzip.finish())
            .map(Bytes::from)
            .unwrap_or_default()
    })
    .clone()
}

/// The `n`-th of a hundred parts of a page with a million series.
pub(crate) fn million_series(n: u32) -> Bytes {
    let mut out = Vec::with_capacity(1 << 20);
    if n == 0 {
        out.extend_from_slice(b"# TYPE container_cpu_usage_seconds_total counter\n");
    }
    for i in 0..10_000 {
        let id = n * 10_000 + i;
        let _ = writeln!(
            out,
            "container_cpu_usage_seconds_total{{container=\"c\",namespace=\"flood\",pod=\"flood-{id:07}\"}} {id}.5 1800000000000"
        );
    }
    Bytes::from(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &[u8] = b"x{pod=\"one\"} 1 5\nx{pod=\"two\"} 2 5\n# HELP of\ny 7\n";

    #[test]
    fn bad_numbers_leave_labels_and_timestamps_alone() {
        let bad = String::from_utf8(bad_numbers(PAGE)).unwrap();
        assert_eq!(
            bad,
            "x{pod=\"one\"} NaN 5\nx{pod=\"two\"} 2 5\n# HELP of\ny +Inf\n"
        );
    }

    #[test]
    fn invalid_utf8_is_in_the_labels() {
        let bad = invalid_utf8(PAGE);
        assert!(std::str::from_utf8(&bad).is_err());
        assert_eq!(bad.len(), PAGE.len());
    }

    #[test]
    fn a_million_series_are_a_million() {
        let lines = million_series(7).iter().filter(|b| **b == b'\n').count();
        assert_eq!(lines, 10_000);
    }
}
