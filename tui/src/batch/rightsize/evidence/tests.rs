//! Evidence of several replicas, and growth that is a leak.

use kubevitals_proto::vitals::{ContainerState, Meta, Workload};

use super::*;

fn quantiles(values: [u64; 5]) -> Quantiles {
    let [p50, p90, p95, p99, max] = values;
    Quantiles {
        p50,
        p90,
        p95,
        p99,
        max,
    }
}

fn stats(minutes: (i64, i64), samples: u64, cpu: [u64; 5]) -> Statistics {
    Statistics {
        since: Timestamp::from_secs(minutes.0 * 60),
        until: Timestamp::from_secs(minutes.1 * 60),
        covered: GoDuration::from_secs((minutes.1 - minutes.0) * 60),
        samples,
        cpu: quantiles(cpu),
        memory: quantiles(cpu),
        ..Statistics::default()
    }
}

fn pod(created: i64, request: &str, stats: Option<Statistics>) -> PodVitals {
    PodVitals {
        metadata: Meta {
            namespace: "shop".to_owned(),
            name: format!("web-{created}"),
            creation_timestamp: Some(Timestamp::from_secs(created)),
            ..Meta::default()
        },
        phase: "Running".to_owned(),
        workload: Some(Workload {
            kind: "Deployment".to_owned(),
            name: "web".to_owned(),
        }),
        containers: vec![ContainerVitals {
            name: "web".to_owned(),
            requests: Amounts {
                cpu: request.parse().ok(),
                ..Amounts::default()
            },
            stats,
            ..ContainerVitals::default()
        }],
        ..PodVitals::default()
    }
}

fn collected(pods: &[PodVitals]) -> Evidence {
    let mut collector = Collector::default();
    pods.iter().for_each(|pod| collector.add(pod));
    let mut found = collector.finish();
    assert_eq!(found.len(), 1, "{found:?}");
    found.pop().unwrap().1
}

#[test]
fn the_replica_with_the_highest_usage_decides_each_percentile() {
    let a = stats((0, 60), 240, [10, 20, 30, 40, 50]);
    let b = stats((0, 60), 240, [20, 21, 22, 23, 99]);
    let found = collected(&[pod(1, "1", Some(a)), pod(2, "1", Some(b))]);
    assert_eq!(found.cpu, quantiles([20, 21, 30, 40, 99]));
    assert_eq!((found.replicas, found.samples), (2, 480));
    assert_eq!(found.history, GoDuration::from_secs(3600));
}

#[test]
fn a_replica_with_few_samples_counts_for_the_maximum_only() {
    let long = stats((0, 60), 240, [10, 20, 30, 40, 50]);
    let young = stats((59, 60), 4, [70, 70, 70, 70, 70]);
    for pods in [[&long, &young], [&young, &long]] {
        let pods = pods.map(|stats| pod(1, "1", Some(stats.clone())));
        assert_eq!(collected(&pods).cpu, quantiles([10, 20, 30, 40, 70]));
    }
    // If all have few, the percentiles are those that there are.
    let pods = [pod(1, "1", Some(young.clone())), pod(2, "1", Some(young))];
    assert_eq!(collected(&pods).cpu, quantiles([70; 5]));
}

#[test]
fn history_is_the_time_that_any_replica_covers() {
    let of = |spans: &[(i64, i64)]| {
        let pods = spans
            .iter()
            .map(|span| pod(1, "1", Some(stats(*span, 9, [1; 5]))));
        collected(&pods.collect::<Vec<_>>()).history.0 / 60_000_000_000
    };
    // Three replicas of ten minutes are ten minutes of history.
    assert_eq!(of(&[(50, 60), (50, 60), (50, 60)]), 10);
    // The pods before a rollout count.
    assert_eq!(of(&[(0, 50), (49, 60)]), 60);
    // Runs of a CronJob.
    assert_eq!(of(&[(40, 42), (0, 2), (20, 22)]), 6);
    assert_eq!(collected(&[pod(1, "1", None)]).history, GoDuration(0));
}

#[test]
fn a_gap_of_all_replicas_is_no_history() {
    let gap = Statistics {
        covered: GoDuration::from_secs(600),
        ..stats((0, 60), 40, [1; 5])
    };
    assert_eq!(
        collected(&[pod(1, "1", Some(gap))]).history,
        GoDuration::from_secs(600)
    );
}

