//! `/stats/summary` of real kubelets: new and old, Linux and Windows, full and in part.

use crate::fixtures::bytes;
use kubevitals_proto::kubelet::summary::{
    ContainerStats, Extras, PodStats, PressureStats, Summary,
};
use proptest::prelude::*;

fn summary(name: &str) -> Summary {
    Summary::parse(&bytes(name)).unwrap()
}

fn pod<'a>(summary: &'a Summary, name: &str) -> &'a PodStats {
    summary
        .pods
        .iter()
        .find(|pod| pod.pod_ref.name == name)
        .unwrap()
}

fn container<'a>(pod: &'a PodStats, name: &str) -> &'a ContainerStats {
    pod.containers
        .iter()
        .find(|container| container.name == name)
        .unwrap()
}

/// How many pods and containers there are, and how many of each reading.
fn told(summary: &Summary) -> String {
    let containers: Vec<_> = summary
        .pods
        .iter()
        .flat_map(|pod| &pod.containers)
        .collect();
    let count = |test: fn(&ContainerStats) -> bool| containers.iter().filter(|c| test(c)).count();
    let pods = |test: fn(&PodStats) -> bool| summary.pods.iter().filter(|pod| test(pod)).count();
    format!(
        "{} pods ({} with cpu, {} memory, {} network, {} ephemeral storage, {} volumes, {} process counts), \
         {} containers ({} with rate, {} counter, {} working set, {} start, {} rootfs, {} logs, {} swap, {} cpu pressure)",
        summary.pods.len(),
        pods(|pod| pod.cpu.is_some()),
        pods(|pod| pod.memory.is_some()),
        pods(|pod| pod.network.is_some()),
        pods(|pod| pod.ephemeral_storage.is_some()),
        summary
            .pods
            .iter()
            .map(|pod| pod.volumes.len())
            .sum::<usize>(),
        pods(|pod| pod
            .process_stats
            .as_ref()
            .is_some_and(|stats| stats.process_count.is_some())),
        containers.len(),
        count(|c| c
            .cpu
            .as_ref()
            .is_some_and(|cpu| cpu.usage_nano_cores.is_some())),
        count(|c| c
            .cpu
            .as_ref()
            .is_some_and(|cpu| cpu.usage_core_nano_seconds.is_some())),
        count(|c| c
            .memory
            .as_ref()
            .is_some_and(|memory| memory.working_set_bytes.is_some())),
        count(|c| c.start_time.is_some()),
        count(|c| c.rootfs.is_some()),
        count(|c| c.logs.is_some()),
        count(|c| c.swap.is_some()),
        count(|c| c.cpu.as_ref().is_some_and(|cpu| cpu.psi.is_some())),
    )
}

#[test]
fn every_kubelets_summary_is_read_whole() {
    let lines: Vec<String> = [
        "kubelet-1.36/stats-summary.json",
        "kubelet-1.36/stats-summary-cpu-and-memory.json",
        "kubelet-other/stats-summary-1.35.json",
        "kubelet-other/stats-summary-1.33.json",
        "kubelet-other/stats-summary-1.31.json",
        "kubelet-other/stats-summary-old.json",
        "kubelet-other/stats-summary-windows.json",
    ]
    .iter()
    .map(|name| format!("{name}: {}", told(&summary(name))))
    .collect();
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn a_summary_of_1_36_says_this() {
    let summary = summary("kubelet-1.36/stats-summary.json");
    insta::assert_debug_snapshot!("node", summary.node);
    insta::assert_debug_snapshot!("pod", pod(&summary, "notready"));
}

#[test]
fn a_windows_node_has_cpu_and_memory() {
    let summary = summary("kubelet-other/stats-summary-windows.json");
    assert_eq!(summary.node.node_name, "windows-1");
    assert_eq!(
        summary.node.cpu.unwrap().usage_nano_cores,
        Some(500_000_000)
    );
    assert_eq!(
        summary.node.memory.unwrap().working_set_bytes,
        Some(924_364_800)
    );
    assert!(summary.node.swap.is_none());
}

#[test]
fn only_cpu_and_memory_is_the_full_one_with_less() {
    let full = summary("kubelet-1.36/stats-summary.json");
    let part = summary("kubelet-1.36/stats-summary-cpu-and-memory.json");
    let names = |summary: &Summary| {
        let mut names: Vec<_> = summary
            .pods
            .iter()
            .map(|pod| pod.pod_ref.name.clone())
            .collect();
        names.sort();
        names
    };
    assert_eq!(names(&full), names(&part));
    let burn = pod(&part, "burner-7dc96bb78d-4mvjz");
    assert!(burn.network.is_none() && burn.volumes.is_empty());
    assert!(
        container(burn, "burn")
            .cpu
            .as_ref()
            .unwrap()
            .usage_nano_cores
            .is_some()
    );
}

#[test]
fn what_is_no_reading_is_absent_and_the_rest_is_read() {
    let body = br#"{"node":{"nodeName":"n","startTime":null,"cpu":{"time":"never","usageNanoCores":-5,"usageCoreNanoSeconds":1e3,"psi":{"full":{"total":-1,"avg10":null,"avg60":"x"}}},
        "memory":{"time":"2026-11-21T05:13:44Z","workingSetBytes":1.5,"rssBytes":"7","usageBytes":[1],"availableBytes":{"a":1},
        "pageFaults":true,"majorPageFaults":99999999999999999999999},"fs":null,"unknown":{"deep":[{}]}},"pods":null}"#;
    let node = Summary::parse(body).unwrap().node;
    let cpu = node.cpu.unwrap();
    assert_eq!(
        (cpu.time, cpu.usage_nano_cores, cpu.usage_core_nano_seconds),
        (None, None, Some(1000))
    );
    assert_eq!(cpu.psi, Some(PressureStats::default()));
    let memory = node.memory.unwrap();
    assert_eq!(
        memory.time.unwrap().to_rfc3339_seconds(),
        "2026-11-21T05:13:44Z"
    );
    assert_eq!(
        (
            memory.working_set_bytes,
            memory.rss_bytes,
            memory.usage_bytes
        ),
        (None, None, None)
    );
    assert_eq!(
        (
            memory.available_bytes,
            memory.page_faults,
            memory.major_page_faults
        ),
        (None, None, None)
    );
    assert_eq!((node.start_time, node.fs), (None, None));
    assert_eq!(Summary::parse(b"{}").unwrap(), Summary::default());
}

