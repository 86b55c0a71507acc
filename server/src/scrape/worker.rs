//! The task of one node: wait for the next scrape, request, ingest, publish, forever.

use std::pin::pin;
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::watch;
use tokio::task::JoinSet;

use super::admission::{Kind, Pass, Wish};
use super::client::Turn;
use super::early::{EarlyRequest, EarlyTurns};
use super::failure::{Failed, ScrapeError};
use super::first_rates;
use super::node_log::{NodeLog, Subject};
use super::page::Page;
use super::pages::{self, Ended, Request, Timetable};
use super::record::Record;
use super::resource::request;
use super::schedule::{Phase, longest_pause};
use super::shared::Shared;
use super::target::Target;
use crate::clock::Age;
use crate::cluster::{Bindings, Node};
use crate::store::history::NodeHistory;
use crate::store::{Bounds, NodeCell};

/// Receives the results of one node's scrapes.
struct Sinks<'a> {
    shared: &'a Shared,
    cell: &'a NodeCell,
    history: Option<&'a NodeHistory>,
    record: &'a Record,
}

/// The result of a request besides the node's turns.
enum Finished {
    /// Another page.
    Page(Ended),
    /// An early scrape, with the starts of containers that are still too young for a rate.
    Early(Vec<Age>),
}

/// Runs until the node is deleted.
pub(super) async fn run(
    shared: Arc<Shared>,
    mut node: watch::Receiver<Arc<Node>>,
    cell: Arc<NodeCell>,
    history: Option<Arc<NodeHistory>>,
) {
    let mut current = Arc::clone(&node.borrow_and_update());
    let (resolution, intervals) = (shared.settings.resolution, &shared.settings.pages);
    let phase = Phase::of(&current.name, resolution);
    let mut target = Target::of(&current, &shared.settings.addressing);
    let mut log = NodeLog::default();
    let record = shared.stats.records().add(&current.name, intervals);
    let (mut failures, mut silent) = (0_u32, false);
    let mut last_request = None;
    let mut timetable = Timetable::of(&current.name, resolution, intervals, shared.now());
    let mut starts = shared.starts.subscribe(&current.name);
    let mut early = EarlyTurns::new(resolution);
    // The current request for another page or of an early scrape, if any. It may last beyond the node's next scrape,
    // which then uses a connection of its own.
    let (mut page, mut both) = (JoinSet::new(), false);
    // The first scrape is due at once: clients wait for the first metrics.
    loop {
        record.waits(shared.now(), resolution);
        let guard = shared.stats.begin_turn(shared.now().age);
        let wish = Wish {
            kind: Kind::Resource,
            failing: silent || !current.ready,
            handshake: !target.is_connected(),
            last_request,
        };
        let pass = admitted(&shared, wish, phase, &record).await;
        // A scraped node goes on. A new one would add a connection and its series.
        let is_new = cell.latest().is_none();
        let reserved = is_new
            .then(|| shared.memory.reserve_first_scrape())
            .flatten();
        if is_new && reserved.is_none() {
            drop((pass, guard));
            wait_for_memory(&shared, phase, &record).await;
            continue;
        }
        last_request = Some(shared.stats.gate.now());
        let turn = shared.now();
        record.begins(turn, resolution);
        early.scraped(turn.age);
        if !page.is_empty() {
            both = true;
            target.allow_two(true);
        }
        let began = Instant::now();
        let sinks = Sinks {
            shared: &shared,
            cell: &cell,
            history: history.as_deref(),
            record: &record,
        };
        // On the heap, because the task of a node exists between its scrapes too, and there are thousands.
        let scraping = scrape(&sinks, &current, &mut target, pass, &mut log);
        let scraping = async move {
            let _reserved = reserved;
            scraping.await
        };
        let result = Box::pin(scraping).await;
        let result = result.map(|starts| starts.into_iter().for_each(|at| early.add(at)));
        let before = failures;
        silent = result
            .as_ref()
            .is_err_and(|failed| !failed.error.is_informative());
        failures = if result.is_ok() {
            0
        } else {
            failures.saturating_add(1)
        };
        let took = began.elapsed();
        let now = shared.now();
        let passed = now.age.since(turn.age).as_nanos() / resolution.as_nanos().max(1);
        shared.skipped(&record, u32::try_from(passed).unwrap_or(u32::MAX));
        let wait = phase.until_next(now.wall, failures, longest_pause(current.ready));
        record.plans(now, wait);
        let (mut next, next_turn) = (shared.clock.sleep(wait), now.age.after(wait));
        let subject = Subject::resource(&current.name, target.metrics_path());
        match &result {
            Ok(()) => log.answered(&subject, before),
            Err(failed) => log.failed(&shared.lines, &subject, failed, failures),
        }
        // Last: a reader of these counts may rely on the time of the next scrape.
        record.ended(turn, took, result.as_ref().map(|()| target.best()));
        shared.stats.scraped(&result, took);
        drop(guard);
        loop {
            // No page is requested from a failing node, and only one page at a time.
            let due = timetable
                .next()
                .filter(|_| failures == 0 && page.is_empty() && !shared.memory.is_tight());
            let at = due.map(|(_, at)| at);
            let early_at = early
                .next(next_turn)
                .filter(|_| failures == 0 && page.is_empty());
            tokio::select! {
                biased;
                Some(ended) = page.join_next() => {
                    target.allow_two(std::mem::take(&mut both));
                    let Ended { page, result, failures } = match ended {
                        Ok(Finished::Page(ended)) => ended,
                        Ok(Finished::Early(starts)) => {
                            starts.into_iter().for_each(|at| early.add(at));
                            continue;
                        }
                        Err(_) => {
                            // The task has panicked; the runtime has printed where.
                            timetable.all_ended(shared.now());
                            continue;
                        }
                    };
                    timetable.ended(page, !matches!(result, Some(Err(_))), shared.now());
                    let subject = Subject::page(&current.name, page);
                    match &result {
                        Some(Ok(_)) => log.answered(&subject, failures),
                        Some(Err(failed)) => log.failed(&shared.lines, &subject, failed, failures),
                        None => {}
                    }
                    // Last here too.
                    shared.stats.pages.ended(page, result.as_ref().map(Result::as_ref));
                }
                () = &mut next => break,
                changed = node.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    let before = std::mem::replace(&mut current, Arc::clone(&node.borrow_and_update()));
                    let moved = before.addresses != current.addresses
                        || before.status_port != current.status_port
                        || before.metrics_path != current.metrics_path;
                    if moved {
                        target = Target::of(&current, &shared.settings.addressing);
                    }
                    // A failing node with a new address, or that is ready again, is scraped at once.
                    if failures > 0 && (moved || (current.ready && !before.ready)) {
                        break;
                    }
                }
                Ok(()) = starts.changed() => {
                    let started = *starts.borrow_and_update();
                    let now = shared.now();
                    early.add(cell.series().to_server_time(started, now.age, now.wall));
                }
                () = pages::turn(&shared, early_at) => {
                    let now = shared.now().age;
                    if now >= next_turn {
                        // The node's turn has come too, and its timer is about to fire.
                        early.scraped(now);
                    } else if early.begin(now) && shared.may_scrape_early(now) {
                        let request = EarlyRequest {
                            shared: Arc::clone(&shared),
                            cell: Arc::clone(&cell),
                            target: target.for_page(),
                            path: target.metrics_path().into(),
                            turn: next_turn,
                        };
                        page.spawn(async move { Finished::Early(request.run().await) });
                    } else {
                        shared.stats.early.inc(["refused"]);
                    }
                }
                () = pages::turn(&shared, at) => {
                    if let Some((which, _)) = due {
                        let request = Request {
                            page: which,
                            shared: Arc::clone(&shared),
                            cell: Arc::clone(&cell),
                            record: Arc::clone(&record),
                            node: Arc::clone(&current.name),
                            target: target.for_page(),
                        };
                        page.spawn(async move { Finished::Page(request.run().await) });
                    }
                }
            }
        }
    }
}

