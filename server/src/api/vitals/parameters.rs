//! The parameters of lists and histories in the query string.

use std::time::Duration;

use http::Uri;
use kubevitals_proto::duration::GoDuration;
use kubevitals_proto::time::Timestamp;
use kubevitals_proto::wire::status::Status;

use super::kind::Kind;
use super::pod_filter::PodFilter;
use super::query_params::{invalid_param, non_empty};
use super::sort_by::SortBy;
use super::version_options::VersionRequirement;
use crate::query::{Aggregation, MAX_STEPS as MOST_STEPS_OF_A_SPAN, Query, round_step};

/// The most steps of a trend.
const MAX_STEPS: u32 = 240;

/// A point in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    /// A timestamp.
    At(Timestamp),
    /// A duration before now.
    Ago(GoDuration),
}

impl When {
    /// Converts to a timestamp, relative to `now`.
    pub(super) fn time(self, now: Timestamp) -> Timestamp {
        match self {
            Self::At(time) => time,
            Self::Ago(ago) => now.plus_nanos(ago.0.saturating_neg()),
        }
    }
}

/// The options of a list or get, without selectors.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct ListOptions {
    /// The time of the objects; none for now.
    pub(super) at: Option<When>,
    /// The number of steps of the trend.
    pub(super) trend: Option<u32>,
    /// Whether deleted pods are listed too.
    pub(super) deleted: bool,
    /// The span of the statistics.
    pub(super) stats: Option<Duration>,
    /// The order; none for the order by name.
    pub(super) sort_by: Option<SortBy>,
    /// The most objects in a sorted list.
    pub(super) limit: Option<usize>,
    /// The filter on pods.
    pub(super) filter: PodFilter,
    /// The required version. Get, list and watch read it differently, so the caller sets it.
    pub(super) requirement: VersionRequirement,
}

impl ListOptions {
    /// Reads the options in the query string.
    ///
    /// # Errors
    /// 400 for an invalid value.
    pub(super) fn of<K: Kind>(uri: &Uri) -> Result<Self, Status> {
        let mut options = Self::default();
        if let Some(text) = non_empty(uri, "at") {
            options.at = Some(when("at", &text, true)?);
        }
        if let Some(text) = non_empty(uri, "trend") {
            let steps = text
                .parse()
                .ok()
                .filter(|steps| (1..=MAX_STEPS).contains(steps));
            let expected = format!("a number of steps from 1 to {MAX_STEPS}");
            options.trend = Some(steps.ok_or_else(|| invalid_param("trend", &text, &expected))?);
        }
        options.stats = stats::<K>(uri)?;
        options.deleted = deleted::<K>(uri, options.at.is_some())?;
        if let Some(parameter) = PodFilter::first_param(uri).filter(|_| !K::SUPPORTS_POD_FILTER) {
            let message = format!(
                "{parameter}: this filter applies to podvitals, not to {}",
                K::RESOURCE
            );
            return Err(Status::bad_request(message));
        }
        options.filter = PodFilter::of(uri)?;
        if let Some(text) = non_empty(uri, "sortBy") {
            let found = SortBy::ALL.iter().find(|(name, _)| *name == text);
            let names = SortBy::ALL.map(|(name, _)| name).join(", ");
            let (_, sort_by) =
                found.ok_or_else(|| invalid_param("sortBy", &text, &format!("one of {names}")))?;
            if !K::sorts_by(*sort_by) {
                let message = format!("sortBy={text:?}: {} cannot be sorted by this", K::RESOURCE);
                return Err(Status::bad_request(message));
            }
            options.sort_by = Some(*sort_by);
            // `Selection` has refused limits that are not numbers. As in Kubernetes, zero and negative numbers mean
            // all.
            options.limit = non_empty(uri, "limit")
                .and_then(|text| text.parse().ok())
                .filter(|limit| *limit > 0);
        }
        Ok(options)
    }