#[test]
fn requests_are_those_of_the_latest_existing_replica() {
    let request = |pods: &[PodVitals]| {
        let found = collected(pods);
        (found.spec.cpu_request.unwrap().0 / 1_000_000, found.differs)
    };
    let (old, new) = (pod(1, "100m", None), pod(9, "200m", None));
    assert_eq!(request(&[old.clone(), new.clone()]), (200, true));
    assert_eq!(request(&[new.clone(), old.clone()]), (200, true));
    assert_eq!(request(&[old.clone(), old.clone()]), (100, false));
    let deleted = PodVitals {
        deleted_at: Some(Timestamp::from_secs(10)),
        ..new
    };
    for pods in [[&deleted, &old], [&old, &deleted]] {
        let found = collected(&pods.map(Clone::clone));
        assert_eq!(found.spec.cpu_request, Some(Nanocores(100_000_000)));
        assert_eq!(
            (found.replicas, found.past_replicas, found.differs),
            (1, 1, false)
        );
    }
}

#[test]
fn a_workload_without_pods_has_no_evidence() {
    let pod = PodVitals {
        deleted_at: Some(Timestamp::from_secs(10)),
        ..pod(1, "1", Some(stats((0, 60), 240, [1; 5])))
    };
    let mut collector = Collector::default();
    collector.add(&pod);
    assert_eq!(collector.finish(), []);
}

#[test]
fn init_containers_are_left_out_and_sidecars_are_not() {
    let mut one = pod(1, "1", None);
    for (name, role) in [("migrate", Role::Init), ("proxy", Role::Sidecar)] {
        one.containers.push(ContainerVitals {
            name: name.to_owned(),
            role,
            state: ContainerState {
                reason: "CrashLoopBackOff".to_owned(),
                ..ContainerState::default()
            },
            ..ContainerVitals::default()
        });
    }
    let mut collector = Collector::default();
    collector.add(&one);
    let found = collector.finish();
    let names: Vec<(&str, bool, bool)> = found
        .iter()
        .map(|(key, it)| (&*key.container, it.is_sidecar, it.is_backed_off))
        .collect();
    assert_eq!(names, [("proxy", true, true), ("web", false, false)]);
}

#[test]
fn a_limit_without_a_request_is_the_request() {
    let amounts = |cpu: &str, memory: &str| Amounts {
        cpu: cpu.parse().ok(),
        memory: memory.parse().ok(),
        ..Amounts::default()
    };
    let spec = Spec::of(&amounts("", "64Mi"), &amounts("1", "64Mi"));
    assert_eq!(spec.cpu_request, Some(Nanocores(1_000_000_000)));
    assert!(spec.is_guaranteed());
    assert!(!Spec::of(&amounts("1", "64Mi"), &amounts("1", "65Mi")).is_guaranteed());
    assert!(!Spec::of(&amounts("1", "64Mi"), &amounts("", "")).is_guaranteed());
}

#[test]
fn growth_in_a_short_run_is_no_leak() {
    let grows = |minutes: i64, started: i64| {
        let quarters = [(100, 110), (120, 130), (140, 150), (160, 170)];
        let stats = Statistics {
            memory_quarters: quarters.map(|(min, max)| MemoryRange { min, max }).to_vec(),
            ..stats((60 - minutes, 60), 240, [1; 5])
        };
        let mut pod = pod(1, "1", Some(stats));
        pod.containers[0].state = ContainerState {
            state: "Running".to_owned(),
            since: Some(Timestamp::from_secs(started * 60)),
            ..ContainerState::default()
        };
        collected(&[pod]).growth.is_some()
    };
    assert!(grows(60, 0) && grows(60, 30) && grows(30, 0));
    assert!(!grows(60, 31) && !grows(29, 0));
}

#[test]
fn a_leak_is_growth_and_noise_or_a_step_is_not() {
    for (quarters, grows, why) in [
        (
            [(100, 110), (120, 130), (140, 150), (160, 170)],
            true,
            "a leak",
        ),
        (
            [(100, 130), (110, 140), (121, 150), (131, 160)],
            true,
            "a slow leak beside noise",
        ),
        (
            [(100, 130), (110, 140), (120, 150), (130, 160)],
            false,
            "no more than the noise",
        ),
        (
            [(200, 201), (205, 206), (210, 211), (219, 220)],
            false,
            "too little to matter",
        ),
        (
            [(100, 110), (100, 110), (100, 110), (100, 110)],
            false,
            "constant",
        ),
        (
            [(100, 110), (170, 180), (170, 180), (170, 180)],
            false,
            "one step",
        ),
        (
            [(100, 110), (160, 180), (185, 190), (190, 194)],
            false,
            "a cache that becomes full",
        ),
        (
            [(100, 110), (140, 190), (130, 170), (150, 200)],
            false,
            "up and down",
        ),
        (
            [(160, 170), (140, 150), (120, 130), (100, 110)],
            false,
            "less and less",
        ),
    ] {
        let quarters = quarters.map(|(min, max)| MemoryRange { min, max });
        assert_eq!(growth(&quarters).is_some(), grows, "{why}");
    }
    assert_eq!(growth(&[]), None);
}
