//! Ours: what outlives the process.

use std::fmt;

use super::families::Families;
use crate::state::{Counts, Figures, IncidentsCounts};

pub(super) fn write(families: &mut Families<'_>, counts: &Counts) -> fmt::Result {
    let Figures {
        written,
        failed,
        bytes,
        last,
        from_file,
        from_peer,
    } = counts.snapshot();
    families.counter(
        "kubevitals_state_writes",
        "How often the state was written, by result; the write at the end of the process is included.",
        |family| {
            family.total(&[("result", "success")], written)?;
            family.total(&[("result", "failure")], failed)
        },
    )?;
    families.gauge(
        "kubevitals_state_bytes",
        "Size of the state at its last write.",
        |family| family.value(&[], bytes),
    )?;
    families.gauge(
        "kubevitals_state_written_time_seconds",
        "When the state was last written, in seconds since the Unix epoch.",
        |family| match last {
            Some(last) => family.value(&[], u64::try_from(last.as_secs()).unwrap_or_default()),
            None => Ok(()),
        },
    )?;
    families.gauge(
        "kubevitals_state_restored_nodes",
        "Nodes of which something was known from the start, by where from: file (an earlier process), peer (another replica).",
        |family| {
            family.value(&[("from", "file")], from_file)?;
            family.value(&[("from", "peer")], from_peer)
        },
    )
}

/// The families of the ConfigMap for incidents, if there is one.
pub(super) fn write_incidents(
    families: &mut Families<'_>,
    counts: Option<&IncidentsCounts>,
) -> fmt::Result {
    let Some(figures) = counts.map(IncidentsCounts::snapshot) else {
        return Ok(());
    };
    families.gauge(
        "kubevitals_incidents_configmap_available",
        "1 if the ConfigMap for incidents could be read or written the last time, else 0.",
        |family| family.value(&[], u64::from(figures.available)),
    )?;
    families.gauge(
        "kubevitals_incidents_configmap_bytes",
        "Compressed bytes of incidents that were written into the ConfigMap the last time.",
        |family| family.value(&[], figures.bytes),
    )?;
    families.gauge(
        "kubevitals_incidents_configmap_left_out",
        "Incidents that did not fit into the ConfigMap the last time.",
        |family| family.value(&[], figures.left_out),
    )?;
    families.counter(
        "kubevitals_incidents_configmap_restored",
        "Incidents that were restored from the ConfigMap: at start, and those that another replica wrote.",
        |family| family.total(&[], figures.restored),
    )?;
    families.counter(
        "kubevitals_incidents_configmap_writes",
        "How often the ConfigMap was written, or could not be read or written, by result.",
        |family| {
            family.total(&[("result", "success")], figures.written)?;
            family.total(&[("result", "failure")], figures.failed)
        },
    )
}