    /// The time that the objects are to be of. Without an engine it is at most `retention` before `now`. None for now.
    ///
    /// # Errors
    /// 400 for a time outside of the history.
    pub(super) fn time(
        &self,
        now: Timestamp,
        retention: Duration,
        has_engine: bool,
    ) -> Result<Option<Timestamp>, Status> {
        let Some(at) = self.at.map(|at| at.time(now)) else {
            return Ok(None);
        };
        let retention = i64::try_from(retention.as_nanos()).unwrap_or(i64::MAX);
        let first = match has_engine {
            true => Timestamp::default(),
            false => now.plus_nanos(-retention),
        };
        if at < first || at > now {
            return Err(Status::bad_request(format!(
                "at is {at}: the history goes from {first} to {now}"
            )));
        }
        Ok(Some(at))
    }

    /// Whether the work may visit every pod of the cluster before the response starts, so that it belongs on the
    /// pool.
    pub(super) fn visits_all(&self) -> bool {
        self.at.is_some() || self.deleted || self.sort_by.is_some() || self.filter.is_set()
    }

    /// The first parameter that only lists have: a time, statistics, an order or a filter. A watch refuses it.
    pub(super) fn list_only_param(&self, uri: &Uri) -> Option<&'static str> {
        if self.at.is_some() {
            Some("at")
        } else if self.deleted {
            Some("deleted")
        } else if self.stats.is_some() {
            Some("stats")
        } else if self.sort_by.is_some() {
            Some("sortBy")
        } else {
            PodFilter::first_param(uri)
        }
    }
}

/// Reads the span of the statistics.
///
/// # Errors
/// 400 for an invalid value, or for a kind without statistics.
fn stats<K: Kind>(uri: &Uri) -> Result<Option<Duration>, Status> {
    let Some(text) = non_empty(uri, "stats") else {
        return Ok(None);
    };
    if !K::HAS_STATS {
        let message = format!("stats: {} have no statistics", K::RESOURCE);
        return Err(Status::bad_request(message));
    }
    let span: Option<GoDuration> = text.parse().ok();
    let nanos = span.and_then(|span| u64::try_from(span.0).ok());
    let expected = "a duration such as 1h before now";
    match nanos.filter(|nanos| *nanos > 0) {
        Some(nanos) => Ok(Some(Duration::from_nanos(nanos))),
        None => Err(invalid_param("stats", &text, expected)),
    }
}

/// Reads whether deleted pods are listed too.
///
/// # Errors
/// 400 for an invalid value, for another kind, or beside a time.
fn deleted<K: Kind>(uri: &Uri, has_time: bool) -> Result<bool, Status> {
    let refuse = |reason: String| Err(Status::bad_request(reason));
    match non_empty(uri, "deleted").as_deref() {
        None | Some("false") => Ok(false),
        Some("true") if !K::SUPPORTS_POD_FILTER => refuse(format!(
            "deleted: this parameter applies to podvitals, not to {}",
            K::RESOURCE
        )),
        Some("true") if has_time => {
            refuse("deleted: not with at, which lists the pods of its time".to_owned())
        }
        Some("true") => Ok(true),
        Some(text) => Err(invalid_param("deleted", text, "true or false")),
    }
}

/// How far back the server can read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reach {
    /// How far back its memory goes.
    pub(super) retention: Duration,
    /// The time between two scrapes of a node.
    pub(super) resolution: Duration,
    /// Whether there is an engine with what is older.
    pub(super) has_engine: bool,
}

impl Reach {
    /// How far back a server can read.
    pub(super) fn of(query: &Query) -> Self {
        Self {
            retention: query.history().store().settings().retention,
            resolution: query.resolution(),
            has_engine: query.history().has_engine(),
        }
    }

    /// Checks that there is any history.
    ///
    /// # Errors
    /// 400 if there is none.
    pub(super) fn check(self) -> Result<(), Status> {
        if self.retention.is_zero() && !self.has_engine {
            let message = "there is no history: the server runs with --history-retention=0";
            return Err(Status::bad_request(message));
        }
        Ok(())
    }
}

