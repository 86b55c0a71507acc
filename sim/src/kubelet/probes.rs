//! `/metrics/probes`: the attempts at each probe by result, and the duration of the successful ones.

use std::io::Write;

use kubevitals_proto::time::Timestamp;

use crate::goformat::float;
use crate::world::catalog::Role;
use crate::world::hash::{between, hash};
use crate::world::node::{Node, NodeState};
use crate::world::pod::{Container, Pod};
use crate::world::probe::ProbeKind;

const DURATION: &str = "# HELP prober_probe_duration_seconds [ALPHA] Duration in seconds for a probe response.\n# TYPE prober_probe_duration_seconds histogram\n";
const TOTAL: &str = "# HELP prober_probe_total [BETA] Cumulative number of a liveness, readiness or startup probe for a container by result.\n# TYPE prober_probe_total counter\n";
const START: &str = "# HELP process_start_time_seconds [ALPHA] Start time of the process since unix epoch in seconds.\n# TYPE process_start_time_seconds gauge\nprocess_start_time_seconds ";

/// Upper bounds of the histogram's buckets, and the share of answers that are that quick.
const BUCKETS: [(&str, f64); 12] = [
    ("0.005", 0.62),
    ("0.01", 0.91),
    ("0.025", 0.97),
    ("0.05", 0.985),
    ("0.1", 0.995),
    ("0.25", 0.999),
    ("0.5", 1.0),
    ("1", 1.0),
    ("2.5", 1.0),
    ("5", 1.0),
    ("10", 1.0),
    ("+Inf", 1.0),
];

/// One probe of one container.
struct Attempts<'a> {
    pod: &'a Pod,
    container: &'a Container,
    kind: ProbeKind,
    successful: u64,
    failed: u64,
}

/// Writes the page of a node as it is at `now`.
pub(crate) fn write(out: &mut Vec<u8>, node: &Node, state: &NodeState, now: Timestamp) {
    let attempts: Vec<Attempts<'_>> = state
        .by_container
        .iter()
        .filter_map(|(slot, c)| {
            let pod = state.pod(*slot)?;
            Some((pod, pod.containers.get(*c)?))
        })
        .filter(|(_, c)| c.spec.role != Role::Init)
        .flat_map(|(pod, container)| {
            ProbeKind::ALL.map(|kind| {
                let (successful, failed) = container.probes.counts(kind, container.spec, now);
                Attempts {
                    pod,
                    container,
                    kind,
                    successful,
                    failed,
                }
            })
        })
        .filter(|a| a.successful + a.failed > 0)
        .collect();
    if attempts.iter().any(|a| a.successful > 0) {
        text(out, DURATION);
    }
    for a in attempts.iter().filter(|a| a.successful > 0) {
        histogram(out, a);
    }
    if !attempts.is_empty() {
        text(out, TOTAL);
    }
    for a in &attempts {
        for (result, count) in [("failed", a.failed), ("successful", a.successful)] {
            if count > 0 {
                let labels = a.labels(true);
                let _ = writeln!(
                    out,
                    "prober_probe_total{labels},result=\"{result}\"}} {count}"
                );
            }
        }
    }
    text(out, START);
    // The kubelet starts some seconds after its node.
    float(out, (node.booted.as_millis() + 11_600) as f64 / 1e3);
    out.push(b'\n');
}

fn histogram(out: &mut Vec<u8>, a: &Attempts<'_>) {
    let labels = a.labels(false);
    for (bound, share) in BUCKETS {
        let count = (a.successful as f64 * share) as u64;
        let _ = writeln!(
            out,
            "prober_probe_duration_seconds_bucket{labels},le=\"{bound}\"}} {count}"
        );
    }
    let mean = between(hash(a.container.seed, a.kind as u64), 0.0011, 0.0062);
    let _ = write!(out, "prober_probe_duration_seconds_sum{labels}}} ");
    float(out, a.successful as f64 * mean);
    let count = a.successful;
    let _ = writeln!(
        out,
        "\nprober_probe_duration_seconds_count{labels}}} {count}"
    );
}

impl Attempts<'_> {
    /// The labels up to probe_type, without the closing brace.
    fn labels(&self, uid: bool) -> String {
        let (container, namespace) = (self.container.spec.name, &self.pod.revision.namespace);
        let (pod, kind) = (&self.pod.name, self.kind.name());
        let uid = match uid {
            true => format!(",pod_uid=\"{}\"", self.pod.uid),
            false => String::new(),
        };
        format!(
            "{{container=\"{container}\",namespace=\"{namespace}\",pod=\"{pod}\"{uid},probe_type=\"{kind}\""
        )
    }
}

fn text(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(text.as_bytes());
}