#[test]
fn what_is_no_summary_is_refused() {
    for body in [
        b"".as_slice(),
        b"<html>",
        b"[]",
        b"{\"node\":5}",
        b"{\"pods\":{}}",
        b"{\"node\":{",
        b"\xff",
    ] {
        assert!(
            Summary::parse(body).is_err(),
            "{}",
            String::from_utf8_lossy(body)
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_damage_makes_it_panic(at in 0_usize..36515, byte: u8, cut in 0_usize..36515) {
        let mut body = bytes("kubelet-1.36/stats-summary.json");
        body[at] = byte;
        let _ = Summary::parse(&body);
        let _ = Summary::parse(&body[..cut]);
    }
}

#[test]
fn the_smaller_reading_has_what_the_whole_one_has() {
    let mut pods = 0;
    for name in [
        "kubelet-1.36/stats-summary.json",
        "kubelet-1.36/stats-summary-cpu-and-memory.json",
        "kubelet-other/stats-summary-1.31.json",
        "kubelet-other/stats-summary-1.33.json",
        "kubelet-other/stats-summary-1.35.json",
        "kubelet-other/stats-summary-old.json",
        "kubelet-other/stats-summary-windows.json",
    ] {
        let body = bytes(name);
        let whole = Summary::parse(&body).unwrap();
        let extras = Extras::parse(&body).unwrap();
        assert_eq!(extras.node.fs, whole.node.fs, "{name}");
        assert_eq!(extras.node.runtime, whole.node.runtime, "{name}");
        assert_eq!(extras.node.swap, whole.node.swap, "{name}");
        assert_eq!(extras.node.rlimit, whole.node.rlimit, "{name}");
        assert_eq!(extras.pods.len(), whole.pods.len(), "{name}");
        for (extra, pod) in extras.pods.iter().zip(&whole.pods) {
            pods += 1;
            assert_eq!(
                (&*extra.pod_ref.namespace, &*extra.pod_ref.name),
                (&*pod.pod_ref.namespace, &*pod.pod_ref.name)
            );
            assert_eq!(extra.start_time, pod.start_time);
            assert_eq!(extra.process_stats, pod.process_stats);
            assert_eq!(
                extra.ephemeral_storage.map(|storage| storage.used_bytes),
                pod.ephemeral_storage
                    .as_ref()
                    .map(|storage| storage.used_bytes)
            );
            assert_eq!(
                extra
                    .network
                    .map(|net| (net.time, net.rx_bytes, net.tx_bytes)),
                pod.network
                    .as_ref()
                    .map(|net| (net.time, net.rx_bytes, net.tx_bytes))
            );
            let psi = pod.cpu.as_ref().and_then(|cpu| cpu.psi);
            assert_eq!(
                extra
                    .cpu
                    .and_then(|cpu| cpu.psi)
                    .map(|psi| (psi.some.total, psi.some.avg60)),
                psi.map(|psi| (psi.some.total, psi.some.avg60))
            );
        }
    }
    assert!(pods > 50, "only {pods} pods were compared");
}
