//! What a shop, its payments and its platform team run.

use super::parts::{BASE, EXPORTER, MI, MIGRATE, PROXY, creeps, exec, http, idles, tcp, uses};
use super::{App, Container, Kind};
use crate::world::load::Profile;

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
            profile: creeps(uses(22.0, 96.0, 0.2, 90.0), 0.6),
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
                creep: 0.0,
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
                profile: creeps(uses(36.0, 410.0, 0.35, 9.0), 0.25),
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
