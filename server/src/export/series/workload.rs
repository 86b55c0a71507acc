//! Series of the availability of workloads.

use super::{Family, Label, flag, float};
use crate::availability::WorkloadSeries;

pub(crate) static WORKLOADS: &[Family<WorkloadSeries>] = &[
    Family::gauge(
        "kubevitals_workload_up",
        "Whether a pod of the workload is ready; left out while it is not to run, or nobody knows",
        |it, out| {
            if let Some(up) = it.up {
                out(&labels(it), flag(up));
            }
        },
    ),
    Family::counter(
        "kubevitals_workload_downtime_seconds_total",
        "Downtime of the workload, in seconds: rollouts and scaling to zero are none",
        |it, out| out(&labels(it), float(it.downtime_seconds)),
    ),
];

fn labels(it: &WorkloadSeries) -> [Label<'_>; 3] {
    [
        ("namespace", &*it.key.namespace),
        ("workload", &*it.key.name),
        ("workload_kind", &*it.key.kind),
    ]
}
