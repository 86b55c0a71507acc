//! One object of each kind in which nothing is left out, and that they are read as they are written.

use std::collections::BTreeMap;
use std::fmt::Debug;

use kubevitals_proto::duration::GoDuration;
use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::table::Vitals;
use kubevitals_proto::vitals::{
    Absence, Affected, Amounts, Cause, Certainty, ClusterVitals, Condition, ContainerState,
    ContainerVitals, Disk, Ended, Evidence, GpuUsage, History, HistorySource, HistoryStatus,
    HistoryStore, Incident, IncidentCounts, IncidentKind, Inodes, Involved, KubeletPage,
    LastRestart, Mark, MemoryRange, Meta, Network, NodeCounts, NodeImages, NodeRatios, NodeSystem,
    NodeVitals, OwnMetric, OwnMetrics, OwnScrape, OwnSeries, OwnerReference, PodCapacity,
    PodCounts, PodVitals, Point, Pressure, Probe, ProbeKind, ProbeStatus, Quantiles, Ratios,
    Resize, ResizeState, Restarts, Role, Series, Source, Span, Statistics, Trend, Usage,
    VolumeGrowth, VolumeRatios, VolumeVitals, Workload,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

pub(super) const NOW: Timestamp = Timestamp::from_secs(1_795_238_024);

fn ago(seconds: i64) -> Timestamp {
    NOW.plus_nanos(-seconds * 1_000_000_000)
}

fn meta(name: &str) -> Meta {
    Meta {
        name: name.to_owned(),
        namespace: "shop".to_owned(),
        uid: "2f5d".to_owned(),
        resource_version: "7".to_owned(),
        creation_timestamp: Some(ago(7200)),
        deletion_timestamp: Some(ago(1)),
        labels: [("app", "web")].into_iter().collect(),
        owner_references: vec![OwnerReference {
            api_version: "v1".into(),
            kind: "Pod".into(),
            name: name.to_owned(),
            uid: "dbe5".to_owned(),
        }],
    }
}

fn usage() -> Usage {
    Usage {
        cpu: "250m".parse().unwrap(),
        memory: "64Mi".parse().unwrap(),
        swap: "1Mi".parse().ok(),
        timestamp: Some(ago(5)),
        window: Some(GoDuration::from_secs(15)),
        provisional: true,
    }
}

fn amounts() -> Amounts {
    Amounts {
        cpu: "500m".parse().ok(),
        memory: "128Mi".parse().ok(),
        ephemeral_storage: "1Gi".parse().ok(),
        gpu: Some(2),
    }
}

fn gpu() -> GpuUsage {
    GpuUsage {
        count: 2,
        utilization: "1500m".parse().ok(),
        memory: "1Gi".parse().ok(),
        memory_capacity: "4Gi".parse().ok(),
        timestamp: Some(ago(5)),
    }
}

fn ratios() -> Ratios {
    Ratios {
        cpu_of_request: Some(0.5),
        cpu_of_limit: Some(0.25),
        memory_of_request: Some(0.75),
        memory_of_limit: Some(1.0),
    }
}

fn node_ratios() -> NodeRatios {
    NodeRatios {
        cpu: Some(0.125),
        cpu_requested: Some(0.5),
        memory: Some(0.25),
        memory_requested: Some(0.75),
    }
}

fn absence() -> Absence {
    Absence {
        reason: "Stale".to_owned(),
        message: "The node does not answer.".to_owned(),
    }
}

fn trend() -> Trend {
    Trend {
        until: NOW,
        step: GoDuration::from_secs(15),
        cpu: vec![Some(1), None],
        memory: vec![None, Some(2)],
    }
}

fn quantiles() -> Quantiles {
    Quantiles {
        p50: 1,
        p90: 2,
        p95: 3,
        p99: 4,
        max: 5,
    }
}

fn stats() -> Statistics {
    Statistics {
        since: ago(3600),
        until: ago(5),
        covered: GoDuration::from_secs(3595),
        samples: 239,
        cpu: quantiles(),
        memory: quantiles(),
        memory_quarters: vec![MemoryRange { min: 1, max: 2 }],
        restarts: 3,
        oom_kills: 1,
    }
}

fn ended() -> Ended {
    Ended {
        exit_code: 137,
        signal: Some(9),
        reason: "OOMKilled".to_owned(),
        message: "bye".to_owned(),
        started: Some(ago(600)),
        finished: Some(ago(120)),
    }
}

fn restarts() -> Restarts {
    Restarts {
        count: 3,
        recent: 1,
        last: Some(LastRestart {
            container: "web".to_owned(),
            ended: ended(),
            cause: Cause::OomKilled,
            certainty: Certainty::Direct,
        }),
    }
}

fn resize() -> Resize {
    Resize {
        state: ResizeState::Deferred,
        message: "Node didn't have enough resource: cpu".to_owned(),
        since: Some(ago(90)),
        requests: amounts(),
        limits: amounts(),
    }
}

fn workload() -> Option<Workload> {
    Some(Workload {
        kind: "Deployment".to_owned(),
        name: "web".to_owned(),
    })
}

pub(super) fn probe(kind: ProbeKind, status: ProbeStatus) -> Probe {
    Probe {
        container: "web".to_owned(),
        kind,
        status,
        failures: 2,
        threshold: 3,
        since: Some(ago(30)),
        message: "HTTP probe failed with statuscode: 503".to_owned(),
        asks: "http-get http://:8080/healthz delay=0s timeout=1s period=10s #success=1 #failure=3"
            .to_owned(),
    }
}

fn network() -> Network {
    Network {
        rx_bytes_per_second: 1000,
        tx_bytes_per_second: 2000,
    }
}

fn pressure() -> Pressure {
    Pressure {
        cpu: Some(1.5),
        memory: Some(0.75),
        io: Some(0.25),
    }
}

pub(super) fn pod() -> PodVitals {
    PodVitals {
        metadata: meta("web-1"),
        phase: "Running".to_owned(),
        status: "Running".to_owned(),
        message: "m".to_owned(),
        ready: true,
        ready_since: Some(ago(60)),
        ready_containers: 1,
        total_containers: 2,
        node_name: "n1".to_owned(),
        workload: workload(),
        start_time: Some(ago(7190)),
        deleted_at: Some(ago(1)),
        usage: Some(usage()),
        absent: Some(absence()),
        requests: amounts(),
        limits: amounts(),
        ratios: ratios(),
        gpu: Some(gpu()),
        resize: Some(resize()),
        restarts: restarts(),
        probes: vec![
            probe(ProbeKind::Liveness, ProbeStatus::Passing),
            probe(ProbeKind::Readiness, ProbeStatus::Failing),
        ],
        containers: vec![ContainerVitals {
            name: "web".to_owned(),
            role: Role::App,
            image: "shop/web:1.4".to_owned(),
            state: ContainerState {
                state: "Running".to_owned(),
                reason: "r".to_owned(),
                message: "m".to_owned(),
                since: Some(ago(120)),
            },
            ready: true,
            started: true,
            usage: Some(usage()),
            absent: Some(absence()),
            requests: amounts(),
            limits: amounts(),
            ratios: ratios(),
            gpu: Some(gpu()),
            resize: Some(resize()),
            restarts: restarts(),
            stats: Some(stats()),
        }],
        incidents: vec!["web-1.restart".to_owned()],
        ephemeral_storage: "1Mi".parse().ok(),
        network: Some(network()),
        pressure: Some(pressure()),
        processes: Some(4),
        trend: Some(trend()),
        stats: Some(stats()),
        ..PodVitals::default()
    }
    .named()
}

pub(super) fn node() -> NodeVitals {
    let disk = Disk {
        used: "1Gi".parse().unwrap(),
        capacity: "4Gi".parse().unwrap(),
        available: "3Gi".parse().unwrap(),
    };
    NodeVitals {
        metadata: meta("n1"),
        status: "Ready".to_owned(),
        ready: true,
        ready_since: Some(ago(7000)),
        conditions: vec![Condition {
            kind: "DiskPressure".to_owned(),
            status: "True".to_owned(),
            reason: "KubeletHasDiskPressure".to_owned(),
            since: Some(ago(10)),
        }],
        pages: vec![KubeletPage {
            name: "summary".to_owned(),
            path: "/stats/summary".to_owned(),
            state: "Failing".to_owned(),
            reason: "Forbidden".to_owned(),
            message: "It answered 403 Forbidden.".to_owned(),
            last_success: Some(ago(90)),
        }],
        usage: Some(usage()),
        absent: Some(absence()),
        capacity: amounts(),
        allocatable: amounts(),
        requests: amounts(),
        limits: amounts(),
        ratios: node_ratios(),
        gpu: Some(gpu()),
        pods: PodCapacity {
            count: 12,
            capacity: 110,
        },
        restarts: 5,
        incidents: vec!["n1.not-ready".to_owned()],
        disk: Some(disk.clone()),
        image_disk: Some(disk),
        network: Some(network()),
        pressure: Some(pressure()),
        processes: Some(400),
        swap_capacity: "1Gi".parse().ok(),
        taints: vec!["dedicated=gpu:NoSchedule".to_owned()],
        system: Some(NodeSystem {
            kubelet_version: "v1.36.0".to_owned(),
            container_runtime: "containerd://2.2.0".to_owned(),
            os_image: "Debian GNU/Linux 13 (trixie)".to_owned(),
            kernel_version: "6.12.48".to_owned(),
        }),
        images: Some(NodeImages {
            count: 16,
            bytes: 4_000_000_000,
        }),
        trend: Some(trend()),
        stats: Some(stats()),
        ..NodeVitals::default()
    }
    .named()
}

pub(super) fn volume() -> VolumeVitals {
    VolumeVitals {
        metadata: meta("data-db-0"),
        timestamp: Some(ago(60)),
        capacity: "10Gi".parse().ok(),
        used: "9Gi".parse().ok(),
        available: "512Mi".parse().ok(),
        inodes: Some(Inodes {
            capacity: 1000,
            used: 10,
        }),
        ratios: VolumeRatios {
            used: Some(0.95),
            inodes: Some(0.01),
        },
        growth: Some(VolumeGrowth {
            bytes_per_hour: 128 << 20,
            since: ago(3600),
            full_at: Some(NOW.plus_nanos(4 * 3_600_000_000_000)),
        }),
        pods: vec!["db-0".to_owned()],
        pod_count: 1,
        nodes: vec!["n1".to_owned()],
        node_count: 1,
        ..VolumeVitals::default()
    }
    .named()
}

pub(super) fn cluster() -> ClusterVitals {
    ClusterVitals {
        metadata: meta("cluster"),
        nodes: NodeCounts {
            total: 3,
            ready: 2,
            reporting: 3,
        },
        pods: PodCounts {
            total: 30,
            ready: 29,
            probes_failing: Some(1),
            by_phase: BTreeMap::from([("Running".to_owned(), 30)]),
        },
        usage: Some(usage()),
        capacity: amounts(),
        allocatable: amounts(),
        allocatable_reporting: Some(amounts()),
        requests: amounts(),
        limits: amounts(),
        ratios: node_ratios(),
        probes_failing: 1,
        restarts: 5,
        incidents: IncidentCounts { open: 2, total: 9 },
        history: HistoryStatus {
            retention: GoDuration::from_secs(3600),
            oldest: Some(ago(3600)),
            series: 50,
            points: 12_000,
            bytes: 40_000,
            engine: true,
        },
        server_version: "v0.1.0".to_owned(),
        trend: Some(trend()),
        ..ClusterVitals::default()
    }
    .named()
}

pub(super) fn incident() -> Incident {
    Incident {
        metadata: meta("web-1.restart"),
        reason: IncidentKind::Restart,
        cause: Cause::OomKilled,
        certainty: Certainty::Direct,
        message: "Container web was OOM-killed.".to_owned(),
        involved: Involved {
            kind: "Pod".to_owned(),
            namespace: "shop".to_owned(),
            name: "web-1".to_owned(),
            uid: "2f5d".to_owned(),
            container: "web".to_owned(),
            node: "n1".to_owned(),
            workload: workload(),
        },
        began: ago(600),
        last_seen: ago(120),
        ended: Some(ago(60)),
        count: 3,
        last_ended: Some(ended()),
        evidence: vec![Evidence {
            time: ago(120),
            source: Source::Status,
            text: "exit code 137".to_owned(),
        }],
        affected: vec![Affected {
            name: "web-1".to_owned(),
            uid: "u".to_owned(),
        }],
        affected_count: 1,
        ..Incident::default()
    }
    .named()
}

pub(super) fn history() -> History {
    let quantiles = quantiles();
    let series = |name: &str| Series {
        name: name.to_owned(),
        uid: "2f5d".to_owned(),
        points: vec![
            None,
            Some(Point {
                cpu: 1,
                memory: 2,
                swap: Some(3),
            }),
        ],
        samples: 4,
        cpu: Some(quantiles),
        memory: Some(quantiles),
    };
    History {
        kind: "History".to_owned(),
        api_version: kubevitals_proto::vitals::API_VERSION.to_owned(),
        metadata: meta("web-1"),
        span: Span {
            since: ago(120),
            until: NOW,
            step: GoDuration::from_secs(60),
        },
        total: series("total"),
        estimate: series("total").points,
        containers: vec![series("web")],
        marks: vec![Mark {
            time: ago(60),
            container: "web".to_owned(),
            cause: Cause::OomKilled,
            text: "OOMKilled, exit 137".to_owned(),
        }],
        sources: vec![HistorySource {
            source: HistoryStore::Memory,
            since: ago(120),
            until: NOW,
        }],
        absent: Some(Absence {
            reason: "Timeout".to_owned(),
            message: "the long history did not answer within 10s".to_owned(),
        }),
    }
}

#[track_caller]
pub(super) fn own_metrics() -> OwnMetrics {
    OwnMetrics {
        kind: "OwnMetrics".to_owned(),
        api_version: "kubevitals.io/v1alpha1".to_owned(),
        metadata: meta("web-1"),
        scrape: Some(OwnScrape {
            by: "rule web".to_owned(),
            url: "http://10.0.0.7:8080/metrics".to_owned(),
            interval: GoDuration::from_secs(15),
            timestamp: Some(ago(5)),
            duration: Some(GoDuration::from_millis(12)),
            samples: 40,
            error: "the pod refused the connection".to_owned(),
        }),
        absent: Some(absence()),
        span: Some(Span {
            since: ago(60),
            until: NOW,
            step: GoDuration::from_secs(30),
        }),
        metrics: vec![OwnMetric {
            name: "rps".to_owned(),
            value: Some(12.5),
            absent: "stale".to_owned(),
            timestamp: Some(ago(5)),
            window: Some(GoDuration::from_secs(60)),
            series: vec![OwnSeries {
                labels: [("code", "200")].into_iter().collect(),
                value: 12.5,
            }],
            points: vec![Some(12.5)],
        }],
        omitted: 1,
    }
}

fn comes_back<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T) {
    let json = serde_json::to_string(value).unwrap();
    assert_eq!(&serde_json::from_str::<T>(&json).unwrap(), value);
}

#[test]
fn what_is_written_is_read_again() {
    comes_back(&pod());
    comes_back(&node());
    comes_back(&cluster());
    comes_back(&incident());
    comes_back(&volume());
    comes_back(&history());
    comes_back(&own_metrics());
}
