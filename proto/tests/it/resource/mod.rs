//! `/metrics/resource` of real kubelets, and of ones that misbehave.

mod duplicates;
mod properties;

use crate::fixtures::bytes;
use kubevitals_proto::exposition::lines::parse_sample;
use kubevitals_proto::kubelet::resource::{
    ContainerKey, DecodeLimits, Reading, ResourceScrape, decode, decode_limited,
};
use kubevitals_proto::time::Timestamp;
use properties::plainly;

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
fn a_garbled_line_is_skipped_counted_and_reported() {
    let body = bytes("scenarios/11-bad-line/4.txt");
    let scrape = decoded(&body);
    assert_eq!(scrape.skipped_lines, 1);
    assert_eq!(scrape.first_bad_line, Some(b"garbage{ 1 2 3".as_slice()));
    assert_eq!(of(&scrape, "scn", "p11", "a").cpu_ns, Some(14_500_000_000));
}

#[test]
fn a_collection_error_is_reported() {
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
fn an_impossible_value_is_a_bad_line() {
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
fn the_last_line_of_a_reading_counts_and_has_the_time() {
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
fn families_that_are_not_needed_are_skipped() {
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
fn too_many_containers_are_dropped_and_reported() {
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
fn a_scrape_reuses_its_memory() {
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
        // A cut body has no values that the whole body does not have.
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

#[test]
fn the_container_of_an_impossible_line_is_reported() {
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
