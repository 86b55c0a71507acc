//! One request for a page, and the taking in of its answer.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use kubevitals_proto::kubelet::probes;
use kubevitals_proto::kubelet::summary::Extras;
use tokio::time::{Instant, timeout};

use super::Page;
use crate::clock::{Age, Sleep};
use crate::cluster::Node;
use crate::scrape::Shared;
use crate::scrape::failure::{Failed, ScrapeError, beginning};
use crate::scrape::target::Target;
use crate::store::{NodeCell, NodeExtra};

/// How long the turn of `/metrics/resource` waits for the end of a request that is under way: this part of the time
/// that a request may take. A kubelet that takes longer is asked over another connection: one whose answer is not
/// waited for is of no more use.
const GRACE: u32 = 10;

/// A place among those asked at the same moment is held no longer than this.
const LONGEST_PLACE: Duration = Duration::from_millis(500);

/// What one node's requests need.
pub(in crate::scrape) struct Asking<'a> {
    pub(in crate::scrape) shared: &'a Shared,
    pub(in crate::scrape) cell: &'a NodeCell,
    pub(in crate::scrape) node: &'a Node,
}

impl Asking<'_> {
    /// Asks for `page`, takes it in and says what is to be said. It gives way to the node's own turn, which `turn` is;
    /// whether that has come meanwhile, and how many bytes were taken in.
    pub(in crate::scrape) async fn ask(
        &self,
        page: Page,
        target: &mut Target,
        turn: &mut Sleep,
    ) -> (bool, Result<usize, Failed>) {
        let began = Instant::now();
        let (mut come, address) = (false, target.best().to_owned());
        let result = {
            let mut asked = pin!(self.take_in(page, target));
            tokio::select! {
                result = &mut asked => Some(result),
                () = turn => {
                    come = true;
                    timeout(self.shared.kubelets.timeout() / GRACE, asked).await.ok()
                }
            }
        };
        let result = result.unwrap_or_else(|| {
            let milliseconds = began.elapsed().as_millis();
            Err(Failed::at(&address, ScrapeError::Timeout { milliseconds }))
        });
        if let Err(failed) = &result {
            self.complain(page, failed);
        }
        (come, result)
    }

    /// All nodes together mostly lack a page for the same reason, a right that is missing: one line, now and then.
    fn complain(&self, page: Page, Failed { address, error }: &Failed) {
        let Some(unreported) = self.shared.quiet_of(page).lock().speak() else {
            return;
        };
        let (node, path) = (&self.node.name, page.path());
        tracing::warn!(
            %node, address, reason = error.reason(), unreported,
            "no {path} from node {node}: {error}; its other metrics are not concerned, but {}; to mend it: {}",
            page.tells(), page.hint(error),
        );
    }

    /// The answer's bytes.
    async fn take_in(&self, page: Page, target: &mut Target) -> Result<usize, Failed> {
        let Ok(permit) = self.shared.paging.acquire().await else {
            // It is never closed.
            std::future::pending().await
        };
        let mut body = self.shared.page_buffers.take();
        let deadline = self.shared.kubelets.deadline();
        let result = {
            let kubelets = &self.shared.kubelets;
            let mut asked = pin!(kubelets.get(target, page.path(), deadline, &mut body));
            match timeout(LONGEST_PLACE, &mut asked).await {
                Ok(result) => result,
                Err(_) => {
                    drop(permit);
                    asked.await
                }
            }
        };
        let taken = result.and_then(|()| {
            self.read(page, &body)
                .map_err(|error| Failed::at(target.best(), error))
        });
        let bytes = body.len();
        self.shared.page_buffers.give(body);
        taken.map(|()| bytes)
    }

    fn read(&self, page: Page, body: &[u8]) -> Result<(), ScrapeError> {
        match page {
            Page::Probes => self.probes(body),
            Page::Summary => self.summary(body),
        }
    }

    fn probes(&self, body: &[u8]) -> Result<(), ScrapeError> {
        let scrape = probes::decode(body);
        if scrape.truncated {
            let limit = u32::try_from(probes::MAX_SERIES).unwrap_or(u32::MAX);
            return Err(ScrapeError::TooManySeries { limit });
        }
        // A node without probes has a page without counts, but no other lines either.
        if scrape.probes.is_empty() && scrape.skipped_lines > 0 {
            return Err(ScrapeError::NotMetrics {
                beginning: beginning(body),
            });
        }
        self.shared.stats.skipped(u64::from(scrape.skipped_lines));
        let now = self.shared.clock.wall();
        self.shared.probes.probes(&self.node.name, &scrape, now);
        Ok(())
    }

    fn summary(&self, body: &[u8]) -> Result<(), ScrapeError> {
        let extras = Extras::parse(body).map_err(|error| ScrapeError::Malformed {
            cause: format!("{error}; it begins {:?}", beginning(body)),
        })?;
        let before = self.cell.last_extra();
        let interval = self.shared.settings.pages.summary.unwrap_or_default();
        self.cell.publish_extra(NodeExtra::of(
            &extras,
            before.as_deref(),
            self.shared.clock.elapsed(),
            interval,
            self.shared.cluster.names(),
        ));
        Ok(())
    }
}

/// Completes when a page's turn has come; never where none is asked for.
pub(in crate::scrape) async fn turn(shared: &Arc<Shared>, due: Option<Age>) {
    match due {
        Some(due) => shared.clock.sleep_until(due).await,
        None => std::future::pending().await,
    }
}
