//! Checks whether a response is a page of a kubelet.

use kubevitals_proto::kubelet::resource::{DecodeLimits, ResourceScrape};

use super::failure::{ScrapeError, beginning};

/// Whether a response is a valid page of a kubelet.
pub(super) fn check(scrape: &ResourceScrape<'_>, body: &[u8]) -> Result<(), ScrapeError> {
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
