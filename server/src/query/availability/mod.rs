//! The availability of workloads, with the incidents that explain their outages.

mod incidents;
mod older;

use std::time::Duration;

use kubevitals_proto::duration::GoDuration;
use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::{
    Availability, AvailabilitySpan, AvailabilityState, Meta, Outage, Workload,
};

use super::sources::Sources;
use crate::availability::{RETENTION, State, Totals, WorkloadAvailability, WorkloadKey};
use crate::engine::EngineError;
use incidents::Incidents;

pub use older::OlderAvailability;

/// The spans without a request: an hour, a day, a week, 30 days.
const SPANS: [i64; 4] = [3_600, 86_400, 7 * 86_400, 30 * 86_400];

/// A workload that is known for all but this time of a span is known for all of it, in nanoseconds.
const TOLERANCE: i64 = 60_000_000_000;

/// The longest span with an engine.
const LONGEST_WITH_ENGINE: Duration = Duration::from_secs(400 * 86_400);

/// Answers how long workloads were up and down.
#[derive(Debug, Clone, Copy)]
pub struct AvailabilityQuery<'a>(pub(super) &'a Sources);

/// The spans that are requested, the shortest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spans(Vec<GoDuration>);

impl Spans {
    /// The most spans of a request.
    pub const MAX: usize = 8;

    /// Makes them of requested spans. Returns `None` for too many, or for one that is not between a second and `longest`.
    pub fn of(mut spans: Vec<GoDuration>, longest: Duration) -> Option<Self> {
        let is_valid = |span: &GoDuration| {
            let nanos = u64::try_from(span.as_nanos()).unwrap_or_default();
            (Duration::from_secs(1)..=longest).contains(&Duration::from_nanos(nanos))
        };
        spans.sort_unstable();
        spans.dedup();
        let count = spans.len();
        ((1..=Self::MAX).contains(&count) && spans.iter().all(is_valid)).then_some(Self(spans))
    }

    fn durations(&self) -> Vec<Duration> {
        let nanos = self.0.iter().map(|span| span.as_nanos());
        nanos
            .map(|nanos| Duration::from_nanos(u64::try_from(nanos).unwrap_or_default()))
            .collect()
    }
}

impl Default for Spans {
    fn default() -> Self {
        Self(SPANS.map(GoDuration::from_secs).into())
    }
}

