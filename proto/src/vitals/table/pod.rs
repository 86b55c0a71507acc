//! A pod's row.

use super::cells::Cells;
use crate::vitals::{Certainty, LastRestart, PodVitals, ProbesInWords};
use crate::wire::form::Column;

/// The columns; CPU and memory are those of [`Cells`].
pub(super) const COLUMNS: [Column; 25] = [
    Column::text("Name", "The pod's name.").format("name"),
    Column::text(
        "Ready",
        "How many of its containers are ready, of how many.",
    ),
    Column::text("Status", "What kubectl shows of the pod itself."),
    Column::text(
        "Probes",
        "How many of its probes pass, of how many of which that is known, and what is wrong with the others.",
    ),
    Column::text(
        "Restarts",
        "How often its containers were restarted; why and how long ago the last time.",
    ),
    Column::text(
        "CPU",
        "CPU used, in millicores; with a star if it is the mean since a container started, which has no rate yet.",
    ),
    Column::text("Memory", "Working set, in MiB."),
    Column::text("CPU%Lim", "CPU used of the CPU limit."),
    Column::text("Mem%Lim", "Working set of the memory limit."),
    Column::text("Age", "Since the pod was made."),
    Column::text("Node", "The node it is bound to.").wide(),
    Column::text("Workload", "What made it.").wide(),
    Column::text("CPU-Req", "CPU requested.").wide(),
    Column::text("CPU-Lim", "CPU limit.").wide(),
    Column::text("Mem-Req", "Memory requested.").wide(),
    Column::text("Mem-Lim", "Memory limit.").wide(),
    Column::text("CPU%Req", "CPU used of CPU requested.").wide(),
    Column::text("Mem%Req", "Working set of memory requested.").wide(),
    Column::text(
        "Resize",
        "How far a resize in place is that is not complete.",
    )
    .wide(),
    Column::text("Swap", "Swap used, in MiB.").wide(),
    Column::text(
        "Mem-Stall",
        "For what part of the last minute some tasks waited for memory.",
    )
    .wide(),
    Column::text("GPUs", "GPUs requested.").wide(),
    Column::text("GPU%", "The mean utilization of its GPUs.").wide(),
    Column::text("GPU-Mem", "GPU memory used, in MiB.").wide(),
    Column::text("Absent", "Why there is no usage.").wide(),
];

pub(super) fn row(pod: &PodVitals, cells: &mut Cells<'_>) {
    cells.text(&pod.metadata.name);
    cells.text(&format!(
        "{}/{}",
        pod.ready_containers, pod.total_containers
    ));
    cells.text(&pod.status);
    let probes = pod.probes.iter().map(|probe| (probe.kind, probe.status));
    cells.text(&ProbesInWords::of(probes).to_string());
    let restarts = match &pod.restarts.last {
        Some(last) => {
            let ago = last.ended.finished.map(|at| cells.ago(Some(at)));
            let details: Vec<String> = std::iter::once(why(last)).chain(ago).collect();
            format!("{} ({})", pod.restarts.count, details.join(" "))
        }
        None => pod.restarts.count.to_string(),
    };
    cells.text(&restarts);
    let usage = pod.usage.as_ref();
    cells.cpu_used(usage);
    cells.memory_used(usage);
    cells.percent(pod.ratios.cpu_of_limit);
    cells.percent(pod.ratios.memory_of_limit);
    cells.age(pod.metadata.creation_timestamp);
    cells.text(&pod.node_name);
    let workload = pod.workload.as_ref();
    cells.text(
        &workload
            .map(|workload| format!("{}/{}", workload.kind, workload.name))
            .unwrap_or_default(),
    );
    cells.cpu(pod.requests.cpu);
    cells.cpu(pod.limits.cpu);
    cells.memory(pod.requests.memory);
    cells.memory(pod.limits.memory);
    cells.percent(pod.ratios.cpu_of_request);
    cells.percent(pod.ratios.memory_of_request);
    let resize = pod.resize.as_ref();
    cells.text(resize.map_or("", |resize| resize.state.as_str()));
    cells.memory(usage.and_then(|usage| usage.swap));
    cells.stall(pod.pressure.and_then(|pressure| pressure.memory));
    cells.gpus(pod.requests.gpu, pod.gpu.as_ref());
    cells.text(pod.absent.as_ref().map_or("", |absent| &absent.reason));
}

/// Why a container ended, in a word or two; a cause that is only likely is marked by `?`.
fn why(last: &LastRestart) -> String {
    let ended = &last.ended;
    let doubt = match last.certainty {
        Certainty::Likely => "?",
        Certainty::Direct | Certainty::Unknown => "",
    };
    let why = last
        .cause
        .in_words(Some((ended.exit_code, ended.reason.as_str())));
    format!("{why}{doubt}")
}
