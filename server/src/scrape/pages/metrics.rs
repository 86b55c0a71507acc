//! Metrics of the pages that are scraped beside `/metrics/resource`.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::scrape::failure::Failed;
use crate::scrape::page::Page;
use crate::telemetry::metrics::{Counter, Labelled, Registry};

/// Metrics of all pages.
#[derive(Debug)]
pub(in crate::scrape) struct PageMetrics {
    succeeded: Labelled<Counter, 1>,
    bytes: Labelled<Counter, 1>,
    failed: Labelled<Counter, 2>,
    skipped: Labelled<Counter, 1>,
}

/// The metrics of one page at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PageSnapshot {
    /// Responses that were stored.
    pub succeeded: u64,
    /// Requests that failed, by reason.
    pub failed: BTreeMap<&'static str, u64>,
    /// Bytes of the responses that were stored.
    pub bytes: u64,
    /// Turns that were skipped, because nodes waited for a scrape of `/metrics/resource`.
    pub skipped: u64,
}

impl Default for PageMetrics {
    fn default() -> Self {
        let by_page = || {
            let pages = Page::ALL.map(|page| ([page.name()], Counter::default()));
            Labelled::of(["page"], pages)
        };
        Self {
            succeeded: by_page(),
            bytes: by_page(),
            failed: Labelled::new(["page", "reason"]),
            skipped: by_page(),
        }
    }
}

impl PageMetrics {
    /// Counts a turn of a page; without a result it was skipped.
    pub(in crate::scrape) fn ended(&self, page: Page, result: Option<Result<&usize, &Failed>>) {
        let name = page.name();
        match result {
            None => self.skipped.inc([name]),
            Some(Ok(bytes)) => {
                self.succeeded.inc([name]);
                let counter = self.bytes.get_or_insert([name], Counter::default);
                counter.inc_by(*bytes as u64);
            }
            Some(Err(failed)) => self.failed.inc([name, failed.error.reason()]),
        }
    }

    /// Returns the values by the pages' names.
    pub(in crate::scrape) fn snapshot(&self) -> BTreeMap<&'static str, PageSnapshot> {
        let failed = self.failed.read();
        let [succeeded, bytes, skipped] =
            [&self.succeeded, &self.bytes, &self.skipped].map(Labelled::read);
        let of = |counters: &BTreeMap<[&'static str; 1], u64>, name| {
            counters.get(&[name]).copied().unwrap_or_default()
        };
        let snapshot = |page: Page| {
            let name = page.name();
            let failed = failed.iter().filter(|([page, _], _)| *page == name);
            let snapshot = PageSnapshot {
                succeeded: of(&succeeded, name),
                failed: failed.map(|([_, why], count)| (*why, *count)).collect(),
                bytes: of(&bytes, name),
                skipped: of(&skipped, name),
            };
            (name, snapshot)
        };
        Page::ALL.into_iter().map(snapshot).collect()
    }

    pub(in crate::scrape) fn register(&self, registry: &mut Registry) {
        registry.register(
            "kubevitals_page_answers",
            "Responses of kubelets' other pages that were stored, by page: probes (/metrics/probes), summary (/stats/summary)",
            self.succeeded.clone(),
        );
        registry.register(
            "kubevitals_page_bytes",
            "Bytes of these responses, by page",
            self.bytes.clone(),
        );
        registry.register(
            "kubevitals_page_failures",
            "Scrapes of kubelets' other pages that failed, by page and reason; scrapes of /metrics/resource are not affected",
            self.failed.clone(),
        );
        registry.register(
            "kubevitals_page_turns_skipped",
            "Scrapes of kubelets' other pages that were skipped, because nodes waited for a scrape of /metrics/resource, by page",
            self.skipped.clone(),
        );
    }
}
