//! Encodes a request of remote write 1.0 or 2.0.
//!
//! The messages are written field by field: a series borrows its labels, and a request has thousands of them.
//!
//! Sources: <https://prometheus.io/docs/specs/prw/remote_write_spec/> and `remote_write_spec_2_0`.

use std::collections::HashMap;

use bytes::{BufMut, Bytes};
use prost::encoding::{WireType, encode_key, encode_varint, encoded_len_varint};

use crate::export::series::{Kind, Label};

/// The value that marks the end of a series.
pub(crate) const STALE: f64 = f64::from_bits(0x7ff0_0000_0000_0002);

/// The most labels of a series, external ones included.
pub(super) const MAX_LABELS: usize = 48;

/// A version of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Protocol {
    /// `prometheus.WriteRequest`, which every receiver accepts.
    #[default]
    #[value(name = "1.0")]
    V1,
    /// `io.prometheus.write.v2.Request`: symbols instead of repeated strings, and the type and help of each series.
    #[value(name = "2.0")]
    V2,
}

impl Protocol {
    /// The header `Content-Type`.
    pub(crate) fn content_type(self) -> &'static str {
        match self {
            Self::V1 => "application/x-protobuf",
            Self::V2 => "application/x-protobuf;proto=io.prometheus.write.v2.Request",
        }
    }

    /// The header `X-Prometheus-Remote-Write-Version`.
    pub(crate) fn version(self) -> &'static str {
        match self {
            Self::V1 => "0.1.0",
            Self::V2 => "2.0.0",
        }
    }
}

/// What a series is, besides its labels.
#[derive(Debug, Clone, Copy)]
pub(super) struct Meta {
    pub(super) kind: Kind,
    pub(super) help: &'static str,
}

/// A sample: milliseconds since the Unix epoch, and the value.
pub(super) type Sample = (i64, f64);

/// A request under construction.
#[derive(Debug)]
pub(super) struct Encoder {
    protocol: Protocol,
    series: Vec<u8>,
    symbols: Symbols,
    samples: usize,
    snappy: snap::raw::Encoder,
}

/// The strings of a request of 2.0; the first is empty.
#[derive(Debug, Default)]
struct Symbols {
    refs: HashMap<Box<str>, u32>,
    encoded: Vec<u8>,
}

/// Fields of `prometheus.WriteRequest` and its parts.
mod v1 {
    pub(super) const TIMESERIES: u32 = 1;
    pub(super) const LABELS: u32 = 1;
    pub(super) const SAMPLES: u32 = 2;
    pub(super) const LABEL_NAME: u32 = 1;
    pub(super) const LABEL_VALUE: u32 = 2;
}

/// Fields of `io.prometheus.write.v2.Request` and its parts.
mod v2 {
    pub(super) const SYMBOLS: u32 = 4;
    pub(super) const TIMESERIES: u32 = 5;
    pub(super) const LABELS_REFS: u32 = 1;
    pub(super) const SAMPLES: u32 = 2;
    pub(super) const METADATA: u32 = 5;
    pub(super) const METADATA_TYPE: u32 = 1;
    pub(super) const METADATA_HELP: u32 = 3;
    pub(super) const COUNTER: u64 = 1;
    pub(super) const GAUGE: u64 = 2;
}

/// Fields of a sample, which are the same in both.
const SAMPLE_VALUE: u32 = 1;
const SAMPLE_TIMESTAMP: u32 = 2;

impl Encoder {
    pub(super) fn new(protocol: Protocol) -> Self {
        Self {
            protocol,
            series: Vec::new(),
            symbols: Symbols::default(),
            samples: 0,
            snappy: snap::raw::Encoder::new(),
        }
    }

    /// The number of samples so far.
    pub(super) fn samples(&self) -> usize {
        self.samples
    }

    /// The number of bytes so far, uncompressed.
    pub(super) fn bytes(&self) -> usize {
        self.series.len() + self.symbols.encoded.len()
    }