impl AvailabilityQuery<'_> {
    /// Whether the server stores availability.
    pub fn is_stored(self) -> bool {
        self.0.availability.is_some()
    }

    /// The longest span that can be requested: the retention, or with an engine a year and more.
    pub fn longest(self) -> Duration {
        match self.0.engine {
            Some(_) => LONGEST_WITH_ENGINE,
            None => RETENTION,
        }
    }

    /// Reads what the engine knows of spans that begin before the server's record of a workload; nothing without an
    /// engine.
    ///
    /// # Errors
    /// There is no usable answer.
    pub async fn read_older(
        self,
        namespace: Option<&str>,
        spans: &Spans,
    ) -> Result<OlderAvailability, EngineError> {
        let (Some(engine), Some(record)) = (self.0.engine.as_deref(), &self.0.availability) else {
            return Ok(OlderAvailability::default());
        };
        let until = self.0.wall();
        let workloads = record.workloads(namespace, &spans.durations());
        let incomplete = spans.0.iter().enumerate().filter(|(index, span)| {
            let since = until.plus_nanos(TOLERANCE - span.as_nanos());
            workloads
                .iter()
                .any(|it| begins_after(it.totals.get(*index), since))
        });
        let incomplete = incomplete.map(|(_, span)| span.as_nanos());
        OlderAvailability::read(engine, namespace, incomplete, until).await
    }

    /// The workloads of a namespace, or of all, in the order of namespace and name.
    pub fn list(
        self,
        namespace: Option<&str>,
        spans: &Spans,
        older: &OlderAvailability,
    ) -> Vec<Availability> {
        let Some(availability) = &self.0.availability else {
            return Vec::new();
        };
        let workloads = availability.workloads(namespace, &spans.durations());
        let incidents = Incidents::of(&self.0.health);
        let objects = workloads
            .iter()
            .map(|it| self.object(it, spans, older, &incidents));
        objects.collect()
    }

    /// The workload with this object name; none if it has had no pods within the retention.
    pub fn get(
        self,
        namespace: &str,
        name: &str,
        spans: &Spans,
        older: &OlderAvailability,
    ) -> Option<Availability> {
        let availability = self.0.availability.as_ref()?;
        let of_namespace = availability.workloads(Some(namespace), &[]);
        let is_it = |key: &WorkloadKey| Availability::name_of(&key.kind, &key.name) == name;
        let key = of_namespace.into_iter().map(|it| it.key).find(is_it)?;
        let workload = availability.workload(&key, &spans.durations())?;
        let incidents = Incidents::of(&self.0.health);
        Some(self.object(&workload, spans, older, &incidents))
    }

    fn object(
        self,
        workload: &WorkloadAvailability,
        spans: &Spans,
        older: &OlderAvailability,
        incidents: &Incidents,
    ) -> Availability {
        let WorkloadKey {
            namespace,
            kind,
            name,
        } = &workload.key;
        let last = workload.totals.last().and_then(|totals| totals.last);
        let last_outage = last.and_then(|last| {
            let is_open = workload.state == Some(State::Down) && last.began == workload.since;
            let incident = incidents.of_outage(&workload.key, last);
            Some(Outage {
                began: last.began.timestamp()?,
                ended: last.ended.timestamp().filter(|_| !is_open),
                incident: incident.map_or_else(String::new, |it| it.metadata.name.clone()),
                cause: incident.map(|incident| incident.cause),
            })
        });
        let spans = spans.0.iter().zip(&workload.totals);
        Availability {
            metadata: Meta {
                name: Availability::name_of(kind, name),
                namespace: namespace.to_string(),
                ..Meta::default()
            },
            workload: Workload {
                kind: kind.to_string(),
                name: name.to_string(),
            },
            state: workload.state.map_or(AvailabilityState::Starting, to_api),
            since: workload.since.timestamp(),
            spans: spans
                .map(|(span, totals)| {
                    let mut span = of_span(*span, totals);
                    older.improve(&workload.key, &mut span);
                    span
                })
                .collect(),
            last_outage,
            ..Availability::default()
        }
    }
}

/// Whether the record of a workload begins after a time, or has nothing of the span.
fn begins_after(totals: Option<&Totals>, time: Timestamp) -> bool {
    let begin = totals.and_then(|it| it.begin?.timestamp());
    begin.is_none_or(|begin| begin > time)
}

fn of_span(span: GoDuration, totals: &Totals) -> AvailabilitySpan {
    AvailabilitySpan {
        span,
        since: totals.begin.and_then(|begin| begin.timestamp()),
        availability: totals.availability(),
        up_seconds: totals.seconds(State::Up),
        degraded_seconds: totals.seconds(State::Degraded),
        down_seconds: totals.seconds(State::Down),
        deliberate_seconds: totals.seconds(State::Deliberate),
        unknown_seconds: totals.seconds(State::Unknown),
        outages: totals.outages,
        longest_outage_seconds: (totals.outages > 0).then_some(totals.longest_seconds),
        mtbf_seconds: totals.between_failures_seconds(),
        mttr_seconds: totals.to_repair_seconds(),
    }
}

fn to_api(state: State) -> AvailabilityState {
    match state {
        State::Up => AvailabilityState::Up,
        State::Degraded => AvailabilityState::Degraded,
        State::Down => AvailabilityState::Down,
        State::Deliberate => AvailabilityState::Deliberate,
        State::Off => AvailabilityState::Off,
        State::Unknown => AvailabilityState::Unknown,
    }
}
