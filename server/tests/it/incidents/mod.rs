//! What the server makes of what goes wrong: of six real minutes, and of everything that the simulation can do wrong.

mod episodes;
mod faults;
mod recording;
mod trust;

use std::fmt::Write;
use std::sync::Arc;

use kubevitals_proto::vitals::Incident;

use crate::harness::Harness;

/// All incidents that the server remembers, oldest first.
fn incidents(harness: &Harness) -> Vec<Arc<Incident>> {
    let (told, _) = harness.server.query().health().incidents();
    told.into_iter().map(|told| told.incident).collect()
}

/// An incident in a few lines, for who reads a failed test.
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
