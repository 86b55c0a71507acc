//! Converts amounts and ratios to API objects.

use kubevitals_proto::quantity::Quantity;
use kubevitals_proto::units::{Bytes, Nanocores};
use kubevitals_proto::vitals::{Amounts, Disk, Network, Pressure, Ratios};

use crate::cluster::Resources;
use crate::store;

/// Converts resource amounts.
pub(super) fn amounts(resources: Resources) -> Amounts {
    Amounts {
        cpu: resources.cpu.map(Quantity::from_nanocores),
        memory: resources.memory.map(Quantity::from_bytes),
        ephemeral_storage: resources.ephemeral.map(Quantity::from_bytes),
        gpu: resources.gpus.map(|gpus| u64::from(gpus.0)),
    }
}

/// Usage as a part of requests and of limits.
pub(super) fn ratios(
    cpu: Nanocores,
    memory: Bytes,
    requests: Resources,
    limits: Resources,
) -> Ratios {
    let of_cpu = |whole: Option<Nanocores>| part(cpu.0, whole?.0);
    let of_memory = |whole: Option<Bytes>| part(memory.0, whole?.0);
    Ratios {
        cpu_of_request: of_cpu(requests.cpu),
        cpu_of_limit: of_cpu(limits.cpu),
        memory_of_request: of_memory(requests.memory),
        memory_of_limit: of_memory(limits.memory),
    }
}

/// A ratio rounded to four decimal places; `None` if the whole is zero.
#[expect(clippy::cast_precision_loss, reason = "rounded to four digits")]
pub(in crate::query) fn part(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| (part as f64 / whole as f64 * 1e4).round() / 1e4)
}

/// Converts a file system.
pub(super) fn disk(disk: store::Disk) -> Disk {
    Disk {
        used: Quantity::from_bytes(disk.used),
        capacity: Quantity::from_bytes(disk.capacity),
        available: Quantity::from_bytes(disk.available),
    }
}

/// Converts network rates.
pub(super) fn network(rate: store::NetworkRate) -> Network {
    Network {
        rx_bytes_per_second: rate.rx,
        tx_bytes_per_second: rate.tx,
    }
}

/// Converts pressure; `None` if no resource has it.
pub(super) fn pressure(pressure: store::Pressure) -> Option<Pressure> {
    let pressure = Pressure {
        cpu: pressure.cpu.map(store::Percent::get),
        memory: pressure.memory.map(store::Percent::get),
        io: pressure.io.map(store::Percent::get),
    };
    (pressure != Pressure::default()).then_some(pressure)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn part_of_zero_is_none() {
        assert_eq!(part(1, 0), None);
        assert_eq!(part(1, 3), Some(0.3333));
        assert_eq!(part(250, 100), Some(2.5));
    }
}
