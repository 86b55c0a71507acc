//! Which pods are scraped, and where.

use serde_json::json;

use super::*;

fn target_of(config: &Config, more: Json) -> Result<String, String> {
    target_at(config, "10.0.0.7", more)
}

fn target_at(config: &Config, address: &str, more: Json) -> Result<String, String> {
    let pod = pod(&reader(), "shop/web", address, more);
    let target = Target::of(&pod, config).map_err(|error| error.to_string())?;
    Ok(target.selected().url)
}

fn annotated(key: &str, value: &str) -> Json {
    let mut annotations = json!({"prometheus.io/scrape": "true"});
    annotations[format!("prometheus.io/{key}")] = value.into();
    json!({"annotations": annotations})
}

#[test]
fn annotations_choose_the_port_path_and_scheme() {
    let config = Config::new(15 * SECOND);
    for (key, value, expected) in [
        ("port", "9102", "http://10.0.0.7:9102/metrics"),
        ("port", "metrics", "http://10.0.0.7:9090/metrics"),
        (
            "path",
            "/stats/prometheus",
            "http://10.0.0.7:8080/stats/prometheus",
        ),
        ("scheme", "https", "https://10.0.0.7:8080/metrics"),
        ("other", "x", "http://10.0.0.7:8080/metrics"),
    ] {
        assert_eq!(target_of(&config, annotated(key, value)).unwrap(), expected);
    }
}

#[test]
fn an_annotation_cannot_lead_anywhere_else() {
    let config = Config::new(15 * SECOND);
    for (key, value, expected) in [
        ("port", "nosuch", "no container has a port of this name"),
        ("port", "0", "write a port from 1 to 65535"),
        ("port", "70000", "write a port from 1 to 65535"),
        ("port", "80@evil", "no container has a port of this name"),
        ("port", "", "write a port from 1 to 65535"),
        ("path", "//evil", "begins with one slash"),
        ("path", "evil", "begins with one slash"),
        ("path", "http://evil/", "begins with one slash"),
        ("path", "/metrics?delete=all", "no query"),
        ("path", "/metrics#x", "no fragment"),
        ("path", "/a\r\nHost: evil", "only ASCII characters"),
        ("path", "/a\\b", "only ASCII characters"),
        ("scheme", "file", "write http or https"),
        ("scheme", "HTTP", "write http or https"),
        ("scrape", "false", "turns scrapes off"),
        ("scrape", "please", "turns scrapes off"),
    ] {
        let error = target_of(&config, annotated(key, value)).unwrap_err();
        assert!(error.contains(expected), "{key}={value}: {error}");
    }
    let unselected = target_of(&config, json!({})).unwrap_err();
    assert!(
        unselected.contains("neither an annotation nor"),
        "{unselected}"
    );
}

#[test]
fn only_addresses_of_pods_are_scraped_unless_the_config_allows_others() {
    let scrape = || annotated("port", "80");
    let plain = Config::new(15 * SECOND);
    let allowing = config("allowed_addresses: [127.0.0.0/8]").unwrap();
    for address in [
        "127.0.0.1",
        "127.4.5.6",
        "169.254.169.254",
        "0.0.0.0",
        "224.0.0.1",
        "::1",
        "fe80::1",
        "::ffff:127.0.0.1",
        "fd00:ec2::254",
        "fd20:ce::254",
        "64:ff9b::169.254.169.254",
    ] {
        let error = target_at(&plain, address, scrape()).unwrap_err();
        assert!(error.contains("not one of a pod"), "{address}: {error}");
    }
    assert_eq!(
        target_at(&allowing, "127.4.5.6", scrape()).unwrap(),
        "http://127.4.5.6:80/metrics"
    );
    target_at(&allowing, "169.254.169.254", scrape()).unwrap_err();
    assert_eq!(
        target_at(&plain, "fd00::7", scrape()).unwrap(),
        "http://[fd00::7]:80/metrics"
    );
}

#[test]
fn a_pod_in_the_network_of_its_node_needs_a_rule_that_says_so() {
    let host = || json!({"annotations": {"prometheus.io/scrape": "true"}, "labels": {"app": "x"}, "spec": {"hostNetwork": true}});
    let error = target_of(&Config::new(15 * SECOND), host()).unwrap_err();
    assert!(error.contains("hostNetwork"), "{error}");
    let rule = config("rules: [{name: x, selector: app=x, host_network: true}]").unwrap();
    target_of(&rule, host()).unwrap();
}

#[test]
fn the_first_rule_that_selects_a_pod_precedes_annotations() {
    let config = config(
        "rules:\n- {name: other, namespaces: [bank], port: 1}\n- {name: web, namespaces: [shop], selector: 'app in (web,api)', port: metrics, path: /m?x=1}\n- {name: late, port: 2}\n",
    )
    .unwrap();
    let web = json!({"labels": {"app": "web"}, "annotations": {"prometheus.io/scrape": "false", "prometheus.io/port": "5"}});
    assert_eq!(
        target_of(&config, web).unwrap(),
        "http://10.0.0.7:9090/m?x=1"
    );
    assert_eq!(
        target_of(&config, json!({})).unwrap(),
        "http://10.0.0.7:2/metrics"
    );
}

#[test]
fn only_running_pods_with_an_address_are_scraped() {
    let config = Config::new(15 * SECOND);
    let reader = reader();
    let of = |status: Json| {
        let pod = reader.pod(json!({"metadata": {"namespace": "a", "name": "b", "labels": {"kubevitals.io/scrape": "true"}},
            "spec": {"containers": [{"name": "c", "ports": [{"containerPort": 1}]}]}, "status": status}));
        Target::of(&pod, &config)
            .map(|_| ())
            .map_err(|error| error.to_string())
    };
    assert_eq!(of(json!({"phase": "Running", "podIP": "10.0.0.1"})), Ok(()));
    assert_eq!(
        of(json!({"phase": "Succeeded", "podIP": "10.0.0.1"})).unwrap_err(),
        "the pod does not run"
    );
    of(json!({"phase": "Running"})).unwrap_err();
    of(json!({"phase": "Running", "podIP": "evil.example"})).unwrap_err();
}

#[test]
fn an_error_holds_the_begin_of_a_long_annotation() {
    let config = Config::new(15 * SECOND);
    for name in ["scrape", "port", "path", "scheme"] {
        let value = "é".repeat(100_000);
        let error = target_of(&config, annotated(name, &value)).unwrap_err();
        assert!(error.len() < 400 && error.contains("é…"), "{name}: {error}");
    }
}
