//! A large cluster with its usage and some history, made at speed.

use std::sync::Arc;
use std::time::Duration;

use kubevitals_proto::kubelet::resource::{ContainerKey, Reading, ResourceScrape};
use kubevitals_proto::labels::Labels;
use kubevitals_proto::time::Timestamp;
use kubevitals_proto::units::{Bytes, Nanocores};
use kubevitals_server::clock::Age;
use kubevitals_server::cluster::{
    Binding, ContainerSpec, ContainerStatus, Phase, Pod, PodTemplate, Pods, Ready, Resources, Role,
    Uid,
};
use kubevitals_server::intern::Interner;
use kubevitals_server::store::history::Settings;
use kubevitals_server::store::{NodeSeries, ScrapeTimes, Store};

/// The time between two scrapes of a node.
pub const RESOLUTION: Duration = Duration::from_secs(15);

/// The number of scrapes of each node.
pub const SCRAPES: u32 = 12;

/// The time of a scrape.
pub fn age(scrape: u32) -> Age {
    Age::from_elapsed(RESOLUTION * scrape)
}

/// The settings of a history without a near limit.
pub fn history() -> Settings {
    Settings {
        retention: Duration::from_secs(3600),
        step: Duration::ZERO,
        memory_limit: 4 << 30,
        resolution: RESOLUTION,
    }
}

/// A pseudo-random number.
fn chance(seed: u64) -> u64 {
    let x = (seed ^ (seed >> 31)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (x ^ (x >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 20
}

/// A cluster of nodes of 30 pods of one or two containers, with three minutes of history.
pub fn large(nodes: u64) -> (Pods, Store) {
    let names = Interner::default();
    let store = Store::new(history());
    let labels: Labels = ["app", "app.kubernetes.io/name", "pod-template-hash", "tier"]
        .map(|key| (names.intern(key), names.intern("report-worker")))
        .into_iter()
        .collect();
    let templates: Vec<Arc<PodTemplate>> = (1..=500)
        .map(|n| {
            let amounts = |more: u64| Resources {
                cpu: Some(Nanocores(n * 1_000_000 * more)),
                memory: Some(Bytes((n << 20) * more)),
                ..Resources::default()
            };
            let spec = |name: &str| ContainerSpec {
                name: names.intern(name),
                image: names.intern("registry.example/web:1.0.0"),
                role: Role::App,
                requests: amounts(1),
                limits: amounts(2),
                liveness: None,
                readiness: None,
                startup: None,
            };
            Arc::new(PodTemplate {
                containers: Box::new([spec("mesh-proxy"), spec("web")]),
                ..PodTemplate::default()
            })
        })
        .collect();
    let mut pods = Pods::new();
    for n in 0..nodes {
        let node = names.intern(&format!("node-{n:04}"));
        let own: Vec<(String, String)> = (0..30u64)
            .map(|p| {
                let seed = chance(n * 30 + p);
                (
                    format!("ns-{:03}", seed % 200),
                    format!("web-{:010x}-{n:04}{p:02}", seed & 0xff_ffff_ffff),
                )
            })
            .collect();
        for (p, (namespace, name)) in (0..).zip(&own) {
            let key = names.key(namespace, name);
            let mut status = ContainerStatus::default();
            status.restarts = (chance(n * 31 + p) % 1000 / 990) as u32 * (p as u32 + 1);
            let pod = Pod {
                key: key.clone(),
                uid: Uid::of(&format!("{:032x}", n * 30 + p + 1)),
                labels: labels.clone(),
                node: Some(Arc::clone(&node)),
                phase: Phase::Running,
                initialized: true,
                gated: false,
                ready: Ready::default(),
                started_seconds: 1,
                created_seconds: 1,
                deleted_seconds: 0,
                owner: None,
                details: None,
                template: Arc::clone(&templates[(chance(p + n * 7) % 500) as usize]),
                containers: Box::new([status, ContainerStatus::default()]),
            };
            pods.insert(key, Arc::new(pod));
        }
        let mut series = NodeSeries::new(RESOLUTION);
        let (cell, history) = (
            store.add(&node, RESOLUTION),
            store.history().begin(&node).unwrap(),
        );
        for turn in 0..SCRAPES {
            let at = Timestamp::from_secs(1_800_000_000 + i64::from(turn) * 15);
            let mut containers: Vec<(ContainerKey<'_>, Reading)> = Vec::new();
            for (p, (namespace, pod)) in (0..).zip(&own) {
                for container in &["mesh-proxy", "web"][usize::from(p % 2 == 1)..] {
                    let seed = chance(n * 977 + p * 31 + container.len() as u64);
                    let reading = Reading {
                        cpu_ns: Some(1_000_000_000 + u64::from(turn) * (seed % 7_000_000_000)),
                        memory: Some(
                            (1 << 24) + seed % (1 << 28) + u64::from(turn) * (seed % 9999),
                        ),
                        start: Some(1),
                        swap: None,
                        at: Some(at),
                    };
                    containers.push((
                        ContainerKey {
                            namespace,
                            pod,
                            container,
                        },
                        reading,
                    ));
                }
            }
            containers.sort_unstable_by_key(|(key, _)| *key);
            let mut scrape = ResourceScrape {
                containers,
                ..ResourceScrape::default()
            };
            series.ingest(&mut scrape, &ScrapeTimes::at(age(turn)), &names);
            let (own, containers) = series.readings(&scrape);
            history.take(age(turn), own, containers, |_| Binding::Unknown);
            cell.publish(series.latest(&scrape, age(turn), &names));
        }
    }
    (pods, store)
}
