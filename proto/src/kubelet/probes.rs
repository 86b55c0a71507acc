//! `/metrics/probes`: counters of the results of each probe of each container.
//!
//! The counters count attempts, not thresholds. They appear after the first result, survive a
//! container's restart, and begin again with the kubelet. The histograms of their durations, most
//! of the body, are skipped without being read.

use super::exposition::{LabelSet, Scanner, unescape};
use super::names::{LONGEST_UID, may_be_container, may_be_pod};
use crate::vitals::ProbeKind;
use std::borrow::Cow;

const FAMILY: &[u8] = b"prober_probe_total";

/// A probe of a container. Ordered by namespace, pod, UID, container, probe.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProbeKey<'a> {
    /// The pod's namespace.
    pub namespace: Cow<'a, str>,
    /// The pod's name.
    pub pod: Cow<'a, str>,
    /// The pod's UID.
    pub pod_uid: Cow<'a, str>,
    /// The container's name within the pod.
    pub container: Cow<'a, str>,
    /// The kind of the probe.
    pub probe: ProbeKind,
}

/// The attempts of a probe, by result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ProbeCounts {
    /// The attempts that succeeded.
    pub successful: u64,
    /// The attempts that failed.
    pub failed: u64,
    /// The attempts with an unknown result.
    pub unknown: u64,
}

/// The content of one page `/metrics/probes`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProbeScrape<'a> {
    /// Each probe once, sorted.
    pub probes: Vec<(ProbeKey<'a>, ProbeCounts)>,
    /// The number of skipped lines: malformed, or with an impossible value or name.
    pub skipped_lines: u32,
    /// The first of those lines, for the log.
    pub first_bad_line: Option<&'a [u8]>,
    /// Whether the body had more series than the limit. The rest is dropped.
    pub truncated: bool,
}

/// The maximum number of series of one body: three results of three probes of three thousand containers.
pub const MAX_SERIES: usize = 27_000;

/// Decodes `body`. Of repeated lines the last one counts.
#[must_use]
pub fn decode(body: &[u8]) -> ProbeScrape<'_> {
    let mut scrape = ProbeScrape::default();
    let mut results = Vec::new();
    let mut lines = Scanner::new(body);
    while let Some(line) = lines.next_of(|name| name == FAMILY) {
        match line
            .sample
            .and_then(|sample| series(sample.labels, sample.value))
        {
            Some(_) if results.len() >= MAX_SERIES => {
                scrape.truncated = true;
                break;
            }
            Some(series) => results.push(series),
            None => {
                scrape.skipped_lines += 1;
                scrape.first_bad_line.get_or_insert(line.text);
            }
        }
    }
    // The sort is stable: of equal keys the last line overwrites the others.
    results.sort_by(|(a, ..), (b, ..)| a.cmp(b));
    for (key, result, count) in results {
        if scrape.probes.last().is_none_or(|(last, _)| *last != key) {
            scrape.probes.push((key, ProbeCounts::default()));
        }
        if let Some((_, counts)) = scrape.probes.last_mut() {
            match result {
                ProbeResult::Successful => counts.successful = count,
                ProbeResult::Failed => counts.failed = count,
                ProbeResult::Unknown => counts.unknown = count,
            }
        }
    }
    scrape
}

enum ProbeResult {
    Successful,
    Failed,
    Unknown,
}

/// One line's probe, result and count.
fn series(labels: LabelSet<'_>, value: f64) -> Option<(ProbeKey<'_>, ProbeResult, u64)> {
    let (mut namespace, mut pod, mut pod_uid, mut container) = Default::default();
    let (mut probe, mut result) = (None, None);
    for (name, value) in labels.iter_raw() {
        match name {
            b"namespace" => namespace = unescape(value),
            b"pod" => pod = unescape(value),
            b"pod_uid" => pod_uid = unescape(value),
            b"container" => container = unescape(value),
            b"probe_type" => {
                probe = match value {
                    b"Liveness" => Some(ProbeKind::Liveness),
                    b"Readiness" => Some(ProbeKind::Readiness),
                    b"Startup" => Some(ProbeKind::Startup),
                    _ => None,
                }
            }
            b"result" => {
                result = match value {
                    b"successful" => Some(ProbeResult::Successful),
                    b"failed" => Some(ProbeResult::Failed),
                    b"unknown" => Some(ProbeResult::Unknown),
                    _ => None,
                }
            }
            _ => {}
        }
    }
    let possible = may_be_pod(&namespace, &pod)
        && may_be_container(&container)
        && pod_uid.len() <= LONGEST_UID;
    possible.then_some(())?;
    let count = (0.0..2_f64.powi(63))
        .contains(&value)
        .then_some(value as u64)?;
    Some((
        ProbeKey {
            namespace,
            pod,
            pod_uid,
            container,
            probe: probe?,
        },
        result?,
        count,
    ))
}
