//! What is said of a node that does not answer: one line when it begins, one now and then while it lasts, one
//! when it is over.

use std::time::Duration;

use parking_lot::Mutex;

use kubevitals_proto::kubelet::resource::Duplicate;

use super::failure::{Failed, beginning};
use crate::telemetry::{Budget, Quiet};

/// How often a failure that goes on for the same reason is said again.
const REMINDER: Duration = Duration::from_secs(600);

/// A failure for another reason is news, but a node that wavers between reasons is not news each time.
const NEWS: Duration = Duration::from_secs(60);

/// One node's complaints.
#[derive(Debug)]
pub(super) struct Complaints {
    reason: Option<&'static str>,
    failed: Quiet,
    changed: Quiet,
    skipped: Quiet,
    duplicates: Quiet,
    clock: Quiet,
}

impl Default for Complaints {
    fn default() -> Self {
        Self {
            reason: None,
            failed: Quiet::new(REMINDER),
            changed: Quiet::new(NEWS),
            skipped: Quiet::new(REMINDER),
            duplicates: Quiet::new(REMINDER),
            clock: Quiet::new(REMINDER),
        }
    }
}

impl Complaints {
    /// The node was asked and gave nothing.
    pub(super) fn failed(
        &mut self,
        budget: &Mutex<Budget>,
        node: &str,
        failed: &Failed,
        failures: u32,
    ) {
        let Failed { address, error } = failed;
        let news = self.reason != Some(error.reason());
        let spoken = if news {
            self.changed.speak()
        } else {
            self.failed.speak()
        };
        if spoken.is_none() {
            return;
        }
        let Some(suppressed) = budget.lock().spend() else {
            return;
        };
        self.reason = Some(error.reason());
        if news {
            // The reminder comes its time after the news.
            self.failed.speak();
        }
        tracing::warn!(
            node,
            address,
            reason = error.reason(),
            failures,
            suppressed,
            "no metrics from node {node}: {error}; to mend it: {}",
            error.hint(),
        );
    }

    /// The node answered.
    pub(super) fn answered(&mut self, node: &str, failures: u32) {
        if self.reason.take().is_some() {
            tracing::info!(node, failures, "node {node} answers again");
        }
    }

    /// The node's clock was set by so many nanoseconds.
    pub(super) fn clock_stepped(&mut self, budget: &Mutex<Budget>, node: &str, by: i64) {
        if self.clock.speak().is_none() {
            return;
        }
        let Some(suppressed) = budget.lock().spend() else {
            return;
        };
        let milliseconds = by / 1_000_000;
        tracing::warn!(
            node,
            milliseconds,
            suppressed,
            "the clock of the node was set: no usage is computed across the step, the next scrape gives it again; \
             if this recurs, check the node's time synchronization",
        );
    }

    /// Its answer holds different figures with one name.
    pub(super) fn duplicates(
        &mut self,
        budget: &Mutex<Budget>,
        node: &str,
        duplicates: &[Duplicate<'_>],
    ) {
        let Some(first) = duplicates.first() else {
            return;
        };
        if self.duplicates.speak().is_none() {
            return;
        }
        let Some(suppressed) = budget.lock().spend() else {
            return;
        };
        let key = first.key.unwrap_or_default();
        tracing::warn!(
            node,
            namespace = key.namespace,
            pod = key.pod,
            container = key.container,
            series = duplicates.len(),
            suppressed,
            "the kubelet reports several series with the same name: one of them is followed, or none where they \
             cannot be told apart; look on the node for cgroups left over from earlier pods, and restart its kubelet",
        );
    }

    /// Lines of its answer were skipped.
    pub(super) fn skipped(
        &mut self,
        budget: &Mutex<Budget>,
        node: &str,
        lines: u32,
        first: Option<&[u8]>,
    ) {
        if self.skipped.speak().is_none() {
            return;
        }
        let Some(suppressed) = budget.lock().spend() else {
            return;
        };
        let line = beginning(first.unwrap_or_default());
        tracing::warn!(
            node,
            lines,
            line,
            suppressed,
            "node {node} reports lines that cannot be read; they are left out, the rest is used; \
             look into the kubelet's log if this lasts",
        );
    }
}