/// The options of a history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct HistoryOptions {
    /// The start.
    pub(super) since: Timestamp,
    /// The end.
    pub(super) until: Timestamp,
    /// The length of a step, in nanoseconds.
    pub(super) step: i64,
    /// The aggregation of the points of one step.
    pub(super) aggregation: Aggregation,
    /// Return only this container.
    pub(super) container: Option<String>,
}

impl HistoryOptions {
    /// The default number of steps in the span. There are fewer if a step would be shorter than the resolution.
    const STEPS: i64 = 120;

    /// The default span of a server without a history in memory.
    const SPAN: Duration = Duration::from_secs(3_600);

    /// Reads the options in the query string, at `now`.
    ///
    /// # Errors
    /// 400 for an invalid value, an empty span, too many steps, or a server without a history.
    pub(super) fn of(uri: &Uri, now: Timestamp, reach: Reach) -> Result<Self, Status> {
        reach.check()?;
        let Reach {
            retention,
            resolution,
            has_engine,
        } = reach;
        let default_span = match retention.is_zero() {
            true => Self::SPAN,
            false => retention,
        };
        let nanos = |duration: Duration| i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX);
        let until = match non_empty(uri, "until") {
            Some(text) => when("until", &text, false)?.time(now),
            None => now,
        };
        let since = match non_empty(uri, "since") {
            Some(text) => when("since", &text, false)?.time(until),
            None => now.plus_nanos(-nanos(default_span)),
        };
        if since >= until {
            let message =
                format!("since is {since} and until is {until}: since must be before until");
            return Err(Status::bad_request(message));
        }
        let span = until.since(since);
        let step = match non_empty(uri, "step") {
            Some(text) => {
                let step: Option<GoDuration> = text.parse().ok();
                let step = step.filter(|step| step.0 >= 1_000_000_000);
                let expected = "a duration of a second or more, such as 1m";
                step.ok_or_else(|| invalid_param("step", &text, expected))?
                    .0
            }
            // A round one where the history in memory ends.
            None if has_engine && span > nanos(default_span) => round_step(span, Self::STEPS),
            // In whole seconds.
            None => {
                let step = GoDuration::from_secs(span / Self::STEPS / 1_000_000_000 + 1);
                step.0.max(nanos(resolution))
            }
        };
        if span / step >= i64::try_from(MOST_STEPS_OF_A_SPAN).unwrap_or(i64::MAX) {
            let message = format!(
                "step={}: these are more than {MOST_STEPS_OF_A_SPAN} steps from {since} to {until}",
                GoDuration(step)
            );
            return Err(Status::bad_request(message));
        }
        let aggregation = match non_empty(uri, "fold").as_deref() {
            None | Some("mean") => Aggregation::Mean,
            Some("min") => Aggregation::Min,
            Some("max") => Aggregation::Max,
            Some(text) => return Err(invalid_param("fold", text, "one of mean, min, max")),
        };
        Ok(Self {
            since,
            until,
            step,
            aggregation,
            container: non_empty(uri, "container"),
        })
    }
}

