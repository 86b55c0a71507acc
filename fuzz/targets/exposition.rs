//! What a pod exposes. The first byte chooses the format.
#![no_main]

mod peak;

use kubevitals_proto::exposition::{
    Family, Format, Limits, NativeHistogram, Sample, Visitor, read,
};
use libfuzzer_sys::fuzz_target;

const LIMITS: Limits = Limits {
    samples: 1_000,
    labels: 8,
    label_bytes: 200,
    buckets: 100,
};

#[derive(Default)]
struct Checked {
    samples: u64,
}

impl Visitor for Checked {
    fn wants(&mut self, family: &Family<'_>) -> bool {
        assert!(!family.name.is_empty() && family.name.len() <= LIMITS.label_bytes);
        !family.name.ends_with('z')
    }

    fn sample(&mut self, family: &Family<'_>, sample: &Sample<'_>) {
        self.samples += 1;
        assert!(!family.sample_name(sample.part).is_empty());
        let labels: Vec<_> = sample.labels.iter().collect();
        assert!(labels.len() <= LIMITS.labels);
        for (n, (name, _)) in labels.iter().enumerate() {
            assert!(sample.labels.get(name).is_some());
            assert!(labels[..n].iter().all(|(other, _)| other != name));
        }
    }

    fn native_histogram(&mut self, _: &Family<'_>, histogram: &NativeHistogram<'_>) {
        self.samples += 1;
        let buckets = histogram.positive().chain(histogram.negative());
        let mut number = 0;
        for bucket in buckets {
            number += 1;
            assert!(bucket.lower <= bucket.upper && bucket.count >= 0.0);
        }
        assert!(number <= LIMITS.buckets);
    }
}

fuzz_target!(|bytes: &[u8]| {
    let Some((first, body)) = bytes.split_first() else {
        return;
    };
    let format = match first % 3 {
        0 => Format::Text,
        1 => Format::OpenMetrics,
        _ => Format::Protobuf,
    };
    let mut visitor = Checked::default();
    let report = peak::bounded(body.len(), || read(body, format, LIMITS, &mut visitor));
    let Ok(report) = report else { return };
    assert_eq!(report.samples, visitor.samples);
    assert!(report.samples <= LIMITS.samples as u64);
    assert_eq!(report.malformed > 0, report.first_malformed.is_some());
});
