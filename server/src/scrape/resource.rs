//! A request for `/metrics/resource`, up to the checked samples.

use kubevitals_proto::kubelet::resource::{DecodeLimits, ResourceScrape, decode};

use super::buffers::Body;
use super::client::Turn;
use super::failure::{Failed, ScrapeError, beginning};
use super::shared::Shared;
use super::target::Target;
use crate::store::ScrapeTimes;

/// A response to a request for `/metrics/resource`.
pub(super) struct Response<'b> {
    /// The index of the origin that responded.
    pub(super) origin: usize,
    pub(super) times: ScrapeTimes,
    /// The samples, or why the response is not a page of a kubelet.
    pub(super) scrape: Result<ResourceScrape<'b>, ScrapeError>,
}

/// Requests `/metrics/resource`, which the node serves at `path`, into `body`.
pub(super) async fn request<'b>(
    shared: &Shared,
    target: &mut Target,
    path: &str,
    turn: &mut Turn<'_>,
    body: &'b mut Body<'_>,
) -> Result<Response<'b>, Failed> {
    let (sent, requested) = (shared.clock.wall(), shared.clock.elapsed());
    let origin = shared.kubelets.get(target, path, turn, body).await?;
    let times = ScrapeTimes {
        sent,
        requested,
        answered: shared.clock.elapsed(),
    };
    let mut scrape = ResourceScrape::default();
    decode(body, &mut scrape);
    Ok(Response {
        origin,
        times,
        scrape: check(&scrape, body).map(|()| scrape),
    })
}

/// Whether a response is a valid page of a kubelet.
fn check(scrape: &ResourceScrape<'_>, body: &[u8]) -> Result<(), ScrapeError> {
    if scrape.truncated {
        let limit = DecodeLimits::default().max_series;
        return Err(ScrapeError::TooManySeries(limit));
    }
    if scrape.scrape_error {
        return Err(ScrapeError::KubeletError);
    }
    if scrape.series == 0 {
        return Err(ScrapeError::NotMetrics(beginning(body)));
    }
    Ok(())
}