    /// Adds a series: labels sorted by name, each name once and no value empty, and samples in the order of time.
    pub(super) fn add(&mut self, labels: &[Label<'_>], meta: Meta, samples: &[Sample]) {
        self.samples += samples.len();
        match self.protocol {
            Protocol::V1 => self.add_v1(labels, samples),
            Protocol::V2 => self.add_v2(labels, meta, samples),
        }
    }

    fn add_v1(&mut self, labels: &[Label<'_>], samples: &[Sample]) {
        let label_len = |(name, value): &Label<'_>| text_len(name) + text_len(value);
        let of_labels: usize = labels
            .iter()
            .map(|label| message_len(label_len(label)))
            .sum();
        let of_samples: usize = samples.iter().map(|it| message_len(sample_len(it))).sum();
        let out = &mut self.series;
        message(v1::TIMESERIES, of_labels + of_samples, out);
        for label in labels {
            message(v1::LABELS, label_len(label), out);
            text(v1::LABEL_NAME, label.0, out);
            text(v1::LABEL_VALUE, label.1, out);
        }
        for one in samples {
            message(v1::SAMPLES, sample_len(one), out);
            sample(one, out);
        }
    }

    fn add_v2(&mut self, labels: &[Label<'_>], meta: Meta, samples: &[Sample]) {
        let mut refs = [0_u32; 2 * MAX_LABELS];
        let mut count = 0;
        let strings = labels.iter().flat_map(|(name, value)| [*name, *value]);
        for (slot, string) in refs.iter_mut().zip(strings) {
            *slot = self.symbols.of(string);
            count += 1;
        }
        let refs = refs.get(..count).unwrap_or_default();
        let help = self.symbols.of(meta.help);
        let refs_len: usize = refs
            .iter()
            .map(|it| encoded_len_varint(u64::from(*it)))
            .sum();
        let of_samples: usize = samples.iter().map(|it| message_len(sample_len(it))).sum();
        let meta_len = 2 + 1 + encoded_len_varint(u64::from(help));
        let len = message_len(refs_len) + of_samples + message_len(meta_len);
        let out = &mut self.series;
        message(v2::TIMESERIES, len, out);
        message(v2::LABELS_REFS, refs_len, out);
        for one in refs {
            encode_varint(u64::from(*one), out);
        }
        for one in samples {
            message(v2::SAMPLES, sample_len(one), out);
            sample(one, out);
        }
        message(v2::METADATA, meta_len, out);
        encode_key(v2::METADATA_TYPE, WireType::Varint, out);
        let kind = match meta.kind {
            Kind::Counter => v2::COUNTER,
            Kind::Gauge => v2::GAUGE,
        };
        encode_varint(kind, out);
        encode_key(v2::METADATA_HELP, WireType::Varint, out);
        encode_varint(u64::from(help), out);
    }

    /// Ends the request and begins the next one. Returns the body in Snappy's block format; none for a request without
    /// samples.
    pub(super) fn finish(&mut self) -> Option<Bytes> {
        if std::mem::take(&mut self.samples) == 0 {
            return None;
        }
        // The symbols come first, so that a receiver reads them before their use.
        let mut message = std::mem::take(&mut self.symbols).encoded;
        message.append(&mut self.series);
        // Fails only for more than 4 GiB.
        let body = self.snappy.compress_vec(&message).unwrap_or_default();
        message.clear();
        self.series = message;
        Some(body.into())
    }
}

impl Symbols {
    /// The reference to a string.
    fn of(&mut self, string: &str) -> u32 {
        if self.refs.is_empty() {
            self.insert("");
        }
        match self.refs.get(string) {
            Some(known) => *known,
            None => self.insert(string),
        }
    }

    fn insert(&mut self, string: &str) -> u32 {
        let new = u32::try_from(self.refs.len()).unwrap_or(u32::MAX);
        self.refs.insert(string.into(), new);
        text(v2::SYMBOLS, string, &mut self.encoded);
        new
    }
}

fn text_len(text: &str) -> usize {
    message_len(text.len())
}

fn text(field: u32, text: &str, out: &mut Vec<u8>) {
    message(field, text.len(), out);
    out.put_slice(text.as_bytes());
}

/// The length of a field with a length, whose number is below 16.
fn message_len(len: usize) -> usize {
    1 + encoded_len_varint(len as u64) + len
}

fn message(field: u32, len: usize, out: &mut Vec<u8>) {
    encode_key(field, WireType::LengthDelimited, out);
    encode_varint(len as u64, out);
}

fn sample_len((at, _): &Sample) -> usize {
    1 + 8 + 1 + encoded_len_varint(at.cast_unsigned())
}

fn sample((at, value): &Sample, out: &mut Vec<u8>) {
    encode_key(SAMPLE_VALUE, WireType::SixtyFourBit, out);
    out.put_f64_le(*value);
    encode_key(SAMPLE_TIMESTAMP, WireType::Varint, out);
    encode_varint(at.cast_unsigned(), out);
}
