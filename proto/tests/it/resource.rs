//! `/metrics/resource` of real kubelets, and of ones that misbehave.

use crate::fixtures::{self, bytes};
use kubevitals_proto::kubelet::exposition::{Scanner, parse_sample};
use kubevitals_proto::kubelet::resource::{
    ContainerKey, DecodeLimits, Reading, ResourceScrape, decode, decode_limited,
};
use kubevitals_proto::time::Timestamp;
use proptest::prelude::*;
use std::collections::BTreeMap;

fn decoded(body: &[u8]) -> ResourceScrape<'_> {
    let mut scrape = ResourceScrape::default();
    decode(body, &mut scrape);
    scrape
}

fn of<'a>(scrape: &ResourceScrape<'a>, namespace: &str, pod: &str, container: &str) -> Reading {
    let key = ContainerKey {
        namespace,
        pod,
        container,
    };
    scrape
        .containers
        .iter()
        .find(|(other, _)| *other == key)
        .unwrap_or_else(|| panic!("no {key:?}"))
        .1
}

/// The same by the plainest means: every line tokenized, everything in a map.
fn plainly(body: &[u8]) -> ResourceScrape<'_> {
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

/// Without what is told of duplicates and of lines that cannot be.
fn plain(scrape: ResourceScrape<'_>) -> ResourceScrape<'_> {
    ResourceScrape {
        duplicates: Vec::new(),
        flawed: Vec::new(),
        node_flawed: false,
        ..scrape
    }
}

#[test]
fn a_kubelet_1_36_is_read_whole() {
    let body = bytes("kubelet-1.36/metrics-resource.txt");
    let scrape = decoded(&body);
    assert_eq!(
        (
            scrape.skipped_lines,
            scrape.first_bad_line,
            scrape.truncated
        ),
        (0, None, false)
    );
    assert!(!scrape.scrape_error);
    assert_eq!(scrape.containers.len(), 11);
    assert_eq!(
        scrape.series,
        4 * 11 + 3 + 2,
        "it has both names of scrape_error"
    );
    assert_eq!(
        scrape.node,
        Reading {
            cpu_ns: Some(1_617_892_872_369),
            memory: Some(4_126_081_024),
            start: None,
            swap: Some(0),
            at: Some(Timestamp::from_millis(1_795_237_984_413)),
        }
    );
    assert_eq!(
        of(&scrape, "default", "notready", "sidecar"),
        Reading {
            cpu_ns: Some(15_157_956),
            memory: Some(229_376),
            start: Some(1_795_237_882_908_524_800),
            swap: Some(0),
            at: Some(Timestamp::from_millis(1_795_237_965_715)),
        }
    );
    assert!(scrape.containers.is_sorted_by_key(|(key, _)| *key));
}

#[test]
fn a_kubelet_1_21_is_read_whole() {
    let body = bytes("kubelet-other/metrics-resource-kind-1.21.txt");
    let scrape = decoded(&body);
    assert_eq!(scrape.skipped_lines, 0);
    assert!(!scrape.scrape_error);
    let etcd = of(&scrape, "kube-system", "etcd-e2e-control-plane", "etcd");
    assert_eq!(etcd.cpu_ns, Some(31_349_402_000));
    assert_eq!(etcd.at, Some(Timestamp::from_millis(1_633_253_814_387)));
    assert_eq!(scrape, plainly(&body));
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

#[test]
fn a_garbled_line_is_skipped_counted_and_shown() {
    let body = bytes("scenarios/11-bad-line/4.txt");
    let scrape = decoded(&body);
    assert_eq!(scrape.skipped_lines, 1);
    assert_eq!(scrape.first_bad_line, Some(b"garbage{ 1 2 3".as_slice()));
    assert_eq!(of(&scrape, "scn", "p11", "a").cpu_ns, Some(14_500_000_000));
}

#[test]
fn a_collection_error_is_told() {
    assert!(decoded(b"resource_scrape_error 1\n").scrape_error);
    assert!(decoded(b"scrape_error 1\n").scrape_error);
    assert!(!decoded(b"scrape_error 0\n").scrape_error);
}

/// One container's lines, with `cpu` standing for the rest of its CPU line.
fn one(cpu: &str) -> String {
    format!("container_cpu_usage_seconds_total{{container=\"c\",namespace=\"n\",pod=\"p\"}}{cpu}")
}

#[test]
fn forms_a_line_may_have() {
    for (line, cpu_ns, at) in [
        (" 1.5 1000\n", 1_500_000_000, Some(1000)),
        (" 1.5 1000\r\n", 1_500_000_000, Some(1000)),
        (" 1.5 1000  \t\n", 1_500_000_000, Some(1000)),
        ("\t1.5\t1000\n", 1_500_000_000, Some(1000)),
        ("1.5\n", 1_500_000_000, None),
        (" 1.5\n# EOF\n", 1_500_000_000, None),
        (" 15e-1\n", 1_500_000_000, None),
        (" 1.7391616E+07 0\n", 17_391_616_000_000_000, Some(0)),
        (" +2\n", 2_000_000_000, None),
        (" 0\n", 0, None),
        (" 0.0000000019\n", 1, None),
    ] {
        let body = one(line);
        let scrape = decoded(body.as_bytes());
        assert_eq!(scrape.skipped_lines, 0, "{line:?}");
        let reading = of(&scrape, "n", "p", "c");
        assert_eq!(
            (reading.cpu_ns, reading.at),
            (Some(cpu_ns), at.map(Timestamp::from_millis)),
            "{line:?}"
        );
    }
    for body in [
        "container_cpu_usage_seconds_total{pod=\"p\",container=\"c\",namespace=\"n\"} 1 5\n",
        "container_cpu_usage_seconds_total { pod = \"p\" , container = \"c\" , namespace = \"n\" , } 1 5\n",
        "  container_cpu_usage_seconds_total{container=\"c\",id=\"a\\\"}\\\\\",namespace=\"n\",pod=\"p\"} 1 5\n",
    ] {
        let scrape = decoded(body.as_bytes());
        assert_eq!(scrape.skipped_lines, 0, "{body}");
        assert_eq!(
            of(&scrape, "n", "p", "c").cpu_ns,
            Some(1_000_000_000),
            "{body}"
        );
    }
}

#[test]
fn what_no_reading_can_be_is_a_bad_line() {
    for line in [
        " NaN\n",
        " +Inf\n",
        " -Inf\n",
        " -1\n",
        " -1e-9\n",
        " 1e30\n",
        " 1 -5\n",
        " 1 9223372036854775807\n",
        " 1 5.5\n",
        " 1 5 7\n",
        " 1 x\n",
        " x\n",
        "\n",
        " \n",
        "{} 1\n",
        " 0x10\n",
    ] {
        let body = one(line);
        let scrape = decoded(body.as_bytes());
        assert_eq!(
            (scrape.skipped_lines, scrape.containers.len()),
            (1, 0),
            "{line:?}"
        );
        assert_eq!(
            scrape.first_bad_line,
            Some(body.trim_ascii().as_bytes()),
            "{line:?}"
        );
    }
    for body in [
        "container_cpu_usage_seconds_total 1\n",
        "container_cpu_usage_seconds_total{} 1\n",
        "container_cpu_usage_seconds_total{container=\"c\",namespace=\"n\"} 1\n",
        "container_cpu_usage_seconds_total{container=\"c\",namespace=\"n\",pod=\"p 1\n",
        "container_cpu_usage_seconds_total{container=\"c\",namespace=\"n\",pod=\"p\" 1\n",
        "container_cpu_usage_seconds_total{container=\"c\" namespace=\"n\",pod=\"p\"} 1\n",
        "container_cpu_usage_seconds_total{container=\"\",namespace=\"n\",pod=\"p\"} 1\n",
        "container_cpu_usage_seconds_total{container=\"c\\n\",namespace=\"n\",pod=\"p\"} 1\n",
        "1container 5\n",
        "{} 5\n",
        "<html>\n",
    ] {
        let scrape = decoded(body.as_bytes());
        assert_eq!(
            (scrape.skipped_lines, scrape.containers.len()),
            (1, 0),
            "{body:?}"
        );
    }
    let invalid =
        b"container_cpu_usage_seconds_total{container=\"\xff\",namespace=\"n\",pod=\"p\"} 1\n";
    assert_eq!(decoded(invalid).skipped_lines, 1);
}

#[test]
fn the_last_line_of_a_reading_holds_and_tells_the_time() {
    let label = "{container=\"c\",namespace=\"n\",pod=\"p\"}";
    let body = format!(
        "container_cpu_usage_seconds_total{label} 1 1000\n\
         container_cpu_usage_seconds_total{label} 2 2000\n\
         container_memory_working_set_bytes{label} 5 4000\n\
         container_memory_working_set_bytes{label} 6 3000\n\
         container_start_time_seconds{label} 7 9000\n"
    );
    let scrape = decoded(body.as_bytes());
    assert_eq!(
        of(&scrape, "n", "p", "c"),
        Reading {
            cpu_ns: Some(2_000_000_000),
            memory: Some(6),
            start: Some(7_000_000_000),
            swap: None,
            at: Some(Timestamp::from_millis(3000)),
        }
    );
    let body = format!("{body}container_cpu_usage_seconds_total{label} 3\n");
    assert_eq!(of(&decoded(body.as_bytes()), "n", "p", "c").at, None);
}

#[test]
fn families_that_are_not_needed_are_not_looked_at() {
    let body = "# TYPE other counter\nother{ broken\nother 1 2 3 4\n\
                # TYPE histo histogram\nhisto_bucket{ broken\nhisto_sum broken\nhisto_count broken\n\
                node_cpu_usage_seconds_total 5 1000\nother{ broken\nnode_memory_working_set_bytes 7\n";
    let scrape = decoded(body.as_bytes());
    assert_eq!(
        (scrape.skipped_lines, scrape.series),
        (1, 2),
        "histo took other's place"
    );
    assert_eq!(
        (scrape.node.cpu_ns, scrape.node.memory),
        (Some(5_000_000_000), Some(7))
    );
    // A needed family may begin with the name of one that is not.
    let body = "# TYPE node counter\nnode 1\n# TYPE node_cpu untyped\nnode_cpu 1\nnode_cpu_usage_seconds_total 5\n";
    assert_eq!(decoded(body.as_bytes()).node.cpu_ns, Some(5_000_000_000));
}

#[test]
fn too_many_containers_are_left_out_and_told() {
    let mut body = String::new();
    for family in [
        "container_cpu_usage_seconds_total",
        "container_memory_working_set_bytes",
    ] {
        for n in 0..100 {
            body += &format!("{family}{{container=\"c{n}\",namespace=\"n\",pod=\"p\"}} 1 1000\n");
        }
    }
    body += "node_cpu_usage_seconds_total 5\n";
    let mut scrape = ResourceScrape::default();
    decode_limited(
        body.as_bytes(),
        DecodeLimits { max_series: 10 },
        &mut scrape,
    );
    assert!(scrape.truncated);
    assert_eq!(scrape.containers.len(), 10);
    assert!(
        scrape
            .containers
            .iter()
            .all(|(_, reading)| reading.memory == Some(1))
    );
    assert_eq!(
        scrape.node.cpu_ns,
        Some(5_000_000_000),
        "the rest is read on"
    );
    decode_limited(
        body.as_bytes(),
        DecodeLimits { max_series: 100 },
        &mut scrape,
    );
    assert!(!scrape.truncated);
    assert_eq!(scrape.containers.len(), 100);
}

#[test]
fn swap_of_a_pod_as_a_whole_is_read_in_every_spelling() {
    let line = |namespace: &str, pod: &str, rest: &str| {
        format!("pod_swap_usage_bytes{{namespace=\"{namespace}\",pod=\"{pod}\"}} {rest}\n")
    };
    let body = [
        line("b", "float", "1.024e+06 1795237984413"),
        line("a", "whole", "1024000"),
        line("a", "point", "1024000.0 1795237984413"),
        line("a", "none", "0 1795237984413"),
        line("a", "twice", "1"),
        line("a", "twice", "2"),
        line("a", "bad", "-1"),
        line("a", "bad", "much"),
        line("a", "", "3"),
    ]
    .concat();
    let scrape = decoded(body.as_bytes());
    for (namespace, pod, bytes) in [
        ("b", "float", 1_024_000),
        ("a", "whole", 1_024_000),
        ("a", "point", 1_024_000),
        ("a", "none", 0),
        ("a", "twice", 2),
        ("a", "bad", 0),
        ("b", "whole", 0),
    ] {
        assert_eq!(scrape.swap_of(namespace, pod), bytes, "{namespace}/{pod}");
    }
    assert_eq!((scrape.skipped_lines, scrape.series), (3, 5));
    let mut few = ResourceScrape::default();
    decode_limited(body.as_bytes(), DecodeLimits { max_series: 2 }, &mut few);
    assert!(few.truncated && few.pod_swap.len() == 2);
}

#[test]
fn a_name_ends_on_its_line() {
    let metric = "container_cpu_usage_seconds_total";
    let body = format!(
        "{metric}{{container=\"a\",namespace=\"n\",pod=\"p\"}} 1\n\
         {metric}{{container=\"b\",namespace=\"n\nn\",pod=\"p\"}} 1\n"
    );
    let scrape = decoded(body.as_bytes());
    // What is torn is two lines, and neither is one.
    assert_eq!((scrape.containers.len(), scrape.skipped_lines), (1, 2));
}

#[test]
fn a_scrape_keeps_its_memory_for_the_next() {
    let first = bytes("kubelet-1.36/metrics-resource.txt");
    let mut scrape = decoded(&first);
    let capacity = scrape.containers.capacity();
    decode(b"scrape_error 1\n", &mut scrape);
    assert_eq!(
        (scrape.containers.len(), scrape.containers.capacity()),
        (0, capacity)
    );
}

#[test]
fn a_last_line_without_an_end_is_no_sample_wherever_it_was_cut() {
    let body = bytes("kubelet-1.36/metrics-resource.txt");
    let whole = decoded(&body);
    for cut in 1..body.len() {
        let rest = &body[..cut];
        let scrape = decoded(rest);
        let is_cut = !rest.ends_with(b"\n");
        assert_eq!(scrape.skipped_lines, u32::from(is_cut), "{cut}");
        assert_eq!(scrape.first_bad_line.is_some(), is_cut, "{cut}");
        // Nothing is told that the whole body does not tell.
        for (key, reading) in &scrape.containers {
            let of_whole = of(&whole, key.namespace, key.pod, key.container);
            assert!(
                reading
                    .cpu_ns
                    .is_none_or(|cpu| Some(cpu) == of_whole.cpu_ns)
            );
            assert!(reading.memory.is_none_or(|it| Some(it) == of_whole.memory));
            assert!(reading.start.is_none_or(|it| Some(it) == of_whole.start));
            assert!(reading.swap.is_none_or(|it| Some(it) == of_whole.swap));
        }
    }
    for (end, skipped) in [
        ("\n# EOF", 0),
        ("\n  ", 0),
        ("\r\n", 0),
        ("\n# TYPE node_", 1),
        ("\nother 1", 1),
        ("\nnode_memory_working_set_bytes 100", 1),
        ("\nnode_memory_working_set_bytes 100 1795237984413", 1),
        ("\nnode_memory_working_set_bytes 100\r", 1),
        ("\nnode_memory_work", 1),
        ("\ncontainer_memory_working_set_bytes{container=\"a", 1),
    ] {
        let body = format!("# TYPE other gauge\nother 1\nnode_cpu_usage_seconds_total 5 1000{end}");
        let scrape = decoded(body.as_bytes());
        assert_eq!(scrape.skipped_lines, skipped, "{end:?}");
        assert_eq!(scrape.node.cpu_ns, Some(5_000_000_000), "{end:?}");
        assert_eq!(scrape.node.memory, None, "{end:?}");
    }
}

#[test]
fn names_may_be_quoted() {
    let body = "# TYPE \"other.metric\" gauge\n\
        {\"other.metric\",label=\"x\"} 1\n\
        {\"another \\\"metric\\\"\", \"quoted.label\" = \"}\" , } 1 1000\n\
        {\"name.alone\"} 1\n\
        name{\"quoted.label\"=\"v\",plain=\"w\"} 1\n\
        {label=\"x\",\"name.last\"} 1\n\
        {\"container_cpu_usage_seconds_total\",container=\"c\",namespace=\"n\",pod=\"p\"} 1.5 1000\n\
        {\"container_cpu_usage_seconds_total\",container=\"d\",namespace=\"n\",pod=\"p\"} 2.5 1000\n\
        container_memory_working_set_bytes{\"container\"=\"c\",\"namespace\"=\"n\",\"pod\"=\"p\"} 7 1000\n\
        container_memory_working_set_bytes{container=\"d\",namespace=\"n\",pod=\"p\"} 8 1000\n\
        {\"node_cpu_usage_seconds_total\"} 3 1000\n";
    let scrape = decoded(body.as_bytes());
    assert_eq!(scrape.skipped_lines, 0, "{scrape:?}");
    assert_eq!(scrape.containers.len(), 2);
    for (container, cpu, memory) in [("c", 1_500_000_000, 7), ("d", 2_500_000_000, 8)] {
        let reading = of(&scrape, "n", "p", container);
        assert_eq!((reading.cpu_ns, reading.memory), (Some(cpu), Some(memory)));
    }
    assert_eq!(scrape.node.cpu_ns, Some(3_000_000_000));

    let sample = parse_sample(br#"{"a.b","l\"."="v\n","m"="w"} 2"#).unwrap();
    assert_eq!(sample.name, b"a.b");
    let labels: Vec<_> = sample.labels.iter().collect();
    assert_eq!(
        labels,
        [("l\".".into(), "v\n".into()), ("m".into(), "w".into())]
    );

    for bad in [
        "{\"a\",\"b\"} 1\n",
        "a{\"b\"} 1\n",
        "{\"\"} 1\n",
        "{\"a} 1\n",
        "{\"a\" 1\n",
        "{\"a\" \"b\"} 1\n",
        "{\"a\"=} 1\n",
        "{x=\"y\"} 1\n",
        "\"a\" 1\n",
    ] {
        assert_eq!(decoded(bad.as_bytes()).skipped_lines, 1, "{bad:?}");
    }
}

/// Lines of one family, each of container `c` unless it says `node`: value and milliseconds.
fn family(name: &str, lines: &[(&str, Option<i64>)]) -> String {
    let labels = match name.strip_prefix("node") {
        Some(_) => "",
        None => "{container=\"c\",namespace=\"n\",pod=\"p\"}",
    };
    let line = |(value, at): &(&str, Option<i64>)| match at {
        Some(at) => format!("{name}{labels} {value} {at}\n"),
        None => format!("{name}{labels} {value}\n"),
    };
    lines.iter().map(line).collect()
}

type Lines<'a> = &'a [(&'a str, Option<i64>)];

/// CPU seconds and bytes of the candidates of the only duplicate, which must be container `c`; nothing if there is none.
fn candidates(cpu: Lines<'_>, memory: Lines<'_>) -> Option<Vec<(u64, u64)>> {
    let body = format!(
        "{}{}",
        family("container_cpu_usage_seconds_total", cpu),
        family("container_memory_working_set_bytes", memory)
    );
    let scrape = decoded(body.as_bytes());
    assert!(scrape.duplicates.len() <= 1);
    let duplicate = scrape.duplicates.first()?;
    assert_eq!(duplicate.key.unwrap().container, "c");
    let each = duplicate.candidates.iter();
    Some(
        each.map(|it| (it.cpu_ns.unwrap() / 1_000_000_000, it.memory.unwrap()))
            .collect(),
    )
}

#[test]
fn of_a_container_that_is_told_twice_cpu_goes_with_the_memory_of_the_same_time() {
    let both = Some(vec![(130, 57), (100, 33)]);
    let cpu: Lines<'_> = &[("130", Some(841)), ("100", Some(962))];
    let reversed: Lines<'_> = &[("100", Some(962)), ("130", Some(841))];
    for (cpu, memory) in [
        (cpu, [("57", Some(841)), ("33", Some(962))]),
        (cpu, [("33", Some(962)), ("57", Some(841))]),
        (reversed, [("57", Some(841)), ("33", Some(962))]),
        (reversed, [("33", Some(962)), ("57", Some(841))]),
        // A runtime that stamps them apart.
        (cpu, [("57", Some(843)), ("33", Some(960))]),
    ] {
        assert_eq!(candidates(cpu, &memory), both);
    }
    // What is told twice alike is told once, and of what differs nowhere nothing is said.
    let again = [cpu, cpu, reversed].concat();
    assert_eq!(
        candidates(
            &again,
            &[("57", Some(841)), ("33", Some(962)), ("57", Some(841))]
        ),
        both
    );
    assert_eq!(
        candidates(&cpu[..1].repeat(3), &[("57", Some(841)); 2]),
        None
    );
}

#[test]
fn what_a_leaked_cgroup_makes_a_kubelet_print_is_told_apart() {
    // The two change places from one scrape to the next.
    for (page, pairs) in [
        (
            "1",
            [
                (130_000_500_000_000, 56_900_000_000),
                (100_000_500_000_000, 33_100_000_000),
            ],
        ),
        (
            "2",
            [
                (100_008_000_000_000, 33_100_000_000),
                (130_008_000_000_000, 56_900_000_000),
            ],
        ),
    ] {
        let body = bytes(&format!("duplicate-series/{page}.txt"));
        let scrape = decoded(&body);
        assert_eq!((scrape.skipped_lines, scrape.containers.len()), (0, 2));
        assert_eq!(scrape.duplicates.len(), 1);
        assert_eq!(scrape.duplicates[0].key.unwrap().pod, "db-0");
        let candidates = scrape.duplicates[0].candidates.iter();
        let told: Vec<_> = candidates
            .map(|it| (it.cpu_ns.unwrap(), it.memory.unwrap()))
            .collect();
        assert_eq!(told, pairs);
    }
}

#[test]
fn copies_that_cannot_be_told_apart_are_no_candidates() {
    let cpu: Lines<'_> = &[("130", Some(841)), ("100", Some(962))];
    type Case<'a> = (Lines<'a>, Lines<'a>, Vec<(u64, u64)>);
    let cases: [Case<'_>; 8] = [
        // Equal times, or none.
        (
            &[("130", Some(5)), ("100", Some(5))],
            &[("57", Some(5)), ("33", Some(5))],
            vec![],
        ),
        (
            &[("130", None), ("100", None)],
            &[("57", None), ("33", None)],
            vec![],
        ),
        // Only one of the two is told twice.
        (cpu, &[("57", Some(841))], vec![(130, 57)]),
        (cpu, &[("57", Some(900))], vec![]),
        (
            &[("100", Some(962))],
            &[("57", Some(841)), ("33", Some(962))],
            vec![(100, 33)],
        ),
        (
            &[("100", Some(900))],
            &[("57", Some(841)), ("33", Some(962))],
            vec![],
        ),
        // Times that are as far from their own as from the other.
        (cpu, &[("57", Some(905)), ("33", Some(1030))], vec![]),
        // Three copies.
        (
            &[("3", Some(30)), ("1", Some(10)), ("2", Some(20))],
            &[("100", Some(10)), ("200", Some(20)), ("300", Some(30))],
            vec![(1, 100), (2, 200), (3, 300)],
        ),
    ];
    for (cpu, memory, expected) in cases {
        assert_eq!(
            candidates(cpu, memory),
            Some(expected),
            "{cpu:?} {memory:?}"
        );
    }
}

#[test]
fn a_start_or_the_node_told_twice_is_a_duplicate_too() {
    let whole = family("container_cpu_usage_seconds_total", &[("5", Some(9))])
        + &family("container_memory_working_set_bytes", &[("6", Some(9))]);
    let body = whole + &family("container_start_time_seconds", &[("1", None), ("2", None)]);
    let scrape = decoded(body.as_bytes());
    let candidates = &scrape.duplicates[0].candidates;
    assert_eq!(candidates.len(), 1);
    assert_eq!((candidates[0].start, candidates[0].memory), (None, Some(6)));

    let body = family(
        "node_cpu_usage_seconds_total",
        &[("5", Some(9)), ("4", Some(8))],
    ) + &family(
        "node_memory_working_set_bytes",
        &[("50", Some(9)), ("40", Some(8))],
    );
    let scrape = decoded(body.as_bytes());
    assert_eq!(scrape.duplicates[0].key, None);
    let told: Vec<_> = scrape.duplicates[0]
        .candidates
        .iter()
        .map(|it| it.memory)
        .collect();
    assert_eq!(told, [Some(40), Some(50)]);
}

#[test]
fn however_much_is_told_twice_little_is_kept_of_it() {
    let mut body = String::new();
    for copy in 0..40 {
        for n in 0..2000 {
            body += &format!(
                "container_cpu_usage_seconds_total{{container=\"c{n}\",namespace=\"n\",pod=\"p\"}} {copy} {copy}\n"
            );
        }
    }
    let scrape = decoded(body.as_bytes());
    assert_eq!(scrape.duplicates.len(), 2000);
    let candidates = scrape.duplicates.iter().map(|it| it.candidates.len());
    assert_eq!(candidates.sum::<usize>(), 0);
}

#[test]
fn whose_line_cannot_be_is_told() {
    let key = |container| ContainerKey {
        namespace: "n",
        pod: "p",
        container,
    };
    for bad in [
        "container_cpu_usage_seconds_total{container=\"c\",namespace=\"n\",pod=\"p\"} 1 -62135596800000\n",
        "container_memory_working_set_bytes{container=\"c\",namespace=\"n\",pod=\"p\"} -1 5\n",
        "container_start_time_seconds{container=\"c\",namespace=\"n\",pod=\"p\"} -6.7e+09\n",
        "{\"container_swap_usage_bytes\",pod=\"p\",container=\"c\",namespace=\"n\"} NaN\n",
    ] {
        let body = bad.repeat(2);
        let scrape = decoded(body.as_bytes());
        assert_eq!(scrape.flawed, [key("c")], "{bad}");
        assert!(scrape.containers.is_empty() && !scrape.node_flawed);
    }
    assert!(decoded(b"node_cpu_usage_seconds_total -5\n").node_flawed);
    let clean = bytes("kubelet-1.36/metrics-resource.txt");
    assert!(decoded(&clean).flawed.is_empty() && decoded(&clean).duplicates.is_empty());
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
