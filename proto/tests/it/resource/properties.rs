//! Any body is decoded as by the plainest means.

use super::decoded;
use crate::fixtures::{self, bytes};
use kubevitals_proto::exposition::lines::Scanner;
use kubevitals_proto::kubelet::resource::{ContainerKey, Reading, ResourceScrape};
use kubevitals_proto::time::Timestamp;
use proptest::prelude::*;
use std::collections::BTreeMap;

/// The same by the plainest means: every line tokenized, everything in a map.
pub(super) fn plainly(body: &[u8]) -> ResourceScrape<'_> {
    let mut scrape = ResourceScrape::default();
    let mut containers = BTreeMap::<ContainerKey<'_>, Reading>::new();
    for line in Scanner::new(body) {
        let mut bad = || {
            scrape.skipped_lines += 1;
            scrape.first_bad_line.get_or_insert(line.text);
        };
        let Some(sample) = line.sample else {
            bad();
            continue;
        };
        let name = std::str::from_utf8(sample.name).unwrap();
        if name.ends_with("scrape_error") {
            scrape.scrape_error |= sample.value != 0.0;
            scrape.series += 1;
            continue;
        }
        let of_pod = name == "pod_swap_usage_bytes";
        let prefixes = [("node_", true), ("container_", false), ("pod_", false)];
        let Some((of_node, field)) = prefixes
            .iter()
            .find_map(|(prefix, node)| Some((*node, name.strip_prefix(prefix)?)))
            .filter(|_| of_pod || !name.starts_with("pod_"))
        else {
            continue;
        };
        let at = sample.timestamp_ms.map(Timestamp::from_millis);
        let nanos = sample.value * 1e9;
        let possible = match field {
            "cpu_usage_seconds_total" => (0.0..2_f64.powi(64)).contains(&nanos),
            "memory_working_set_bytes" | "swap_usage_bytes" => {
                (0.0..2_f64.powi(64)).contains(&sample.value)
            }
            "start_time_seconds" => (0.0..2_f64.powi(63)).contains(&nanos),
            _ => continue,
        };
        let mut key = ContainerKey::default();
        let labels: Vec<_> = sample.labels.iter_raw().collect();
        for (label, value) in labels {
            let value = std::str::from_utf8(value).unwrap_or("\\");
            match label {
                b"namespace" => key.namespace = value,
                b"pod" => key.pod = value,
                b"container" => key.container = value,
                _ => {}
            }
        }
        let names = [key.namespace, key.pod, key.container];
        let required = if of_pod { &names[..2] } else { &names };
        let named = of_node
            || (required.iter().all(|name| !name.is_empty())
                && names.iter().all(|name| !name.contains('\\')));
        let timely = sample
            .timestamp_ms
            .is_none_or(|ms| (0..=i64::MAX / 1_000_000).contains(&ms));
        if !possible || !named || !timely {
            bad();
            continue;
        }
        if of_pod {
            if sample.value as u64 > 0 {
                let swap = (key.namespace, key.pod, sample.value as u64);
                scrape.pod_swap.push(swap);
                scrape.series += 1;
            }
            continue;
        }
        let reading = if of_node {
            &mut scrape.node
        } else {
            containers.entry(key).or_default()
        };
        match field {
            "cpu_usage_seconds_total" => (reading.cpu_ns, reading.at) = (Some(nanos as u64), at),
            "memory_working_set_bytes" => {
                (reading.memory, reading.at) = (Some(sample.value as u64), at)
            }
            "swap_usage_bytes" => reading.swap = Some(sample.value as u64),
            _ => reading.start = Some(nanos as i64),
        }
        scrape.series += 1;
    }
    scrape.containers = containers.into_iter().collect();
    scrape
        .pod_swap
        .sort_by_key(|(namespace, pod, _)| (*namespace, *pod));
    scrape
}

/// Without duplicates and impossible lines.
fn plain(scrape: ResourceScrape<'_>) -> ResourceScrape<'_> {
    ResourceScrape {
        duplicates: Vec::new(),
        flawed: Vec::new(),
        node_flawed: false,
        ..scrape
    }
}

#[test]
fn every_fixture_is_read_as_by_the_plainest_means() {
    let mut seen = 0;
    for folder in std::fs::read_dir(fixtures::path("scenarios")).unwrap() {
        let folder = folder.unwrap().path();
        let Ok(steps) = std::fs::read_dir(&folder) else {
            continue;
        };
        for step in steps {
            let body = std::fs::read(step.unwrap().path()).unwrap();
            assert_eq!(decoded(&body), plainly(&body), "{}", folder.display());
            seen += 1;
        }
    }
    assert!(seen > 100);
}

/// Lines as a kubelet might write them, in an order it never would, with a few that are broken.
fn lines() -> impl Strategy<Value = String> {
    let name = prop_oneof![
        4 => Just("container_cpu_usage_seconds_total"),
        4 => Just("container_memory_working_set_bytes"),
        2 => Just("container_start_time_seconds"),
        1 => Just("container_swap_usage_bytes"),
        1 => Just("pod_swap_usage_bytes"),
        1 => Just("node_cpu_usage_seconds_total"),
        1 => Just("scrape_error"),
    ];
    let labels = prop_oneof![
        8 => "\\{container=\"[a-d]\",namespace=\"[mn]\",pod=\"[p-s]\"\\}",
        1 => "\\{container=\"[a-d]\",namespace=\"[mn]\n?\",pod=\"[p-s]\"\\}",
        1 => "\\{pod=\"[p-s]\",container=\"[a-d]\", namespace=\"[mn]\"\\}",
        1 => "[{]?[a-z=\",\\\\]{0,12}[}]?",
    ];
    let value = prop_oneof![6 => "[0-9]{1,9}(\\.[0-9]{1,9})?", 1 => "[-+.0-9eEInfNa]{0,6}"];
    let time = prop_oneof![4 => " 17[0-9]{11}", 2 => Just(String::new()), 1 => " [-0-9.x]{0,4}"];
    let end = prop_oneof![8 => Just("\n"), 1 => Just("\r\n"), 1 => Just(" \n\n")];
    (name, labels, value, time, end)
        .prop_map(|(name, labels, value, time, end)| format!("{name}{labels} {value}{time}{end}"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn any_order_of_lines_is_read_as_by_the_plainest_means(lines in prop::collection::vec(lines(), 0..60)) {
        let body = lines.concat();
        prop_assert_eq!(plain(decoded(body.as_bytes())), plainly(body.as_bytes()));
    }

    #[test]
    fn no_bytes_make_it_panic(body in prop::collection::vec(any::<u8>(), 0..400)) {
        decoded(&body);
    }

    #[test]
    fn no_damage_to_a_real_body_makes_it_panic(at in 0_usize..9746, byte: u8, cut in 0_usize..9746) {
        let mut body = bytes("kubelet-1.36/metrics-resource.txt");
        body[at] = byte;
        body.truncate(cut.max(100));
        decoded(&body);
    }
}
