//! The reader of Prometheus' protobuf format: messages `io.prometheus.client.MetricFamily`, each after its length.

use super::family::{Family, Kind, Part};
use super::labels::{MetricLabels, SampleLabels, Source, in_order};
use super::native::{Flaw, NativeHistogram, Totals, is_native, number};
use super::report::{self, Limits, ReadError, Report};
use super::sample::{Sample, Visitor};
use crate::wire::protobuf::{Fields, Malformed};

/// Reads a page.
pub(super) fn read<'a, V: Visitor>(
    body: &'a [u8],
    limits: Limits,
    visitor: &mut V,
) -> Result<Report<'a>, ReadError> {
    let mut reader = Reader {
        limits,
        visitor,
        report: Report::default(),
        number: 0,
    };
    let mut messages = Fields::new(body);
    while let Some(message) = messages.next_delimited() {
        reader.number += 1;
        let message = message.map_err(|_| ReadError::Protobuf(reader.number))?;
        if reader.family(message).is_err() {
            reader.malformed();
        }
        if reader.report.truncated {
            break;
        }
    }
    Ok(reader.report)
}

struct Reader<'a, 'v, V> {
    limits: Limits,
    visitor: &'v mut V,
    report: Report<'a>,
    /// The number of the message.
    number: usize,
}

impl<V: Visitor> Reader<'_, '_, V> {
    fn malformed(&mut self) {
        self.report.malformed += 1;
        self.report
            .first_malformed
            .get_or_insert(report::Malformed {
                number: self.number,
                text: &[],
            });
    }

    /// Reads the message `MetricFamily`.
    fn family(&mut self, message: &[u8]) -> Result<(), Malformed> {
        let (mut name, mut kind) = ("", 0);
        for field in Fields::new(message) {
            match field? {
                (1, value) => name = value.str()?,
                (3, value) => kind = value.uint()?,
                _ => {}
            }
        }
        let kind = match kind {
            0 => Kind::Counter,
            1 => Kind::Gauge,
            2 => Kind::Summary,
            3 => Kind::Unknown,
            4 => Kind::Histogram,
            5 => Kind::GaugeHistogram,
            _ => return Err(Malformed),
        };
        let family = Family { name, kind };
        if name.is_empty() {
            return Err(Malformed);
        }
        if name.len() > self.limits.label_bytes || !self.visitor.wants(&family) {
            return Ok(());
        }
        for field in Fields::new(message) {
            let (4, metric) = field? else { continue };
            match metric
                .bytes()
                .map_err(Flaw::from)
                .and_then(|metric| self.metric(&family, metric))
            {
                Ok(()) => {}
                Err(Flaw::Malformed) => self.malformed(),
                Err(Flaw::TooManyBuckets) => self.report.oversized += 1,
            }
            if self.report.truncated {
                break;
            }
        }
        Ok(())
    }

    /// Reads the message `Metric`.
    fn metric(&mut self, family: &Family<'_>, message: &[u8]) -> Result<(), Flaw> {
        let of_kind = match family.kind {
            Kind::Gauge => 2,
            Kind::Counter => 3,
            Kind::Summary => 4,
            Kind::Histogram | Kind::GaugeHistogram => 7,
            _ => 5,
        };
        let (mut value, mut timestamp_ms) = (None, None);
        for field in Fields::new(message) {
            match field? {
                (6, time) => timestamp_ms = Some(time.int()?),
                (number, of) if number == of_kind => value = Some(of.bytes()?),
                _ => {}
            }
        }
        let value = value.ok_or(Malformed)?;
        let labels = MetricLabels::new(message);
        if !self.fits(labels)? {
            self.report.oversized += 1;
            return Ok(());
        }
        if of_kind == 7 && is_native(value)? {
            let labels = SampleLabels {
                source: Source::Metric(labels),
                without: "",
            };
            let histogram =
                NativeHistogram::decode(value, labels, timestamp_ms, self.limits.buckets)?;
            if self.counts() {
                self.visitor.native_histogram(family, &histogram);
            }
            return Ok(());
        }
        // All or nothing: a message that is broken in the middle is no sample.
        parts(family.kind, value, |_, _| {})?;
        parts(family.kind, value, |part, value| {
            if self.counts() {
                let sample = Sample {
                    part,
                    labels: SampleLabels {
                        source: Source::Metric(labels),
                        without: part.label(),
                    },
                    value,
                    timestamp_ms,
                };
                self.visitor.sample(family, &sample);
            }
        })?;
        Ok(())
    }

