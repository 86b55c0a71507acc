//! A volume's row.

use super::cells::Cells;
use crate::age;
use crate::time::Timestamp;
use crate::vitals::VolumeVitals;
use crate::wire::form::Column;

/// The columns.
pub(super) const COLUMNS: [Column; 13] = [
    Column::text("Name", "The claim's name.").format("name"),
    Column::text("Used", "Bytes used, in MiB."),
    Column::text("Capacity", "The size of the file system, in MiB."),
    Column::text("Used%", "What is not available of the capacity."),
    Column::text("Growth/h", "The growth in an hour, in MiB."),
    Column::text("Full-In", "When it is full if the growth goes on."),
    Column::text("Inodes%", "Inodes used of those that exist."),
    Column::integer("Pods", "The number of pods that mount it."),
    Column::text("Measured", "How long ago the kubelet measured it."),
    Column::text("Available", "Bytes that can still be used, in MiB.").wide(),
    Column::integer("Nodes", "The number of nodes that mount it.").wide(),
    Column::text("Node", "The node whose kubelet has the latest values.").wide(),
    Column::text("Mounted-By", "The first pod that mounts it.").wide(),
];

pub(super) fn row(volume: &VolumeVitals, cells: &mut Cells<'_>) {
    let growth = volume.growth.as_ref();
    cells.text(&volume.metadata.name);
    cells.memory(volume.used);
    cells.memory(volume.capacity);
    cells.percent(volume.ratios.used);
    cells.text(
        &growth
            .map(|it| per_hour(it.bytes_per_hour))
            .unwrap_or_default(),
    );
    let full_in = growth.and_then(|it| it.full_at).map(|at| until(cells, at));
    cells.text(&full_in.unwrap_or_default());
    cells.percent(volume.ratios.inodes);
    cells.integer(volume.pod_count);
    cells.age(volume.timestamp);
    cells.memory(volume.available);
    cells.integer(volume.node_count);
    let first = |names: &[String]| names.first().cloned().unwrap_or_default();
    cells.text(&first(&volume.nodes));
    cells.text(&first(&volume.pods));
}

/// A growth in MiB, away from zero if it is less than one.
fn per_hour(bytes: i64) -> String {
    let mebibytes = bytes.unsigned_abs().div_ceil(1 << 20);
    let sign = match bytes {
        0 => "",
        1.. => "+",
        _ => "-",
    };
    format!("{sign}{mebibytes}Mi")
}

/// The time until `at`; `0s` if it has passed.
fn until(cells: &Cells<'_>, at: Timestamp) -> String {
    age::human((at.since(cells.now()) / 1_000_000_000).max(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_growth_has_a_sign_and_is_not_rounded_to_nothing() {
        for (bytes, text) in [
            (0, "0Mi"),
            (1, "+1Mi"),
            (-1, "-1Mi"),
            (5 << 20, "+5Mi"),
            (-(3 << 20) - 1, "-4Mi"),
            (i64::MIN, "-8796093022208Mi"),
        ] {
            assert_eq!(per_hour(bytes), text, "{bytes}");
        }
    }
}
