//! `/stats/summary` of real kubelets: new and old, Linux and Windows, full and in part.

use crate::fixtures::bytes;
use kubevitals_proto::kubelet::summary::{ContainerRates, Extras, PodExtras, Rates, Stalls};
use kubevitals_proto::time::Timestamp;
use proptest::prelude::*;
use serde_json::Value;

const PAGES: [&str; 7] = [
    "kubelet-1.36/stats-summary.json",
    "kubelet-1.36/stats-summary-cpu-and-memory.json",
    "kubelet-other/stats-summary-1.35.json",
    "kubelet-other/stats-summary-1.33.json",
    "kubelet-other/stats-summary-1.31.json",
    "kubelet-other/stats-summary-old.json",
    "kubelet-other/stats-summary-windows.json",
];

/// The number of pods and containers, and of each of their values.
fn counts(body: &[u8]) -> String {
    let (extras, rates) = (Extras::parse(body).unwrap(), Rates::parse(body).unwrap());
    let pods = |has: fn(&PodExtras<'_>) -> bool| extras.pods.iter().filter(|pod| has(pod)).count();
    let containers: Vec<_> = rates.pods.iter().flat_map(|pod| &pod.containers).collect();
    let with_rate = |container: &&&ContainerRates<'_>| {
        let cpu = container.cpu.as_ref();
        cpu.is_some_and(|cpu| cpu.usage_nano_cores.is_some())
    };
    format!(
        "{} pods ({} network, {} ephemeral storage, {} swap, {} process counts, {} cpu pressure), \
         {} containers ({} with rate, {} start)",
        extras.pods.len(),
        pods(|pod| pod.network.is_some()),
        pods(|pod| pod.ephemeral_storage.is_some()),
        pods(|pod| pod.swap.is_some()),
        pods(|pod| pod
            .process_stats
            .as_ref()
            .is_some_and(|it| it.process_count.is_some())),
        pods(|pod| pod.cpu.is_some_and(|cpu| cpu.psi.is_some())),
        containers.len(),
        containers.iter().filter(with_rate).count(),
        containers
            .iter()
            .filter(|it| it.start_time.is_some())
            .count(),
    )
}

