//! The cluster's row.

use super::cells::Cells;
use crate::vitals::ClusterVitals;
use crate::wire::form::Column;

/// The columns; parts are of what pods can have.
pub(super) const COLUMNS: [Column; 14] = [
    Column::text("Name", "cluster.").format("name"),
    Column::text("Nodes", "Nodes that are ready, of how many."),
    Column::text("Pods", "Pods that are ready, of how many."),
    Column::text("CPU", "CPU used by all nodes, in millicores."),
    Column::text("CPU%", "CPU used of what pods can have."),
    Column::text("Memory", "Working set of all nodes, in MiB."),
    Column::text("Memory%", "Working set of what pods can have."),
    Column::integer("Failing", "Probes that fail now."),
    Column::integer("Restarts", "Restarts that the server remembers."),
    Column::text(
        "Incidents",
        "Incidents that are open, of how many are remembered.",
    ),
    Column::text("CPU-Req%", "CPU requested of what pods can have.").wide(),
    Column::text("Mem-Req%", "Memory requested of what pods can have.").wide(),
    Column::text("History", "For how long points are kept.").wide(),
    Column::text("Server", "The server's version.").wide(),
];

pub(super) fn row(cluster: &ClusterVitals, cells: &mut Cells<'_>) {
    cells.text(&cluster.metadata.name);
    cells.text(&format!("{}/{}", cluster.nodes.ready, cluster.nodes.total));
    cells.text(&format!("{}/{}", cluster.pods.ready, cluster.pods.total));
    let usage = cluster.usage.as_ref();
    cells.cpu_used(usage);
    cells.percent(cluster.ratios.cpu);
    cells.memory_used(usage);
    cells.percent(cluster.ratios.memory);
    cells.integer(cluster.probes_failing);
    cells.integer(cluster.restarts);
    let incidents = &cluster.incidents;
    cells.text(&format!("{}/{}", incidents.open, incidents.total));
    cells.percent(cluster.ratios.cpu_requested);
    cells.percent(cluster.ratios.memory_requested);
    cells.text(&cluster.history.retention.to_string());
    cells.text(&cluster.server_version);
}
