//! What pods expose about themselves.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use http::Request;
use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use kubevitals_proto::time::Timestamp;
use kubevitals_sim::objects::Resource;
use kubevitals_sim::{Cluster, Config, EndpointFault, Faults, PodEndpoints, SimClock};
use serde_json::Value;
use tokio::net::TcpStream;

use crate::client::{Failure, Got};

const START: Timestamp = Timestamp::from_secs(1_800_000_000);
const OPEN_METRICS: &str =
    "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3";

async fn start(endpoints: PodEndpoints) -> Cluster {
    Cluster::start(Config {
        nodes: 3,
        pods_per_node: 8,
        faults: Faults::None,
        pod_endpoints: Some(endpoints),
        clock: Some(SimClock::manual(START)),
        ..Config::default()
    })
    .await
    .unwrap()
}

/// The pods of an app, by name.
fn pods(cluster: &Cluster, app: &str) -> Vec<Value> {
    let pods = cluster.store().snapshot(Resource::Pods);
    let pods = pods
        .range(None, None)
        .map(|(_, pod)| pod.to_value(Resource::Pods));
    pods.filter(|pod| pod["metadata"]["labels"]["app"] == app)
        .collect()
}

/// The namespace and name of a pod.
fn name(pod: &Value) -> (&str, &str) {
    let metadata = &pod["metadata"];
    (
        metadata["namespace"].as_str().unwrap(),
        metadata["name"].as_str().unwrap(),
    )
}

