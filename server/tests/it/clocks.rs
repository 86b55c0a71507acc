//! Kubelets whose figures or clocks are wrong: what is answered is right or absent, and the past is asked for in our time.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use kubevitals_proto::quantity::Quantity;
use kubevitals_proto::time::Timestamp;
use kubevitals_sim::{Config, Faults, Kill, Replay, SimClock};
use serde_json::Value;

use crate::harness::{Harness, RESOLUTION};

const METRICS: &str = "/apis/metrics.k8s.io/v1beta1";
const VITALS: &str = "/apis/kubevitals.io/v1alpha1";
const EPOCH: i64 = 1_800_000_000;
const TURNS: i64 = 9;

/// Two samples of container `a` and of the node, with one core each: its CPU in seconds, its memory, its time in
/// milliseconds.
fn page(pod: &str, samples: &[(f64, u64, i64)]) -> String {
    let labels = format!("{{container=\"a\",namespace=\"scn\",pod=\"{pod}\"}}");
    let mut page = String::new();
    for (cpu, _, at) in samples {
        writeln!(page, "container_cpu_usage_seconds_total{labels} {cpu} {at}").unwrap();
    }
    for (_, memory, at) in samples {
        writeln!(
            page,
            "container_memory_working_set_bytes{labels} {memory} {at}"
        )
        .unwrap();
    }
    writeln!(page, "container_start_time_seconds{labels} 1799000000").unwrap();
    let (cpu, _, at) = samples[0];
    writeln!(page, "node_cpu_usage_seconds_total {} {at}", cpu % 10_000.0).unwrap();
    writeln!(page, "node_memory_working_set_bytes 4000000000 {at}").unwrap();
    page + "resource_scrape_error 0\n"
}

/// Writes a scenario for the replay: what the kubelet of `scn-NUMBER` answers, turn by turn.
fn scenario(folder: &Path, number: &str, page: impl Fn(i64) -> String) {
    let folder = folder.join(format!("{number}-scenario"));
    std::fs::create_dir(&folder).unwrap();
    for turn in 1..=TURNS {
        std::fs::write(folder.join(format!("{turn}.txt")), page(turn)).unwrap();
    }
}

/// When a turn's sample is made, in milliseconds.
fn at(turn: i64) -> i64 {
    EPOCH * 1000 + (turn - 1) * 15_000
}

/// One core, by a clock that is off by so many milliseconds.
fn steady(pod: &str, turn: i64, off: i64) -> String {
    page(
        pod,
        &[(1000.0 + turn as f64 * 15.0, 7_000_000, at(turn) + off)],
    )
}

/// Millicores and bytes of the only container, if the pod is answered.
async fn used(harness: &Harness, pod: &str) -> Option<(u64, u64)> {
    let (status, body) = harness
        .get(&format!("{METRICS}/namespaces/scn/pods/{pod}"))
        .await;
    let answer: Value = serde_json::from_slice(&body).unwrap();
    (status == 200).then(|| {
        let quantity = |name: &str| -> Quantity {
            let text = answer["containers"][0]["usage"][name].as_str().unwrap();
            text.parse().unwrap()
        };
        (
            quantity("cpu").to_nanocores().0 / 1_000_000,
            quantity("memory").to_bytes().0,
        )
    })
}

async fn reason(harness: &Harness, pod: &str) -> String {
    let why = harness
        .json(&format!("{METRICS}/namespaces/scn/pods/{pod}/why"))
        .await;
    why["reason"].as_str().unwrap().to_owned()
}

