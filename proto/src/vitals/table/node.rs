//! A node's row.

use super::cells::Cells;
use crate::vitals::NodeVitals;
use crate::wire::form::Column;

/// The columns; parts are of what pods can have.
pub(super) const COLUMNS: [Column; 20] = [
    Column::text("Name", "The node's name.").format("name"),
    Column::text("Status", "What kubectl shows of the node itself."),
    Column::text("Pods", "Pods on it, of how many it takes."),
    Column::text("CPU", "CPU used, in millicores."),
    Column::text("CPU%", "CPU used of what pods can have."),
    Column::text("Memory", "Working set, in MiB."),
    Column::text("Memory%", "Working set of what pods can have."),
    Column::integer("Restarts", "Restarts that the server remembers."),
    Column::text("Age", "Since the node was made."),
    Column::text("CPU-Req", "CPU that its pods request.").wide(),
    Column::text("CPU-Req%", "The same of what pods can have.").wide(),
    Column::text("Mem-Req", "Memory that its pods request.").wide(),
    Column::text("Mem-Req%", "The same of what pods can have.").wide(),
    Column::text("Disk%", "The kubelet's file system, used of what there is.").wide(),
    Column::text(
        "Mem-Stall",
        "For what part of the last minute some tasks waited for memory.",
    )
    .wide(),
    Column::text("GPUs", "GPUs that pods can have.").wide(),
    Column::text("GPU%", "The mean utilization of the GPUs of its pods.").wide(),
    Column::text("GPU-Mem", "GPU memory used by its pods, in MiB.").wide(),
    Column::text("Conditions", "Those that are not as they should be.").wide(),
    Column::text("Absent", "Why there is no usage.").wide(),
];

pub(super) fn row(node: &NodeVitals, cells: &mut Cells<'_>) {
    cells.text(&node.metadata.name);
    cells.text(&node.status);
    cells.text(&format!("{}/{}", node.pods.count, node.pods.capacity));
    let usage = node.usage.as_ref();
    cells.cpu_used(usage);
    cells.percent(node.ratios.cpu);
    cells.memory_used(usage);
    cells.percent(node.ratios.memory);
    cells.integer(node.restarts);
    cells.age(node.metadata.creation_timestamp);
    cells.cpu(node.requests.cpu);
    cells.percent(node.ratios.cpu_requested);
    cells.memory(node.requests.memory);
    cells.percent(node.ratios.memory_requested);
    cells.percent(node.disk.as_ref().and_then(|disk| {
        let capacity = disk.capacity.to_f64();
        (capacity > 0.0).then(|| disk.used.to_f64() / capacity)
    }));
    cells.stall(node.pressure.and_then(|pressure| pressure.memory));
    cells.gpus(node.allocatable.gpu, node.gpu.as_ref());
    let conditions: Vec<&str> = node
        .conditions
        .iter()
        .map(|condition| &*condition.kind)
        .collect();
    cells.text(&conditions.join(","));
    cells.text(node.absent.as_ref().map_or("", |absent| &absent.reason));
}
