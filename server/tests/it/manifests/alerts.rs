//! The alerts, evaluated by Prometheus' own promtool: each speaks when it should, and is silent when it should.

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::{Value, json};

use super::rendered::{Rendered, output};

/// The overlay's rule groups, as a rule file has them.
fn groups() -> Value {
    let rendered = Rendered::deploy("monitoring");
    json!({"groups": rendered.only("PrometheusRule")["spec"]["groups"]})
}

/// The alerts by name, with their expressions.
pub(super) fn alerts() -> BTreeMap<String, String> {
    let groups = groups();
    let groups = groups["groups"].as_array().unwrap().iter();
    groups
        .flat_map(|group| group["rules"].as_array().unwrap())
        .map(|rule| {
            let text = |member: &str| rule[member].as_str().expect(member).to_owned();
            assert!(rule["annotations"]["summary"].is_string(), "{rule}");
            assert!(rule["labels"]["severity"].is_string(), "{rule}");
            (text("alert"), text("expr"))
        })
        .collect()
}

/// Series as promtool's tests have them, a value a minute for two hours.
type Series = &'static [(&'static str, &'static str)];

/// An alert, what makes it speak, and what is near that and does not.
const CASES: [(&str, Series, Series); 14] = [
    (
        "MetricsAPIUnavailable",
        &[(
            r#"aggregator_unavailable_apiservice{name="v1beta1.metrics.k8s.io"}"#,
            "1+0x120",
        )],
        &[
            (
                r#"aggregator_unavailable_apiservice{name="v1beta1.metrics.k8s.io"}"#,
                "0+0x120",
            ),
            (
                r#"aggregator_unavailable_apiservice{name="v1beta1.custom.metrics.k8s.io"}"#,
                "1+0x120",
            ),
        ],
    ),
    (
        "VitalsServerDown",
        &[(r#"up{job="vitals-server",pod="a"}"#, "0+0x120")],
        &[
            (r#"up{job="vitals-server",pod="a"}"#, "0+0x120"),
            (r#"up{job="vitals-server",pod="b"}"#, "1+0x120"),
        ],
    ),
    (
        "VitalsServerRestarting",
        &[(
            r#"process_start_time_seconds{job="vitals-server",pod="a"}"#,
            "0+600x120",
        )],
        &[(
            r#"process_start_time_seconds{job="vitals-server",pod="a"}"#,
            "1+0x70 2+0x50",
        )],
    ),
    (
        "VitalsServerMemoryHigh",
        &[(
            r#"process_resident_memory_bytes{job="vitals-server",pod="a"}"#,
            "1000000000+0x120",
        )],
        &[(
            r#"process_resident_memory_bytes{job="vitals-server",pod="a"}"#,
            "900000000+0x120",
        )],
    ),
    (
        "KubeletScrapesFailing",
        &[
            (
                r#"metrics_server_kubelet_request_total{job="vitals-server",success="false"}"#,
                "0+10x120",
            ),
            (
                r#"metrics_server_kubelet_request_total{job="vitals-server",success="true"}"#,
                "0+90x120",
            ),
        ],
        &[
            (
                r#"metrics_server_kubelet_request_total{job="vitals-server",success="false"}"#,
                "0+1x120",
            ),
            (
                r#"metrics_server_kubelet_request_total{job="vitals-server",success="true"}"#,
                "0+99x120",
            ),
        ],
    ),
    (
        "NodesWithoutMetrics",
        &[(
            r#"kubevitals_nodes{job="vitals-server",state="failing"}"#,
            "2+0x120",
        )],
        &[
            (
                r#"kubevitals_nodes{job="vitals-server",state="failing"}"#,
                "0+0x70 2+0x50",
            ),
            (
                r#"kubevitals_nodes{job="vitals-server",state="answering"}"#,
                "9+0x120",
            ),
        ],
    ),
    (
        "PodsWithoutMetrics",
        &[
            (
                r#"kubevitals_incomplete_pods{job="vitals-server",pod="a",lack="cpu"}"#,
                "30+0x120",
            ),
            (
                r#"kubevitals_incomplete_pods{job="vitals-server",pod="a",lack="memory"}"#,
                "30+0x120",
            ),
            (
                r#"kubevitals_cluster_objects{job="vitals-server",pod="a",resource="pods"}"#,
                "1000+0x120",
            ),
        ],
        &[
            // Two replicas that say the same are not twice as much.
            (
                r#"kubevitals_incomplete_pods{job="vitals-server",pod="a",lack="cpu"}"#,
                "30+0x120",
            ),
            (
                r#"kubevitals_incomplete_pods{job="vitals-server",pod="b",lack="cpu"}"#,
                "30+0x120",
            ),
            (
                r#"kubevitals_cluster_objects{job="vitals-server",pod="a",resource="pods"}"#,
                "1000+0x120",
            ),
        ],
    ),
    (
        "MetricsStale",
        &[
            (
                r#"metrics_server_api_metric_freshness_seconds_bucket{job="vitals-server",le="60"}"#,
                "0+0x120",
            ),
            (
                r#"metrics_server_api_metric_freshness_seconds_bucket{job="vitals-server",le="120"}"#,
                "0+10x120",
            ),
            (
                r#"metrics_server_api_metric_freshness_seconds_bucket{job="vitals-server",le="+Inf"}"#,
                "0+10x120",
            ),
        ],
        &[
            (
                r#"metrics_server_api_metric_freshness_seconds_bucket{job="vitals-server",le="60"}"#,
                "0+99x120",
            ),
            (
                r#"metrics_server_api_metric_freshness_seconds_bucket{job="vitals-server",le="+Inf"}"#,
                "0+100x120",
            ),
        ],
    ),
    (
        "ClusterWatchFailing",
        &[(
            r#"kubevitals_watch_failures_total{job="vitals-server",pod="a",resource="pods"}"#,
            "0+1x120",
        )],
        &[(
            r#"kubevitals_watch_failures_total{job="vitals-server",pod="a",resource="pods"}"#,
            "0+1x60 60+0x60",
        )],
    ),
    (
        "MetricsAPIErrors",
        &[
            (
                r#"kubevitals_api_requests_total{job="vitals-server",code="500"}"#,
                "0+5x120",
            ),
            (
                r#"kubevitals_api_requests_total{job="vitals-server",code="200"}"#,
                "0+95x120",
            ),
        ],
        &[
            (
                r#"kubevitals_api_requests_total{job="vitals-server",code="404"}"#,
                "0+50x120",
            ),
            (
                r#"kubevitals_api_requests_total{job="vitals-server",code="200"}"#,
                "0+50x120",
            ),
        ],
    ),
    (
        "MetricsAPIRefusals",
        &[
            (
                r#"kubevitals_api_requests_total{job="vitals-server",code="401"}"#,
                "0+30x120",
            ),
            (
                r#"kubevitals_api_requests_total{job="vitals-server",code="200"}"#,
                "0+70x120",
            ),
        ],
        &[
            (
                r#"kubevitals_api_requests_total{job="vitals-server",code="403"}"#,
                "0+10x120",
            ),
            (
                r#"kubevitals_api_requests_total{job="vitals-server",code="200"}"#,
                "0+90x120",
            ),
        ],
    ),
    (
        "MetricsAPIOverloaded",
        &[(
            r#"kubevitals_api_requests_total{job="vitals-server",code="429"}"#,
            "0+1x120",
        )],
        &[(
            r#"kubevitals_api_requests_total{job="vitals-server",code="429"}"#,
            "0+1x60 60+0x60",
        )],
    ),
    (
        "ManagedCAFailing",
        &[(
            r#"kubevitals_managed_ca_rounds_total{job="vitals-server",pod="a",result="failure"}"#,
            "0+12x120",
        )],
        &[
            (
                r#"kubevitals_managed_ca_rounds_total{job="vitals-server",pod="a",result="failure"}"#,
                "0+12x60 720+0x60",
            ),
            (
                r#"kubevitals_managed_ca_rounds_total{job="vitals-server",pod="a",result="success"}"#,
                "0+1x120",
            ),
        ],
    ),
    (
        "ServingCertificateExpiring",
        &[(
            r#"kubevitals_tls_certificate_expiry_time_seconds{job="vitals-server",pod="a"}"#,
            "200000+0x120",
        )],
        &[(
            r#"kubevitals_tls_certificate_expiry_time_seconds{job="vitals-server",pod="a"}"#,
            "300000+0x120",
        )],
    ),
];

/// A test for promtool: with these series the alert speaks, or does not, after an hour and a half.
fn case(alert: &str, series: Series, speaks: bool) -> Value {
    let input: Vec<Value> = series
        .iter()
        .map(|(series, values)| json!({"series": series, "values": values}))
        .collect();
    let samples = if speaks {
        json!([{"labels": "{}", "value": 1}])
    } else {
        json!([])
    };
    let expression = format!(r#"count(ALERTS{{alertname="{alert}",alertstate="firing"}})"#);
    json!({
        "name": format!("{alert} {}", if speaks { "speaks" } else { "is silent" }),
        "interval": "1m",
        "input_series": input,
        "promql_expr_test": [{"expr": expression, "eval_time": "90m", "exp_samples": samples}],
    })
}

#[test]
fn each_alert_speaks_when_it_should_and_only_then() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("rules.json"), groups().to_string()).unwrap();
    let tests: Vec<Value> = CASES
        .iter()
        .flat_map(|(alert, loud, quiet)| [case(alert, loud, true), case(alert, quiet, false)])
        .collect();
    let all = json!({"rule_files": ["rules.json"], "evaluation_interval": "1m", "tests": tests});
    let file = folder.path().join("tests.json");
    std::fs::write(&file, all.to_string()).unwrap();
    output(Command::new("promtool").args(["test", "rules"]).arg(file));
    let named: Vec<&str> = CASES.iter().map(|(alert, ..)| *alert).collect();
    for alert in alerts().keys() {
        assert!(named.contains(&alert.as_str()), "{alert} has no case");
    }
}

#[test]
fn promtool_takes_the_rules() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rules.json");
    std::fs::write(&file, groups().to_string()).unwrap();
    let said = output(Command::new("promtool").args(["check", "rules"]).arg(&file));
    let expected = format!("{} rules found", alerts().len());
    assert!(said.contains(&expected), "{said}");
}

/// The limit that one of them is about is the manifest's.
#[test]
fn the_memory_alert_comes_before_the_limit() {
    let rendered = Rendered::deploy("monitoring");
    assert_eq!(rendered.container()["resources"]["limits"]["memory"], "1Gi");
    let alerts = alerts();
    let (_, bound) = alerts["VitalsServerMemoryHigh"].split_once("> ").unwrap();
    let bytes: u64 = bound
        .split(" * ")
        .map(|n| n.parse::<u64>().unwrap())
        .product();
    assert!(bytes < 1 << 30);
}
