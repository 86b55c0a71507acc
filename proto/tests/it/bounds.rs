//! What a kubelet's answer may hold at most: elements of lists, and the lengths of names.

use kubevitals_proto::kubelet::names::{LONGEST_CONTAINER, LONGEST_NAMESPACE, LONGEST_POD};
use kubevitals_proto::kubelet::summary::{Extras, MAX_ELEMENTS, Summary, SummaryError};
use kubevitals_proto::kubelet::{probes, resource};

/// `element` so many times, between `before` and `after`.
fn repeated(before: &str, element: &str, count: usize, after: &str) -> Vec<u8> {
    format!("{before}{}{after}", vec![element; count].join(",")).into_bytes()
}

fn is_refused<T>(result: Result<T, SummaryError>) -> bool {
    match result {
        Ok(_) => false,
        Err(SummaryError::TooMany) => true,
        Err(SummaryError::Malformed(error)) => panic!("{error}"),
    }
}

#[test]
fn the_elements_of_a_summary_are_bounded_in_all() {
    let half = MAX_ELEMENTS / 2;
    let lists = repeated(r#"{"containers":["#, "{}", half, r#"],"volume":[{},{}]}"#);
    let lists = String::from_utf8(lists).unwrap();
    // What the whole summary is refused for, and whether its smaller reading, which skips the lists of pods, is too.
    let cases = [
        (
            "pods",
            repeated(r#"{"pods":["#, "{}", MAX_ELEMENTS + 1, "]}"),
            true,
        ),
        (
            "pods as lists",
            repeated(r#"{"pods":["#, "[]", MAX_ELEMENTS + 1, "]}"),
            true,
        ),
        (
            "a million pods",
            repeated(r#"{"pods":["#, "{}", 1_000_000, "]}"),
            true,
        ),
        (
            "containers of one pod",
            repeated(r#"{"pods":[{"containers":["#, "{}", MAX_ELEMENTS, "]}]}"),
            false,
        ),
        (
            "volumes of one pod",
            repeated(r#"{"pods":[{"volume":["#, "{}", MAX_ELEMENTS, "]}]}"),
            false,
        ),
        (
            "interfaces of one pod",
            repeated(
                r#"{"pods":[{"network":{"interfaces":["#,
                "{}",
                MAX_ELEMENTS,
                "]}}]}",
            ),
            false,
        ),
        (
            "containers of pods together",
            repeated(r#"{"pods":["#, &lists, 2, "]}"),
            false,
        ),
        (
            "system containers",
            repeated(
                r#"{"node":{"systemContainers":["#,
                "{}",
                MAX_ELEMENTS + 1,
                "]}}",
            ),
            false,
        ),
        (
            "interfaces of the node",
            repeated(
                r#"{"node":{"network":{"interfaces":["#,
                "{}",
                MAX_ELEMENTS + 1,
                "]}}}",
            ),
            false,
        ),
        (
            "of the node and of pods together",
            repeated(
                &format!(
                    r#"{{"node":{{"systemContainers":[{}]}},"pods":["#,
                    vec!["{}"; half].join(",")
                ),
                "{}",
                half + 1,
                "]}",
            ),
            false,
        ),
    ];
    for (what, body, both) in cases {
        assert!(is_refused(Summary::parse(&body)), "{what}");
        assert_eq!(is_refused(Extras::parse(&body)), both, "{what}");
    }
}

#[test]
fn as_many_as_may_be_are_read() {
    let body = repeated(r#"{"pods":["#, "{}", MAX_ELEMENTS, "]}");
    assert_eq!(Summary::parse(&body).unwrap().pods.len(), MAX_ELEMENTS);
    assert_eq!(Extras::parse(&body).unwrap().pods.len(), MAX_ELEMENTS);
    // Lists that nobody reads do not count.
    let body = repeated(
        r#"{"pods":[{"userDefinedMetrics":["#,
        "{}",
        2 * MAX_ELEMENTS,
        "]}]}",
    );
    assert_eq!(Summary::parse(&body).unwrap().pods.len(), 1);
    // Null, as Go writes a list that was never made.
    let body = br#"{"node":{"systemContainers":null},"pods":null}"#;
    assert_eq!(Summary::parse(body).unwrap(), Summary::default());
}

#[test]
fn what_is_nested_deeply_costs_no_stack_and_nothing_else() {
    for (open, close) in [("[", "]"), (r#"{"a":"#, "}")] {
        let depth = 100_000;
        let value = format!("{}1{}", open.repeat(depth), close.repeat(depth));
        for body in [
            format!(r#"{{"pods":[{{"cpu":{{"psi":{{"some":{{"total":{value}}}}}}}}}]}}"#),
            format!(r#"{{"node":{{"startTime":{value}}},"pods":[{{}}]}}"#),
            format!(r#"{{"other":{value},"pods":[{{}}]}}"#),
        ] {
            assert_eq!(Summary::parse(body.as_bytes()).unwrap().pods.len(), 1);
            assert_eq!(Extras::parse(body.as_bytes()).unwrap().pods.len(), 1);
        }
        // In the place of an object or of a list it is none.
        for body in [
            format!(r#"{{"pods":[{value}]}}"#),
            format!(r#"{{"node":{{"network":{value}}}}}"#),
            format!(r#"{{"pods":{}"#, open.repeat(depth)),
        ] {
            let (summary, extras) = (
                Summary::parse(body.as_bytes()),
                Extras::parse(body.as_bytes()),
            );
            assert!(summary.is_err() || extras.is_ok(), "{:.40}", body);
        }
    }
}

/// A line of each family for a container.
fn lines(namespace: &str, pod: &str, container: &str) -> String {
    let labels = format!("{{container=\"{container}\",namespace=\"{namespace}\",pod=\"{pod}\"}}");
    format!(
        "container_cpu_usage_seconds_total{labels} 1 1000\n\
         container_memory_working_set_bytes{labels} 1 1000\n\
         container_start_time_seconds{labels} 1\n"
    )
}

#[test]
fn names_that_kubernetes_does_not_allow_are_skipped_and_counted() {
    let of = |length: usize| "n".repeat(length);
    let cases = [
        (LONGEST_NAMESPACE, LONGEST_POD, LONGEST_CONTAINER, true),
        (LONGEST_NAMESPACE + 1, 5, 5, false),
        (5, LONGEST_POD + 1, 5, false),
        (5, 5, LONGEST_CONTAINER + 1, false),
        (5, 860, 5, false),
        (5, 5, 100_000, false),
        (0, 5, 5, false),
    ];
    for (namespace, pod, container, taken) in cases {
        let (namespace, pod, container) = (of(namespace), of(pod), of(container));
        // As kubelets write, and as nobody does; beside others, which are not concerned.
        let unusual = format!(
            "container_cpu_usage_seconds_total{{pod=\"{pod}\", namespace=\"{namespace}\",container=\"{container}\"}} 1 1000\n"
        );
        let odd = lines(&namespace, &pod, &container);
        let body = format!(
            "{}{odd}{unusual}{}",
            lines("a", "a", "a"),
            lines("b", "b", "b")
        );
        let mut scrape = resource::ResourceScrape::default();
        resource::decode(body.as_bytes(), &mut scrape);
        let (containers, skipped) = if taken { (3, 0) } else { (2, 4) };
        assert_eq!(scrape.containers.len(), containers, "{pod:.10}");
        assert_eq!(scrape.skipped_lines, skipped, "{pod:.10}");
        let of_probe = format!(
            "prober_probe_total{{container=\"{container}\",namespace=\"{namespace}\",pod=\"{pod}\",pod_uid=\"u\",probe_type=\"Liveness\",result=\"failed\"}} 1\n"
        );
        let scrape = probes::decode(of_probe.as_bytes());
        assert_eq!(scrape.probes.len(), usize::from(taken));
        assert_eq!(scrape.skipped_lines, u32::from(!taken));
    }
    let of_probe = format!(
        "prober_probe_total{{container=\"c\",namespace=\"n\",pod=\"p\",pod_uid=\"{}\",probe_type=\"Liveness\",result=\"failed\"}} 1\n",
        of(100)
    );
    assert_eq!(probes::decode(of_probe.as_bytes()).skipped_lines, 1);
}
