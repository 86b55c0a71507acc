//! Amounts as the API has them, and parts of them.

use kubevitals_proto::quantity::Quantity;
use kubevitals_proto::units::{Bytes, Nanocores};
use kubevitals_proto::vitals::{Amounts, Disk, Network, Pressure, Ratios};

use crate::cluster::Resources;
use crate::store;

/// Amounts in the API's form.
pub(super) fn amounts(resources: Resources) -> Amounts {
    Amounts {
        cpu: resources.cpu.map(Quantity::from_nanocores),
        memory: resources.memory.map(Quantity::from_bytes),
        ephemeral_storage: resources.ephemeral.map(Quantity::from_bytes),
    }
}

/// What is used as a part of what was asked for and of what is allowed.
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

/// A part of a whole to four digits: more would say nothing. Nothing is no part of nothing.
#[expect(clippy::cast_precision_loss, reason = "four digits are kept")]
pub(super) fn part(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| (part as f64 / whole as f64 * 1e4).round() / 1e4)
}

/// A file system.
pub(super) fn disk(disk: store::Disk) -> Disk {
    Disk {
        used: Quantity::from_bytes(disk.used),
        capacity: Quantity::from_bytes(disk.capacity),
        available: Quantity::from_bytes(disk.available),
    }
}

/// A network interface.
pub(super) fn network(rate: store::NetworkRate) -> Network {
    Network {
        rx_bytes_per_second: rate.rx,
        tx_bytes_per_second: rate.tx,
    }
}

/// Pressure, where any of it is measured.
pub(super) fn pressure(pressure: store::Pressure) -> Option<Pressure> {
    let told = Pressure {
        cpu: pressure.cpu.map(store::Percent::get),
        memory: pressure.memory.map(store::Percent::get),
        io: pressure.io.map(store::Percent::get),
    };
    (told != Pressure::default()).then_some(told)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_nothing_is_none() {
        assert_eq!(part(1, 0), None);
        assert_eq!(part(1, 3), Some(0.3333));
        assert_eq!(part(250, 100), Some(2.5));
    }
}
