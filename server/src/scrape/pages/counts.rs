//! Counts of the pages that are asked for beside `/metrics/resource`.

use std::collections::BTreeMap;

use parking_lot::Mutex;
use serde::Serialize;

use super::Page;
use crate::scrape::failure::ScrapeError;

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
}

impl Counts {
    pub(in crate::scrape) fn asked(&self, page: Page, result: Result<usize, &ScrapeError>) {
        let mut pages = self.0.lock();
        for (of, counts) in Page::ALL.into_iter().zip(pages.iter_mut()) {
            if of != page {
                continue;
            }
            match result {
                Ok(bytes) => {
                    counts.succeeded += 1;
                    counts.bytes = counts.bytes.saturating_add(bytes as u64);
                }
                Err(error) => *counts.failed.entry(error.reason()).or_default() += 1,
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
