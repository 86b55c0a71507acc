//! Ours, with `--manage-apiservice-ca`: the CA of the server's own.

use std::fmt;

use super::families::Families;
use crate::manage;

pub(super) fn write(families: &mut Families<'_>, counts: Option<&manage::Counts>) -> fmt::Result {
    let Some(figures) = counts.map(manage::Counts::snapshot) else {
        return Ok(());
    };
    families.counter(
        "kubevitals_managed_ca_rounds",
        "Rounds in which the CA, its Secret and the APIServices were looked after, by result.",
        |family| {
            family.total(&[("result", "success")], figures.succeeded)?;
            family.total(&[("result", "failure")], figures.failed)
        },
    )?;
    families.counter(
        "kubevitals_managed_ca_writes",
        "How often the CA was written, by the kind of object.",
        |family| {
            family.total(&[("kind", "APIService")], figures.bundles_written)?;
            family.total(&[("kind", "ConfigMap")], figures.published)?;
            family.total(&[("kind", "Secret")], figures.secrets_written)
        },
    )?;
    let Some(until) = figures.authority_ends else {
        return Ok(());
    };
    families.gauge(
        "kubevitals_managed_ca_expiry_time_seconds",
        "Until when the CA that issues is good, in seconds since the Unix epoch; the next one is made in time.",
        |family| family.value(&[], u64::try_from(until.as_secs()).unwrap_or_default()),
    )
}
