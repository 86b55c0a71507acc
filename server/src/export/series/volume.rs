//! Series of the volumes of claims, as the kubelet's `/metrics` has them.

use kubevitals_proto::units::Bytes;

use super::{Family, Out, float};
use crate::query::{Measurement, Volume};

pub(crate) static VOLUMES: &[Family<Volume>] = &[
    Family::gauge(
        "kubelet_volume_stats_available_bytes",
        "Bytes of the volume that can still be used",
        |it, out| bytes(it, Measurement::available, out),
    ),
    Family::gauge(
        "kubelet_volume_stats_capacity_bytes",
        "The size of the volume",
        |it, out| bytes(it, Measurement::capacity, out),
    ),
    Family::gauge(
        "kubelet_volume_stats_used_bytes",
        "Bytes of the volume that are used",
        |it, out| bytes(it, Measurement::used, out),
    ),
    Family::gauge(
        "kubelet_volume_stats_inodes",
        "The inodes of the volume, if it has a fixed number",
        |it, out| inodes(it, |_, all| all, out),
    ),
    Family::gauge(
        "kubelet_volume_stats_inodes_used",
        "The inodes of the volume that are used",
        |it, out| inodes(it, |used, _| used, out),
    ),
    Family::gauge(
        "kubelet_volume_stats_inodes_free",
        "The inodes of the volume that are free",
        |it, out| inodes(it, |used, all| all.saturating_sub(used), out),
    ),
];

fn bytes(volume: &Volume, value: fn(&Measurement) -> Option<Bytes>, out: &mut Out<'_>) {
    write(volume, |last| value(last).map(|bytes| bytes.0), out);
}

fn inodes(volume: &Volume, value: fn(u64, u64) -> u64, out: &mut Out<'_>) {
    write(
        volume,
        |last| last.inodes().map(|(used, all)| value(used, all)),
        out,
    );
}

fn write(volume: &Volume, value: impl FnOnce(&Measurement) -> Option<u64>, out: &mut Out<'_>) {
    let Some((last, node)) = volume.last() else {
        return;
    };
    if let Some(value) = value(last) {
        let labels = [
            ("namespace", &*volume.key.namespace),
            ("node", node),
            ("persistentvolumeclaim", &*volume.key.name),
        ];
        out(&labels, float(value));
    }
}
