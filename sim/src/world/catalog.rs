//! The applications that run in a simulated cluster: what a shop, its payments and its platform team would have.

use super::load::Profile;

/// What makes an application's pods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Deployment,
    StatefulSet,
    DaemonSet,
}

/// What part a container plays in its pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Runs to its end before the others start.
    Init,
    /// An init container that is restarted and stays.
    Sidecar,
    /// Runs for as long as the pod.
    Main,
}

/// How the kubelet asks a container how it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ask {
    Http(&'static str),
    Tcp,
    Exec(&'static [&'static str]),
}

/// One probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Probe {
    pub(crate) ask: Ask,
    /// Seconds between attempts.
    pub(crate) period: u32,
    /// Failures in a row that count.
    pub(crate) failures: u32,
}

const fn http(path: &'static str, period: u32, failures: u32) -> Option<Probe> {
    Some(Probe {
        ask: Ask::Http(path),
        period,
        failures,
    })
}

const fn tcp(period: u32, failures: u32) -> Option<Probe> {
    Some(Probe {
        ask: Ask::Tcp,
        period,
        failures,
    })
}

const fn exec(command: &'static [&'static str], period: u32, failures: u32) -> Option<Probe> {
    Some(Probe {
        ask: Ask::Exec(command),
        period,
        failures,
    })
}

/// A container of an application.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Container {
    pub(crate) name: &'static str,
    pub(crate) image: &'static str,
    pub(crate) role: Role,
    pub(crate) port: u16,
    pub(crate) profile: Profile,
    /// Requests: millicores and mebibytes; 0 for none.
    pub(crate) requests: (u32, u32),
    /// Limits: millicores and mebibytes; 0 for none.
    pub(crate) limits: (u32, u32),
    pub(crate) liveness: Option<Probe>,
    pub(crate) readiness: Option<Probe>,
    pub(crate) startup: Option<Probe>,
}

impl Container {
    /// Whether cAdvisor would look at it less often.
    pub(crate) fn is_idle(&self) -> bool {
        self.profile.cpu < 1e6
    }
}

/// An application.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct App {
    pub(crate) name: &'static str,
    pub(crate) namespace: &'static str,
    pub(crate) kind: Kind,
    /// Replicas in a small cluster; a daemonset has one a node.
    pub(crate) replicas: u32,
    /// The CPU utilization, in percent of the request, that an autoscaler holds; 0 for none.
    pub(crate) autoscaled: u32,
    pub(crate) containers: &'static [Container],
}

const MILLI: f64 = 1e6;
const MI: f64 = 1_048_576.0;

const BASE: Container = Container {
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
    },
    requests: (50, 64),
    limits: (0, 128),
    liveness: None,
    readiness: None,
    startup: None,
};

/// CPU in millicores, memory in mebibytes, and how the CPU is spent.
const fn uses(cpu: f64, memory: f64, daily: f64, burst: f64) -> Profile {
    Profile {
        cpu: cpu * MILLI,
        daily,
        burst,
        startup: 2e8 + cpu * 20.0 * MILLI,
        memory: memory * MI,
    }
}

/// A container that hardly does anything.
const fn idles(cpu: f64, memory: f64) -> Profile {
    Profile {
        cpu: cpu * MILLI,
        daily: 0.0,
        burst: 2.0,
        startup: 2e7,
        memory: memory * MI,
    }
}