/// Gets what a pod's annotations say.
async fn get(pod: &Value, headers: &[(&str, &str)]) -> Result<Got, Failure> {
    let annotations = &pod["metadata"]["annotations"];
    let port: u16 = annotations["prometheus.io/port"]
        .as_str()
        .unwrap()
        .parse()?;
    let ip: IpAddr = pod["status"]["podIP"].as_str().unwrap().parse()?;
    let stream = TcpStream::connect(SocketAddr::new(ip, port)).await?;
    let (mut send, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let path = annotations["prometheus.io/path"].as_str().unwrap();
    let mut request = Request::get(path).header("host", ip.to_string());
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = send
        .send_request(request.body(Empty::<Bytes>::new())?)
        .await?;
    let (parts, body) = response.into_parts();
    Ok(Got {
        status: parts.status,
        headers: parts.headers,
        body: body.collect().await?.to_bytes(),
    })
}

/// The value of a series of a page.
fn value(page: &str, series: &str) -> f64 {
    let line = page
        .lines()
        .find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    let line = line.unwrap_or_else(|| panic!("no {series} in {page}"));
    line.split(' ').next().unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_pod_exposes_what_it_serves() {
    let cluster = start(PodEndpoints::default()).await;
    let web = pods(&cluster, "web");
    let (namespace, pod) = name(&web[0]);
    let before = cluster.served(namespace, pod).unwrap();
    cluster.set_rate("shop", "web", 40.0 * web.len() as f64);
    cluster.advance(Duration::from_secs(30));
    let served = cluster.served(namespace, pod).unwrap();
    assert!((served.requests - before.requests - 1200.0).abs() < 1e-3);
    let got = get(&web[0], &[]).await.unwrap();
    assert_eq!(
        got.headers["content-type"],
        "text/plain; version=0.0.4; charset=utf-8; escaping=underscores"
    );
    let page = got.text();
    assert!(page.lines().filter(|line| !line.starts_with('#')).count() > 500);
    let gets = value(page, r#"http_requests_total{code="200",method="GET"}"#);
    assert!((gets - 0.8 * served.requests).abs() <= 1.0, "{gets}");
    let count = value(page, "http_request_duration_seconds_count");
    // Each bucket has whole requests only.
    assert!((count - served.requests).abs() <= 149.0, "{count}");
    let all = value(page, r#"http_request_duration_seconds_bucket{le="+Inf"}"#);
    assert!((count - all).abs() < 0.5);
    let queue = value(page, "queue_length");
    assert!((queue - served.queue).abs() < 1e-9 && queue > 0.2);
    assert_eq!(cluster.endpoint_requests(namespace, pod).0, 1);
}

#[tokio::test]
async fn the_format_is_negotiated() {
    let cluster = start(PodEndpoints::default()).await;
    let web = pods(&cluster, "web");
    let got = get(&web[0], &[("accept", OPEN_METRICS)]).await.unwrap();
    let page = got.text();
    assert!(page.ends_with("# EOF\n"));
    assert!(page.contains("# TYPE http_requests counter\nhttp_requests_total{"));
    assert!(page.contains("le=\"1.0\"}"));
    let protobuf = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited";
    let got = get(&web[0], &[("accept", protobuf)]).await.unwrap();
    let kind = got.headers["content-type"].to_str().unwrap();
    assert!(
        kind.starts_with("application/vnd.google.protobuf"),
        "{kind}"
    );
    let name = b"http_request_duration_seconds";
    assert!(got.body.windows(name.len()).any(|it| it == name));
    let got = get(&web[0], &[("accept-encoding", "gzip")]).await.unwrap();
    assert_eq!(got.headers["content-encoding"], "gzip");
    assert!(got.body.starts_with(&[0x1f, 0x8b]));
}

#[tokio::test]
async fn the_exporter_names_the_pods_that_use_its_gpus() {
    for exported_labels in [false, true] {
        let cluster = start(PodEndpoints {
            gpu_nodes: 1,
            exported_labels,
            ..PodEndpoints::default()
        })
        .await;
        let exporters = pods(&cluster, "dcgm-exporter");
        assert_eq!(exporters.len(), 1);
        let page = get(&exporters[0], &[]).await.unwrap();
        let page = page.text();
        let users = pods(&cluster, "llm-serving");
        assert_eq!(users.len(), 2);
        let used: Vec<_> = page
            .lines()
            .filter(|it| it.starts_with("DCGM_FI_DEV_GPU_UTIL{"))
            .collect();
        assert_eq!(used.len(), 4);
        for user in &users {
            let (_, pod) = name(user);
            let label = if exported_labels {
                "exported_pod"
            } else {
                "pod"
            };
            let label = format!(",{label}=\"{pod}\"}} ");
            let line = used.iter().find(|line| line.contains(&label)).unwrap();
            let (_, percent) = line.rsplit_once(' ').unwrap();
            assert!((10..=20).contains(&percent.parse().unwrap()), "{line}");
        }
        assert!(page.contains("DCGM_FI_DEV_FB_FREE{gpu=\"3\""));
    }
}

#[tokio::test]
async fn an_unready_pod_gets_nothing_and_the_others_more() {
    let cluster = start(PodEndpoints::default()).await;
    let web = pods(&cluster, "web");
    let served = |pod: &Value| cluster.served(name(pod).0, name(pod).1);
    let before = served(&web[1]).unwrap().per_second;
    // A scale-down to one pod leaves all requests to it.
    let all = web.len() as f64 * before;
    cluster.scale("shop", "web", 1);
    cluster.advance(Duration::from_secs(10));
    let left = pods(&cluster, "web");
    assert_eq!(left.len(), 1);
    assert!((served(&left[0]).unwrap().per_second - all).abs() < 1e-9);
}

#[tokio::test]
async fn counters_are_reset_when_they_are_told_to() {
    let cluster = start(PodEndpoints::default()).await;
    let web = pods(&cluster, "web");
    let (namespace, pod) = name(&web[0]);
    assert!(cluster.reset_counters(namespace, pod));
    cluster.advance(Duration::from_secs(10));
    let served = cluster.served(namespace, pod).unwrap();
    assert!((served.requests - 10.0 * served.per_second).abs() < 1e-3);
    assert!(!cluster.reset_counters(namespace, "nobody"));
}

#[tokio::test]
async fn endpoints_misbehave_as_they_are_told_to() {
    use EndpointFault as F;
    let cluster = start(PodEndpoints::default()).await;
    let web = pods(&cluster, "web");
    let (namespace, pod) = name(&web[0]);
    for fault in [F::Refuse, F::HalfBody] {
        assert!(cluster.break_endpoint(namespace, pod, fault.clone()));
        assert!(get(&web[0], &[]).await.is_err(), "{fault:?}");
    }
    for (fault, status, part) in [
        (F::Status(503), 503, "Service Unavailable"),
        (F::Protected("Bearer x".to_owned()), 401, "Unauthorized"),
        (F::Redirect("http://127.0.0.1:1/".to_owned()), 302, "Found"),
        (F::Html, 200, "<!DOCTYPE html>"),
        (F::ContentType("application/json"), 200, "# HELP"),
        (F::TypeChange, 200, "# TYPE http_requests_total gauge"),
        (F::NotANumber, 200, "queue_length NaN"),
        (F::Negative, 200, "method=\"GET\"} -"),
        (F::Behind(Duration::from_secs(60)), 200, " 1799999940000\n"),
        (F::Ahead(Duration::from_secs(60)), 200, " 1800000060000\n"),
    ] {
        cluster.break_endpoint(namespace, pod, fault.clone());
        let got = get(&web[0], &[]).await.unwrap();
        assert_eq!(got.status.as_u16(), status, "{fault:?}");
        assert!(got.text().contains(part), "{fault:?}: {}", got.text());
    }
    cluster.break_endpoint(namespace, pod, F::Protected("Bearer x".to_owned()));
    let got = get(&web[0], &[("authorization", "Bearer x")]).await;
    assert_eq!(got.unwrap().status, 200);
    cluster.break_endpoint(namespace, pod, F::Huge);
    let got = get(&web[0], &[]).await.unwrap();
    assert!(got.body.len() > 200_000_000);
    cluster.break_endpoint(namespace, pod, F::Repeated);
    let got = get(&web[0], &[]).await.unwrap();
    let lines = got
        .text()
        .lines()
        .filter(|line| line.starts_with("queue_length "));
    assert_eq!(lines.count(), 2);
    cluster.break_endpoint(namespace, pod, F::InvalidUtf8);
    let got = get(&web[0], &[]).await.unwrap();
    assert!(std::str::from_utf8(&got.body).is_err());
    cluster.heal_endpoint(namespace, pod);
    let got = get(&web[0], &[]).await.unwrap();
    assert!(got.text().contains("queue_length 0."));
}

#[tokio::test]
async fn annotations_can_be_wrong() {
    let cluster = start(PodEndpoints::default()).await;
    let web = pods(&cluster, "web");
    let (namespace, pod) = name(&web[0]);
    for port in ["http", "0", "70000"] {
        assert!(cluster.annotate_pod(namespace, pod, "prometheus.io/port", port));
        let now = cluster.store().get(Resource::Pods, Some(namespace), pod);
        let now = now.unwrap().to_value(Resource::Pods);
        let annotations = &now["metadata"]["annotations"];
        assert_eq!(annotations["prometheus.io/port"], port);
        assert_eq!(annotations["prometheus.io/scrape"], "true");
    }
}

#[tokio::test]
async fn without_the_option_pods_expose_nothing() {
    let cluster = Cluster::start(Config::default()).await.unwrap();
    let web = pods(&cluster, "web");
    assert!(web[0]["metadata"].get("annotations").is_none());
    assert!(!cluster.break_endpoint("shop", "web", EndpointFault::Hang));
    let ip = web[0]["status"]["podIP"].as_str().unwrap();
    assert!(ip.starts_with("10."), "{ip}");
}
