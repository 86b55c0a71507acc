//! Shutdown: the server is unready for its delay, so that clients go to other replicas, and then stops.

use std::time::Duration;

use kubevitals_sim::{Config, Faults};

use crate::harness::{Harness, wait_until};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopping_server_is_unready_and_still_serves() {
    let config = Config {
        faults: Faults::None,
        ..Config::default()
    };
    let harness = Harness::start_with(config, |settings| {
        settings.requests.shutdown_delay_duration = Duration::from_secs(3600);
    })
    .await;
    harness.server.ready().await;
    let ask = |path| harness.request("GET", path);
    let (ready, live, nodes) = (
        ask("/readyz"),
        ask("/livez"),
        ask("/apis/metrics.k8s.io/v1/nodes"),
    );
    let Harness {
        server,
        cluster: _cluster,
        ..
    } = harness;
    let ending = tokio::spawn(server.shutdown());
    let status = async |request: &reqwest::RequestBuilder| {
        let request = request.try_clone().unwrap();
        request.send().await.unwrap().status().as_u16()
    };
    wait_until("it is unready", async || status(&ready).await == 500).await;
    assert_eq!(status(&live).await, 200);
    assert_eq!(status(&nodes).await, 200);
    assert!(!ending.is_finished());
    ending.abort();
}
