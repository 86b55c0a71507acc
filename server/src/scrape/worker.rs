//! One node's task: wait for its turn, ask, take in, publish; for ever.

use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use kubevitals_proto::kubelet::resource::{self, DecodeLimits, ResourceScrape};
use tokio::sync::watch;
use tokio::time::timeout;

use super::Shared;
use super::complaint::Complaints;
use super::failure::{Failed, ScrapeError, beginning};
use super::first;
use super::pages::{self, Asking, Timetable};
use super::record::{Moment, Record};
use super::schedule::{Phase, longest_pause};
use super::target::Target;
use crate::cluster::{Node, PodKey};
use crate::store::history::NodeHistory;
use crate::store::{Bounds, NodeCell, Turn};

/// A place among those asked at the same moment is held no longer than this: a kubelet that does not answer
/// costs nothing but its own time, and must not keep the others from being asked.
const LONGEST_PLACE: Duration = Duration::from_millis(500);

/// Where the results of one node's scrapes go.
struct Place<'a> {
    shared: &'a Shared,
    cell: &'a NodeCell,
    history: Option<&'a NodeHistory>,
    record: &'a Record,
}

/// Runs until its node is gone.
pub(super) async fn run(
    shared: Arc<Shared>,
    mut node: watch::Receiver<Arc<Node>>,
    cell: Arc<NodeCell>,
    history: Option<Arc<NodeHistory>>,
) {
    let mut known = Arc::clone(&node.borrow_and_update());
    let phase = Phase::of(&known.name, shared.settings.resolution);
    let mut target = Target::of(&known, &shared.settings.addressing);
    let mut complaints = Complaints::default();
    let record = shared.stats.records().add(&known.name);
    let mut failures: u32 = 0;
    let (resolution, pages) = (shared.settings.resolution, &shared.settings.pages);
    let mut timetable = Timetable::of(&known.name, resolution, pages, shared.now());
    // The first turn comes at once: someone is waiting for the first answer.
    loop {
        let lane = if failures == 0 && known.ready {
            &shared.answering
        } else {
            &shared.failing
        };
        let turn = shared.now();
        record.begins(turn, shared.settings.resolution);
        let asking = shared.stats.asks(turn.age);
        let Ok(permit) = lane.acquire().await else {
            return;
        };
        let mut body = shared.buffers.take();
        let began = Instant::now();
        let result = {
            let place = Place {
                shared: &shared,
                cell: &cell,
                history: history.as_deref(),
                record: &record,
            };
            let mut scraping = pin!(scrape(
                &place,
                &known,
                &mut target,
                &mut body,
                &mut complaints,
            ));
            let soon = timeout(LONGEST_PLACE, &mut scraping).await;
            drop(permit);
            match soon {
                Ok(result) => result,
                Err(_) => scraping.await,
            }
        };
        shared.buffers.give(body);
        let before = failures;
        failures = if result.is_ok() {
            0
        } else {
            failures.saturating_add(1)
        };
        let took = began.elapsed();
        record.ended(turn, took, result.as_ref().map(|()| target.best()));
        let now = shared.now();
        let wait = phase.until_next(now.wall, failures, longest_pause(known.ready));
        record.plans(now, wait);
        let mut next = shared.clock.sleep(wait);
        match &result {
            Ok(()) => complaints.answered(&known.name, before),
            Err(failed) => complaints.failed(&shared.budget, &known.name, failed, failures),
        }
        // Last: whoever sees the count may rely on the next turn being set.
        shared.stats.scraped(&result, took);
        drop(asking);
        loop {
            // A node that does not answer is not asked for more.
            let page = timetable.next().filter(|_| failures == 0);
            let due = page.map(|(_, due)| due);
            tokio::select! {
                biased;
                () = &mut next => break,
                changed = node.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    let before = std::mem::replace(&mut known, Arc::clone(&node.borrow_and_update()));
                    let moved = before.addresses != known.addresses
                        || before.status_port != known.status_port
                        || before.metrics_path != known.metrics_path;
                    if moved {
                        target = Target::of(&known, &shared.settings.addressing);
                    }
                    // A failing node that has moved or come back is not kept waiting for its turn.
                    if failures > 0 && (moved || (known.ready && !before.ready)) {
                        break;
                    }
                }
                () = pages::turn(&shared, due) => {
                    let Some((page, _)) = page else {
                        continue;
                    };
                    let asking = Asking { shared: &shared, cell: &cell, node: &known };
                    let (come, result) = asking.ask(page, &mut target, &mut next).await;
                    timetable.ended(page, result.is_ok(), shared.now());
                    // Last here too.
                    let outcome = result.as_ref().copied().map_err(|failed| &failed.error);
                    shared.stats.pages().asked(page, outcome);
                    if come {
                        break;
                    }
                }
            }
        }
    }
}

