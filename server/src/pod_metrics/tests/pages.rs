//! What pages become, and what is read from them.

use serde_json::json;

use super::*;

fn web(names: &[&str]) -> World {
    let world = World::new(Settings::default());
    world.add("shop/web", json!({}));
    world.asks("shop", names);
    world
}

#[test]
fn only_what_somebody_asks_for_is_kept() {
    let world = web(&["queue_length"]);
    let page = "# TYPE queue_length gauge\nqueue_length{q=\"a\"} 3\nqueue_length{q=\"b\"} 4\n# TYPE other gauge\nother 9\n";
    assert_eq!(world.scrape("shop/web", page), Vec::<String>::new());
    assert_eq!(world.value("shop/web", "queue_length"), 7.0);
    assert_eq!(
        world.read("shop/web", "queue_length", "q=b").unwrap().value,
        4.0
    );
    assert_eq!(
        world.read("shop/web", "queue_length", "q=c"),
        Err(Absence::NoSeries)
    );
    assert_eq!(world.store.names(), [Arc::from("queue_length")]);
    // The first request for a name makes the next scrape keep it.
    assert_eq!(world.read("shop/web", "other", ""), Err(Absence::NotKept));
    world.asks("shop", &["queue_length"]);
    world.scrape("shop/web", page);
    assert_eq!(world.value("shop/web", "other"), 9.0);
    assert_eq!(world.read("shop/none", "other", ""), Err(Absence::NoTarget));
}

#[test]
fn a_counter_is_a_rate_also_over_a_reset() {
    let world = web(&["hits_per_second", "hits_total", "free_per_second"]);
    let page = |hits: f64| {
        format!("# TYPE hits_total counter\nhits_total {hits}\n# TYPE free gauge\nfree 1\n")
    };
    world.scrape("shop/web", &page(100.0));
    assert_eq!(
        world.read("shop/web", "hits_total", ""),
        Err(Absence::OneSample)
    );
    for hits in [130.0, 10.0, 40.0] {
        world.clock.pass(15 * SECOND);
        world.scrape("shop/web", &page(hits));
    }
    let rate = world.read("shop/web", "hits_per_second", "").unwrap();
    assert_eq!((rate.value, rate.window), (70.0 / 45.0, Some(45 * SECOND)));
    assert_eq!(world.value("shop/web", "hits_total"), rate.value);
    let error = world.read("shop/web", "free_per_second", "").unwrap_err();
    assert_eq!(error.to_string(), "a gauge has no rate");
}

#[test]
fn a_histogram_has_quantiles_a_rate_and_a_mean() {
    let world = web(&["latency_p50"]);
    let page = |times: f64| {
        format!(
            "# TYPE latency histogram\nlatency_bucket{{le=\"0.1\"}} {}\nlatency_bucket{{le=\"0.2\"}} {}\n\
             latency_bucket{{le=\"+Inf\"}} {}\nlatency_sum {}\nlatency_count {}\n",
            10.0 * times,
            30.0 * times,
            40.0 * times,
            8.0 * times,
            40.0 * times
        )
    };
    world.scrapes("shop/web", &[&page(1.0), &page(2.0)]);
    let near = |name: &str, expected: f64| {
        let value = world.value("shop/web", name);
        assert!((value - expected).abs() < 1e-9, "{name}: {value}");
    };
    near("latency_p50", 0.15);
    near("latency_p95", 0.2);
    near("latency_mean", 0.2);
    near("latency_per_second", 40.0 / 15.0);
    world.clock.pass(15 * SECOND);
    for _ in 0..4 {
        world.scrape("shop/web", &page(2.0));
        world.clock.pass(15 * SECOND);
    }
    assert_eq!(
        world.read("shop/web", "latency_p50", ""),
        Err(Absence::NoObservations)
    );
    let names: Vec<_> = world
        .store
        .series(&key("shop/web"))
        .into_iter()
        .map(|it| it.name)
        .collect();
    assert_eq!(names, [Arc::from("latency_per_second")]);
}

#[test]
fn a_summary_has_its_own_quantiles() {
    let world = web(&["rpc_p50", "rpc_mean"]);
    let page = |times: f64| {
        format!(
            "# TYPE rpc summary\nrpc{{quantile=\"0.5\"}} 7\nrpc_sum {}\nrpc_count {}\n",
            30.0 * times,
            10.0 * times
        )
    };
    world.scrapes("shop/web", &[&page(1.0), &page(2.0)]);
    assert_eq!(world.value("shop/web", "rpc_p50"), 7.0);
    assert_eq!(world.value("shop/web", "rpc_mean"), 3.0);
    let error = world.read("shop/web", "rpc_p99", "").unwrap_err();
    assert_eq!(error.to_string(), "a summary has no such quantile");
}

