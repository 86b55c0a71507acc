//! `/metrics/probes`: counters of the results of each probe of each container.
//!
//! The counters count attempts, not thresholds. They appear after the first result, survive a
//! container's restart, and begin again with the kubelet. The histograms of their durations, most
//! of the body, are skipped without being read.

use super::names::{LONGEST_UID, may_be_container, may_be_pod};
use crate::exposition::lines::{LabelSet, Scanner, plain_value, unescape};
use crate::exposition::number;
use crate::vitals::ProbeKind;
use memchr::memmem;
use std::borrow::Cow;

const FAMILY: &[u8] = b"prober_probe_total";

/// The end of a line and the beginning of the family's first line.
const FIRST_LINE: &[u8] = b"\nprober_probe_total";

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
    // Most of a page are the lines before the family.
    if !body.starts_with(FAMILY) {
        let first_line = memmem::find(body, FIRST_LINE).map(|at| at + 1);
        lines.rest = first_line.and_then(|at| body.get(at..)).unwrap_or(body);
    }
    loop {
        while results.len() < MAX_SERIES
            && let Some((series, rest)) = usual_line(lines.rest)
        {
            results.push(series);
            lines.rest = rest;
        }
        let Some(line) = lines.next_of(|name| name == FAMILY) else {
            break;
        };
        let series = line
            .sample
            .and_then(|sample| series(sample.labels, sample.value));
        match series {
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

impl ProbeResult {
    fn named(name: &[u8]) -> Option<Self> {
        Some(match name {
            b"successful" => Self::Successful,
            b"failed" => Self::Failed,
            b"unknown" => Self::Unknown,
            _ => return None,
        })
    }
}

/// The kind of a probe, as the kubelet writes it.
fn kind(name: &[u8]) -> Option<ProbeKind> {
    Some(match name {
        b"Liveness" => ProbeKind::Liveness,
        b"Readiness" => ProbeKind::Readiness,
        b"Startup" => ProbeKind::Startup,
        _ => return None,
    })
}

/// One line's probe, result and count.
type Series<'a> = (ProbeKey<'a>, ProbeResult, u64);

/// The line at the start of `text`, if it is written as a kubelet writes it, and what follows it.
fn usual_line(text: &[u8]) -> Option<(Series<'_>, &[u8])> {
    let text = text.strip_prefix(FAMILY)?;
    let (container, text) = plain_value(text.strip_prefix(b"{container=\"")?)?;
    let (namespace, text) = plain_value(text.strip_prefix(b",namespace=\"")?)?;
    let (pod, text) = plain_value(text.strip_prefix(b",pod=\"")?)?;
    let (pod_uid, text) = plain_value(text.strip_prefix(b",pod_uid=\"")?)?;
    let (probe, text) = plain_value(text.strip_prefix(b",probe_type=\"")?)?;
    let (result, text) = plain_value(text.strip_prefix(b",result=\"")?)?;
    let (value, text) = number::leading_f64(text.strip_prefix(b"} ")?)?;
    let key = ProbeKey {
        namespace: namespace.into(),
        pod: pod.into(),
        pod_uid: pod_uid.into(),
        container: container.into(),
        probe: kind(probe.as_bytes())?,
    };
    let series = counted(key, ProbeResult::named(result.as_bytes())?, value)?;
    Some((series, text.strip_prefix(b"\n")?))
}

/// The series of a line, if its names and its value are possible.
fn counted(key: ProbeKey<'_>, result: ProbeResult, value: f64) -> Option<Series<'_>> {
    let possible = may_be_pod(&key.namespace, &key.pod)
        && may_be_container(&key.container)
        && key.pod_uid.len() <= LONGEST_UID
        && (0.0..2_f64.powi(63)).contains(&value);
    possible.then_some((key, result, value as u64))
}

/// The series of a line with its labels in any order.
fn series(labels: LabelSet<'_>, value: f64) -> Option<Series<'_>> {
    let (mut namespace, mut pod, mut pod_uid, mut container) = Default::default();
    let (mut probe, mut result) = (None, None);
    for (name, value) in labels.iter_raw() {
        match name {
            b"namespace" => namespace = unescape(value),
            b"pod" => pod = unescape(value),
            b"pod_uid" => pod_uid = unescape(value),
            b"container" => container = unescape(value),
            b"probe_type" => probe = kind(value),
            b"result" => result = ProbeResult::named(value),
            _ => {}
        }
    }
    let key = ProbeKey {
        namespace,
        pod,
        pod_uid,
        container,
        probe: probe?,
    };
    counted(key, result?, value)
}
