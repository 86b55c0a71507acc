//! Ours: what is remembered.

use std::fmt;

use super::Known;
use super::families::Families;

pub(super) fn write(families: &mut Families<'_>, known: &Known<'_>) -> fmt::Result {
    let counts = known.query.history_counts();
    let settings = known.query.history_settings();
    families.gauge(
        "kubevitals_history_series",
        "Series that are remembered: nodes and containers, those that are gone included.",
        |family| family.value(&[], counts.series as u64),
    )?;
    families.gauge(
        "kubevitals_history_points",
        "Points of all remembered series.",
        |family| family.value(&[], counts.points as u64),
    )?;
    families.gauge(
        "kubevitals_history_bytes",
        "Memory that remembered series take: points, lists and names. Names that the store or the watches share are counted in full.",
        |family| family.value(&[], counts.bytes as u64),
    )?;
    families.gauge(
        "kubevitals_history_bytes_limit",
        "--history-memory-limit, in bytes.",
        |family| family.value(&[], settings.memory_limit as u64),
    )?;
    families.gauge(
        "kubevitals_history_retention_seconds",
        "For how long points are kept: --history-retention, or less while there is no memory for it.",
        |family| family.value(&[], known.query.history_remembers().as_secs()),
    )?;
    families.gauge(
        "kubevitals_history_oldest_time_seconds",
        "When the oldest point was, by its kubelet's clock, in seconds since the Unix epoch.",
        |family| match counts.oldest {
            Some(oldest) => family.fraction(&[], oldest.as_secs() as f64),
            None => Ok(()),
        },
    )?;
    families.counter(
        "kubevitals_history_cut_blocks",
        "Blocks of some thirty points each that were forgotten before their time, because of --history-memory-limit.",
        |family| family.total(&[], counts.cut_blocks),
    )?;
    families.counter(
        "kubevitals_history_refused_points",
        "Points that were not remembered: more memory than --history-memory-limit was in use and nothing could be forgotten yet, or their node had as many series, or unknown pods, as it may have.",
        |family| family.total(&[], counts.refused_points),
    )?;
    families.gauge(
        "kubevitals_history_shortened_nodes",
        "Nodes whose history is kept for a shorter time than that of others, because it is more than their share of --history-memory-limit.",
        |family| family.value(&[], counts.shortened_nodes as u64),
    )
}