#[test]
fn bad_samples_are_absent_counted_and_said() {
    for (page, expected) in [
        ("# TYPE a gauge\na NaN\n", "not_finite"),
        ("# TYPE a gauge\na +Inf\n", "not_finite"),
        ("# TYPE a counter\na -1\n", "negative"),
        ("# TYPE a gauge\na 1 1\n", "past"),
        ("# TYPE a gauge\na 1 9999999999999\n", "future"),
        (
            "# TYPE a gauge\na{x=\"\u{fffd}\"} 1\na{x=\"\u{fffd}\"} 2\n",
            "repeated",
        ),
    ] {
        let world = web(&["a"]);
        let problems = world.scrape("shop/web", page);
        assert!(
            problems.iter().any(|it| it.contains(expected)),
            "{page}: {problems:?}"
        );
        if expected != "repeated" {
            world.read("shop/web", "a", "").unwrap_err();
        } else {
            assert_eq!(
                world.value("shop/web", "a"),
                1.0,
                "the first of repeated series counts"
            );
        }
    }
}

#[test]
fn a_family_that_changes_its_type_starts_anew() {
    let world = web(&["a"]);
    world.scrape("shop/web", "# TYPE a counter\na 5\n");
    world.clock.pass(15 * SECOND);
    let problems = world.scrape("shop/web", "# TYPE a gauge\na 7\n");
    assert!(problems[0].contains("type_changed"), "{problems:?}");
    assert_eq!(world.value("shop/web", "a"), 7.0);
}

#[test]
fn old_values_and_vanished_series_are_absent() {
    let world = web(&["a"]);
    world.scrape("shop/web", "# TYPE a gauge\na{x=\"1\"} 1\na{x=\"2\"} 2\n");
    world.clock.pass(15 * SECOND);
    world.scrape("shop/web", "# TYPE a gauge\na{x=\"1\"} 1\n");
    assert_eq!(world.value("shop/web", "a"), 1.0);
    world.clock.pass(37 * SECOND);
    assert_eq!(world.value("shop/web", "a"), 1.0);
    world.clock.pass(SECOND);
    assert!(matches!(
        world.read("shop/web", "a", ""),
        Err(Absence::Stale(_))
    ));
    assert!(world.store.names().is_empty());
    world.scrape("shop/web", "other 1\n");
    assert_eq!(world.read("shop/web", "a", ""), Err(Absence::NoFamily));
}

#[test]
fn a_pod_and_a_namespace_cannot_take_more_than_their_limits() {
    let world = World::new(Settings::default());
    let config = config("limits: {series_per_pod: 5, series_per_namespace: 8}").unwrap();
    world.store.config.store(Arc::new(config));
    for pod in ["shop/one", "shop/two", "bank/one"] {
        world.add(pod, json!({}));
    }
    world.asks("shop", &["a"]);
    let page: String = (0..1000)
        .map(|number| format!("a{{n=\"{number:04}\"}} 1\n"))
        .collect();
    let problems = world.scrape("shop/one", &page);
    assert!(
        problems[0].contains("995 series not used: series_limit"),
        "{problems:?}"
    );
    let kept = |pod: &str| world.store.series(&key(pod)).len();
    assert_eq!(kept("shop/one"), 5);
    world.scrape("shop/two", &page);
    assert_eq!(kept("shop/two"), 3);
    world.clock.pass(15 * SECOND);
    world.scrape("shop/one", &page);
    assert_eq!(kept("shop/one"), 5, "what is there stays");
    // A sum of five is none of a thousand.
    for selector in ["", "n=0001"] {
        let read = world.read("shop/one", "a", selector);
        assert_eq!(read, Err(Absence::Limited), "{selector}");
    }
    world.clock.pass(15 * SECOND);
    world.scrape("shop/one", "a{n=\"0001\"} 2\n");
    assert_eq!(world.value("shop/one", "a"), 2.0);
    world.clock.pass(15 * SECOND);
    world.scrape("shop/one", &page);
    world.asks("bank", &["a"]);
    world.scrape("bank/one", &page);
    assert_eq!(kept("bank/one"), 5);
    assert_eq!(world.store.usage().series, 13);
    for pod in ["shop/one", "shop/two", "bank/one"] {
        world.store.remove(&key(pod));
    }
    assert_eq!(
        world.store.usage(),
        Default::default(),
        "nothing is left of pods that are gone"
    );
}

