//! Incidents of the whole server: of the recordings, and of every fault of the simulation.

mod episodes;
mod faults;
mod recording;
mod trust;

use std::fmt::Write;
use std::sync::Arc;

use kubevitals_proto::vitals::Incident;

use crate::harness::Harness;

/// All incidents of the server, oldest first.
fn incidents(harness: &Harness) -> Vec<Arc<Incident>> {
    let (entries, _) = harness.server.query().health().incidents();
    entries.into_iter().map(|entry| entry.incident).collect()
}

/// Formats an incident for the output of a failed test.
fn describe(incident: &Incident) -> String {
    let involved = &incident.involved;
    let mut text = format!(
        "{} {}/{} {}: {:?} by {:?} ({:?}), {} times, began {}, ended {:?}\n  {}\n",
        incident.metadata.name,
        involved.namespace,
        involved.name,
        involved.container,
        incident.reason,
        incident.cause,
        incident.certainty,
        incident.count,
        incident.began.to_rfc3339_seconds(),
        incident.ended.map(|at| at.to_rfc3339_seconds()),
        incident.message,
    );
    for evidence in &incident.evidence {
        let at = evidence.time.to_rfc3339_seconds();
        let _ = writeln!(text, "    {at} {:?}: {}", evidence.source, evidence.text);
    }
    text
}
