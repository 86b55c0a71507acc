//! Log lines about nodes that cannot be scraped: one line at the first failure, a reminder while it lasts, and one line
//! at the recovery, for each page. The number of lines is limited by kind.

use std::collections::HashMap;
use std::time::Duration;

use parking_lot::Mutex;

use kubevitals_proto::kubelet::resource::Duplicate;

use super::failure::{Failed, ScrapeError, beginning};
use super::page::Page;
use crate::telemetry::{LogThrottle, Unreported};

/// The time between two lines about a failure for the same reason.
const REMINDER: Duration = Duration::from_secs(600);

/// The smallest time between two lines about failures for different reasons.
const REASON_CHANGE: Duration = Duration::from_secs(60);

/// The number of lines in a time, for kinds that differ by node.
const NODE_LIMIT: (u32, Duration) = (30, Duration::from_secs(30));

/// The number of lines in a time, for kinds that most nodes share: a missing permission, or a page that no kubelet of a
/// version has.
const PAGE_LIMIT: (u32, Duration) = (5, Duration::from_secs(600));

/// The limits of log lines by kind: a failure of all nodes does not hide a failure of a single node.
#[derive(Debug, Default)]
pub(super) struct Lines(Mutex<HashMap<(&'static str, &'static str), LogThrottle>>);

impl Lines {
    /// Returns `Some` if a line about a page may be logged for a reason, with the number of this kind that was not.
    pub(super) fn allow(&self, page: &'static str, reason: &'static str) -> Option<Unreported> {
        let (lines, interval) = if page == RESOURCE {
            NODE_LIMIT
        } else {
            PAGE_LIMIT
        };
        let mut kinds = self.0.lock();
        let throttle = kinds.entry((page, reason));
        throttle
            .or_insert_with(|| LogThrottle::lines(lines, interval))
            .allow()
    }
}

/// The name of `/metrics/resource` among the pages.
const RESOURCE: &str = "resource";

/// The subject of a line: a page of a node.
#[derive(Debug, Clone, Copy)]
pub(super) struct Subject<'a> {
    node: &'a str,
    path: &'a str,
    page: Option<Page>,
}

impl<'a> Subject<'a> {
    /// `/metrics/resource`, which may have another path at this node.
    pub(super) const fn resource(node: &'a str, path: &'a str) -> Self {
        let page = None;
        Self { node, path, page }
    }

    /// Another page.
    pub(super) const fn page(node: &'a str, page: Page) -> Self {
        Self {
            node,
            path: page.path(),
            page: Some(page),
        }
    }

    fn name(&self) -> &'static str {
        self.page.map_or(RESOURCE, Page::name)
    }

    fn hint(&self, error: &ScrapeError) -> &'static str {
        self.page.map_or(error.hint(), |page| page.hint(error))
    }
}

/// The last lines about one page.
#[derive(Debug)]
struct PageLog {
    reason: Option<&'static str>,
    failed: LogThrottle,
    changed: LogThrottle,
}

impl Default for PageLog {
    fn default() -> Self {
        Self {
            reason: None,
            failed: LogThrottle::new(REMINDER),
            changed: LogThrottle::new(REASON_CHANGE),
        }
    }
}

/// The log lines about one node.
#[derive(Debug)]
pub(super) struct NodeLog {
    resource: PageLog,
    /// In the order of [`Page::ALL`].
    pages: [PageLog; Page::ALL.len()],
    skipped: LogThrottle,
    duplicates: LogThrottle,
    clock: LogThrottle,
}

impl Default for NodeLog {
    fn default() -> Self {
        Self {
            resource: PageLog::default(),
            pages: Page::ALL.map(|_| PageLog::default()),
            skipped: LogThrottle::new(REMINDER),
            duplicates: LogThrottle::new(REMINDER),
            clock: LogThrottle::new(REMINDER),
        }
    }
}

impl NodeLog {
    const fn page_log(&mut self, page: Option<Page>) -> &mut PageLog {
        let [probes, summary] = &mut self.pages;
        match page {
            None => &mut self.resource,
            Some(Page::Probes) => probes,
            Some(Page::Summary) => summary,
        }
    }

