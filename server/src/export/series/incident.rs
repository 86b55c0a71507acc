//! Series of incidents.

use kubevitals_proto::vitals::Incident;

use super::usage::seconds;
use super::{Family, Out, float};

/// Open incidents. One that has ended has no series any more.
pub(crate) static INCIDENTS: &[Family<Incident>] = &[
    Family::gauge(
        "kubevitals_incident",
        "An open incident; the value is 1",
        |it, out| {
            let labels = [
                ("cause", it.cause.as_str()),
                ("certainty", it.certainty.as_str()),
                ("container", &*it.involved.container),
                ("incident", &*it.metadata.name),
                ("namespace", &*it.metadata.namespace),
                ("object", &*it.involved.name),
                ("object_kind", &*it.involved.kind),
                ("reason", it.reason.as_str()),
                ("severity", it.severity().as_str()),
            ];
            out(&labels, 1.0);
        },
    ),
    Family::gauge(
        "kubevitals_incident_start_timestamp_seconds",
        "Begin of an open incident, in seconds since the Unix epoch",
        |it, out| write(it, seconds(it.began), out),
    ),
    Family::gauge(
        "kubevitals_incident_occurrences",
        "Occurrences of an open incident: restarts, failed attempts",
        |it, out| write(it, float(it.count), out),
    ),
];

fn write(incident: &Incident, value: f64, out: &mut Out<'_>) {
    let labels = [
        ("incident", &*incident.metadata.name),
        ("namespace", &*incident.metadata.namespace),
    ];
    out(&labels, value);
}

/// Whether the incident has series.
pub(crate) fn is_exported(incident: &Incident) -> bool {
    incident.ended.is_none()
}