#[test]
fn a_namespace_may_use_a_quarter_of_the_memory() {
    let world = World::new(Settings {
        memory_limit: 40_000,
        ..Settings::default()
    });
    for number in 0..50 {
        world.add(&format!("shop/{number}"), json!({}));
    }
    world.add("bank/one", json!({}));
    let page: String = (0..20)
        .map(|number| format!("a{{n=\"{number:04}\"}} 1\n"))
        .collect();
    world.asks("shop", &["a"]);
    for number in 0..50 {
        world.scrape(&format!("shop/{number}"), &page);
    }
    assert!(
        world.store.usage().bytes < 40_000,
        "{:?}",
        world.store.usage()
    );
    world.asks("bank", &["a"]);
    world.scrape("bank/one", &page);
    assert_eq!(world.value("bank/one", "a"), 20.0);
}

#[test]
fn a_histogram_without_its_infinite_bucket_is_absent_and_said() {
    let world = web(&["a_p50"]);
    let page = "# TYPE a histogram\na_bucket{le=\"1\"} 1\na_sum 1\na_count 1\n";
    let problems = world.scrape("shop/web", page);
    assert_eq!(problems, ["1 histograms have no bucket le=\"+Inf\""]);
    assert_eq!(world.read("shop/web", "a_p50", ""), Err(Absence::NoFamily));
}

#[test]
fn of_a_million_series_the_first_are_read() {
    let page: String = (0..1_000_000)
        .map(|number| format!("a{{n=\"{number}\"}} 1\n"))
        .collect();
    let format = kubevitals_proto::exposition::Format::Text;
    let limits = kubevitals_proto::exposition::Limits {
        samples: 64_000,
        ..Default::default()
    };
    let page = ingest::read(page.as_bytes(), format, limits, |_| true).unwrap();
    assert_eq!(page.reported.len(), 64_000);
    assert_eq!(page.problems[0].0, "sample_limit");
}

#[test]
fn a_namespace_cannot_take_more_memory_by_series_that_grow() {
    let limit = 400_000;
    let world = World::new(Settings {
        memory_limit: limit,
        ..Settings::default()
    });
    world.add("shop/web", json!({}));
    world.asks("shop", &["a_p50"]);
    let page = |buckets: usize| {
        let mut page = "# TYPE a histogram\n".to_owned();
        for (series, bucket) in (0..50).flat_map(|one| (0..buckets).map(move |it| (one, it))) {
            page += &format!("a_bucket{{n=\"{series}\",le=\"{bucket}\"}} 1\n");
        }
        for series in 0..50 {
            page += &format!("a_bucket{{n=\"{series}\",le=\"+Inf\"}} 1\n");
        }
        page
    };
    assert!(world.scrape("shop/web", &page(1)).is_empty());
    let mut problems = Vec::new();
    for _ in 0..5 {
        world.clock.pass(15 * SECOND);
        problems.extend(world.scrape("shop/web", &page(150)));
        let usage = world.store.usage();
        assert!(usage.bytes < limit * 6 / 10, "{usage:?}");
    }
    assert!(problems[0].contains("memory_limit"), "{problems:?}");
}

#[test]
fn an_exporter_speaks_for_the_pods_of_its_node_only() {
    let world = World::new(Settings::default());
    world.add(
        "kube-system/dcgm",
        json!({"labels": {"app": "nvidia-dcgm-exporter"}, "annotations": {}}),
    );
    world.add("shop/train", json!({"annotations": {}}));
    world.add(
        "bank/far",
        json!({"annotations": {}, "spec": {"nodeName": "n2"}}),
    );
    let page = "# TYPE DCGM_FI_DEV_GPU_UTIL gauge\n\
        DCGM_FI_DEV_GPU_UTIL{gpu=\"0\",namespace=\"shop\",pod=\"train\",container=\"main\"} 80\n\
        DCGM_FI_DEV_GPU_UTIL{gpu=\"1\",exported_namespace=\"shop\",exported_pod=\"train\",exported_container=\"main\",namespace=\"kube-system\",pod=\"dcgm\"} 15\n\
        DCGM_FI_DEV_GPU_UTIL{gpu=\"2\",namespace=\"bank\",pod=\"far\"} 99\n\
        DCGM_FI_DEV_GPU_UTIL{gpu=\"3\",namespace=\"\",pod=\"\"} 1\nsecret{namespace=\"shop\",pod=\"train\"} 1\n";
    let problems = world.scrape("kube-system/dcgm", page);
    assert!(
        problems[0].contains("1 series name pods that are not on"),
        "{problems:?}"
    );
    assert_eq!(world.value("shop/train", "DCGM_FI_DEV_GPU_UTIL"), 95.0);
    assert_eq!(
        world
            .read("shop/train", "DCGM_FI_DEV_GPU_UTIL", "gpu=1,container=main")
            .unwrap()
            .value,
        15.0
    );
    world
        .read("bank/far", "DCGM_FI_DEV_GPU_UTIL", "")
        .unwrap_err();
    world
        .read("kube-system/dcgm", "DCGM_FI_DEV_GPU_UTIL", "")
        .unwrap_err();
    let why = world.store.explain(
        &key("shop/train"),
        "DCGM_FI_DEV_GPU_UTIL",
        &LabelSelector::default(),
    );
    let by = why.selected.unwrap().by;
    assert_eq!(
        by,
        crate::pod_metrics::SelectedBy::Exporter(key("kube-system/dcgm"))
    );
    world.clock.pass(15 * SECOND);
    world.scrape("kube-system/dcgm", "# TYPE DCGM_FI_DEV_GPU_UTIL gauge\n");
    world
        .read("shop/train", "DCGM_FI_DEV_GPU_UTIL", "")
        .unwrap_err();
}