async fn counted(harness: &Harness, family: &str) -> u64 {
    let (_, body) = harness.get("/metrics").await;
    let page = String::from_utf8(body).unwrap();
    let line = page.lines().find(|line| line.starts_with(family));
    let value = line.unwrap_or_else(|| panic!("no {family}"));
    value.rsplit_once(' ').unwrap().1.parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn values_are_right_or_absent_for_any_kubelet_output() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    // A cgroup of an earlier pod: half a core each, the two change places in every other answer.
    scenario(path, "31", |turn| {
        let grown = turn as f64 * 7.5;
        let mut copies = [
            (130_000.5 + grown, 5_690_000_000),
            (100_000.5 + grown, 3_310_000_000),
        ];
        copies.rotate_left(turn as usize % 2);
        let [(cpu, memory), (other_cpu, other_memory)] = copies;
        page(
            "p31",
            &[
                (cpu, memory, at(turn)),
                (other_cpu, other_memory, at(turn) + 121),
            ],
        )
    });
    // The same with equal times: nobody knows which memory is whose.
    scenario(path, "32", |turn| {
        let grown = turn as f64 * 7.5;
        page(
            "p32",
            &[
                (130_000.5 + grown, 5_690_000_000, at(turn)),
                (100_000.5 + grown, 3_310_000_000, at(turn)),
            ],
        )
    });
    // Clocks that are set before the third or a later answer.
    let steps = [
        ("33", 3, -44_900),
        ("34", 3, -44_000),
        ("35", 4, -31_000),
        ("36", 5, -14_500),
        ("37", 5, 30_000),
        ("38", 5, -3_600_000),
        ("39", 5, 3_600_000),
    ];
    for (number, from, step) in steps {
        scenario(path, number, |turn| {
            steady(
                &format!("p{number}"),
                turn,
                if turn < from { 0 } else { step },
            )
        });
    }
    // A counter that jumps beyond what eight cores do, once.
    scenario(path, "40", |turn| {
        let jump = if turn >= 5 { 30_000.0 } else { 0.0 };
        let cpu = 1000.0 + turn as f64 * 15.0;
        page("p40", &[(cpu + jump, 7_000_000, at(turn))]).replace(
            &format!("node_cpu_usage_seconds_total {}", (cpu + jump) % 10_000.0),
            &format!("node_cpu_usage_seconds_total {cpu}"),
        )
    });
    // A body that was cut within its last value.
    scenario(path, "41", |turn| {
        let page = steady("p41", turn, 0);
        match turn {
            5 => {
                let lines: Vec<&str> = page.lines().collect();
                let (memory, rest): (Vec<&str>, Vec<&str>) = lines
                    .into_iter()
                    .partition(|line| line.contains("container_memory"));
                let cut = &memory[0][..memory[0].find("7000000").unwrap() + 3];
                format!("{}\n{cut}", rest.join("\n"))
            }
            _ => page,
        }
    });
    let harness = Harness::start(Config {
        replay: Some(Replay::from_dir(path).unwrap()),
        clock: Some(SimClock::manual(Timestamp::from_secs(EPOCH))),
        ..Config::default()
    })
    .await;
    let nodes = harness.cluster.node_names().len() as u64;
    let mut memory = None;
    for turn in 1..=TURNS {
        match turn {
            1 => harness.first_step(nodes).await,
            _ => harness.step(nodes).await,
        }
        if turn == 1 {
            continue;
        }
        let (cpu, bytes) = used(&harness, "p31")
            .await
            .expect("one of them is followed");
        assert!((490..=510).contains(&cpu), "{turn}: {cpu}");
        assert_eq!(*memory.get_or_insert(bytes), bytes, "{turn}");
        assert_eq!(used(&harness, "p32").await, None);
        assert_eq!(reason(&harness, "p32").await, "duplicate");
        for (number, from, step) in steps {
            let found = used(&harness, &format!("p{number}")).await;
            let right = found == Some((1000, 7_000_000)) || turn == from && found.is_none();
            assert!(right, "{step} ms, {turn}: {found:?}");
        }
        let jumped = used(&harness, "p40").await;
        if turn == 5 {
            assert_eq!(reason(&harness, "p40").await, "impossible");
            assert_eq!(used(&harness, "p41").await, None);
        } else {
            assert_eq!(jumped, Some((1000, 7_000_000)), "{turn}");
            let whole = used(&harness, "p41").await;
            assert_eq!(whole, Some((1000, 7_000_000)), "{turn}");
        }
    }
    assert_eq!(
        counted(&harness, "kubevitals_node_clock_steps_total").await,
        steps.len() as u64
    );
    assert_eq!(
        counted(&harness, "kubevitals_scrape_duplicate_series_total").await,
        2 * TURNS as u64
    );
    assert_eq!(
        counted(&harness, "kubevitals_scrape_skipped_lines_total").await,
        1
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn history_of_a_node_with_a_wrong_clock_uses_the_servers_time() {
    const NODES: u64 = 3;
    let hour = Duration::from_secs(3600);
    for kill in [Kill::ClockBehind(hour), Kill::ClockAhead(hour)] {
        let config = Config {
            nodes: NODES as u32,
            pods_per_node: 4,
            faults: Faults::None,
            clock: Some(SimClock::manual(Timestamp::from_secs(EPOCH))),
            ..Config::default()
        };
        let harness = Harness::start(config).await;
        harness.first_step(NODES).await;
        let sick = harness.cluster.node_names()[0].clone();
        for _ in 0..8 {
            harness.step(NODES).await;
        }
        let path = |at: &str| format!("{VITALS}/nodevitals/{sick}?at={at}");
        let cpu = |node: &Value| node["usage"]["cpu"].clone();
        let before = cpu(&harness.json(&path("-1m")).await);
        assert!(before.is_string(), "{before}");

        // It is set wrong; what was before is still there, and has not moved.
        assert!(harness.cluster.kill_kubelet(&sick, kill));
        for _ in 0..8 {
            harness.step(NODES).await;
        }
        assert!(
            cpu(&harness.json(&path("-3m")).await).is_string(),
            "{kill:?}"
        );
        assert!(
            cpu(&harness.json(&path("-1m")).await).is_string(),
            "{kill:?}"
        );
        is_recent(&harness).await;
        remembers(&harness, &sick).await;

        // And it is set right again.
        harness.cluster.heal_kubelet(&sick);
        for _ in 0..4 {
            harness.step(NODES).await;
        }
        assert!(
            cpu(&harness.json(&path("-4m")).await).is_string(),
            "{kill:?}"
        );
        assert!(
            cpu(&harness.json(&path("-90s")).await).is_string(),
            "{kill:?}"
        );
        is_recent(&harness).await;
        remembers(&harness, &sick).await;
    }
}

/// How fresh the cluster's usage is is told by our clock.
async fn is_recent(harness: &Harness) {
    let cluster = harness
        .json(&format!("{VITALS}/clustervitals/cluster"))
        .await;
    let time = |text: &Value| -> Timestamp { text.as_str().unwrap().parse().unwrap() };
    let age = harness
        .clock
        .now()
        .since(time(&cluster["usage"]["timestamp"]));
    assert!((0..=RESOLUTION.as_nanos() as i64).contains(&age), "{age}");
    let oldest = harness
        .clock
        .now()
        .since(time(&cluster["history"]["oldest"]));
    assert!((0..=600_000_000_000).contains(&oldest), "{oldest}");
}

/// The node's history has points in each of the last three minutes but for the scrape that a step costs.
async fn remembers(harness: &Harness, node: &str) {
    let path = format!("{VITALS}/nodevitals/{node}/history?since=3m&step=1m");
    let history = harness.json(&path).await;
    let points = history["total"]["points"].as_array().unwrap();
    assert!(
        points.iter().filter(|point| !point.is_null()).count() >= 3,
        "{history}"
    );
}
