//! What the engine knows of the availability of workloads before the server's own record.

use std::collections::{BTreeMap, HashMap};

use futures::future::try_join_all;
use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::AvailabilitySpan;

use crate::availability::WorkloadKey;
use crate::engine::{Engine, EngineError, Selector, Series, stat};
use crate::query::history::{round_step, whole};

/// The most values of a workload within a span.
const MOST_VALUES: i64 = 2_016;

/// The shortest distance of two values: that of the samples of workloads, by default.
const LEAST_DISTANCE: i64 = 60_000_000_000;

const LABELS: &str = "namespace, workload, workload_kind";

/// What the engine knows of each workload, by the span in nanoseconds.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct OlderAvailability(BTreeMap<i64, HashMap<[String; 3], Known>>);

/// What the engine knows of one workload over a span.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Known {
    /// The first value.
    since: Timestamp,
    /// The seconds for which the workload was known to be up or down.
    seconds: u64,
    /// Of these, the seconds down.
    down: u64,
    outages: u64,
}

fn distance(span: i64) -> i64 {
    round_step(span, MOST_VALUES).max(LEAST_DISTANCE)
}

/// The time known is counted at a distance. The downtime is exact, because the server counts it.
fn query(engine: &Engine, namespace: Option<&str>, span: i64) -> String {
    let select = |metric| -> Selector {
        let selector = engine.select(metric);
        match namespace {
            Some(namespace) => selector.with("namespace", namespace),
            None => selector,
        }
    };
    let up = select("kubevitals_workload_up");
    let down = select("kubevitals_workload_downtime_seconds_total");
    let (range, step) = (span / 1_000_000, distance(span) / 1_000_000);
    [
        (
            "known",
            format!("count_over_time(({up})[{range}ms:{step}ms])"),
        ),
        ("down", format!("increase({down}[{range}ms])")),
        ("changes", format!("changes({up}[{range}ms])")),
        (
            "since",
            format!("-min_over_time((timestamp({up}))[{range}ms:{step}ms])"),
        ),
    ]
    .map(|(name, expression)| stat(name, LABELS, &expression))
    .join(" or ")
}

fn known(series: Vec<Series>, span: i64) -> HashMap<[String; 3], Known> {
    let seconds_of_value = whole_u64(distance(span) / 1_000_000_000);
    let mut all: HashMap<_, Known> = HashMap::new();
    for series in series {
        let label = |name: &str| series.labels.get(name).to_owned();
        let key = [
            label("namespace"),
            label("workload_kind"),
            label("workload"),
        ];
        let Some(value) = series.last() else { continue };
        let known = all.entry(key).or_default();
        match series.labels.get("stat") {
            "known" => {
                let seconds = whole(value).saturating_mul(seconds_of_value);
                known.seconds = seconds.min(whole_u64(span / 1_000_000_000));
            }
            "down" => known.down = whole(value),
            // Down and up again. One that lasts has changed once.
            "changes" => known.outages = whole(value).div_ceil(2),
            "since" => {
                let seconds = i64::try_from(whole(value.abs())).unwrap_or(i64::MAX);
                known.since = Timestamp::from_secs(seconds);
            }
            _ => {}
        }
    }
    all
}

fn whole_u64(value: i64) -> u64 {
    u64::try_from(value).unwrap_or_default()
}

impl OlderAvailability {
    /// Reads spans before `until`, in nanoseconds.
    pub(super) async fn read(
        engine: &Engine,
        namespace: Option<&str>,
        spans: impl Iterator<Item = i64>,
        until: Timestamp,
    ) -> Result<Self, EngineError> {
        let read = async |span: i64| {
            let query = query(engine, namespace, span);
            Ok((span, known(engine.instant(&query, until).await?, span)))
        };
        let spans = try_join_all(spans.map(read)).await?;
        Ok(Self(spans.into_iter().collect()))
    }