/// Parses a timestamp or a duration before now. With `negative`, a duration must be zero or negative; else its sign
/// does not matter.
fn when(name: &str, text: &str, negative: bool) -> Result<When, Status> {
    if let Ok(time) = text.parse() {
        return Ok(When::At(time));
    }
    let expected = if negative {
        "an RFC 3339 time such as 2026-11-21T05:13:54Z, or a negative duration such as -5m"
    } else {
        "an RFC 3339 time such as 2026-11-21T05:13:54Z, or a duration such as 5m before now"
    };
    let duration: GoDuration = text
        .parse()
        .map_err(|_| invalid_param(name, text, expected))?;
    match duration.0 {
        ..=0 if negative => Ok(When::Ago(GoDuration(duration.0.saturating_neg()))),
        // Both signs mean the same.
        _ if !negative => Ok(When::Ago(GoDuration(duration.0.saturating_abs()))),
        _ => Err(invalid_param(name, text, expected)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::kind::{Incidents, Pods};
    use super::*;
    use crate::query::Measure;

    fn of(query: &str) -> Result<ListOptions, String> {
        let uri = format!("/x?{query}").parse().unwrap();
        ListOptions::of::<Pods>(&uri).map_err(|status| {
            assert_eq!(status.code, 400);
            status.message
        })
    }

    #[test]
    fn each_parameter_is_read() {
        fn with(set: impl FnOnce(&mut ListOptions)) -> ListOptions {
            let mut options = ListOptions::default();
            set(&mut options);
            options
        }
        let minutes = |n: i64| Some(When::Ago(GoDuration::from_secs(60 * n)));
        for (query, expected) in [
            ("", ListOptions::default()),
            ("at=&trend=&sortBy=&stats=&deleted=", ListOptions::default()),
            ("deleted=true", with(|it| it.deleted = true)),
            ("at=-5m", with(|it| it.at = minutes(5))),
            (
                "at=1970-01-01T00:00:01Z&trend=240",
                with(|it| {
                    it.at = Some(When::At(Timestamp::from_secs(1)));
                    it.trend = Some(240);
                }),
            ),
            (
                "stats=15m",
                with(|it| it.stats = Some(Duration::from_secs(900))),
            ),
            (
                "sortBy=memory&limit=10",
                with(|it| {
                    it.sort_by = Some(SortBy::Value(Measure::Memory));
                    it.limit = Some(10);
                }),
            ),
            (
                "sortBy=name&limit=0",
                with(|it| it.sort_by = Some(SortBy::Name)),
            ),
            // Without an order the limit is that of a page, which kubectl sends; all objects are returned.
            ("limit=500", ListOptions::default()),
        ] {
            assert_eq!(of(query), Ok(expected), "{query}");
        }
    }

    #[test]
    fn pod_filters_are_checked() {
        for (query, expected) in [
            ("healthy=maybe", "healthy=\"maybe\": must be true or false"),
            (
                "workload=web",
                "workload=\"web\": must be KIND/NAME, such as Deployment/web",
            ),
        ] {
            assert_eq!(of(query).unwrap_err(), expected);
        }
        let values = vec!["a"; 33].join(",");
        let refused = of(&format!("namespaces={values}")).unwrap_err();
        assert!(refused.ends_with("must be at most 32 values"), "{refused}");
        let words = vec!["a"; 33].join("+");
        let refused = of(&format!("search={words}")).unwrap_err();
        assert!(refused.ends_with("must be at most 32 values"), "{refused}");
        let uri = "/x?search=web".parse().unwrap();
        let refused = ListOptions::of::<Incidents>(&uri).unwrap_err();
        assert_eq!(
            refused.message,
            "search: this filter applies to podvitals, not to incidents"
        );
    }

    #[test]
    fn a_time_must_be_within_the_retention() {
        let now = Timestamp::from_secs(10_000);
        let at = |seconds| {
            let options = ListOptions {
                at: Some(When::At(Timestamp::from_secs(seconds))),
                ..ListOptions::default()
            };
            let retention = Duration::from_secs(60);
            [false, true].map(|has_engine| options.time(now, retention, has_engine).is_ok())
        };
        let now_is_any = ListOptions::default().time(now, Duration::ZERO, false);
        assert_eq!(now_is_any, Ok(None));
        assert_eq!([at(9_940), at(10_000)], [[true; 2]; 2]);
        assert_eq!(at(9_939), [false, true], "an engine has what is older");
        assert_eq!(at(10_001), [false; 2]);
    }

    #[test]
    fn a_span_needs_a_start_an_end_and_steps() {
        let now = Timestamp::from_secs(10_000);
        let mut reach = Reach {
            retention: Duration::from_secs(3600),
            resolution: Duration::from_secs(15),
            has_engine: false,
        };
        let of = |query: &str| {
            let uri = format!("/x?{query}").parse().unwrap();
            HistoryOptions::of(&uri, now, reach)
                .map(|past| {
                    (
                        past.since.as_secs(),
                        past.until.as_secs(),
                        past.step / 1_000_000_000,
                    )
                })
                .map_err(|status| status.message)
        };
        for (query, expected) in [
            ("", (6_400, 10_000, 31)),
            ("since=10m", (9_400, 10_000, 15)),
            ("since=-10m", (9_400, 10_000, 15)),
            ("since=10m&until=5m", (9_100, 9_700, 15)),
            (
                "since=1970-01-01T02:00:00Z&until=1970-01-01T02:10:00Z&step=1m",
                (7_200, 7_800, 60),
            ),
        ] {
            assert_eq!(of(query), Ok(expected), "{query}");
        }
        for (query, expected) in [
            ("since=soon", "since=\"soon\": must be"),
            ("until=2h", "since must be before until"),
            (
                "step=1ms",
                "step=\"1ms\": must be a duration of a second or more",
            ),
            ("since=24h&step=1s", "these are more than 11000 steps"),
            ("fold=sum", "fold=\"sum\": must be one of mean, min, max"),
        ] {
            assert!(
                of(query).unwrap_err().contains(expected),
                "{query}: {:?}",
                of(query)
            );
        }
        let uri = "/x".parse().unwrap();
        reach.retention = Duration::ZERO;
        let status = HistoryOptions::of(&uri, now, reach).unwrap_err();
        assert!(status.message.contains("--history-retention=0"));
    }

    #[test]
    fn steps_beyond_the_memory_are_round() {
        let now = Timestamp::from_secs(1_000_000);
        let reach = Reach {
            retention: Duration::from_secs(3600),
            resolution: Duration::from_secs(15),
            has_engine: true,
        };
        for (query, step) in [
            ("", 31),
            ("since=6h", 300),
            ("since=48h", 1_800),
            ("since=168h", 7_200),
        ] {
            let uri = format!("/x?{query}").parse().unwrap();
            let options = HistoryOptions::of(&uri, now, reach).unwrap();
            assert_eq!(options.step, step * 1_000_000_000, "{query}");
        }
        // Without memory, an hour is the default.
        let none = Reach {
            retention: Duration::ZERO,
            ..reach
        };
        let options = HistoryOptions::of(&"/x".parse().unwrap(), now, none).unwrap();
        assert_eq!(options.until.since(options.since), 3_600_000_000_000);
    }

    #[test]
    fn errors_name_the_value_and_what_is_valid() {
        for (query, expected) in [
            (
                "at=yesterday",
                "at=\"yesterday\": must be an RFC 3339 time such as 2026-11-21T05:13:54Z, or a negative duration \
                 such as -5m",
            ),
            (
                "at=5m",
                "at=\"5m\": must be an RFC 3339 time such as 2026-11-21T05:13:54Z, or a negative duration such as \
                 -5m",
            ),
            (
                "trend=241",
                "trend=\"241\": must be a number of steps from 1 to 240",
            ),
            ("deleted=yes", "deleted=\"yes\": must be true or false"),
            (
                "deleted=true&at=-5m",
                "deleted: not with at, which lists the pods of its time",
            ),
            (
                "stats=0s",
                "stats=\"0s\": must be a duration such as 1h before now",
            ),
            (
                "stats=-1h",
                "stats=\"-1h\": must be a duration such as 1h before now",
            ),
            (
                "sortBy=colour",
                "sortBy=\"colour\": must be one of name, namespace, cpu, memory, restarts, cpuOfLimit, \
                 memoryOfLimit, cpuOfRequest, memoryOfRequest, growth",
            ),
        ] {
            assert_eq!(of(query).unwrap_err(), expected);
        }
        for (query, expected) in [
            (
                "sortBy=cpu",
                "sortBy=\"cpu\": incidents cannot be sorted by this",
            ),
            ("stats=1h", "stats: incidents have no statistics"),
            (
                "deleted=true",
                "deleted: this parameter applies to podvitals, not to incidents",
            ),
        ] {
            let uri = format!("/x?{query}").parse().unwrap();
            let refused = ListOptions::of::<Incidents>(&uri).unwrap_err();
            assert_eq!(refused.message, expected);
        }
    }
}
