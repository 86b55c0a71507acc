//! What programs expose for Prometheus: good pages and bad ones.

mod text;

use kubevitals_proto::exposition::{
    Family, Format, Limits, NativeHistogram, Part, ReadError, Report, Sample, Visitor, read,
};

/// Writes down what it receives, one line each: the name of the sample, its labels, its value and its time.
#[derive(Default)]
struct Collected {
    families: Vec<String>,
    samples: Vec<String>,
    histograms: Vec<String>,
    /// The families that are wanted; empty for all.
    wanted: &'static [&'static str],
}

impl Visitor for Collected {
    fn wants(&mut self, family: &Family<'_>) -> bool {
        self.families
            .push(format!("{} {:?}", family.name, family.kind));
        self.wanted.is_empty() || self.wanted.contains(&family.name)
    }

    fn sample(&mut self, family: &Family<'_>, sample: &Sample<'_>) {
        let mut line = family.sample_name(sample.part).into_owned();
        match sample.part {
            Part::Bucket(bound) => line += &format!(" ≤{bound}"),
            Part::Quantile(quantile) => line += &format!(" @{quantile}"),
            _ => {}
        }
        line += &labels(sample.labels.iter());
        line += &format!(" = {}", sample.value);
        if let Some(at) = sample.timestamp_ms {
            line += &format!(" at {at}");
        }
        self.samples.push(line);
    }

    fn native_histogram(&mut self, family: &Family<'_>, histogram: &NativeHistogram<'_>) {
        let mut line = family.name.to_owned() + &labels(histogram.labels.iter());
        line += &format!(
            " n={} sum={} zero={}≤{}",
            histogram.count, histogram.sum, histogram.zero_count, histogram.zero_threshold
        );
        for bucket in histogram.negative().chain(histogram.positive()) {
            line += &format!(" ({},{}]={}", bucket.lower, bucket.upper, bucket.count);
        }
        self.histograms.push(line);
    }
}

fn labels<N: AsRef<str>, V: AsRef<str>>(labels: impl Iterator<Item = (N, V)>) -> String {
    labels
        .map(|(name, value)| format!(" {}={:?}", name.as_ref(), value.as_ref()))
        .collect()
}

fn collected(body: &[u8], format: Format) -> (Collected, Result<Report<'_>, ReadError>) {
    let mut visitor = Collected::default();
    let report = read(body, format, Limits::default(), &mut visitor);
    (visitor, report)
}