    /// Replaces the figures of a span by those of the engine if it knows more of the time. What only the record tells
    /// apart stays as the record has it.
    pub(super) fn improve(&self, workload: &WorkloadKey, span: &mut AvailabilitySpan) {
        let key = [&workload.namespace, &workload.kind, &workload.name].map(|it| it.to_string());
        let of_span = self.0.get(&span.span.as_nanos());
        let Some(older) = of_span.and_then(|all| all.get(&key)) else {
            return;
        };
        let ready = span.up_seconds.saturating_add(span.degraded_seconds);
        if older.seconds <= ready.saturating_add(span.down_seconds) {
            return;
        }
        let down = older.down.min(older.seconds).max(span.down_seconds);
        let ready = older.seconds.saturating_sub(down);
        let outages = older.outages.max(span.outages);
        span.since = Some(
            span.since
                .map_or(older.since, |since| since.min(older.since)),
        );
        span.up_seconds = ready.saturating_sub(span.degraded_seconds);
        span.down_seconds = down;
        #[expect(clippy::cast_precision_loss, reason = "years have 28 bits of seconds")]
        let availability = ready as f64 / older.seconds as f64;
        span.availability = Some(availability);
        // The engine's samples do not tell the longest one.
        if outages > span.outages {
            span.longest_outage_seconds = None;
        }
        span.outages = outages;
        span.mtbf_seconds = ready.checked_div(outages);
        span.mttr_seconds = down.checked_div(outages);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kubevitals_proto::duration::GoDuration;

    fn key() -> WorkloadKey {
        let [namespace, kind, name] = ["shop", "Deployment", "web"].map(Into::into);
        WorkloadKey {
            namespace,
            kind,
            name,
        }
    }

    fn older(known: Known) -> OlderAvailability {
        let name = ["shop", "Deployment", "web"].map(str::to_owned);
        let of_span = HashMap::from([(name, known)]);
        OlderAvailability(BTreeMap::from([(
            GoDuration::from_secs(90 * 86_400).as_nanos(),
            of_span,
        )]))
    }

    fn span() -> AvailabilitySpan {
        AvailabilitySpan {
            span: GoDuration::from_secs(90 * 86_400),
            since: Some(Timestamp::from_secs(9_000)),
            availability: Some(0.9),
            up_seconds: 800,
            degraded_seconds: 100,
            down_seconds: 100,
            deliberate_seconds: 7,
            outages: 1,
            longest_outage_seconds: Some(100),
            mtbf_seconds: Some(900),
            mttr_seconds: Some(100),
            ..AvailabilitySpan::default()
        }
    }

    #[test]
    fn the_engine_counts_where_it_knows_more_of_the_time() {
        let mut better = span();
        let since = Timestamp::from_secs(1_000);
        older(Known {
            since,
            seconds: 9_000,
            down: 900,
            outages: 3,
        })
        .improve(&key(), &mut better);
        let expected = AvailabilitySpan {
            since: Some(since),
            availability: Some(0.9),
            up_seconds: 8_000,
            down_seconds: 900,
            outages: 3,
            longest_outage_seconds: None,
            mtbf_seconds: Some(2_700),
            mttr_seconds: Some(300),
            ..span()
        };
        assert_eq!(better, expected);
    }

    #[test]
    fn the_record_counts_where_the_engine_knows_less_or_nothing() {
        for older in [
            OlderAvailability::default(),
            older(Known {
                seconds: 1_000,
                down: 1_000,
                ..Known::default()
            }),
        ] {
            let mut same = span();
            older.improve(&key(), &mut same);
            assert_eq!(same, span());
        }
    }

    #[test]
    fn a_counter_that_says_more_than_the_samples_makes_no_negative_time() {
        let mut worst = span();
        older(Known {
            seconds: 2_000,
            down: 9_999,
            ..Known::default()
        })
        .improve(&key(), &mut worst);
        assert_eq!((worst.down_seconds, worst.up_seconds), (2_000, 0));
        assert_eq!(worst.availability, Some(0.0));
    }
}
