//! The families that a pod exposes: functions of the world's state and of time.

use std::net::Ipv4Addr;

use kubevitals_proto::time::Timestamp;

use super::exposition::{Family, Histogram, Kind, Value};
use crate::world::World;
use crate::world::catalog::GPU_EXPORTER;
use crate::world::gpu::{Gpu, gpus};
use crate::world::hash::hash;
use crate::world::node::{Node, NodeState};
use crate::world::pod::{Phase, Pod};
use crate::world::queue::Engine;
use crate::world::service::{NATIVE, SCHEMA, Service, Tally, ZERO_THRESHOLD, whole};

/// The parts of all requests by code and method.
pub(super) const REQUESTS: [(&str, &str, f64); 4] = [
    ("200", "GET", 0.80),
    ("201", "POST", 0.15),
    ("404", "GET", 0.04),
    ("500", "POST", 0.01),
];

/// What is at the address of a pod.
pub(super) enum Found {
    /// No pod that listens.
    Nobody,
    /// A pod of a node that does not answer.
    Silent,
    /// A pod, by namespace and name.
    Pod(String, String),
}

/// What a pod serves, for tests that compare it with what was measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Truth {
    /// Requests since its container started.
    pub requests: f64,
    /// Requests a second now.
    pub per_second: f64,
    /// Requests that wait now: the gauge `queue_length`.
    pub queue: f64,
    /// The 95th percentile of durations now, in seconds.
    pub p95: f64,
}

/// The pod at an address.
pub(super) fn find(world: &World, node: usize, address: Ipv4Addr) -> Found {
    let Some(node) = world.nodes.get(node) else {
        return Found::Nobody;
    };
    let state = node.state.lock();
    // An address may be used again before an evicted pod is deleted.
    let listens = |pod: &&Pod| pod.ip == address && pod.serving_since().is_some();
    let pod = state.pods().filter(listens).max_by_key(|pod| pod.created);
    match pod {
        Some(_) if state.down.is_some() => Found::Silent,
        Some(pod) => Found::Pod(pod.revision.namespace.to_string(), pod.name.to_string()),
        None => Found::Nobody,
    }
}

/// What a pod of a node exposes now. `None` when it does not run any more.
pub(super) fn families(
    world: &World,
    node: usize,
    (namespace, name): (&str, &str),
    filler: u32,
    exported_labels: bool,
) -> Option<Vec<Family>> {
    let nodes = world.nodes.get(node..=node)?;
    with_pod(world, nodes, namespace, name, |at| {
        let since = at.pod.serving_since()?;
        let mut all = process(world, at.pod, since, at.now);
        let secs = at.now.since(since).max(0) as f64 / 1e9;
        if let Some(service) = at.service() {
            let total = service.total(at.now);
            let queue = at.ready() * service.queue();
            all.extend(requests(&at.pod.served.count(&total), queue));
        }
        all.extend(fillers(at.pod.seed, filler, secs));
        if at.pod.revision.app.name == GPU_EXPORTER {
            all.extend(exporter(at, exported_labels));
        }
        Some(all)
    })
}

/// What a pod serves.
pub(crate) fn truth(world: &World, namespace: &str, name: &str) -> Option<Truth> {
    with_pod(world, &world.nodes, namespace, name, |at| {
        let service = at.service()?;
        Some(Truth {
            requests: at.pod.served.count(&service.total(at.now)).requests,
            per_second: at.ready() * service.per_pod(),
            queue: at.ready() * service.queue(),
            p95: service.quantile(0.95),
        })
    })
}

fn with_pod<T>(
    world: &World,
    nodes: &[Node],
    namespace: &str,
    name: &str,
    read: impl Fn(&At<'_>) -> Option<T>,
) -> Option<T> {
    world.catch_up();
    let engine = world.engine.lock();
    let now = world.clock.now();
    nodes.iter().find_map(|node| {
        let state = node.state.lock();
        let mut pods = state.pods().filter(|pod| pod.phase == Phase::Running);
        let pod = pods.find(|pod| *pod.revision.namespace == *namespace && *pod.name == *name)?;
        read(&At {
            engine: &engine,
            node,
            state: &state,
            pod,
            now,
        })
    })
}

/// A pod at a time, and what is around it.
struct At<'a> {
    engine: &'a Engine,
    node: &'a Node,
    state: &'a NodeState,
    pod: &'a Pod,
    now: Timestamp,
}

impl At<'_> {
    /// The requests that the pod's workload serves.
    fn service(&self) -> Option<&Service> {
        let workload = self.engine.workloads.get(self.pod.workload)?;
        workload.service.as_ref()
    }

    /// 1 if the pod gets requests, else 0.
    fn ready(&self) -> f64 {
        f64::from(u8::from(self.pod.served.is_ready()))
    }
}

