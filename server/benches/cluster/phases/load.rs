//! The load of a busy cluster: HPAs, watchers and full lists while scraping continues.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::task::JoinSet;

use super::scraping::Moment;
use super::watches::watch;
use super::{PODS, millicores, quantile};
use crate::report::Report;
use crate::server::Server;

/// Lists by selector in a second.
const SELECTORS: u32 = 50;

/// Watchers: as dashboards, each of a kind or of a namespace.
const WATCHERS: usize = 20;

/// The time between two full lists, in turn as JSON and as protobuf.
const LIST_EVERY: Duration = Duration::from_secs(5);

/// The time between two readiness probes, and the timeout of each.
const PROBE_EVERY: Duration = Duration::from_secs(1);

/// What clients have seen.
#[derive(Debug, Default)]
struct Seen {
    selectors: Vec<Duration>,
    failed: usize,
    slowest_list: Duration,
    unready: usize,
    /// Memory at the start and after each minute.
    memory: Vec<f64>,
}

/// Loads one server for `window`.
pub(crate) async fn load(
    server: &Server,
    paths: &[String],
    window: Duration,
    at: usize,
    report: &mut Report,
) {
    let before = Moment::first(server).await;
    let seen = Arc::new(Mutex::new(Seen::default()));
    let mut tasks = JoinSet::new();
    for watched in watched(paths) {
        let client = server.client.clone();
        tasks.spawn(async move {
            watch(&client, &watched, window).await;
        });
    }
    let (client, seen_lists) = (server.client.clone(), Arc::clone(&seen));
    tasks.spawn(every(LIST_EVERY, window, move |turn| {
        let (client, seen) = (client.clone(), Arc::clone(&seen_lists));
        let accept = ["application/json", "application/vnd.kubernetes.protobuf"][turn % 2];
        async move {
            if let Ok(response) = client.discard(PODS, accept).await {
                let mut seen = seen.lock();
                seen.slowest_list = seen.slowest_list.max(response.total);
            }
        }
    }));
    let (client, seen_probes) = (server.client.clone(), Arc::clone(&seen));
    tasks.spawn(every(PROBE_EVERY, window, move |_| {
        let (client, seen) = (client.clone(), Arc::clone(&seen_probes));
        async move {
            let ready = tokio::time::timeout(PROBE_EVERY, client.is_ok("/readyz")).await;
            seen.lock().unready += usize::from(ready != Ok(true));
        }
    }));
    let (process, seen_memory) = (*server.process, Arc::clone(&seen));
    tasks.spawn(every(Duration::from_secs(60), window, move |_| {
        seen_memory.lock().memory.extend(process.memory("VmRSS"));
        std::future::ready(())
    }));
    let (client, paths, seen_selectors) =
        (server.client.clone(), paths.to_vec(), Arc::clone(&seen));
    tasks.spawn(every(
        Duration::from_secs(1) / SELECTORS,
        window,
        move |turn| {
            let (client, seen) = (client.clone(), Arc::clone(&seen_selectors));
            let path = paths[turn % paths.len()].clone();
            async move {
                match client.discard(&path, "application/json").await {
                    Ok(response) => seen.lock().selectors.push(response.total),
                    Err(_) => seen.lock().failed += 1,
                }
            }
        },
    ));
    tasks.join_all().await;

    let after = Moment::last(server).await;
    let mut seen = std::mem::take(&mut *seen.lock());
    seen.memory.extend(server.process.memory("VmRSS"));
    report.set(at, "loadSelectorP50", quantile(&mut seen.selectors, 0.5));
    report.set(at, "loadSelectorP99", quantile(&mut seen.selectors, 0.99));
    report.set(at, "loadSelectorFailed", seen.failed as f64);
    report.set(at, "loadListMax", super::milliseconds(seen.slowest_list));
    let time = after.at.duration_since(before.at);
    let cpu = millicores((after.cpu - before.cpu).total(), time);
    report.set(at, "loadCpu", cpu);
    report.set(at, "loadMissed", after.missed(&before, report.nodes));
    report.set(at, "loadUnready", seen.unready as f64);
    report.set(at, "loadRssStart", seen.memory.first().copied());
    report.set(
        at,
        "loadRssHalf",
        seen.memory.get(seen.memory.len() / 2).copied(),
    );
    report.set(at, "loadRssEnd", seen.memory.last().copied());
    println!(
        "memory of {} each minute, MiB: {:.1?}",
        server.name, seen.memory
    );
}

/// The lists that the watchers watch: all nodes, all incidents, and the pods of single namespaces.
fn watched(paths: &[String]) -> Vec<String> {
    const GROUP: &str = "/apis/kubevitals.io/v1alpha1";
    let namespaces = paths
        .iter()
        .filter_map(|path| path.split("/namespaces/").nth(1)?.split('/').next());
    let of_namespaces = namespaces.map(|it| format!("{GROUP}/namespaces/{it}/podvitals"));
    let mut all = vec![format!("{GROUP}/nodevitals"), format!("{GROUP}/incidents")];
    all.extend(of_namespaces);
    all.dedup();
    all.into_iter().cycle().take(WATCHERS).collect()
}

/// Starts `request` in a task of its own every `period`, whether the earlier ones have ended or not, and returns when
/// all have ended.
async fn every<F>(period: Duration, window: Duration, request: impl Fn(usize) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let (mut tasks, began) = (JoinSet::new(), Instant::now());
    let mut turns = tokio::time::interval(period);
    for turn in 0.. {
        turns.tick().await;
        if began.elapsed() >= window {
            break;
        }
        tasks.spawn(request(turn));
        while tasks.try_join_next().is_some() {}
    }
    tasks.join_all().await;
}
