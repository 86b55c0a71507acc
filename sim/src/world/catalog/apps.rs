//! The applications of a shop, its payments and its platform team.

use super::Kind::{DaemonSet, Deployment, StatefulSet};
use super::parts::{DEBUG_SHELL, EXPORTER, MIGRATE, PROXY, exec, http, main, tcp};
use super::{App, GPU_EXPORTER, Role};

/// The applications that fill the nodes beside [`DAEMONS`], in the order in which a small cluster gets them.
#[rustfmt::skip] // one application a paragraph, one container a line: a table
pub(crate) const APPS: &[App] = &[
    App { name: "web", namespace: "shop", kind: Deployment, replicas: 3, autoscaled: 70, containers: &[
        PROXY,
        main("web", "registry.example/shop/web:7.31.2").uses(42.0, 180.0, 0.35, 12.0).requests(100, 192).limits(500, 384)
            .liveness(tcp(10, 3)).readiness(http("/healthz", 5, 3)).startup(http("/healthz", 2, 12)),
    ] },
    App { name: "postgres", namespace: "shop", kind: StatefulSet, replicas: 2, autoscaled: 0, containers: &[
        main("postgres", "registry.example/db/postgres:18.1").port(5432).uses(65.0, 620.0, 0.3, 16.0).requests(250, 768).limits(1000, 1024)
            .liveness(exec(&["pg_isready", "-U", "postgres"], 10, 6)).readiness(exec(&["pg_isready", "-U", "postgres"], 5, 3)),
        EXPORTER,
    ] },
    App { name: "checkout", namespace: "shop", kind: Deployment, replicas: 2, autoscaled: 65, containers: &[
        PROXY,
        MIGRATE,
        main("checkout", "registry.example/shop/checkout:5.2.0").uses(30.0, 260.0, 0.35, 10.0).requests(100, 256).limits(400, 512)
            .liveness(http("/livez", 10, 3)).readiness(http("/readyz", 5, 3)).startup(http("/livez", 3, 12)),
    ] },
    App { name: "ledger", namespace: "payments", kind: Deployment, replicas: 2, autoscaled: 0, containers: &[
        main("ledger", "registry.example/payments/ledger:2.9.4").uses(24.0, 250.0, 0.2, 8.0).requests(250, 384).limits(250, 384)
            .liveness(http("/health", 10, 3)).readiness(http("/health", 5, 2)),
    ] },
    App { name: "image-resizer", namespace: "shop", kind: Deployment, replicas: 2, autoscaled: 0, containers: &[
        main("resizer", "registry.example/shop/resizer:1.18.0").uses(22.0, 96.0, 0.2, 90.0).creeps(0.6).requests(50, 96).limits(1000, 256)
            .readiness(tcp(10, 3)),
    ] },
    App { name: "coredns", namespace: "kube-system", kind: Deployment, replicas: 2, autoscaled: 0, containers: &[
        main("coredns", "registry.k8s.io/coredns/coredns:v1.13.1").port(53).uses(3.5, 24.0, 0.2, 3.0).requests(100, 70).limits(0, 170)
            .liveness(http("/health", 10, 5)).readiness(http("/ready", 10, 3)),
    ] },
    App { name: "fraud-score", namespace: "payments", kind: Deployment, replicas: 2, autoscaled: 60, containers: &[
        main("model", "registry.example/payments/model:0.8.8").uses(110.0, 900.0, 0.3, 14.0).requests(300, 1024).limits(1500, 1536)
            .liveness(http("/v1/live", 10, 3)).readiness(http("/v1/ready", 10, 3)).startup(http("/v1/ready", 5, 12)),
        EXPORTER,
    ] },
    App { name: "outbox", namespace: "payments", kind: Deployment, replicas: 1, autoscaled: 0, containers: &[
        main("outbox", "registry.example/payments/outbox:1.3.0").idles(0.9, 38.0).requests(10, 32).limits(100, 96),
    ] },
    App { name: "redis", namespace: "shop", kind: StatefulSet, replicas: 1, autoscaled: 0, containers: &[
        main("redis", "registry.example/db/redis:8.4").port(6379).uses(9.0, 84.0, 0.3, 5.0).requests(50, 128).limits(200, 256)
            .liveness(exec(&["redis-cli", "ping"], 10, 3)).readiness(exec(&["redis-cli", "ping"], 5, 3)),
    ] },
    App { name: "mailer", namespace: "shop", kind: Deployment, replicas: 1, autoscaled: 0, containers: &[
        PROXY,
        main("mailer", "registry.example/shop/mailer:3.0.7").idles(0.6, 52.0).requests(0, 0).limits(0, 0).liveness(http("/ping", 20, 3)),
    ] },
    App { name: "prometheus", namespace: "monitoring", kind: StatefulSet, replicas: 1, autoscaled: 0, containers: &[
        main("config-reloader", "registry.example/metrics/reloader:0.88.0").idles(0.1, 9.0).requests(10, 50).limits(10, 50),
        main("prometheus", "registry.example/metrics/prometheus:3.8.0").port(9090).uses(120.0, 1200.0, 0.1, 30.0).requests(500, 1536).limits(0, 2560)
            .liveness(http("/-/healthy", 5, 6)).readiness(http("/-/ready", 5, 3)).startup(http("/-/ready", 15, 12)),
    ] },
    App { name: "debug-shell", namespace: "default", kind: Deployment, replicas: 1, autoscaled: 0, containers: &[DEBUG_SHELL] },
    App { name: "search", namespace: "shop", kind: Deployment, replicas: 2, autoscaled: 0, containers: &[
        PROXY,
        main("search", "registry.example/shop/search:9.2.1").port(9200).uses(85.0, 780.0, 0.35, 20.0).requests(200, 896).limits(0, 1280)
            .liveness(tcp(15, 4)).readiness(http("/_cluster/health", 10, 3)).startup(tcp(5, 12)),
    ] },
    App { name: "report-worker", namespace: "batch", kind: Deployment, replicas: 2, autoscaled: 0, containers: &[
        main("worker", "registry.example/batch/reports:4.4.0").uses(48.0, 220.0, 0.1, 70.0).requests(100, 256).limits(2000, 512),
    ] },
    App { name: "recommender", namespace: "shop", kind: Deployment, replicas: 2, autoscaled: 0, containers: &[
        main("cache", "registry.example/db/memcached:1.6").port(11211).uses(2.5, 66.0, 0.3, 3.0).requests(10, 64).limits(0, 128)
            .liveness(tcp(10, 3)),
        main("recommender", "registry.example/shop/recommender:2.2.9").uses(36.0, 410.0, 0.35, 9.0).creeps(0.25).requests(100, 512).limits(600, 768)
            .liveness(http("/live", 10, 3)).readiness(http("/ready", 5, 3)),
    ] },
    App { name: "metrics-gateway", namespace: "monitoring", kind: Deployment, replicas: 1, autoscaled: 0, containers: &[
        main("gateway", "registry.example/metrics/gateway:1.9.0").uses(5.0, 48.0, 0.2, 6.0).requests(20, 64).limits(100, 128)
            .liveness(http("/healthz", 10, 3)).readiness(http("/readyz", 10, 3)),
    ] },
];