async fn scrape(
    place: &Place<'_>,
    node: &Node,
    target: &mut Target,
    body: &mut Vec<u8>,
    complaints: &mut Complaints,
) -> Result<(), Failed> {
    let Place {
        shared,
        cell,
        record,
        history,
    } = *place;
    if target.is_empty() {
        let preferred: Vec<String> = shared
            .settings
            .addressing
            .preferred
            .iter()
            .map(ToString::to_string)
            .collect();
        let preferred = preferred.join(",");
        return Err(Failed::at("none", ScrapeError::NoAddress { preferred }));
    }
    let names = shared.cluster.names();
    let path = target.metrics_path().to_owned();
    let (sent, asked) = (shared.clock.wall(), shared.clock.elapsed());
    let deadline = shared.kubelets.deadline();
    shared.kubelets.get(target, &path, deadline, body).await?;
    let answered = shared.clock.elapsed();
    let mut scrape = ResourceScrape::default();
    resource::decode(body, &mut scrape);
    check(&scrape, body).map_err(|error| Failed::at(target.best(), error))?;
    if scrape.skipped_lines > 0 {
        shared.stats.skipped(u64::from(scrape.skipped_lines));
        record.skipped(scrape.skipped_lines, scrape.first_bad_line, shared.now());
        complaints.skipped(
            &shared.budget,
            &node.name,
            scrape.skipped_lines,
            scrape.first_bad_line,
        );
    }
    let turn = Turn {
        sent,
        asked,
        answered,
    };
    let (wants_stand_in, set_by, its_time) = {
        let mut series = cell.series();
        series.bound(bounds(node));
        let set_by = series.ingest(&mut scrape, &turn, names);
        record.holds(series.held());
        cell.publish(series.latest(&scrape, answered, names));
        let time = series.time(answered);
        (series.wants_stand_in(), set_by, time)
    };
    let suspicious = Suspicious {
        set_by,
        scrape: &scrape,
    };
    suspicious.tell(shared, &node.name, complaints);
    if wants_stand_in {
        match first::ask(&shared.kubelets, target, deadline).await {
            Ok(mut rates) => {
                rates.leave_out(&scrape.duplicates);
                let mut series = cell.series();
                series.stand_in(&rates);
                cell.publish(series.latest(&scrape, answered, names));
            }
            Err(error) => {
                shared.stats.no_first_rates(&error);
                if let Some(unreported) = shared.no_first_rates.lock().speak() {
                    tracing::info!(
                        node = %node.name, %error, unreported,
                        "no first rates from /stats/summary, the second scrape brings them: {}", error.hint(),
                    );
                }
            }
        }
    }
    if let Some(history) = history {
        let (pods, series) = (shared.cluster.pods(), cell.series());
        let (node, containers) = series.readings(&scrape);
        if let Some(by) = set_by {
            history.shift(by);
        }
        if let Some(time) = its_time {
            history.hear(time, answered);
        }
        history.take(answered, node, containers, |namespace, name| {
            let key = PodKey {
                namespace: Arc::clone(namespace),
                name: Arc::clone(name),
            };
            pods.get(&key).map(|pod| pod.uid).unwrap_or_default()
        });
    }
    Ok(())
}

/// What a node can give, as the API server has it.
fn bounds(node: &Node) -> Bounds {
    let (capacity, allocatable) = (node.capacity, node.allocatable);
    Bounds::of(
        capacity.cpu.or(allocatable.cpu),
        capacity.memory.or(allocatable.memory),
    )
}

/// What of an answer is not as it should be, though it is used.
struct Suspicious<'a> {
    set_by: Option<i64>,
    scrape: &'a ResourceScrape<'a>,
}

impl Suspicious<'_> {
    /// Counts it, and logs it now and then.
    fn tell(&self, shared: &Shared, node: &str, complaints: &mut Complaints) {
        if let Some(by) = self.set_by {
            shared.stats.clock_stepped();
            complaints.clock_stepped(&shared.budget, node, by);
        }
        if !self.scrape.duplicates.is_empty() {
            shared.stats.duplicates(self.scrape.duplicates.len() as u64);
            complaints.duplicates(&shared.budget, node, &self.scrape.duplicates);
        }
    }
}

/// Whether an answer is a kubelet's, and a good one.
fn check(scrape: &ResourceScrape<'_>, body: &[u8]) -> Result<(), ScrapeError> {
    if scrape.truncated {
        return Err(ScrapeError::TooManySeries {
            limit: DecodeLimits::default().max_series,
        });
    }
    if scrape.scrape_error {
        return Err(ScrapeError::KubeletError);
    }
    if scrape.series == 0 {
        return Err(ScrapeError::NotMetrics {
            beginning: beginning(body),
        });
    }
    Ok(())
}

impl Shared {
    fn now(&self) -> Moment {
        Moment {
            age: self.clock.elapsed(),
            wall: self.clock.wall(),
        }
    }
}
