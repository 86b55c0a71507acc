//! A receiver that is away for longer than the queue lasts gets what it lacks from the history.

use std::collections::BTreeMap;
use std::time::Duration;

use kubevitals_sim::Faults;

use super::receiver::{Label, Receiver};
use super::ring::{Container, GRID, ring};
use super::{config, export, step};
use crate::harness::{Harness, counted, wait_until};

const CPU: &str = "container_cpu_usage_seconds_total";

/// The accepted samples of a metric by container, in the order of arrival.
fn accepted(receiver: &Receiver, metric: &str) -> BTreeMap<Container, Vec<(i64, f64)>> {
    let mut all: BTreeMap<Container, Vec<(i64, f64)>> = BTreeMap::new();
    for series in receiver.accepted().iter().flat_map(|it| it.v1().timeseries) {
        let label = |name: &str| {
            let mut labels = series.labels.iter();
            let found = labels.find(|Label { name: it, .. }| it == name);
            found.map(|it| it.value.clone()).unwrap_or_default()
        };
        if label("__name__") != metric {
            continue;
        }
        let container = (label("namespace"), label("pod"), label("container"));
        // Not the marks of the end.
        let samples = series.samples.iter().filter(|it| !it.value.is_nan());
        let samples = samples.map(|it| (it.timestamp, it.value));
        all.entry(container).or_default().extend(samples);
    }
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_no_queue_held_comes_from_the_history_in_order() {
    let receiver = Receiver::start(vec![], vec![]).await;
    let flags = [
        format!("--remote-write-url={}", receiver.url),
        "--leader-elect=false".to_owned(),
        "--remote-write-queue-memory=20Ki".to_owned(),
    ];
    let harness =
        Harness::start_with(config(2, Faults::None), |settings| export(settings, &flags)).await;
    harness.first_step(2).await;
    for _ in 0..4 {
        step(&harness, 2).await;
    }
    let since = harness.clock.now().as_millis();
    for at in 0..60 {
        match at {
            4 => receiver.set_down(true),
            // Twelve minutes later: 20 KiB are the requests of some minutes.
            52 => receiver.set_down(false),
            _ => {}
        }
        step(&harness, 2).await;
    }
    let until = harness.clock.now().as_millis();
    let count = async |name: &str| counted(&harness.cluster, &harness.server, name).await;
    let ring = ring(&harness.server, since..until - 30_000);
    // The queue is empty between two parts of a backfill, too.
    wait_until("the gap is filled", async || {
        harness.clock.advance(Duration::from_secs(1));
        let cpu = accepted(&receiver, CPU);
        let has = |container, at: &i64| {
            let samples: Option<&Vec<(i64, f64)>> = cpu.get(container);
            samples.is_some_and(|all| all.iter().any(|it| (it.0 - at).abs() <= GRID))
        };
        let mut times = ring.iter();
        times.all(|(container, times)| times.iter().all(|at| has(container, at)))
    })
    .await;
    assert!(count("kubevitals_remote_write_backfilled_samples_total").await > 0);
    let cpu = accepted(&receiver, CPU);
    assert!(ring.len() > 8, "{}", ring.len());
    for (container, times) in &ring {
        let samples = &cpu[container];
        for at in times {
            let found = samples
                .iter()
                .filter(|it| (it.0 - at).abs() <= GRID)
                .count();
            assert_eq!(found, 1, "{container:?} at {at}");
        }
        for pair in samples.windows(2) {
            // A later time, and a counter that does not fall: no false restart.
            assert!(
                pair[0].0 < pair[1].0,
                "{container:?}: out of order: {pair:?}"
            );
            assert!(
                pair[0].1 <= pair[1].1,
                "{container:?}: a false reset: {pair:?}"
            );
        }
    }
}
