//! One node's task: wait for its turn, ask, take in, publish; for ever.

use std::sync::Arc;
use std::time::Instant;

use kubevitals_proto::kubelet::resource::{self, ResourceScrape};
use tokio::sync::watch;

use super::Shared;
use super::complaint::Complaints;
use super::failure::{ScrapeError, beginning};
use super::first;
use super::schedule::Phase;
use super::target::Target;
use crate::cluster::Node;
use crate::store::{NodeCell, NodeSeries};

/// Buffers larger than this are not kept: one node with an outsized answer must not cost its size for ever.
const LARGEST_KEPT_BUFFER: usize = 1 << 20;

/// More buffers than this are not kept.
const KEPT_BUFFERS: usize = 64;

/// Runs until its node is gone.
pub(super) async fn run(
    shared: Arc<Shared>,
    mut node: watch::Receiver<Arc<Node>>,
    cell: Arc<NodeCell>,
) {
    let mut known = Arc::clone(&node.borrow_and_update());
    let phase = Phase::of(&known.name, shared.settings.resolution);
    let mut target = Target::of(&known, &shared.settings.addressing);
    let mut series = NodeSeries::new(shared.settings.resolution);
    let mut complaints = Complaints::default();
    let mut failures: u32 = 0;
    // The first turn comes at once: someone is waiting for the first answer.
    loop {
        let lane = if failures == 0 {
            &shared.answering
        } else {
            &shared.failing
        };
        let Ok(permit) = lane.acquire().await else {
            return;
        };
        let mut body = shared.take_buffer();
        let began = Instant::now();
        let result = scrape(
            &shared,
            &mut target,
            &mut series,
            &mut body,
            &cell,
            &mut complaints,
            &known,
        )
        .await;
        shared.give_buffer(body);
        drop(permit);
        shared.stats.scraped(&result, began.elapsed());
        match result {
            Ok(()) => {
                complaints.answered(&known.name, failures);
                failures = 0;
            }
            Err(error) => {
                failures = failures.saturating_add(1);
                complaints.failed(&shared.budget, &known.name, &target, &error, failures);
            }
        }
        let mut turn =
            shared
                .clock
                .sleep(phase.until_next(shared.clock.wall(), failures, known.ready));
        loop {
            tokio::select! {
                () = &mut turn => break,
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
            }
        }
    }
}

async fn scrape(
    shared: &Shared,
    target: &mut Target,
    series: &mut NodeSeries,
    body: &mut Vec<u8>,
    cell: &NodeCell,
    complaints: &mut Complaints,
    node: &Node,
) -> Result<(), ScrapeError> {
    if target.is_empty() {
        let preferred: Vec<String> = shared
            .settings
            .addressing
            .preferred
            .iter()
            .map(ToString::to_string)
            .collect();
        return Err(ScrapeError::NoAddress {
            preferred: preferred.join(","),
        });
    }
    let names = shared.cluster.names();
    let path = target.metrics_path().to_owned();
    let sent = shared.clock.wall();
    shared.kubelets.get(target, &path, body).await?;
    let answered = shared.clock.elapsed();
    let mut scrape = ResourceScrape::default();
    resource::decode(body, &mut scrape);
    check(&scrape, body)?;
    if scrape.skipped_lines > 0 {
        shared.stats.skipped(u64::from(scrape.skipped_lines));
        complaints.skipped(
            &shared.budget,
            &node.name,
            scrape.skipped_lines,
            scrape.first_bad_line,
        );
    }
    series.ingest(&scrape, sent, answered, names);
    cell.publish(series.latest(&scrape, answered, names));
    if series.wants_stand_in() {
        match first::ask(&shared.kubelets, target).await {
            Ok(rates) => {
                series.stand_in(&rates);
                cell.publish(series.latest(&scrape, answered, names));
            }
            Err(error) => {
                shared.stats.no_first_rates(&error);
                tracing::debug!(node = %node.name, %error, "no rates from /stats/summary; the second scrape brings them");
            }
        }
    }
    Ok(())
}

/// Whether an answer is a kubelet's, and a good one.
fn check(scrape: &ResourceScrape<'_>, body: &[u8]) -> Result<(), ScrapeError> {
    if scrape.truncated {
        return Err(ScrapeError::TooManySeries {
            limit: scrape.series,
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
    fn take_buffer(&self) -> Vec<u8> {
        self.buffers.lock().pop().unwrap_or_default()
    }

    fn give_buffer(&self, buffer: Vec<u8>) {
        if buffer.capacity() <= LARGEST_KEPT_BUFFER {
            let mut buffers = self.buffers.lock();
            if buffers.len() < KEPT_BUFFERS {
                buffers.push(buffer);
            }
        }
    }
}
