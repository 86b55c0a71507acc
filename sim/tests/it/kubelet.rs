//! The kubelets' pages, and who gets them.

use std::time::Duration;

use kubevitals_proto::time::Timestamp;
use kubevitals_sim::{Cluster, Config, Faults, Kill, SimClock, pki};

use crate::client::{get, get_as, request};

const START: Timestamp = Timestamp::from_secs(1_800_000_000);

async fn start(nodes: u32, pods: u32) -> Cluster {
    Cluster::start(Config {
        nodes,
        pods_per_node: pods,
        faults: Faults::None,
        clock: Some(SimClock::manual(START)),
        ..Config::default()
    })
    .await
    .unwrap()
}

#[tokio::test]
async fn every_node_answers_at_its_own_address_with_its_own_certificate() {
    let cluster = start(3, 5).await;
    for node in cluster.node_names() {
        // The client verifies the certificate against the address it dials.
        let got = get(&cluster, &node, "/stats/summary?only_cpu_and_memory=true")
            .await
            .unwrap();
        let summary: serde_json::Value = serde_json::from_slice(&got.body).unwrap();
        assert_eq!(summary["node"]["nodeName"], *node);
        assert_eq!(summary["pods"].as_array().unwrap().len(), 5);
        let health = get(&cluster, &node, "/healthz").await;
        assert_eq!(
            health.unwrap().status,
            403,
            "the server has no business there"
        );
    }
}

#[tokio::test]
async fn http_2_is_spoken_too() {
    let cluster = start(1, 3).await;
    let token = std::fs::read_to_string(cluster.kubelet_token_path()).unwrap();
    let got = get_as(
        &cluster,
        "node-0001",
        "/metrics/resource",
        Some(&token),
        b"h2",
    )
    .await
    .unwrap();
    assert_eq!(got.status, 200);
    assert!(got.text().contains("node_cpu_usage_seconds_total"));
}

#[tokio::test]
async fn strangers_are_refused_and_rotated_tokens_are_strange() {
    let cluster = start(1, 3).await;
    let old = std::fs::read_to_string(cluster.kubelet_token_path()).unwrap();
    for token in [None, Some("nobody")] {
        let got = get_as(
            &cluster,
            "node-0001",
            "/metrics/resource",
            token,
            b"http/1.1",
        )
        .await
        .unwrap();
        assert_eq!((got.status.as_u16(), got.text()), (401, "Unauthorized"));
    }
    cluster.rotate_token().unwrap();
    let got = get_as(
        &cluster,
        "node-0001",
        "/metrics/resource",
        Some(&old),
        b"http/1.1",
    )
    .await
    .unwrap();
    assert_eq!(got.status, 401);
    assert_eq!(
        get(&cluster, "node-0001", "/metrics/resource")
            .await
            .unwrap()
            .status,
        200
    );
}

#[tokio::test]
async fn a_killed_kubelet_misbehaves_alone_and_heals() {
    let cluster = start(2, 3).await;
    for kill in [Kill::Refuse, Kill::Reset, Kill::HalfBody] {
        assert!(cluster.kill_kubelet("node-0001", kill));
        assert!(
            get(&cluster, "node-0001", "/metrics/resource")
                .await
                .is_err(),
            "{kill:?}"
        );
        assert!(
            get(&cluster, "node-0002", "/metrics/resource")
                .await
                .is_ok()
        );
    }
    cluster.kill_kubelet("node-0001", Kill::Status(503));
    let got = get(&cluster, "node-0001", "/metrics/resource")
        .await
        .unwrap();
    assert_eq!(got.status, 503);
    cluster.kill_kubelet("node-0001", Kill::ClockAhead(Duration::from_secs(7200)));
    let ahead = get(&cluster, "node-0001", "/metrics/resource")
        .await
        .unwrap();
    cluster.heal_kubelet("node-0001");
    let well = get(&cluster, "node-0001", "/metrics/resource")
        .await
        .unwrap();
    let stamp = |text: &str| -> i64 {
        let line = text
            .lines()
            .find(|l| l.starts_with("node_cpu_usage"))
            .unwrap();
        line.rsplit(' ').next().unwrap().parse().unwrap()
    };
    let hours = (stamp(ahead.text()) - stamp(well.text())) as f64 / 3.6e6;
    assert!((1.9..2.1).contains(&hours), "{hours}");
    assert!(!cluster.kill_kubelet("node-9999", Kill::Hang));
}

