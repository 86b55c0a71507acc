//! Makes requests of series: filters, labels, order.

use kubevitals_proto::time::Timestamp;

use super::encode::{Encoder, MAX_LABELS, Meta, Protocol, STALE, Sample};
use super::relabel::{ExternalLabel, MetricFilter};
use crate::export::series::{Family, Label, job_labels};

/// The most samples of a request: as in Prometheus.
const MAX_SAMPLES: usize = 2_000;

/// The most bytes of a request before compression.
const MAX_BYTES: usize = 1 << 20;

/// The most external labels.
pub(crate) const MAX_EXTERNAL_LABELS: usize = 24;

/// A finished request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Body {
    pub(super) bytes: bytes::Bytes,
    pub(super) samples: usize,
}

/// Makes the requests of one round.
#[derive(Debug)]
pub(super) struct Writer {
    encoder: Encoder,
    external: Vec<ExternalLabel>,
    filter: MetricFilter,
    finished: Vec<Body>,
}

impl Writer {
    pub(super) fn new(
        protocol: Protocol,
        external: Vec<ExternalLabel>,
        filter: MetricFilter,
    ) -> Self {
        Self {
            encoder: Encoder::new(protocol),
            external,
            filter,
            finished: Vec::new(),
        }
    }

    /// Adds the samples that the families have of a subject at a time.
    pub(super) fn add<S: ?Sized>(&mut self, families: &[Family<S>], subject: &S, at: Timestamp) {
        for family in families {
            if self.filter.keeps(family.name) {
                (family.write)(subject, &mut |labels, value| {
                    self.series(family, labels, &[(at.as_millis(), value)]);
                });
            }
        }
    }

    /// Marks the series that the families have of a subject as ended, except those that `stays` finds.
    pub(super) fn end<S: ?Sized>(
        &mut self,
        families: &[Family<S>],
        subject: &S,
        at: Timestamp,
        stays: impl Fn(&str, &[Label<'_>]) -> bool,
    ) {
        for family in families {
            if self.filter.keeps(family.name) {
                (family.write)(subject, &mut |labels, _| {
                    if !stays(family.name, labels) {
                        let stale = (at.as_millis(), STALE);
                        self.series(family, labels, &[stale]);
                    }
                });
            }
        }
    }

    /// Adds earlier samples of a series, in the order of time. Returns their number.
    pub(super) fn history<S: ?Sized>(
        &mut self,
        family: &Family<S>,
        labels: &[Label<'_>],
        samples: &[Sample],
    ) -> usize {
        if samples.is_empty() || !self.filter.keeps(family.name) {
            return 0;
        }
        self.series(family, labels, samples);
        samples.len()
    }

    /// Adds the samples of one series.
    fn series<S: ?Sized>(&mut self, family: &Family<S>, labels: &[Label<'_>], samples: &[Sample]) {
        let mut all = [("", ""); MAX_LABELS];
        let name = [("__name__", family.name)];
        let external = self.external.iter();
        let external = external.map(|it| (it.name.as_str(), it.value.as_str()));
        let given = name.iter().chain(labels).chain(job_labels(family.name));
        // A receiver treats an empty value as no label, and the specification forbids to send one.
        let given = given
            .copied()
            .chain(external)
            .filter(|(_, value)| !value.is_empty());
        let mut count = 0;
        for (slot, label) in all.iter_mut().zip(given) {
            *slot = label;
            count += 1;
        }
        let all = all.get_mut(..count).unwrap_or_default();
        // Stable: of two labels with one name, that of the series comes first, and stays.
        all.sort_by_key(|(name, _)| *name);
        let mut unique = 0_usize;
        for at in 0..all.len() {
            let (Some(label), last) = (all.get(at).copied(), unique.checked_sub(1)) else {
                continue;
            };
            let repeated = last
                .and_then(|last| all.get(last))
                .is_some_and(|it| it.0 == label.0);
            if !repeated && let Some(slot) = all.get_mut(unique) {
                *slot = label;
                unique += 1;
            }
        }
        let meta = Meta {
            kind: family.kind,
            help: family.help,
        };
        self.encoder
            .add(all.get(..unique).unwrap_or_default(), meta, samples);
        if self.encoder.samples() >= MAX_SAMPLES || self.encoder.bytes() >= MAX_BYTES {
            self.cut();
        }
    }

    fn cut(&mut self) {
        let samples = self.encoder.samples();
        if let Some(bytes) = self.encoder.finish() {
            self.finished.push(Body { bytes, samples });
        }
    }

    /// Ends the current request and returns all of them.
    pub(super) fn finish(&mut self) -> Vec<Body> {
        self.cut();
        std::mem::take(&mut self.finished)
    }
}