    /// A request for a page failed.
    pub(super) fn failed(
        &mut self,
        lines: &Lines,
        subject: &Subject<'_>,
        failed: &Failed,
        failures: u32,
    ) {
        let Failed { address, error } = failed;
        let (log, reason) = (self.page_log(subject.page), error.reason());
        let is_new = log.reason != Some(reason);
        let due = if is_new {
            log.changed.allow()
        } else {
            log.failed.allow()
        };
        if due.is_none() {
            return;
        }
        let Some(unreported) = lines.allow(subject.name(), reason) else {
            return;
        };
        log.reason = Some(reason);
        if is_new {
            // The first reminder follows after its interval.
            log.failed.allow();
        }
        let Subject { node, path, page } = subject;
        let event = match page {
            None => "cannot scrape node",
            Some(_) => "cannot scrape page of node",
        };
        tracing::warn!(
            node,
            path,
            address,
            reason,
            failures,
            unreported,
            hint = subject.hint(error),
            missing = page.map(Page::missing_data),
            "{event}: {error}",
        );
    }

    /// A request for a page succeeded.
    pub(super) fn answered(&mut self, subject: &Subject<'_>, failures: u32) {
        if self.page_log(subject.page).reason.take().is_some() {
            let Subject { node, path, .. } = subject;
            tracing::info!(node, path, failures, "kubelet answers again");
        }
    }

    /// The node's clock was set by so many nanoseconds.
    pub(super) fn clock_stepped(&mut self, lines: &Lines, node: &str, by: i64) {
        let Some(unreported) = allow(&mut self.clock, lines, "clock_step") else {
            return;
        };
        let milliseconds = by / 1_000_000;
        tracing::warn!(
            node,
            milliseconds,
            unreported,
            hint = "check the node's time synchronization if this recurs",
            "the clock of the node was set: no usage is computed across the step, the next scrape gives it again",
        );
    }

    /// A response contains different series with the same name.
    pub(super) fn duplicates(&mut self, lines: &Lines, node: &str, duplicates: &[Duplicate<'_>]) {
        let Some(first) = duplicates.first() else {
            return;
        };
        let Some(unreported) = allow(&mut self.duplicates, lines, "duplicate_series") else {
            return;
        };
        let key = first.key.unwrap_or_default();
        tracing::warn!(
            node,
            namespace = key.namespace,
            pod = key.pod,
            container = key.container,
            series = duplicates.len(),
            unreported,
            hint =
                "look on the node for cgroups left over from earlier pods, and restart its kubelet",
            "the kubelet reports several series with the same name: one of them is followed, or none where they \
             cannot be told apart",
        );
    }

    /// Lines of `/metrics/resource` were skipped.
    pub(super) fn skipped(&mut self, lines: &Lines, node: &str, count: u32, first: Option<&[u8]>) {
        let Some(unreported) = allow(&mut self.skipped, lines, "skipped_lines") else {
            return;
        };
        let first = beginning(first.unwrap_or_default());
        tracing::warn!(
            node,
            lines = count,
            first,
            unreported,
            hint = "look into the kubelet's log if this lasts",
            "kubelet reports lines that cannot be read; the other lines are used",
        );
    }
}

/// Whether a line about `/metrics/resource` may be logged, by the limits of its node and of all nodes.
fn allow(node: &mut LogThrottle, lines: &Lines, reason: &'static str) -> Option<Unreported> {
    node.allow()?;
    lines.allow(RESOURCE, reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_kind_does_not_use_up_the_lines_of_another() {
        let lines = Lines::default();
        let allowed = |page, reason| {
            let allowed = (0..5000).filter(|_| lines.allow(page, reason).is_some());
            allowed.count()
        };
        assert_eq!(allowed("summary", "forbidden"), 5);
        assert_eq!(allowed("summary", "status"), 5);
        assert_eq!(allowed("probes", "forbidden"), 5);
        assert_eq!(allowed(RESOURCE, "timeout"), 30);
        assert_eq!(allowed(RESOURCE, "connect"), 30);
    }
}
