//! `vitals history`: on a simulated cluster with simulated time, and with servers without history.

use std::time::Duration;

use kubevitals::batch::{Streams, history};
use kubevitals::cli;
use kubevitals_proto::time::Timestamp;
use kubevitals_sim::{Config, Faults, SimClock};
use serde_json::Value;

use crate::api::{Api, Cluster};
use crate::ask::vitals;
use crate::running::Running;
use crate::schemas;
use crate::world::node_metrics;

/// The output, or the error and the exit code.
async fn run(running: &Running, flags: &str) -> Result<String, (String, u8)> {
    let kubeconfig = running.kubeconfig();
    let words = [
        "vitals",
        "history",
        "--kubeconfig",
        kubeconfig.to_str().unwrap(),
    ];
    let words = words.into_iter().chain(flags.split_whitespace());
    let parsed = cli::parse(words.map(Into::into)).unwrap();
    let Some(cli::Command::History(args)) = parsed.command else {
        panic!("{flags}");
    };
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut streams = Streams {
        out: &mut out,
        err: &mut err,
    };
    let done = history::run(&parsed.connection, &args, &mut streams).await;
    done.map_err(|error| (error.to_string(), error.exit_code()))?;
    Ok(String::from_utf8(out).unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_history_is_printed_in_every_form() {
    let mut running = Running::simulated(Config {
        nodes: 2,
        pods_per_node: 8,
        faults: Faults::None,
        clock: Some(SimClock::manual(Timestamp::from_secs(1_800_000_000))),
        ..Config::default()
    })
    .await;
    running.pass_for(Duration::from_secs(300)).await;
    running.detect();
    let span = "--since 10m --step 1m";
    for subject in [
        "cluster",
        "node node-0001",
        "namespace shop",
        "deployment/web -n shop",
        "pod shop/postgres-0",
        "pod postgres-0 -n shop --container postgres",
    ] {
        let json = run(&running, &format!("{subject} {span} -o json"))
            .await
            .unwrap();
        let document: Value = serde_json::from_str(&json).unwrap();
        schemas::fits("history", &document);
        let items = document["items"].as_array().unwrap();
        assert_eq!(
            (document["kind"].as_str(), items.len()),
            (Some("History"), 10),
            "{subject}"
        );
        // Before the first sample there is a gap, which is not zero.
        assert!(
            items[0]["cpu"].is_null() && items[0]["memory"].is_null(),
            "{json}"
        );
        assert!(items[9]["cpu"].as_f64().unwrap() > 0.0, "{json}");
        assert!(
            document["cpu"]["p95"].as_f64() <= document["cpu"]["max"].as_f64(),
            "{json}"
        );
        let csv = run(&running, &format!("{subject} {span} -o csv"))
            .await
            .unwrap();
        let lines: Vec<&str> = csv.lines().collect();
        assert_eq!(
            (lines[0], lines.len()),
            ("time,cpu,memory,swap,restarts", 11)
        );
        assert_eq!(
            lines[1],
            format!("{},,,,", items[0]["time"].as_str().unwrap())
        );
        let table = run(&running, &format!("{subject} {span}")).await.unwrap();
        assert!(
            table.lines().nth(1).unwrap().ends_with("     -        -"),
            "{table}"
        );
        let chart = run(&running, &format!("{subject} {span} -o chart --ascii"))
            .await
            .unwrap();
        assert!(
            chart.is_ascii() && chart.contains("\nCPU  p50 ") && chart.contains("\nMEMORY  p50 ")
        );
        assert!(chart.lines().all(|line| line.len() <= 80), "{chart}");
        let yaml = run(&running, &format!("{subject} {span} -o yaml"))
            .await
            .unwrap();
        assert!(yaml.starts_with("kind: History\n"), "{yaml}");
    }
    let limit = run(&running, "pod shop/postgres-0 -o chart --ascii")
        .await
        .unwrap();
    assert!(limit.contains("limit 1Gi"), "{limit}");
    for (flags, expected, code) in [
        (
            "pod shop/nobody",
            "Error from server (NotFound): podvitals.kubevitals.io \"nobody\" not found",
            1,
        ),
        (
            "deployment/nothing -n shop",
            "Error from server (NotFound): podvitals.kubevitals.io \"Deployment/nothing\" not found",
            1,
        ),
        (
            "pod shop/postgres-0 --container nope",
            "error: pod shop/postgres-0 has no container nope: it has exporter, postgres",
            1,
        ),
        (
            "node node-0001 --container web",
            "error: --container selects a container of a pod, and this is the node node-0001",
            2,
        ),
        ("pod", "error: \"pod\" needs a name: history pod NAME", 2),
    ] {
        let failed = run(&running, flags).await.unwrap_err();
        assert_eq!(failed, (expected.to_owned(), code), "{flags}");
    }
    running.stop().await;
}

#[test]
fn without_history_one_line_says_so() {
    let api = Api::serve(Cluster {
        node_metrics: vec![node_metrics("n1", "1", "1Gi")],
        ..Cluster::default()
    });
    for line in [
        &["history", "node", "n1"][..],
        &["rightsize"],
        &["rightsize", "-A", "-o", "json"],
    ] {
        let said = vitals(&api, line);
        assert_eq!(
            (said.out.as_str(), said.code),
            ("", Some(1)),
            "{line:?}: {}",
            said.err
        );
        assert!(
            said.err.starts_with("error: no history: the cluster at ")
                && said.err.ends_with(
                    " serves metrics.k8s.io, which has the latest usage only; \
                     install vitals-server: kubectl apply -k deploy/base\n"
                ),
            "{}",
            said.err
        );
    }
}

#[test]
fn prices_that_are_not_numbers_are_refused_in_one_line() {
    let api = Api::serve(Cluster::default());
    let said = vitals(&api, &["rightsize", "--cpu-price", "cheap"]);
    assert_eq!((said.out.as_str(), said.code), ("", Some(2)));
    assert_eq!(
        said.err,
        "error: invalid value 'cheap' for '--cpu-price <PRICE>': expected a number that is not negative, such as 0.031\n"
    );
    assert!(api.requests.lock().unwrap().is_empty());
}