#[test]
fn every_kubelets_summary_is_parsed() {
    let lines = PAGES.map(|name| format!("{name}: {}", counts(&bytes(name))));
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn a_summary_of_1_36_has_these_values() {
    let body = bytes(PAGES[0]);
    let (extras, rates) = (Extras::parse(&body).unwrap(), Rates::parse(&body).unwrap());
    insta::assert_debug_snapshot!("node", (extras.node, rates.node));
    let extra = extras
        .pods
        .iter()
        .find(|pod| pod.pod_ref.name == "notready");
    let rate = rates.pods.iter().find(|pod| pod.pod_ref.name == "notready");
    insta::assert_debug_snapshot!("pod", (extra.unwrap(), rate.unwrap()));
}

#[test]
fn a_windows_node_has_cpu() {
    let body = bytes("kubelet-other/stats-summary-windows.json");
    let cpu = Rates::parse(&body).unwrap().node.cpu.unwrap();
    assert_eq!(cpu.usage_nano_cores, Some(500_000_000));
    assert!(Extras::parse(&body).unwrap().node.swap.is_none());
}

/// With `only_cpu_and_memory=true` there are the same pods with the same rates, and nothing else.
#[test]
fn the_reduced_summary_is_a_subset_of_the_full_one() {
    let [full, part] = [bytes(PAGES[0]), bytes(PAGES[1])];
    let names = |body: &[u8]| {
        let rates = Rates::parse(body).unwrap();
        let names = rates.pods.iter().map(|pod| pod.pod_ref.name.to_string());
        let mut names: Vec<_> = names.collect();
        names.sort();
        names
    };
    assert_eq!(names(&full), names(&part));
    let name = "burner-7dc96bb78d-4mvjz";
    let rates = Rates::parse(&part).unwrap();
    let burner = rates
        .pods
        .iter()
        .find(|pod| pod.pod_ref.name == name)
        .unwrap();
    let burn = burner
        .containers
        .iter()
        .find(|it| it.name == "burn")
        .unwrap();
    assert!(burn.cpu.as_ref().unwrap().usage_nano_cores.is_some());
    let extras = Extras::parse(&part).unwrap();
    let burner = extras
        .pods
        .iter()
        .find(|pod| pod.pod_ref.name == name)
        .unwrap();
    assert!(burner.network.is_none() && burner.ephemeral_storage.is_none());
}

#[test]
fn an_impossible_value_is_absent_and_the_rest_is_parsed() {
    let body = br#"{"node":{"nodeName":"n","startTime":null,"cpu":{"time":"never","usageNanoCores":-5,"psi":{"full":{"total":-1,"avg10":null,"avg60":"x"}}},
        "swap":{"swapAvailableBytes":1.5,"swapUsageBytes":1e3},"network":{"time":"2026-11-21T05:13:44Z","rxBytes":"7","txBytes":[1]},
        "fs":{"availableBytes":{"a":1},"usedBytes":true,"inodes":99999999999999999999999},"rlimit":null,"unknown":{"deep":[{}]}},
        "pods":[{"podRef":{"name":"a"},"startTime":7,"containers":[{"startTime":[1],"cpu":{"usageNanoCores":12}}]}]}"#;
    let rates = Rates::parse(body).unwrap();
    let cpu = rates.node.cpu.unwrap();
    assert_eq!((cpu.time, cpu.usage_nano_cores), (None, None));
    let container = &rates.pods[0].containers[0];
    assert_eq!(container.start_time, None);
    assert_eq!(container.cpu.as_ref().unwrap().usage_nano_cores, Some(12));
    let Extras { node, pods } = Extras::parse(body).unwrap();
    assert_eq!(node.cpu.unwrap().psi, Some(Stalls::default()));
    let swap = node.swap.unwrap();
    assert_eq!(
        (swap.swap_available_bytes, swap.swap_usage_bytes),
        (None, Some(1000))
    );
    let network = node.network.unwrap();
    assert_eq!(network.time, "2026-11-21T05:13:44Z".parse().ok());
    assert_eq!((network.rx_bytes, network.tx_bytes), (None, None));
    let fs = node.fs.unwrap();
    assert_eq!(
        (fs.available_bytes, fs.used_bytes, fs.inodes),
        (None, None, None)
    );
    assert_eq!(node.rlimit, None);
    assert_eq!((&*pods[0].pod_ref.name, pods[0].start_time), ("a", None));
    assert_eq!(Rates::parse(b"{}").unwrap(), Rates::default());
    assert_eq!(Extras::parse(b"{}").unwrap(), Extras::default());
}