    /// Counts a sample, if there may be another one.
    fn counts(&mut self) -> bool {
        let more = self.report.samples < self.limits.samples as u64;
        self.report.truncated |= !more;
        self.report.samples += u64::from(more);
        more
    }

    /// Whether there are not too many labels and none is too long.
    fn fits(&self, labels: MetricLabels<'_>) -> Result<bool, Malformed> {
        let mut before = "";
        let (mut count, mut longest, mut sorted) = (0, 0, true);
        for label in labels {
            let (name, value) = label?;
            count += 1;
            longest = longest.max(name.len() + value.len());
            sorted &= in_order(before, name);
            before = name;
        }
        if count > self.limits.labels || longest > self.limits.label_bytes {
            return Ok(false);
        }
        let mut names = labels;
        while !sorted && let Some(Ok((name, _))) = names.next() {
            if names.flatten().any(|(other, _)| other == name) {
                return Err(Malformed);
            }
        }
        Ok(true)
    }
}

/// The parts of a message `Counter`, `Gauge`, `Untyped`, `Summary` or `Histogram`.
fn parts(kind: Kind, message: &[u8], mut emit: impl FnMut(Part, f64)) -> Result<(), Malformed> {
    match kind {
        Kind::Histogram | Kind::GaugeHistogram => {
            let totals = Totals::decode(message)?;
            let mut whole = false;
            for field in Fields::new(message) {
                if let (3, bucket) = field? {
                    let (bound, count) = bucket_of(bucket.fields()?)?;
                    whole |= bound == f64::INFINITY;
                    emit(Part::Bucket(bound), count);
                }
            }
            if !whole {
                emit(Part::Bucket(f64::INFINITY), totals.count());
            }
            emit(Part::Sum, totals.sum);
            emit(Part::Count, totals.count());
        }
        Kind::Summary => {
            let (mut count, mut sum) = (0, 0.0);
            for field in Fields::new(message) {
                match field? {
                    (1, value) => count = value.uint()?,
                    (2, value) => sum = value.f64()?,
                    (3, value) => {
                        let (quantile, value) = quantile_of(value.fields()?)?;
                        emit(Part::Quantile(quantile), value);
                    }
                    _ => {}
                }
            }
            emit(Part::Sum, sum);
            emit(Part::Count, count as f64);
        }
        _ => {
            let mut number = 0.0;
            for field in Fields::new(message) {
                if let (1, value) = field? {
                    number = value.f64()?;
                }
            }
            emit(Part::Value, number);
        }
    }
    Ok(())
}

/// The bound and the cumulative count of the message `Bucket`.
fn bucket_of(bucket: Fields<'_>) -> Result<(f64, f64), Malformed> {
    let (mut bound, mut count, mut count_float) = (0.0, 0, 0.0);
    for field in bucket {
        match field? {
            (1, value) => count = value.uint()?,
            (2, value) => bound = value.f64()?,
            (4, value) => count_float = value.f64()?,
            _ => {}
        }
    }
    Ok((bound, number(count, count_float)))
}

/// The quantile and the value of the message `Quantile`.
fn quantile_of(message: Fields<'_>) -> Result<(f64, f64), Malformed> {
    let (mut quantile, mut at) = (0.0, 0.0);
    for field in message {
        match field? {
            (1, value) => quantile = value.f64()?,
            (2, value) => at = value.f64()?,
            _ => {}
        }
    }
    Ok((quantile, at))
}
