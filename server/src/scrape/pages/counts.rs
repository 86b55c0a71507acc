//! Counts of the pages that are asked for beside `/metrics/resource`.

use std::collections::BTreeMap;

use parking_lot::Mutex;
use serde::Serialize;

use super::Page;
use crate::scrape::failure::Failed;

/// Running counts of all pages.
#[derive(Debug, Default)]
pub(in crate::scrape) struct Counts(Mutex<[PageSnapshot; Page::ALL.len()]>);

/// The counts of one page at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PageSnapshot {
    /// Answers that were taken in.
    pub succeeded: u64,
    /// Requests that failed, by reason.
    pub failed: BTreeMap<&'static str, u64>,
    /// Bytes of the answers that were taken in.
    pub bytes: u64,
    /// Turns that were skipped, because nodes waited to be asked for `/metrics/resource`.
    pub skipped: u64,
}

impl Counts {
    /// A page's turn is over; it was skipped if there is no result.
    pub(in crate::scrape) fn ended(&self, page: Page, result: Option<Result<&usize, &Failed>>) {
        let mut pages = self.0.lock();
        for (of, counts) in Page::ALL.into_iter().zip(pages.iter_mut()) {
            if of != page {
                continue;
            }
            match result {
                None => counts.skipped += 1,
                Some(Ok(bytes)) => {
                    counts.succeeded += 1;
                    counts.bytes = counts.bytes.saturating_add(*bytes as u64);
                }
                Some(Err(failed)) => {
                    *counts.failed.entry(failed.error.reason()).or_default() += 1;
                }
            }
        }
    }

    /// By the pages' names.
    pub(in crate::scrape) fn snapshot(&self) -> BTreeMap<&'static str, PageSnapshot> {
        let pages = self.0.lock();
        let names = Page::ALL.iter().map(|page| page.name());
        names.zip(pages.iter().cloned()).collect()
    }
}