#[test]
fn a_body_that_is_no_summary_is_refused() {
    for body in [
        b"".as_slice(),
        b"<html>",
        b"[]",
        b"{\"node\":5}",
        b"{\"pods\":{}}",
        b"{\"node\":{",
        b"\xff",
    ] {
        let text = String::from_utf8_lossy(body);
        assert!(Rates::parse(body).is_err(), "{text}");
        assert!(Extras::parse(body).is_err(), "{text}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_damage_makes_it_panic(at in 0_usize..36515, byte: u8, cut in 0_usize..36515) {
        let mut body = bytes("kubelet-1.36/stats-summary.json");
        body[at] = byte;
        for body in [&body[..], &body[..cut]] {
            let _ = (Rates::parse(body), Extras::parse(body));
        }
    }
}

/// Every value is the one of the page's JSON.
#[test]
fn the_values_are_those_of_the_page() {
    fn time(value: &Value) -> Option<Timestamp> {
        value.as_str()?.parse().ok()
    }
    let (mut count, mut claims) = (0, 0);
    for name in PAGES {
        let body = bytes(name);
        let page: Value = serde_json::from_slice(&body).unwrap();
        let (extras, rates) = (Extras::parse(&body).unwrap(), Rates::parse(&body).unwrap());
        let node = &page["node"];
        let rate = rates.node.cpu.and_then(|cpu| cpu.usage_nano_cores);
        assert_eq!(rate, node["cpu"]["usageNanoCores"].as_u64(), "{name}");
        let image_fs = extras.node.runtime.and_then(|runtime| runtime.image_fs);
        for (fs, expected) in [
            (extras.node.fs, &node["fs"]),
            (image_fs, &node["runtime"]["imageFs"]),
        ] {
            let fs = fs.unwrap_or_default();
            assert_eq!(
                fs.available_bytes,
                expected["availableBytes"].as_u64(),
                "{name}"
            );
            assert_eq!(
                fs.capacity_bytes,
                expected["capacityBytes"].as_u64(),
                "{name}"
            );
            assert_eq!(fs.used_bytes, expected["usedBytes"].as_u64(), "{name}");
            assert_eq!(fs.inodes, expected["inodes"].as_u64(), "{name}");
        }
        let swap = extras.node.swap.unwrap_or_default();
        assert_eq!(
            swap.swap_available_bytes,
            node["swap"]["swapAvailableBytes"].as_u64(),
            "{name}"
        );
        assert_eq!(
            swap.swap_usage_bytes,
            node["swap"]["swapUsageBytes"].as_u64(),
            "{name}"
        );
        let processes = extras.node.rlimit.and_then(|rlimit| rlimit.curproc);
        assert_eq!(processes, node["rlimit"]["curproc"].as_u64(), "{name}");
        let pods = page["pods"].as_array().unwrap();
        assert_eq!(
            (extras.pods.len(), rates.pods.len()),
            (pods.len(), pods.len()),
            "{name}"
        );
        for ((extra, rates), pod) in extras.pods.iter().zip(&rates.pods).zip(pods) {
            count += 1;
            assert_eq!(extra.pod_ref, rates.pod_ref);
            assert_eq!(
                extra.pod_ref.namespace,
                pod["podRef"]["namespace"].as_str().unwrap()
            );
            assert_eq!(extra.pod_ref.name, pod["podRef"]["name"].as_str().unwrap());
            assert_eq!(extra.start_time, time(&pod["startTime"]));
            let processes = extra.process_stats.as_ref().and_then(|it| it.process_count);
            assert_eq!(processes, pod["process_stats"]["process_count"].as_u64());
            let used = extra
                .ephemeral_storage
                .and_then(|storage| storage.used_bytes);
            assert_eq!(used, pod["ephemeral-storage"]["usedBytes"].as_u64());
            let network = extra.network.unwrap_or_default();
            assert_eq!(network.time, time(&pod["network"]["time"]));
            assert_eq!(network.rx_bytes, pod["network"]["rxBytes"].as_u64());
            assert_eq!(network.tx_bytes, pod["network"]["txBytes"].as_u64());
            let volumes = pod["volume"].as_array().into_iter().flatten();
            let claimed: Vec<&Value> = volumes.filter(|it| it["pvcRef"].is_object()).collect();
            assert_eq!(extra.volumes.len(), claimed.len());
            for (volume, expected) in extra.volumes.iter().zip(claimed) {
                claims += 1;
                let claim = volume.pvc_ref.clone().unwrap();
                assert_eq!(claim.name, expected["pvcRef"]["name"].as_str().unwrap());
                assert_eq!(
                    claim.namespace,
                    expected["pvcRef"]["namespace"].as_str().unwrap()
                );
                assert_eq!(volume.time, time(&expected["time"]));
                for (value, member) in [
                    (volume.capacity_bytes, "capacityBytes"),
                    (volume.available_bytes, "availableBytes"),
                    (volume.used_bytes, "usedBytes"),
                    (volume.inodes, "inodes"),
                    (volume.inodes_used, "inodesUsed"),
                ] {
                    assert_eq!(value, expected[member].as_u64(), "{member}");
                }
            }
            let some = extra.cpu.and_then(|cpu| cpu.psi).unwrap_or_default().some;
            let expected = &pod["cpu"]["psi"]["some"];
            assert_eq!(some.total, expected["total"].as_u64());
            assert_eq!(some.avg60, expected["avg60"].as_f64().unwrap_or_default());
            let containers = pod["containers"].as_array().unwrap();
            assert_eq!(rates.containers.len(), containers.len());
            for (container, expected) in rates.containers.iter().zip(containers) {
                assert_eq!(container.name, expected["name"].as_str().unwrap());
                assert_eq!(container.start_time, time(&expected["startTime"]));
                let cpu = container.cpu.clone().unwrap_or_default();
                assert_eq!(cpu.time, time(&expected["cpu"]["time"]));
                assert_eq!(
                    cpu.usage_nano_cores,
                    expected["cpu"]["usageNanoCores"].as_u64()
                );
            }
        }
    }
    assert!(count > 50, "only {count} pods were compared");
    assert_eq!(claims, 1);
}