/// What the client libraries expose of the process.
fn process(world: &World, pod: &Pod, since: Timestamp, now: Timestamp) -> Vec<Family> {
    let containers = pod.containers.iter();
    let exposing = pod.revision.app.exposing().map(|c| c.name);
    let container = containers.filter(|c| Some(c.spec.name) == exposing);
    let (cpu, memory) = container.fold((0, 0), |(cpu, memory), c| {
        (
            cpu + c.cpu_at(world.epoch, now),
            memory + c.memory_at(world.epoch, now),
        )
    });
    let one =
        |name, help, kind, value| Family::new(name, help, kind).with(&[], Value::Number(value));
    #[rustfmt::skip] // one family a line: a table
    let all = vec![
        one("process_start_time_seconds", "Start time of the process since unix epoch in seconds.", Kind::Gauge, since.as_nanos() as f64 / 1e9),
        one("process_cpu_seconds_total", "Total user and system CPU time spent in seconds.", Kind::Counter, cpu as f64 / 1e9),
        one("process_resident_memory_bytes", "Resident memory size in bytes.", Kind::Gauge, memory as f64),
    ];
    all
}

/// The requests of a pod that serves some.
fn requests(tally: &Tally, queue: f64) -> [Family; 3] {
    let mut total = Family::new(
        "http_requests_total",
        "Total number of HTTP requests by code and method.",
        Kind::Counter,
    );
    for (code, method, part) in REQUESTS {
        let count = whole(tally.requests * part);
        let labels = [("code", code), ("method", method)];
        total.push(&labels, Value::Number(count as f64));
    }
    let counted = tally.histogram();
    let histogram = Value::Histogram(Histogram {
        count: counted.count,
        sum: tally.seconds,
        classic: counted.classic,
        schema: SCHEMA,
        zero_threshold: ZERO_THRESHOLD,
        zero_count: counted.zero,
        native: (NATIVE.0, counted.native),
    });
    let durations = Family::new(
        "http_request_duration_seconds",
        "Duration of HTTP requests in seconds.",
        Kind::Histogram,
    );
    let waiting = Family::new("queue_length", "Number of requests that wait.", Kind::Gauge);
    [
        total,
        durations.with(&[], histogram),
        waiting.with(&[], Value::Number(queue)),
    ]
}

/// Series that nobody asks for, fifty to a family, so that a page is as long as a real one.
fn fillers(seed: u64, series: u32, secs: f64) -> Vec<Family> {
    const EACH: u32 = 50;
    let family = |first: u32| {
        let n = first / EACH;
        let (name, kind) = match n % 2 {
            0 => (format!("runtime_cache{n}_operations_total"), Kind::Counter),
            _ => (format!("runtime_cache{n}_entries"), Kind::Gauge),
        };
        let mut family = Family::new(name, "What a cache of the runtime holds or has done.", kind);
        for i in first..series.min(first + EACH) {
            let h = hash(seed, 7_000 + u64::from(i)) % 1000;
            let value = match kind {
                Kind::Counter => (secs * h as f64 / 10.0).floor(),
                _ => (h as f64 + (secs / 60.0).floor()) % 1000.0,
            };
            let (cache, shard) = (format!("cache-{:02}", i % 10), format!("shard-{i:04}"));
            let labels = [("cache", &*cache), ("operation", "get"), ("shard", &*shard)];
            family.push(&labels, Value::Number(value));
        }
        family
    };
    (0..series).step_by(EACH as usize).map(family).collect()
}

/// The families of the exporter of the GPUs of its node, as NVIDIA's DCGM exporter has them.
fn exporter(at: &At<'_>, exported: bool) -> [Family; 3] {
    let gpus = gpus(at.engine, at.node, at.state);
    let gauge = |name: &'static str, help: &'static str, value: fn(&Gpu<'_>) -> f64| {
        let mut family = Family::new(name, help, Kind::Gauge);
        for gpu in &gpus {
            let (index, device) = (gpu.index.to_string(), format!("nvidia{}", gpu.index));
            let mut labels = vec![
                ("gpu", &*index),
                ("UUID", &*gpu.uuid),
                ("device", &*device),
                ("modelName", "NVIDIA H100 80GB HBM3"),
                ("Hostname", &*at.node.name),
            ];
            let user = gpu.pod.map(|pod| {
                let using = pod.revision.app.containers.iter().find(|c| c.gpus > 0);
                (using.map_or("", |c| c.name), pod)
            });
            match user {
                // As a Prometheus that does not honor the labels of its targets federates them.
                _ if exported => {
                    labels.push(("container", "exporter"));
                    labels.push(("namespace", &at.pod.revision.namespace));
                    labels.push(("pod", &at.pod.name));
                    if let Some((container, pod)) = user {
                        labels.push(("exported_container", container));
                        labels.push(("exported_namespace", &pod.revision.namespace));
                        labels.push(("exported_pod", &pod.name));
                    }
                }
                Some((container, pod)) => {
                    labels.push(("container", container));
                    labels.push(("namespace", &pod.revision.namespace));
                    labels.push(("pod", &pod.name));
                }
                None => {}
            }
            family.push(&labels, Value::Number(value(gpu)));
        }
        family
    };
    [
        gauge("DCGM_FI_DEV_GPU_UTIL", "GPU utilization (in %).", |gpu| {
            gpu.utilization as f64
        }),
        gauge(
            "DCGM_FI_DEV_FB_USED",
            "Framebuffer memory used (in MiB).",
            |gpu| gpu.used as f64,
        ),
        gauge(
            "DCGM_FI_DEV_FB_FREE",
            "Framebuffer memory free (in MiB).",
            |gpu| gpu.free as f64,
        ),
    ]
}
