//! A restarted server repeats nothing, and sends what happened while it was away.

use std::time::Duration;

use kubevitals_server::Server;
use serde_json::Value;

use super::{World, lines, pairs};

/// Waits until the server has noted that all incidents are announced: after the last line, and before a shutdown.
async fn noted(world: &World, server: &Server) {
    world
        .until("the announcements are noted", async || {
            let (entries, _) = server.query().health().incidents();
            let mut incidents = entries.iter().map(|entry| &entry.incident.metadata);
            incidents.all(|meta| server.query().health().announced(meta).is_some())
        })
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_incident_is_announced_once_over_a_restart_and_resolved() {
    let world = World::new().await;
    // Before the server starts.
    world.breaks("web-1");
    let server = world.serve(&[world.log_flag()]).await;
    let opened = pairs(&[("opened", "web-1")]);
    world
        .until("the incident is in the log", async || {
            lines(&world.log()) == opened
        })
        .await;
    let text = std::fs::read_to_string(world.log()).unwrap();
    let line: Value = serde_json::from_str(text.trim()).unwrap();
    assert_eq!(line["incident"]["apiVersion"], "kubevitals.io/v1alpha1");
    assert_eq!(line["incident"]["cause"], "Exited");
    assert_eq!(line["severity"], "warning");
    assert_eq!(
        line["incident"]["metadata"]["uid"].as_str().unwrap().len(),
        36
    );
    noted(&world, &server).await;
    server.shutdown().await;

    let server = world.serve(&[world.log_flag()]).await;
    // The first one would be announced again before this one.
    world.breaks("later-pod");
    let opened = pairs(&[("opened", "web-1"), ("opened", "later-pod")]);
    world
        .until("the later incident is in the log", async || {
            lines(&world.log()).len() > 1
        })
        .await;
    assert_eq!(lines(&world.log()), opened);
    noted(&world, &server).await;
    server.shutdown().await;

    world.recovers("web-1");
    world.clock.advance(Duration::from_secs(3600));
    let _server = world.serve(&[world.log_flag()]).await;
    let resolved = pairs(&[
        ("opened", "web-1"),
        ("opened", "later-pod"),
        ("resolved", "web-1"),
    ]);
    world
        .until("the end is in the log", async || {
            lines(&world.log()).len() > 2
        })
        .await;
    assert_eq!(lines(&world.log()), resolved);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_notice_that_was_not_delivered_is_sent_by_the_next_process() {
    let world = World::new().await;
    world.breaks("web-1");
    let lost = world.folder.path().join("not-there/log");
    let flag = format!("--incident-log={}", lost.display());
    let server = world.serve(&[flag]).await;
    let retries = "kubevitals_incident_notice_retries_total{target=\"log\"}";
    world
        .until("the log cannot be written", async || {
            crate::harness::counted(&world.cluster, &server, retries).await > 1
        })
        .await;
    server.shutdown().await;
    let _server = world.serve(&[world.log_flag()]).await;
    let opened = pairs(&[("opened", "web-1")]);
    world
        .until("the incident is in the log", async || {
            lines(&world.log()) == opened
        })
        .await;
}
