//! A request for a page, and the use of its response.

use std::sync::Arc;
use std::time::Instant;

use kubevitals_proto::kubelet::probes;
use kubevitals_proto::kubelet::summary::{Extras, prune};

use crate::clock::Age;
use crate::scrape::admission::{Kind, Wish};
use crate::scrape::client::Turn;
use crate::scrape::failure::{Failed, ScrapeError, beginning};
use crate::scrape::page::Page;
use crate::scrape::record::Record;
use crate::scrape::shared::Shared;
use crate::scrape::target::Target;
use crate::store::{NodeCell, NodeExtra};

/// A request for a page of a node.
pub(in crate::scrape) struct Request {
    pub(in crate::scrape) page: Page,
    pub(in crate::scrape) shared: Arc<Shared>,
    pub(in crate::scrape) cell: Arc<NodeCell>,
    pub(in crate::scrape) record: Arc<Record>,
    pub(in crate::scrape) node: Arc<str>,
    /// The addresses of the node.
    pub(in crate::scrape) target: Target,
}

/// The result of a request.
pub(in crate::scrape) struct Ended {
    pub(in crate::scrape) page: Page,
    /// The size of the response in bytes; none if the turn was skipped.
    pub(in crate::scrape) result: Option<Result<usize, Failed>>,
    /// Failures in a row: including this request, or before it if it succeeded.
    pub(in crate::scrape) failures: u32,
}

impl Request {
    /// Waits for admission, requests the page and uses the response. The turn is skipped if the admission takes until the
    /// page's next turn.
    pub(in crate::scrape) async fn run(mut self) -> Ended {
        let page = self.page;
        let shared = Arc::clone(&self.shared);
        let wish = Wish {
            kind: Kind::Page,
            failing: false,
            handshake: !self.target.is_connected(),
            last_request: Some(shared.stats.gate.now()),
        };
        let interval = shared.settings.pages.of(page).unwrap_or_default();
        let pass = tokio::select! {
            biased;
            pass = shared.stats.gate.enter(wish) => Some(pass),
            () = async { shared.clock.sleep(interval).await } => None,
        };
        let (began, clock) = (shared.now(), Instant::now());
        let result = match pass {
            Some(pass) => Some(self.request(Turn::new(pass, false)).await),
            None => None,
        };
        let outcome = result.as_ref().map(|it| it.as_ref().map(|_| ()));
        let failures = self
            .record
            .page_ended(page, began, clock.elapsed(), outcome);
        Ended {
            page,
            result,
            failures,
        }
    }

    /// Requests the page and uses the response. Returns its size in bytes.
    async fn request(&mut self, mut turn: Turn<'_>) -> Result<usize, Failed> {
        let shared = Arc::clone(&self.shared);
        let mut body = shared.page_buffers.body();
        let (kubelets, path) = (&shared.kubelets, self.page.path());
        let result = kubelets
            .get(&mut self.target, path, &mut turn, &mut body)
            .await;
        let used = result.and_then(|index| {
            let read = match self.page {
                Page::Probes => self.probes(&body),
                Page::Summary => self.summary(&mut body),
            };
            read.map_err(|error| Failed::at(self.target.origin(index), error))
        });
        used.map(|()| body.len())
    }

    fn probes(&self, body: &[u8]) -> Result<(), ScrapeError> {
        let scrape = probes::decode(body);
        if scrape.truncated {
            let limit = u32::try_from(probes::MAX_SERIES).unwrap_or(u32::MAX);
            return Err(ScrapeError::TooManySeries(limit));
        }
        // A node without probes has an empty page.
        if scrape.probes.is_empty() && scrape.skipped_lines > 0 {
            return Err(ScrapeError::NotMetrics(beginning(body)));
        }
        let skipped_lines = &self.shared.stats.skipped_lines;
        skipped_lines.inc_by(u64::from(scrape.skipped_lines));
        let now = self.shared.clock.wall();
        self.shared.probes.probes(&self.node, &scrape, now);
        Ok(())
    }

    fn summary(&self, body: &mut [u8]) -> Result<(), ScrapeError> {
        let body = prune(body);
        let extras = Extras::parse(body).map_err(|error| ScrapeError::summary(&error, body))?;
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

/// Waits for a page's turn; forever without one.
pub(in crate::scrape) async fn turn(shared: &Arc<Shared>, due: Option<Age>) {
    match due {
        Some(due) => shared.clock.sleep_until(due).await,
        None => std::future::pending().await,
    }
}
