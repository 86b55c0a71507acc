//! Ours: what outlives the process.

use std::fmt;

use super::families::Families;
use crate::state::{Counts, Figures};

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
        "How often what is to outlive the process was written down, by result; at the end of the process too.",
        |family| {
            family.total(&[("result", "success")], written)?;
            family.total(&[("result", "failure")], failed)
        },
    )?;
    families.gauge(
        "kubevitals_state_bytes",
        "How large it was the last time.",
        |family| family.value(&[], bytes),
    )?;
    families.gauge(
        "kubevitals_state_written_time_seconds",
        "When it was last written down, in seconds since the Unix epoch.",
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