/// The daemons: one pod of each on every node, the most important first.
#[rustfmt::skip] // as above
pub(crate) const DAEMONS: &[App] = &[
    App { name: "kube-proxy", namespace: "kube-system", kind: DaemonSet, replicas: 0, autoscaled: 0, containers: &[
        main("kube-proxy", "registry.k8s.io/kube-proxy:v1.36.0").port(10256).uses(2.0, 28.0, 0.05, 4.0).requests(100, 0).limits(0, 0),
    ] },
    App { name: "node-network", namespace: "kube-system", kind: DaemonSet, replicas: 0, autoscaled: 0, containers: &[
        main("install-cni", "registry.example/net/agent:3.30.1").role(Role::Init).requests(10, 16).limits(0, 0),
        main("agent", "registry.example/net/agent:3.30.1").port(9099).uses(18.0, 140.0, 0.1, 6.0).requests(100, 128).limits(0, 512)
            .liveness(http("/liveness", 10, 6)).readiness(http("/readiness", 10, 3)).startup(http("/liveness", 2, 60)),
    ] },
    App { name: "log-shipper", namespace: "monitoring", kind: DaemonSet, replicas: 0, autoscaled: 0, containers: &[
        main("config-reloader", "registry.example/logs/reloader:1.4.0").idles(0.08, 6.0).requests(5, 8).limits(10, 32),
        main("shipper", "registry.example/logs/shipper:0.46.1").port(2020).uses(11.0, 72.0, 0.25, 10.0).requests(25, 64).limits(200, 256)
            .liveness(http("/api/v1/health", 15, 3)),
    ] },
];

/// The applications of nodes with GPUs: the exporter, and what uses the GPUs, of which a node has two pods.
#[rustfmt::skip] // as above
pub(crate) const GPU_APPS: [App; 2] = [
    App { name: GPU_EXPORTER, namespace: "gpu-operator", kind: DaemonSet, replicas: 0, autoscaled: 0, containers: &[
        main("exporter", "registry.example/nvidia/dcgm-exporter:4.4.1").port(9400).uses(6.0, 180.0, 0.1, 4.0).requests(50, 192).limits(0, 384)
            .readiness(http("/health", 10, 3)),
    ] },
    App { name: "llm-serving", namespace: "ml", kind: Deployment, replicas: 2, autoscaled: 0, containers: &[
        main("llm", "registry.example/ml/llm-serving:0.14.2").uses(350.0, 3000.0, 0.1, 6.0).requests(1000, 4096).limits(0, 8192).gpus(1)
            .readiness(http("/health", 10, 3)),
    ] },
];
