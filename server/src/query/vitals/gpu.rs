//! GPU usage of pods and nodes.

use std::collections::HashSet;

use kubevitals_proto::quantity::Quantity;
use kubevitals_proto::units::{Bytes, Nanocores};
use kubevitals_proto::vitals::{GpuUsage, NodeVitals, PodVitals};

use super::builder::{NodeContext, VitalsBuilder};
use crate::cluster::Pod;
use crate::pod_metrics::GpuReading;

/// A thousandth in billionths.
const PERMILLE: u64 = 1_000_000;

/// Sets the GPU usage of a pod and its containers. Pods that request no GPU cost nothing.
pub(super) fn set_of_pod(builder: &VitalsBuilder, vitals: &mut PodVitals, pod: &Pod) {
    if vitals.requests.gpu.is_none() || builder.as_of.is_some() {
        return;
    }
    let Some(metrics) = &builder.sources.pod_metrics else {
        return;
    };
    let readings = metrics.gpus(&pod.key);
    vitals.gpu = total(readings.iter());
    for container in &mut vitals.containers {
        let own = readings
            .iter()
            .filter(|reading| *reading.container == *container.name);
        container.gpu = total(own);
    }
}

/// Sets the GPU usage of a node: of the GPUs that its pods have, each once, though several pods may share one.
pub(super) fn set_of_node(
    builder: &VitalsBuilder,
    vitals: &mut NodeVitals,
    readings: &NodeContext,
) {
    if vitals.allocatable.gpu.is_none() || builder.as_of.is_some() {
        return;
    }
    let (Some(metrics), Some(latest)) = (&builder.sources.pod_metrics, &readings.latest) else {
        return;
    };
    let gpus: Vec<GpuReading> = latest
        .pods
        .iter()
        .flat_map(|pod| metrics.gpus(&pod.key))
        .collect();
    let mut seen = HashSet::new();
    vitals.gpu = total(gpus.iter().filter(|reading| seen.insert(&*reading.gpu)));
}

/// The sum over GPUs; none if there is none.
fn total<'a>(readings: impl Iterator<Item = &'a GpuReading>) -> Option<GpuUsage> {
    let readings: Vec<&GpuReading> = readings.collect();
    let timestamp = readings.iter().map(|it| it.at).min()?;
    let permille = readings.iter().filter_map(|it| it.permille);
    let permille = permille.map(u64::from).reduce(u64::saturating_add);
    let used = sum(readings.iter().map(|it| it.used));
    let free = sum(readings.iter().map(|it| it.free));
    Some(GpuUsage {
        count: u64::try_from(readings.len()).unwrap_or(u64::MAX),
        utilization: permille
            .map(|it| Quantity::from_nanocores(Nanocores(it.saturating_mul(PERMILLE)))),
        memory: used.map(Quantity::from_bytes),
        memory_capacity: used.zip(free).map(|(used, free)| (used + free).into()),
        timestamp: Some(timestamp),
    })
}

fn sum(amounts: impl Iterator<Item = Option<Bytes>>) -> Option<Bytes> {
    amounts.flatten().reduce(|one, other| one + other)
}

#[cfg(test)]
mod tests {
    use kubevitals_proto::time::Timestamp;

    use super::*;

    #[test]
    fn gpus_are_summed_and_what_is_unknown_is_left_out() {
        let reading = |permille, used: Option<u64>, at| GpuReading {
            gpu: "a".into(),
            container: "c".into(),
            permille,
            used: used.map(Bytes),
            free: used.map(Bytes),
            at: Timestamp::from_secs(at),
        };
        let both = [
            reading(Some(900), Some(5), 20),
            reading(Some(600), Some(7), 10),
        ];
        let found = total(both.iter()).unwrap();
        assert_eq!(
            serde_json::to_string(&found).unwrap(),
            r#"{"count":2,"utilization":"1500m","memory":"12","memoryCapacity":"24","timestamp":"1970-01-01T00:00:10Z"}"#
        );
        let found = total([reading(None, None, 1)].iter()).unwrap();
        assert_eq!(
            (found.count, found.utilization, found.memory),
            (1, None, None)
        );
        assert_eq!(total([].iter()), None);
    }
}