#[test]
fn the_chain_names_each_step() {
    let world = web(&["hits_per_second"]);
    let explain = |name: &str| {
        world
            .store
            .explain(&key("shop/web"), name, &LabelSelector::default())
    };
    let before = explain("hits_per_second");
    assert_eq!(before.value, Err(Absence::NotScraped));
    assert_eq!(before.selected.unwrap().url, "http://10.0.0.7:8080/metrics");
    world.scrape("shop/web", "# TYPE hits counter\nhits_total{a=\"1\"} 1\n");
    world.scrape(
        "shop/web",
        "# TYPE hits_total counter\nhits_total{a=\"1\"} 1\nhits_total{a=\"2\"} 1\n",
    );
    let why = explain("hits_per_second");
    assert_eq!(why.value, Err(Absence::OneSample));
    assert_eq!((why.family.unwrap().kind, why.series), ("counter", (2, 2)));
    assert_eq!(why.kept, [crate::pod_metrics::Demand::Hpa(key("shop/hpa"))]);
    assert_eq!(why.scrape.unwrap().samples, 2);
    assert_eq!(explain("nosuch").value, Err(Absence::NotKept));
}

#[test]
fn history_has_the_values_of_names_that_are_asked_for() {
    let world = web(&["queue"]);
    let from = world.clock.wall();
    world.scrapes("shop/web", &["queue 1\n", "queue 2\n", "queue 3\n"]);
    let history = world.store.history(
        &key("shop/web"),
        "queue",
        from,
        world.clock.wall(),
        15 * SECOND,
    );
    let values: Vec<f64> = history.into_iter().map(|(_, value)| value).collect();
    assert_eq!(values, [1.0, 2.0, 3.0]);
}

#[test]
fn recorded_values_do_not_grow_old() {
    let world = World::new(Settings::default());
    let value = Value {
        value: 3.0,
        at: world.clock.wall(),
        window: None,
    };
    let series = |name: &str, labels: &[(&str, &str)]| crate::pod_metrics::Series {
        name: name.into(),
        labels: labels.iter().copied().collect(),
        value,
    };
    let all = vec![
        series("b_p95", &[]),
        series("a", &[("x", "1")]),
        series("a", &[("x", "2")]),
    ];
    world.store.record(key("shop/web"), all);
    world.clock.pass(3600 * SECOND);
    assert_eq!(world.value("shop/web", "a"), 6.0);
    assert_eq!(world.value("shop/web", "b_p95"), 3.0);
    assert_eq!(world.store.names(), [Arc::from("a"), Arc::from("b_p95")]);
}

#[test]
fn the_series_of_a_name_are_those_that_its_value_adds_up() {
    let world = World::new(Settings::default());
    world.add("shop/web", json!({}));
    world.asks("shop", &["a_per_second", "b_total"]);
    let page = |count: u32| {
        format!(
            "# TYPE a counter\na_total{{of=\"x\"}} {count}\n# TYPE a_per_second gauge\na_per_second{{of=\"y\"}} 7\n\
             # TYPE b counter\nb_total{{of=\"x\"}} {count}\nb_total{{of=\"y\"}} 0\n"
        )
    };
    world.scrapes("shop/web", &[&page(0), &page(30)]);
    for (name, selector, expected) in [
        // The gauge of that name precedes the rate.
        ("a_per_second", "", &[("y", 7.0)][..]),
        ("b_total", "", &[("x", 2.0), ("y", 0.0)]),
        ("b_total", "of=x", &[("x", 2.0)]),
    ] {
        let selector: LabelSelector = selector.parse().unwrap();
        let (store, pod) = (&world.store, key("shop/web"));
        let each = store.read_each(&pod, name, &selector).unwrap();
        let each = each
            .iter()
            .map(|(labels, value)| (labels.get("of").unwrap(), value.value));
        assert_eq!(each.collect::<Vec<_>>(), expected, "{name}");
        let sum: f64 = expected.iter().map(|(_, value)| value).sum();
        assert_eq!(store.read(&pod, name, &selector).unwrap().value, sum);
    }
}