const PROXY: Container = Container {
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

const EXPORTER: Container = Container {
    name: "exporter",
    image: "registry.example/metrics/exporter:0.15.0",
    port: 9187,
    profile: idles(0.4, 14.0),
    requests: (5, 16),
    limits: (0, 64),
    ..BASE
};

const MIGRATE: Container = Container {
    name: "migrate",
    image: "registry.example/shop/migrate:5.2.0",
    role: Role::Init,
    requests: (50, 64),
    limits: (0, 128),
    ..BASE
};

/// One pod of each on every node, the most important first.
pub(crate) const DAEMONS: &[App] = &[
    App {
        name: "kube-proxy",
        namespace: "kube-system",
        kind: Kind::DaemonSet,
        replicas: 0,
        autoscaled: 0,
        containers: &[Container {
            name: "kube-proxy",
            image: "registry.k8s.io/kube-proxy:v1.36.0",
            port: 10256,
            profile: uses(2.0, 28.0, 0.05, 4.0),
            requests: (100, 0),
            limits: (0, 0),
            ..BASE
        }],
    },
    App {
        name: "node-network",
        namespace: "kube-system",
        kind: Kind::DaemonSet,
        replicas: 0,
        autoscaled: 0,
        containers: &[
            Container {
                name: "install-cni",
                image: "registry.example/net/agent:3.30.1",
                role: Role::Init,
                requests: (10, 16),
                limits: (0, 0),
                ..BASE
            },
            Container {
                name: "agent",
                image: "registry.example/net/agent:3.30.1",
                port: 9099,
                profile: uses(18.0, 140.0, 0.1, 6.0),
                requests: (100, 128),
                limits: (0, 512),
                liveness: http("/liveness", 10, 6),
                readiness: http("/readiness", 10, 3),
                startup: http("/liveness", 2, 60),
                ..BASE
            },
        ],
    },
    App {
        name: "log-shipper",
        namespace: "monitoring",
        kind: Kind::DaemonSet,
        replicas: 0,
        autoscaled: 0,
        containers: &[
            Container {
                name: "config-reloader",
                image: "registry.example/logs/reloader:1.4.0",
                profile: idles(0.08, 6.0),
                requests: (5, 8),
                limits: (10, 32),
                ..BASE
            },
            Container {
                name: "shipper",
                image: "registry.example/logs/shipper:0.46.1",
                port: 2020,
                profile: uses(11.0, 72.0, 0.25, 10.0),
                requests: (25, 64),
                limits: (200, 256),
                liveness: http("/api/v1/health", 15, 3),
                ..BASE
            },
        ],
    },
];

/// What fills the rest of the nodes, in the order in which a small cluster gets it.
pub(crate) const APPS: &[App] = &[
    App {
        name: "web",
        namespace: "shop",
        kind: Kind::Deployment,
        replicas: 3,
        autoscaled: 70,
        containers: &[
            PROXY,
            Container {
                name: "web",
                image: "registry.example/shop/web:7.31.2",
                profile: uses(42.0, 180.0, 0.35, 12.0),
                requests: (100, 192),
                limits: (500, 384),
                liveness: tcp(10, 3),
                readiness: http("/healthz", 5, 3),
                startup: http("/healthz", 2, 12),
                ..BASE
            },
        ],
    },
    App {
        name: "postgres",
        namespace: "shop",
        kind: Kind::StatefulSet,
        replicas: 2,
        autoscaled: 0,
        containers: &[
            Container {
                name: "postgres",
                image: "registry.example/db/postgres:18.1",
                port: 5432,
                profile: uses(65.0, 620.0, 0.3, 16.0),
                requests: (250, 768),
                limits: (1000, 1024),
                liveness: exec(&["pg_isready", "-U", "postgres"], 10, 6),
                readiness: exec(&["pg_isready", "-U", "postgres"], 5, 3),
                ..BASE
            },
            EXPORTER,
        ],
    },
    App {
        name: "checkout",
        namespace: "shop",
        kind: Kind::Deployment,
        replicas: 2,
        autoscaled: 65,
        containers: &[
            PROXY,
            MIGRATE,
            Container {
                name: "checkout",
                image: "registry.example/shop/checkout:5.2.0",
                profile: uses(30.0, 260.0, 0.35, 10.0),
                requests: (100, 256),
                limits: (400, 512),
                liveness: http("/livez", 10, 3),
                readiness: http("/readyz", 5, 3),
                startup: http("/livez", 3, 12),
                ..BASE
            },
        ],
    },
    App {
        name: "ledger",
        namespace: "payments",
        kind: Kind::Deployment,
        replicas: 2,
        autoscaled: 0,
        containers: &[Container {
            name: "ledger",
            image: "registry.example/payments/ledger:2.9.4",
            profile: uses(24.0, 250.0, 0.2, 8.0),
            requests: (250, 384),
            limits: (250, 384),
            liveness: http("/health", 10, 3),
            readiness: http("/health", 5, 2),
            ..BASE
        }],
    },
    App {
        name: "image-resizer",
        namespace: "shop",
        kind: Kind::Deployment,
        replicas: 2,
        autoscaled: 0,
        containers: &[Container {
            name: "resizer",
            image: "registry.example/shop/resizer:1.18.0",
            profile: uses(22.0, 96.0, 0.2, 90.0),
            requests: (50, 96),
            limits: (1000, 256),
            readiness: tcp(10, 3),
            ..BASE
        }],
    },
    App {
        name: "coredns",
        namespace: "kube-system",
        kind: Kind::Deployment,
        replicas: 2,
        autoscaled: 0,
        containers: &[Container {
            name: "coredns",
            image: "registry.k8s.io/coredns/coredns:v1.13.1",
            port: 53,
            profile: uses(3.5, 24.0, 0.2, 3.0),
            requests: (100, 70),
            limits: (0, 170),
            liveness: http("/health", 10, 5),
            readiness: http("/ready", 10, 3),
            ..BASE
        }],
    },
    App {
        name: "fraud-score",
        namespace: "payments",
        kind: Kind::Deployment,
        replicas: 2,
        autoscaled: 60,
        containers: &[
            Container {
                name: "model",
                image: "registry.example/payments/model:0.8.8",
                profile: uses(110.0, 900.0, 0.3, 14.0),
                requests: (300, 1024),
                limits: (1500, 1536),
                liveness: http("/v1/live", 10, 3),
                readiness: http("/v1/ready", 10, 3),
                startup: http("/v1/ready", 5, 12),
                ..BASE
            },
            EXPORTER,
        ],
    },
    App {
        name: "outbox",
        namespace: "payments",
        kind: Kind::Deployment,
        replicas: 1,
        autoscaled: 0,
        containers: &[Container {
            name: "outbox",
            image: "registry.example/payments/outbox:1.3.0",
            profile: idles(0.9, 38.0),
            requests: (10, 32),
            limits: (100, 96),
            ..BASE
        }],
    },
    App {
        name: "redis",
        namespace: "shop",
        kind: Kind::StatefulSet,
        replicas: 1,
        autoscaled: 0,
        containers: &[Container {
            name: "redis",
            image: "registry.example/db/redis:8.4",
            port: 6379,
            profile: uses(9.0, 84.0, 0.3, 5.0),
            requests: (50, 128),
            limits: (200, 256),
            liveness: exec(&["redis-cli", "ping"], 10, 3),
            readiness: exec(&["redis-cli", "ping"], 5, 3),
            ..BASE
        }],
    },
    App {
        name: "mailer",
        namespace: "shop",
        kind: Kind::Deployment,
        replicas: 1,
        autoscaled: 0,
        containers: &[
            PROXY,
            Container {
                name: "mailer",
                image: "registry.example/shop/mailer:3.0.7",
                profile: idles(0.6, 52.0),
                requests: (0, 0),
                limits: (0, 0),
                liveness: http("/ping", 20, 3),
                ..BASE
            },
        ],
    },
    App {
        name: "prometheus",
        namespace: "monitoring",
        kind: Kind::StatefulSet,
        replicas: 1,
        autoscaled: 0,
        containers: &[
            Container {
                name: "config-reloader",
                image: "registry.example/metrics/reloader:0.88.0",
                profile: idles(0.1, 9.0),
                requests: (10, 50),
                limits: (10, 50),
                ..BASE
            },
            Container {
                name: "prometheus",
                image: "registry.example/metrics/prometheus:3.8.0",
                port: 9090,
                profile: uses(120.0, 1200.0, 0.1, 30.0),
                requests: (500, 1536),
                limits: (0, 2560),
                liveness: http("/-/healthy", 5, 6),
                readiness: http("/-/ready", 5, 3),
                startup: http("/-/ready", 15, 12),
                ..BASE
            },
        ],
    },
    App {
        name: "debug-shell",
        namespace: "default",
        kind: Kind::Deployment,
        replicas: 1,
        autoscaled: 0,
        containers: &[Container {
            name: "shell",
            image: "registry.example/tools/shell:1",
            port: 0,
            profile: Profile {
                cpu: 9e3,
                daily: 0.0,
                burst: 0.5,
                startup: 1.5e7,
                memory: 0.4 * MI,
            },
            requests: (0, 0),
            limits: (0, 0),
            ..BASE
        }],
    },
    App {
        name: "search",
        namespace: "shop",
        kind: Kind::Deployment,
        replicas: 2,
        autoscaled: 0,
        containers: &[
            PROXY,
            Container {
                name: "search",
                image: "registry.example/shop/search:9.2.1",
                port: 9200,
                profile: uses(85.0, 780.0, 0.35, 20.0),
                requests: (200, 896),
                limits: (0, 1280),
                liveness: tcp(15, 4),
                readiness: http("/_cluster/health", 10, 3),
                startup: tcp(5, 12),
                ..BASE
            },
        ],
    },
    App {
        name: "report-worker",
        namespace: "batch",
        kind: Kind::Deployment,
        replicas: 2,
        autoscaled: 0,
        containers: &[Container {
            name: "worker",
            image: "registry.example/batch/reports:4.4.0",
            profile: uses(48.0, 220.0, 0.1, 70.0),
            requests: (100, 256),
            limits: (2000, 512),
            ..BASE
        }],
    },
    App {
        name: "recommender",
        namespace: "shop",
        kind: Kind::Deployment,
        replicas: 2,
        autoscaled: 0,
        containers: &[
            Container {
                name: "cache",
                image: "registry.example/db/memcached:1.6",
                port: 11211,
                profile: uses(2.5, 66.0, 0.3, 3.0),
                requests: (10, 64),
                limits: (0, 128),
                liveness: tcp(10, 3),
                ..BASE
            },
            Container {
                name: "recommender",
                image: "registry.example/shop/recommender:2.2.9",
                profile: uses(36.0, 410.0, 0.35, 9.0),
                requests: (100, 512),
                limits: (600, 768),
                liveness: http("/live", 10, 3),
                readiness: http("/ready", 5, 3),
                ..BASE
            },
        ],
    },
    App {
        name: "metrics-gateway",
        namespace: "monitoring",
        kind: Kind::Deployment,
        replicas: 1,
        autoscaled: 0,
        containers: &[Container {
            name: "gateway",
            image: "registry.example/metrics/gateway:1.9.0",
            profile: uses(5.0, 48.0, 0.2, 6.0),
            requests: (20, 64),
            limits: (100, 128),
            liveness: http("/healthz", 10, 3),
            readiness: http("/readyz", 10, 3),
            ..BASE
        }],
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::load::Load;

    fn all() -> impl Iterator<Item = (&'static App, &'static Container)> {
        DAEMONS
            .iter()
            .chain(APPS)
            .flat_map(|a| a.containers.iter().map(move |c| (a, c)))
    }

    #[test]
    fn nobody_exceeds_a_limit_by_itself() {
        for (app, c) in all().filter(|(_, c)| c.role != Role::Init) {
            let (cpu, memory) = (f64::from(c.limits.0) * MILLI, f64::from(c.limits.1) * MI);
            let peak = Load::peak_cpu(&c.profile);
            assert!(
                cpu == 0.0 || peak <= cpu,
                "{}/{}: {peak} of {cpu}",
                app.name,
                c.name
            );
            let most = c.profile.memory * 1.3 * 1.075;
            assert!(
                memory == 0.0 || most <= memory,
                "{}/{}: {most} of {memory}",
                app.name,
                c.name
            );
        }
    }

    #[test]
    fn requests_are_within_limits() {
        for (app, c) in all() {
            for (request, limit) in [(c.requests.0, c.limits.0), (c.requests.1, c.limits.1)] {
                assert!(limit == 0 || request <= limit, "{}/{}", app.name, c.name);
            }
        }
    }

    #[test]
    fn a_pod_has_one_and_a_half_containers_on_average() {
        let of = |apps: &[App]| -> Vec<f64> {
            apps.iter()
                .map(|a| a.containers.iter().filter(|c| c.role != Role::Init).count() as f64)
                .collect()
        };
        let (daemons, apps) = (of(DAEMONS), of(APPS));
        let weights: Vec<f64> = APPS.iter().map(|a| f64::from(a.replicas)).collect();
        let mean = apps.iter().zip(&weights).map(|(c, w)| c * w).sum::<f64>()
            / weights.iter().sum::<f64>();
        let node = daemons.iter().sum::<f64>() + 27.0 * mean;
        assert!((42.0..48.0).contains(&node), "{node}");
    }
}
