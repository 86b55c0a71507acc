//! Events of core/v1 about one object.

use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::Evidence;
use serde::Deserialize;

use super::read;
use crate::model::Event;

/// An event.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(in crate::source) struct SlimEvent {
    r#type: String,
    reason: String,
    message: String,
    count: Option<u64>,
    first_timestamp: Option<String>,
    last_timestamp: Option<String>,
    event_time: Option<String>,
    series: Option<Series>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Series {
    count: Option<u64>,
    last_observed_time: Option<String>,
}

impl From<SlimEvent> for Event {
    fn from(event: SlimEvent) -> Self {
        let series = event.series.unwrap_or_default();
        let last: Option<Timestamp> = [
            &series.last_observed_time,
            &event.last_timestamp,
            &event.event_time,
            &event.first_timestamp,
        ]
        .into_iter()
        .find_map(|time| read(time.as_ref()));
        Self {
            kind: event.r#type,
            reason: event.reason,
            message: Evidence::of_event(&event.message).into_owned(),
            count: series.count.or(event.count).unwrap_or(1),
            last,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_time_is_where_the_event_has_it() {
        let event: SlimEvent = serde_json::from_str(
            r#"{"type":"Warning","reason":"BackOff","count":3,"lastTimestamp":null,"eventTime":"2026-11-21T05:00:00.000000Z",
                "series":{"count":9,"lastObservedTime":"2026-11-21T05:10:00.000000Z"}}"#,
        )
        .unwrap();
        let event = Event::from(event);
        assert_eq!(
            (event.count, event.last),
            (9, "2026-11-21T05:10:00Z".parse().ok())
        );
    }
}
