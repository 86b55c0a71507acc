//! What a kubelet's answer may hold at most: elements of lists, and the lengths of names.

use kubevitals_proto::kubelet::names::{LONGEST_CONTAINER, LONGEST_NAMESPACE, LONGEST_POD};
use kubevitals_proto::kubelet::summary::{Extras, MAX_ELEMENTS, Rates, SummaryError};
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
    let half = repeated(r#"{"containers":["#, "{}", MAX_ELEMENTS / 2, "]}");
    let half = String::from_utf8(half).unwrap();
    // Whether the body has too many elements for the rates and for the extras. Neither has the lists that it skips.
    let cases = [
        (r#"{"pods":["#, "{}", MAX_ELEMENTS + 1, "]}", (true, true)),
        (r#"{"pods":["#, "[]", MAX_ELEMENTS + 1, "]}", (true, true)),
        (r#"{"pods":["#, "{}", 1_000_000, "]}", (true, true)),
        (
            r#"{"pods":[{"containers":["#,
            "{}",
            MAX_ELEMENTS,
            "]}]}",
            (true, false),
        ),
        (r#"{"pods":["#, &half, 2, "]}", (true, false)),
        (
            r#"{"pods":[{"volume":["#,
            "{}",
            MAX_ELEMENTS,
            "]}]}",
            (false, false),
        ),
        (
            r#"{"pods":[{"volume":["#,
            r#"{"pvcRef":{}}"#,
            MAX_ELEMENTS,
            "]}]}",
            (false, true),
        ),
        (
            r#"{"pods":[{"network":{"interfaces":["#,
            "{}",
            MAX_ELEMENTS,
            "]}}]}",
            (false, false),
        ),
        (
            r#"{"node":{"systemContainers":["#,
            "{}",
            MAX_ELEMENTS + 1,
            "]}}",
            (false, false),
        ),
        (
            r#"{"node":{"network":{"interfaces":["#,
            "{}",
            MAX_ELEMENTS + 1,
            "]}}}",
            (false, false),
        ),
    ];
    for (before, element, count, after, expected) in cases {
        let body = repeated(before, element, count, after);
        let refused = (
            is_refused(Rates::parse(&body)),
            is_refused(Extras::parse(&body)),
        );
        assert_eq!(refused, expected, "{before}");
    }
}

#[test]
fn exactly_the_maximum_of_elements_is_read() {
    let body = repeated(r#"{"pods":["#, "{}", MAX_ELEMENTS, "]}");
    assert_eq!(Rates::parse(&body).unwrap().pods.len(), MAX_ELEMENTS);
    assert_eq!(Extras::parse(&body).unwrap().pods.len(), MAX_ELEMENTS);
    // Lists that nobody reads do not count.
    let body = repeated(
        r#"{"pods":[{"userDefinedMetrics":["#,
        "{}",
        2 * MAX_ELEMENTS,
        "]}]}",
    );
    assert_eq!(Rates::parse(&body).unwrap().pods.len(), 1);
    // Null, as Go writes a list that was never made.
    let body = br#"{"node":{"systemContainers":null},"pods":null}"#;
    assert_eq!(Rates::parse(body).unwrap(), Rates::default());
    assert_eq!(Extras::parse(body).unwrap(), Extras::default());
}

#[test]
fn deep_nesting_uses_no_stack() {
    for (open, close) in [("[", "]"), (r#"{"a":"#, "}")] {
        let depth = 100_000;
        let value = format!("{}1{}", open.repeat(depth), close.repeat(depth));
        for body in [
            format!(r#"{{"pods":[{{"cpu":{{"psi":{{"some":{{"total":{value}}}}}}}}}]}}"#),
            format!(r#"{{"node":{{"startTime":{value}}},"pods":[{{}}]}}"#),
            format!(r#"{{"other":{value},"pods":[{{}}]}}"#),
        ] {
            assert_eq!(Rates::parse(body.as_bytes()).unwrap().pods.len(), 1);
            assert_eq!(Extras::parse(body.as_bytes()).unwrap().pods.len(), 1);
        }
        // In the place of an object or of a list it is none.
        for body in [
            format!(r#"{{"pods":[{value}]}}"#),
            format!(r#"{{"node":{value}}}"#),
            format!(r#"{{"pods":{}"#, open.repeat(depth)),
        ] {
            // The parsers return; whether they refuse it depends on the fields that each reads.
            let (rates, extras) = (
                Rates::parse(body.as_bytes()),
                Extras::parse(body.as_bytes()),
            );
            assert_eq!(rates.is_err(), extras.is_err(), "{:.40}", body);
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
