//! The subset of a cluster that a source reads: only what a command prints.

use futures::FutureExt;
use futures::future::BoxFuture;
use kubevitals_proto::duration::GoDuration;
use kubevitals_proto::time::Timestamp;

use super::client::escaped;
use crate::model::{Part, SourceKind, Stat, View};

/// The span of the availability that the dashboard shows, in seconds.
const AVAILABILITY_SECONDS: i64 = 86_400;

/// What a source reads, if not everything.
#[derive(Debug, Clone, Default)]
pub struct Subset {
    /// The view whose rows are read; `None` for everything.
    view: Option<View>,
    /// Whether the rows are listed once, at a time or with statistics, and not watched.
    is_listed: bool,
    /// Whether they are listed as of now.
    is_current: bool,
    /// The statistic of the usage, and its span.
    stat: Option<(Stat, GoDuration)>,
    labels: String,
    fields: String,
    /// The span of the availability of workloads, if it is read.
    availability: Option<GoDuration>,
}

impl Subset {
    /// The rows of a view. `labels` and `fields` are selectors of its objects.
    #[must_use]
    pub fn of(view: View, labels: &str, fields: &str) -> Self {
        Self {
            view: Some(view),
            is_listed: false,
            is_current: false,
            stat: None,
            labels: labels.to_owned(),
            fields: fields.to_owned(),
            availability: None,
        }
    }

    /// With the availability of workloads over a span, if there is one.
    #[must_use]
    pub const fn with_availability(mut self, span: Option<GoDuration>) -> Self {
        self.availability = span;
        self
    }

    /// The span of the availability of workloads.
    pub(super) fn availability_span(&self) -> GoDuration {
        self.availability
            .unwrap_or_else(|| GoDuration::from_secs(AVAILABILITY_SECONDS))
    }

    /// Only the rows of a past time, which the client requests.
    #[must_use]
    pub const fn of_past(mut self) -> Self {
        self.is_listed = true;
        self
    }

    /// With a statistic of the usage over a span that ends at the requested time, or now.
    #[must_use]
    pub const fn of_span(mut self, stat: Stat, span: GoDuration, ends_now: bool) -> Self {
        self.is_listed = true;
        self.is_current = ends_now;
        self.stat = Some((stat, span));
        self
    }

    /// Whether everything is read.
    pub(super) const fn is_everything(&self) -> bool {
        self.view.is_none()
    }

    /// Whether the current state of a part is read.
    pub(super) fn has(&self, kind: SourceKind, part: Part) -> bool {
        let Some(view) = self.view else {
            return true;
        };
        if part == Part::Availability {
            return self.availability.is_some();
        }
        // Incidents have their times: the current list contains those of the past.
        (!self.is_listed || part == Part::Incidents) && view.needs().of(kind).contains(&part)
    }

    /// Whether a part of a past time is read.
    pub(super) fn has_past(&self, part: Part) -> bool {
        self.view
            .is_none_or(|view| view.needs().of(SourceKind::Vitals).contains(&part))
    }

    /// The statistic of the usage.
    pub(super) fn stat(&self) -> Option<Stat> {
        self.stat.map(|(stat, _)| stat)
    }

    /// The query of a list of this part at a time.
    pub(super) fn past_query(&self, at: Timestamp, part: Part) -> String {
        let stats = self.stat.map(|(_, span)| format!("stats={span}"));
        let at = format!("at={}", at.to_rfc3339_seconds());
        let parameters = [stats, (!self.is_current).then_some(at)];
        let parameters: Vec<String> = parameters.into_iter().flatten().collect();
        format!("?{}{}", parameters.join("&"), self.query(part))
    }

    /// The parameters of a list of this part that select objects: `&labelSelector=…`; empty for all.
    pub(super) fn query(&self, part: Part) -> String {
        let is_selected = match self.view {
            None => false,
            Some(View::Nodes) => part == Part::Nodes,
            // The nodes and Jobs of pods have other labels.
            Some(_) => !matches!(part, Part::Nodes | Part::Jobs),
        };
        let parameters = [
            ("labelSelector", &self.labels),
            ("fieldSelector", &self.fields),
        ];
        parameters
            .into_iter()
            .filter(|(_, value)| is_selected && !value.is_empty())
            .map(|(name, value)| format!("&{name}={}", escaped(value)))
            .collect()
    }
}

/// Runs a task of a source only if its part is read. The task is on the heap: all tasks of a source in one future are
/// too large for the stack of a thread.
pub(super) fn only_if<'a>(
    is_read: bool,
    task: impl Future<Output = ()> + Send + 'a,
) -> BoxFuture<'a, ()> {
    if is_read {
        task.boxed()
    } else {
        std::future::ready(()).boxed()
    }
}
