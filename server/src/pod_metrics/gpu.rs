//! GPUs: what NVIDIA's DCGM exporter reports of the pods that it names. Other exporters of a node can report GPUs under the
//! same names.

use std::collections::BTreeMap;
use std::sync::Arc;

use kubevitals_proto::labels::Labels;
use kubevitals_proto::time::Timestamp;
use kubevitals_proto::units::Bytes;

use super::Series;

/// Utilization in percent.
const UTILIZATION: &str = "DCGM_FI_DEV_GPU_UTIL";

/// Memory used, in MiB.
const MEMORY_USED: &str = "DCGM_FI_DEV_FB_USED";

/// Memory free, in MiB.
const MEMORY_FREE: &str = "DCGM_FI_DEV_FB_FREE";

/// The families that say what GPUs do.
pub const GPU_FAMILIES: [&str; 3] = [UTILIZATION, MEMORY_USED, MEMORY_FREE];

/// The label of the container: of Prometheus if it renamed it, of the exporter, and of the exporter before its version 2.
const CONTAINER: [&str; 3] = ["exported_container", "container", "container_name"];

/// Labels that identify a GPU: the UUID of the device, the index of an exporter without UUIDs.
const DEVICE: [&str; 2] = ["UUID", "gpu"];

/// The instance of a device that is shared by MIG.
const INSTANCE: &str = "GPU_I_ID";

/// The latest values of one GPU, or of one MIG instance of it.
#[derive(Debug, Clone, PartialEq)]
pub struct GpuReading {
    /// The device and the instance.
    pub gpu: Arc<str>,
    /// The container that has it; empty if the exporter does not say.
    pub container: Arc<str>,
    /// Utilization in thousandths.
    pub permille: Option<u32>,
    /// Memory used.
    pub used: Option<Bytes>,
    /// Memory free.
    pub free: Option<Bytes>,
    /// The time of the oldest value.
    pub at: Timestamp,
}

/// The latest values of the GPUs of a pod, from its series, by GPU and container.
pub(super) fn readings(series: &[Series]) -> Vec<GpuReading> {
    let mut gpus: BTreeMap<(String, &str), GpuReading> = BTreeMap::new();
    for Series {
        name,
        labels,
        value,
    } in series
    {
        if !GPU_FAMILIES.contains(&&**name) {
            continue;
        }
        let container = first(labels, &CONTAINER);
        let device = first(labels, &DEVICE);
        let gpu = match labels.get(INSTANCE) {
            Some(instance) => format!("{device}/{instance}"),
            None => device.to_owned(),
        };
        let reading = GpuReading {
            gpu: gpu.as_str().into(),
            container: container.into(),
            permille: None,
            used: None,
            free: None,
            at: value.at,
        };
        let reading = gpus.entry((gpu, container)).or_insert(reading);
        reading.at = reading.at.min(value.at);
        match &**name {
            UTILIZATION => reading.permille = Some(permille(value.value)),
            MEMORY_USED => reading.used = Some(mebibytes(value.value)),
            _ => reading.free = Some(mebibytes(value.value)),
        }
    }
    gpus.into_values().collect()
}

fn first<'a>(labels: &'a Labels, names: &[&str]) -> &'a str {
    names
        .iter()
        .find_map(|name| labels.get(name))
        .unwrap_or_default()
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped before"
)]
fn permille(percent: f64) -> u32 {
    (percent * 10.0).round().clamp(0.0, 1_000.0) as u32
}

/// A cast saturates, and takes a number below zero for zero.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "saturates"
)]
fn mebibytes(mebibytes: f64) -> Bytes {
    Bytes((mebibytes * 1_048_576.0) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pod_metrics::Value;

    fn series(name: &str, labels: &[(&str, &str)], value: f64, at: i64) -> Series {
        Series {
            name: name.into(),
            labels: labels.iter().copied().collect(),
            value: Value {
                value,
                at: Timestamp::from_secs(at),
                window: None,
            },
        }
    }

    #[test]
    fn series_are_joined_by_gpu_and_container() {
        let one = [("gpu", "0"), ("UUID", "GPU-a"), ("container", "train")];
        let mig = [
            ("UUID", "GPU-b"),
            ("GPU_I_ID", "7"),
            ("container_name", "x"),
        ];
        let renamed = [
            ("gpu", "3"),
            ("container", "dcgm-exporter"),
            ("exported_container", "web"),
        ];
        let found = readings(&[
            series(UTILIZATION, &one, 50.0, 20),
            series(MEMORY_USED, &one, 2.0, 10),
            series(MEMORY_FREE, &one, 6.0, 20),
            series("DCGM_FI_DEV_GPU_TEMP", &one, 60.0, 1),
            series(MEMORY_USED, &mig, -5.0, 20),
            series(UTILIZATION, &renamed, 900.0, 20),
        ]);
        let found: Vec<_> = found
            .iter()
            .map(|it| (&*it.gpu, &*it.container, it.permille, it.used, it.free))
            .collect();
        let mib = |n: u64| Some(Bytes(n << 20));
        assert_eq!(
            found,
            [
                ("3", "web", Some(1_000), None, None),
                ("GPU-a", "train", Some(500), mib(2), mib(6)),
                ("GPU-b/7", "x", None, mib(0), None),
            ]
        );
    }
}
