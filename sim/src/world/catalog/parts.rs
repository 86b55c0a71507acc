//! What the catalogue's entries are put together from.

use super::{Container, Probe, ProbeHandler, Role};
use crate::world::load::Profile;

pub(super) const fn http(path: &'static str, period: u32, failures: u32) -> Option<Probe> {
    Some(Probe {
        handler: ProbeHandler::Http(path),
        period,
        failures,
    })
}

pub(super) const fn tcp(period: u32, failures: u32) -> Option<Probe> {
    Some(Probe {
        handler: ProbeHandler::Tcp,
        period,
        failures,
    })
}

pub(super) const fn exec(
    command: &'static [&'static str],
    period: u32,
    failures: u32,
) -> Option<Probe> {
    Some(Probe {
        handler: ProbeHandler::Exec(command),
        period,
        failures,
    })
}

pub(super) const MILLI: f64 = 1e6;
pub(super) const MI: f64 = 1_048_576.0;

pub(super) const BASE: Container = Container {
    name: "app",
    image: "registry.example/app:1",
    role: Role::Main,
    port: 8080,
    profile: Profile {
        cpu: 10.0 * MILLI,
        daily: 0.3,
        burst: 8.0,
        startup: 4e8,
        memory: 64.0 * MI,
        creep: 0.0,
    },
    requests: (50, 64),
    limits: (0, 128),
    liveness: None,
    readiness: None,
    startup: None,
};

/// CPU in millicores, memory in mebibytes, and how the CPU is spent.
pub(super) const fn uses(cpu: f64, memory: f64, daily: f64, burst: f64) -> Profile {
    Profile {
        cpu: cpu * MILLI,
        daily,
        burst,
        startup: 2e8 + cpu * 20.0 * MILLI,
        memory: memory * MI,
        creep: 0.0,
    }
}

/// A container that hardly does anything.
pub(super) const fn idles(cpu: f64, memory: f64) -> Profile {
    Profile {
        cpu: cpu * MILLI,
        daily: 0.0,
        burst: 2.0,
        startup: 2e7,
        memory: memory * MI,
        creep: 0.0,
    }
}

pub(super) const PROXY: Container = Container {
    name: "mesh-proxy",
    image: "registry.example/mesh/proxy:2.14.3",
    role: Role::Sidecar,
    port: 15090,
    profile: uses(6.0, 42.0, 0.3, 4.0),
    requests: (20, 64),
    limits: (500, 256),
    readiness: http("/ready", 10, 3),
    startup: http("/ready", 1, 60),
    ..BASE
};

pub(super) const EXPORTER: Container = Container {
    name: "exporter",
    image: "registry.example/metrics/exporter:0.15.0",
    port: 9187,
    profile: idles(0.4, 14.0),
    requests: (5, 16),
    limits: (0, 64),
    ..BASE
};

pub(super) const MIGRATE: Container = Container {
    name: "migrate",
    image: "registry.example/shop/migrate:5.2.0",
    role: Role::Init,
    requests: (50, 64),
    limits: (0, 128),
    ..BASE
};

/// Does not give back all of its memory: so much more of it over days.
pub(super) const fn creeps(profile: Profile, creep: f64) -> Profile {
    Profile { creep, ..profile }
}
