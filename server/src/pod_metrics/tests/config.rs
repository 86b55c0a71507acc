//! The config file.

use super::*;

#[test]
fn a_config_with_everything_is_accepted() {
    let config = config(
        "annotations: {interval: 30s, timeout: 5s, insecure_skip_verify: true}\n\
         allowed_addresses: [127.0.0.0/8, 'fd00::/8']\n\
         keep: [up, 'http_.*']\n\
         limits: {body_size: 4Mi, series_per_pod: 10, series_per_namespace: 100, label_value_length: 64}\n\
         built_in_rules: false\n\
         rules:\n\
         - name: shop\n\
         \x20 namespaces: [shop]\n\
         \x20 selector: app=web,tier in (a,b)\n\
         \x20 port: 8443\n\
         \x20 path: /metrics\n\
         \x20 scheme: https\n\
         \x20 interval: 10s\n\
         \x20 timeout: 2s\n\
         \x20 honor_timestamps: false\n\
         \x20 keep: [orders_total]\n\
         \x20 limits: {series_per_pod: 5}\n\
         \x20 http_config:\n\
         \x20   authorization: {credentials_file: token}\n\
         \x20   tls_config: {insecure_skip_verify: true, server_name: web.shop.svc}\n",
    )
    .unwrap();
    let rule = &config.rules[0];
    assert_eq!((config.rules.len(), &*rule.name), (1, "shop"));
    assert_eq!((rule.interval, rule.timeout), (10 * SECOND, 2 * SECOND));
    assert_eq!((rule.bounds.series, rule.bounds.body), (5, 4 << 20));
    assert_eq!(rule.access.headers["authorization"], "Bearer secret");
    assert!(rule.access.server_name.is_some() && !format!("{config:?}").contains("secret"));
    assert!(
        config.keep.pattern("http_requests_total").is_some()
            && config.keep.pattern("my_http_x").is_none()
    );
    let annotated = config.annotated.unwrap();
    assert!(annotated.access.headers.is_empty() && annotated.interval == 30 * SECOND);
}

#[test]
fn the_config_says_how_pods_become_one_value_where_the_name_does_not() {
    use crate::pod_metrics::Aggregate::{Max, Mean, Sum};
    let text = "aggregate:\n  mean: ['temperature_.*']\n  max: [queue_age, temperature_inside]\n  sum: [own_p95]\n";
    let aggregates = config(text).unwrap().aggregates;
    for (name, expected) in [
        ("temperature_outside", Mean),
        ("temperature_inside", Max),
        ("queue_age", Max),
        ("queue_age_per_second", Sum),
        ("own_p95", Sum),
        ("latency_p95", Max),
        ("latency_mean", Mean),
        ("queue", Sum),
    ] {
        assert_eq!(aggregates.of(name), expected, "{name}");
    }
}

#[test]
fn a_wrong_config_is_refused_with_its_line() {
    for (text, expected) in [
        ("keep: [a]\nrulez: []\n", "line 2"),
        ("rules:\n- name: a\n  port: 70000\n", "line 3"),
        ("rules:\n- name: a\n  selector: 'a=b=c'\n", "line 3"),
        ("rules:\n- name: a\n  path: //evil\n", "line 3"),
        ("rules:\n- name: a\n  scheme: file\n", "line 3"),
        ("rules:\n- name: a\n  interval: soon\n", "line 3"),
        ("keep:\n- '['\n", "regular expression"),
        ("aggregate:\n  least: [a]\n", "line 2"),
        ("aggregate:\n  max: ['(']\n", "regular expression"),
        ("allowed_addresses:\n- here\n", "line 2"),
        (
            "rules: [{name: a}, {name: a}]",
            "another rule has this name",
        ),
        ("rules: [{name: ''}]", "it has no name"),
        (
            "rules: [{name: a, scheme: https}]",
            "scheme https needs http_config.tls_config",
        ),
        (
            "rules: [{name: a, timeout: 20s}]",
            "the timeout is longer than the interval",
        ),
        ("rules: [{name: a, interval: 5m}]", "--pod-metrics-window"),
        (
            "rules: [{name: a, attribute: pod}]",
            "attribute: pod needs keep",
        ),
        (
            "rules: [{name: a, http_config: {authorization: {credentials_file: nosuch}}}]",
            "nosuch",
        ),
        (
            "rules: [{name: a, http_config: {tls_config: {insecure_skip_verify: true}}}]",
            "no effect without scheme: https",
        ),
    ] {
        let error = config(text).unwrap_err();
        assert!(
            error.contains(expected) && !error.contains('\n'),
            "{text}: {error}"
        );
    }
    assert_eq!(config("").unwrap().rules.len(), 2, "the built-in rules");
}

#[test]
fn a_changed_file_is_used_and_an_invalid_one_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.yaml");
    let token = folder.path().join("token");
    let write = |text: &str| std::fs::write(&path, text).unwrap();
    std::fs::write(&token, "one").unwrap();
    let with_token = "rules: [{name: a, http_config: {authorization: {credentials_file: token}}}]";
    write(with_token);
    let (mut reloader, _) =
        crate::pod_metrics::config::Reloader::start(path.clone(), 15 * SECOND, 60 * SECOND)
            .unwrap();
    assert!(reloader.check().is_none());
    std::fs::write(&token, "two").unwrap();
    let config = reloader.check().unwrap();
    assert_eq!(
        config.rules[0].access.headers["authorization"],
        "Bearer two"
    );
    write("rules: 7");
    assert!(reloader.check().is_none() && reloader.is_failing());
    write("keep: [a]");
    assert!(reloader.check().is_some() && !reloader.is_failing());
}

#[test]
fn a_window_of_which_not_all_samples_are_kept_is_refused() {
    for (interval, expected) in [("15s", ""), ("14s", "longer than 120")] {
        let text = format!("rules: [{{name: a, interval: {interval}}}]");
        let error = config_with_window(&text, 1800 * SECOND).err();
        let error = error.unwrap_or_default();
        assert_eq!(error.is_empty(), expected.is_empty(), "{interval}: {error}");
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn a_changed_file_changes_the_targets_of_changed_rules_only() {
    let rules = |timeout: &str, token: &str| {
        format!(
            "rules:\n- {{name: one, namespaces: [shop], scheme: https, http_config: \
             {{authorization: {{credentials_file: {token}}}, tls_config: {{insecure_skip_verify: true}}}}}}\n\
             - {{name: two, namespaces: [bank], timeout: {timeout}}}\n"
        )
    };
    let reader = reader();
    let pods = ["shop/web", "bank/web", "other/web"].map(|name| {
        let annotations = json!({"annotations": {"prometheus.io/scrape": "true"}});
        pod(&reader, name, "10.0.0.7", annotations)
    });
    let before = config(&rules("5s", "token")).unwrap();
    let changed = |text: &str| {
        let mut after = config(text).unwrap();
        after.adopt(&before);
        pods.each_ref()
            .map(|pod| Target::of(pod, &before) != Target::of(pod, &after))
    };
    let more = format!(
        "keep: [a]\n{}- {{name: three, namespaces: [x]}}\n",
        rules("5s", "token")
    );
    assert_eq!(changed(&more), [false, false, false]);
    assert_eq!(changed(&rules("6s", "token")), [false, true, false]);
    assert_eq!(changed(&rules("5s", "other")), [true, false, false]);
    assert_eq!(
        changed("annotations: {timeout: 1s}"),
        [true, true, true],
        "two lost their rules, and the rule of annotations has changed"
    );
}
