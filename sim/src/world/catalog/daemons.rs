//! What runs on every node.

use super::parts::{BASE, http, idles, uses};
use super::{App, Container, Kind, Role};

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
