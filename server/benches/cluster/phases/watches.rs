//! A watch of all pods of kubevitals.io while scraping continues.

use std::time::{Duration, Instant};

use super::millicores;
use crate::client::Client;
use crate::report::Report;
use crate::server::Server;

const PODVITALS: &str = "/apis/kubevitals.io/v1alpha1/podvitals";

/// Two resolutions: every pod changes twice.
const WINDOW: Duration = Duration::from_secs(30);

/// The events and bytes of a watch.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Received {
    pub(super) events: usize,
    pub(super) bytes: usize,
}

/// Reads a watch from now on, for `window`. None if the server does not serve the resource.
pub(super) async fn watch(client: &Client, list: &str, window: Duration) -> Option<Received> {
    let now = client.json(&format!("{list}?limit=1")).await.ok()?;
    let version = now["metadata"]["resourceVersion"].as_str()?;
    let path = format!("{list}?watch=1&resourceVersion={version}");
    let mut response = client.get(&path, "application/json").await.ok()?;
    let deadline = tokio::time::Instant::now() + window;
    let mut received = Received::default();
    while let Ok(Ok(Some(chunk))) = tokio::time::timeout_at(deadline, response.chunk()).await {
        received.bytes += chunk.len();
        received.events += chunk.iter().filter(|byte| **byte == b'\n').count();
    }
    Some(received)
}

/// Measures one watch.
pub(crate) async fn watches(server: &Server, at: usize, report: &mut Report) {
    let before = server.process.memory("VmRSS").unwrap_or_default();
    server.process.reset_peak();
    let (cpu, began) = (server.process.cpu(), Instant::now());
    let Some(received) = watch(&server.client, PODVITALS, WINDOW).await else {
        return;
    };
    let (used, time) = (server.process.cpu() - cpu, began.elapsed());
    let scraping = report.get(at, "cpu").unwrap_or_default();
    let added = millicores(used.total(), time) - scraping;
    report.set(at, "watchCpu", added);
    report.set(
        at,
        "watchEvents",
        received.events as f64 / WINDOW.as_secs_f64(),
    );
    report.set(
        at,
        "watchSize",
        received.bytes as f64 / 1e3 / WINDOW.as_secs_f64(),
    );
    let peak = server.process.memory("VmHWM").unwrap_or_default();
    report.set(at, "watchMemory", peak - before);
}