#[tokio::test]
async fn a_hanging_kubelet_sends_nothing() {
    let cluster = start(1, 3).await;
    cluster.kill_kubelet("node-0001", Kill::Hang);
    let answer = get(&cluster, "node-0001", "/metrics/resource");
    assert!(
        tokio::time::timeout(Duration::from_millis(300), answer)
            .await
            .is_err()
    );
}

#[tokio::test]
async fn a_gzip_bomb_is_small_on_the_wire() {
    let cluster = start(1, 3).await;
    cluster.kill_kubelet("node-0001", Kill::GzipBomb);
    let got = get(&cluster, "node-0001", "/metrics/resource")
        .await
        .unwrap();
    assert_eq!(got.headers["content-encoding"], "gzip");
    assert!(got.body.len() < 1 << 20);
}

#[tokio::test]
async fn each_page_fault_changes_the_page_as_named() {
    let cluster = start(1, 3).await;
    let spoilt = async |kill| {
        cluster.kill_kubelet("node-0001", kill);
        get(&cluster, "node-0001", "/metrics/resource")
            .await
            .unwrap()
    };
    let html = spoilt(Kill::Html).await;
    assert_eq!(html.status, 200);
    assert!(html.text().starts_with("<!DOCTYPE html>"));
    assert!(std::str::from_utf8(&spoilt(Kill::InvalidUtf8).await.body).is_err());
    let numbers = spoilt(Kill::BadNumbers).await;
    for bad in [" NaN ", " +Inf ", " -12.5 ", " 1e+300 "] {
        assert!(numbers.text().contains(bad), "{bad}");
    }
    let error = spoilt(Kill::ScrapeError).await;
    assert!(error.text().ends_with("resource_scrape_error 1\n"));
    assert!(!error.text().contains("container_"));
    let flood = spoilt(Kill::MillionSeries).await;
    let series = flood.body.iter().filter(|b| **b == b'\n').count() - 1;
    assert_eq!(series, 1_000_000);
}

#[tokio::test]
async fn a_client_certificate_authenticates_like_a_token() {
    let cluster = start(1, 3).await;
    let certified = cluster
        .pki()
        .cluster()
        .issue_client("kube-apiserver-kubelet-client", &["system:masters"])
        .unwrap();
    let tls = rustls::ClientConfig::builder_with_provider(pki::provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(pki::roots(&cluster.pki().cluster().pem()).unwrap())
        .with_client_auth_cert(certified.chain().unwrap(), certified.private_key().unwrap())
        .unwrap();
    for (path, body) in [("/healthz", "ok"), ("/nonsense", "404 page not found\n")] {
        let got = request(&cluster, "node-0001", path, None, tls.clone())
            .await
            .unwrap();
        assert_eq!(got.text(), body);
    }
}

#[tokio::test]
async fn a_certificate_of_another_authority_is_not() {
    let cluster = start(1, 3).await;
    let other = pki::Authority::new("kubernetes").unwrap();
    let certified = other
        .issue_client("kube-apiserver-kubelet-client", &["system:masters"])
        .unwrap();
    let tls = rustls::ClientConfig::builder_with_provider(pki::provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(pki::roots(&cluster.pki().cluster().pem()).unwrap())
        .with_client_auth_cert(certified.chain().unwrap(), certified.private_key().unwrap())
        .unwrap();
    assert!(
        request(&cluster, "node-0001", "/healthz", None, tls)
            .await
            .is_err()
    );
}