/// Waits until the server may grow by a node. Its connection and its series take the most memory of all that a node needs.
async fn wait_for_memory(shared: &Shared, phase: Phase, record: &Record) {
    let _left_out = shared.memory.leave_out();
    loop {
        record.left_out(shared.now(), shared.settings.resolution);
        let turn = phase.until_next(shared.clock.wall(), 0, 1);
        shared.clock.sleep(turn).await;
        if !shared.memory.is_full() {
            return;
        }
    }
}

/// Waits for admission. A scrape that becomes due while an earlier one waits is skipped, and not repeated later.
async fn admitted<'a>(shared: &'a Shared, wish: Wish, phase: Phase, record: &Record) -> Pass<'a> {
    let mut admission = pin!(shared.stats.gate.enter(wish));
    loop {
        let turn = async {
            let next = phase.until_next(shared.clock.wall(), 0, 1);
            shared.clock.sleep(next).await;
        };
        tokio::select! {
            biased;
            pass = &mut admission => return pass,
            () = turn => {
                record.waits(shared.now(), shared.settings.resolution);
                shared.skipped(record, 1);
            }
        }
    }
}

/// Scrapes the node. Returns the starts of the containers that are too young for a rate.
async fn scrape(
    sinks: &Sinks<'_>,
    node: &Node,
    target: &mut Target,
    pass: Pass<'_>,
    log: &mut NodeLog,
) -> Result<Vec<Age>, Failed> {
    let Sinks {
        shared,
        cell,
        record,
        history,
    } = *sinks;
    if target.is_empty() {
        let preferred = shared.settings.addressing.types();
        return Err(Failed::at("none", ScrapeError::NoAddress(preferred)));
    }
    let names = shared.cluster.names();
    let path = target.metrics_path().to_owned();
    let mut turn = Turn::new(pass, true);
    let mut body = shared.buffers.body();
    let (times, mut scrape) = loop {
        let response = request(shared, target, &path, &mut turn, &mut body).await?;
        let error = match response.scrape {
            Ok(scrape) => {
                target.prefer(response.origin);
                break (response.times, scrape);
            }
            Err(error) => error,
        };
        let next = error.is_not_a_kubelets() && turn.has_next(target);
        turn.record_error(target.origin(response.origin), error);
        if !next {
            return Err(turn.failure());
        }
    };
    let answered = times.answered;
    if scrape.skipped_lines > 0 {
        let skipped_lines = u64::from(scrape.skipped_lines);
        shared.stats.skipped_lines.inc_by(skipped_lines);
        record.skipped(scrape.skipped_lines, scrape.first_bad_line, shared.now());
        log.skipped(
            &shared.lines,
            &node.name,
            scrape.skipped_lines,
            scrape.first_bad_line,
        );
    }
    let (needs_first_rates, set_by, node_time, starts) = {
        let mut series = cell.series();
        series.bound(bounds(node));
        let set_by = series.ingest(&mut scrape, &times, names);
        record.set_series(series.size());
        cell.publish(series.latest(&scrape, answered, names));
        let time = series.time(answered);
        let starts = series.recent_starts(&scrape, answered, shared.clock.wall());
        (series.needs_first_rates(), set_by, time, starts)
    };
    if let Some(by) = set_by {
        shared.stats.clock_steps.inc();
        log.clock_stepped(&shared.lines, &node.name, by);
    }
    let duplicates = &scrape.duplicates;
    if !duplicates.is_empty() {
        shared.stats.duplicates.inc_by(duplicates.len() as u64);
        log.duplicates(&shared.lines, &node.name, duplicates);
    }
    // While the server is overloaded, second scrapes are more important than first rates.
    if needs_first_rates && !shared.stats.gate.is_overloaded() {
        match first_rates::fetch(shared, target, turn.and_page()).await {
            Ok(mut rates) => {
                rates.leave_out(&scrape.duplicates);
                let mut series = cell.series();
                series.use_first_rates(&rates);
                cell.publish(series.latest(&scrape, answered, names));
            }
            Err(error) => {
                shared.stats.no_first_rates.inc([error.reason()]);
                if let Some(unreported) = shared.lines.allow("first_rates", error.reason()) {
                    tracing::info!(
                        node = %node.name, reason = error.reason(), unreported,
                        hint = Page::Summary.hint(&error),
                        "no first rates from /stats/summary, the second scrape brings them: {error}",
                    );
                }
            }
        }
    }
    if let Some(history) = history {
        let (bindings, series) = (Bindings::of(&shared.cluster), cell.series());
        let (sample, containers) = series.readings(&scrape);
        if let Some(by) = set_by {
            history.shift(by);
        }
        if let Some(time) = node_time {
            history.set_clock(time, answered);
        }
        history.take(answered, sample, containers, |pod| {
            bindings.of_name(pod, &node.name)
        });
    }
    Ok(starts)
}

/// The bounds of a node's usage, from the API server.
fn bounds(node: &Node) -> Bounds {
    let (capacity, allocatable) = (node.capacity, node.allocatable);
    Bounds::of(
        capacity.cpu.or(allocatable.cpu),
        capacity.memory.or(allocatable.memory),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The size of what a function with four parameters returns.
    fn size_of_output<A, B, C, D, T>(_: impl Fn(A, B, C, D) -> T) -> usize {
        size_of::<T>()
    }

    #[test]
    fn the_task_of_a_node_is_small() {
        let bytes = size_of_output(run);
        assert!(bytes <= 1520, "{bytes} bytes for each node");
    }
}
