//! The parts of which the catalogue's entries are made.

use super::{Container, Probe, ProbeHandler, Role};
use crate::world::load::Profile;

pub(super) const MILLI: f64 = 1e6;
pub(super) const MI: f64 = 1_048_576.0;

const fn probe(handler: ProbeHandler, period: u32, failures: u32) -> Probe {
    Probe {
        handler,
        period,
        failures,
    }
}

pub(super) const fn http(path: &'static str, period: u32, failures: u32) -> Probe {
    probe(ProbeHandler::Http(path), period, failures)
}

pub(super) const fn tcp(period: u32, failures: u32) -> Probe {
    probe(ProbeHandler::Tcp, period, failures)
}

pub(super) const fn exec(command: &'static [&'static str], period: u32, failures: u32) -> Probe {
    probe(ProbeHandler::Exec(command), period, failures)
}

/// A main container of this name and image.
pub(super) const fn main(name: &'static str, image: &'static str) -> Container {
    let profile = Profile {
        cpu: 10.0 * MILLI,
        daily: 0.3,
        burst: 8.0,
        startup: 4e8,
        memory: 64.0 * MI,
        creep: 0.0,
    };
    Container {
        name,
        image,
        role: Role::Main,
        port: 8080,
        profile,
        requests: (50, 64),
        limits: (0, 128),
        liveness: None,
        readiness: None,
        startup: None,
        gpus: 0,
    }
}

#[rustfmt::skip] // one setter a line: a table
impl Container {
    pub(super) const fn role(self, role: Role) -> Self { Self { role, ..self } }
    pub(super) const fn port(self, port: u16) -> Self { Self { port, ..self } }
    const fn profile(self, profile: Profile) -> Self { Self { profile, ..self } }
    pub(super) const fn requests(self, cpu: u32, memory: u32) -> Self { Self { requests: (cpu, memory), ..self } }
    pub(super) const fn limits(self, cpu: u32, memory: u32) -> Self { Self { limits: (cpu, memory), ..self } }
    pub(super) const fn gpus(self, gpus: u32) -> Self { Self { gpus, ..self } }
    pub(super) const fn liveness(self, probe: Probe) -> Self { Self { liveness: Some(probe), ..self } }
    pub(super) const fn readiness(self, probe: Probe) -> Self { Self { readiness: Some(probe), ..self } }
    pub(super) const fn startup(self, probe: Probe) -> Self { Self { startup: Some(probe), ..self } }
}

impl Container {
    /// CPU in millicores, memory in mebibytes, and how the CPU is spent.
    pub(super) const fn uses(self, cpu: f64, memory: f64, daily: f64, burst: f64) -> Self {
        self.profile(Profile {
            cpu: cpu * MILLI,
            daily,
            burst,
            startup: 2e8 + cpu * 20.0 * MILLI,
            memory: memory * MI,
            creep: 0.0,
        })
    }

    /// A container that hardly does anything: CPU in millicores, memory in mebibytes.
    pub(super) const fn idles(self, cpu: f64, memory: f64) -> Self {
        self.profile(Profile {
            startup: 2e7,
            ..self.uses(cpu, memory, 0.0, 2.0).profile
        })
    }

    /// The share of its memory by which the container grows over days.
    pub(super) const fn creeps(self, creep: f64) -> Self {
        let profile = self.profile;
        self.profile(Profile { creep, ..profile })
    }
}

pub(super) const PROXY: Container = main("mesh-proxy", "registry.example/mesh/proxy:2.14.3")
    .role(Role::Sidecar)
    .port(15090)
    .uses(6.0, 42.0, 0.3, 4.0)
    .requests(20, 64)
    .limits(500, 256)
    .readiness(http("/ready", 10, 3))
    .startup(http("/ready", 1, 60));

pub(super) const EXPORTER: Container = main("exporter", "registry.example/metrics/exporter:0.15.0")
    .port(9187)
    .idles(0.4, 14.0)
    .requests(5, 16)
    .limits(0, 64);

pub(super) const MIGRATE: Container =
    main("migrate", "registry.example/shop/migrate:5.2.0").role(Role::Init);

pub(super) const DEBUG_SHELL: Container = main("shell", "registry.example/tools/shell:1")
    .port(0)
    .requests(0, 0)
    .limits(0, 0)
    .profile(Profile {
        cpu: 9e3,
        daily: 0.0,
        burst: 0.5,
        startup: 1.5e7,
        memory: 0.4 * MI,
        creep: 0.0,
    });
