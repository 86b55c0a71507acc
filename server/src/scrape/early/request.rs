//! An early scrape of a node.

use std::sync::Arc;

use crate::clock::Age;
use crate::scrape::admission::{Kind, Wish};
use crate::scrape::client::Turn;
use crate::scrape::failure::Failed;
use crate::scrape::resource::request;
use crate::scrape::shared::Shared;
use crate::scrape::target::Target;
use crate::store::NodeCell;

/// An early scrape of a node.
pub(in crate::scrape) struct EarlyRequest {
    pub(in crate::scrape) shared: Arc<Shared>,
    pub(in crate::scrape) cell: Arc<NodeCell>,
    /// The addresses of the node.
    pub(in crate::scrape) target: Target,
    /// The path of `/metrics/resource`.
    pub(in crate::scrape) path: Box<str>,
    /// The node's next turn, which does not wait for the early scrape.
    pub(in crate::scrape) turn: Age,
}

impl EarlyRequest {
    /// Waits for admission until the node's turn, scrapes the node and publishes what is new. Returns the starts of the
    /// containers that are still too young for a rate.
    pub(in crate::scrape) async fn run(mut self) -> Vec<Age> {
        let shared = Arc::clone(&self.shared);
        let early = &shared.stats.early;
        // Like a page, it waits while any node waits for its turn.
        let wish = Wish {
            kind: Kind::Page,
            failing: false,
            handshake: !self.target.is_connected(),
            last_request: Some(shared.stats.gate.now()),
        };
        let pass = tokio::select! {
            biased;
            pass = shared.stats.gate.enter(wish) => pass,
            () = shared.clock.sleep_until(self.turn) => {
                early.inc(["refused"]);
                return Vec::new();
            }
        };
        let result = self.scrape(Turn::new(pass, false)).await;
        // The next turn reports a failure that lasts.
        early.inc([if result.is_ok() { "success" } else { "failure" }]);
        result.unwrap_or_default()
    }

    async fn scrape(&mut self, mut turn: Turn<'_>) -> Result<Vec<Age>, Failed> {
        let shared = Arc::clone(&self.shared);
        let names = shared.cluster.names();
        let (target, mut body) = (&mut self.target, shared.buffers.body());
        let response = request(&shared, target, &self.path, &mut turn, &mut body).await?;
        let (times, answered) = (response.times, response.times.answered);
        let mut scrape = response
            .scrape
            .map_err(|error| Failed::at(self.target.origin(response.origin), error))?;
        let mut series = self.cell.series();
        series.ingest_early(&mut scrape, &times, names);
        self.cell.publish(series.latest(&scrape, answered, names));
        Ok(series.recent_starts(&scrape, answered, shared.clock.wall()))
    }
}
