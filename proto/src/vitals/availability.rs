//! `Availability`: how long a workload was up, degraded and down.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::pod::Workload;
use super::{Cause, Meta};
use crate::duration::GoDuration;
use crate::time::Timestamp;

/// The availability of a workload, from the readiness of its pods.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Availability {
    /// Always `Availability`.
    pub kind: String,
    /// Always `kubevitals.io/v1alpha1`.
    pub api_version: String,
    /// Its name is the kind of the workload in lower case, a dot, and the name of the workload: `deployment.web`.
    pub metadata: Meta,
    /// The workload.
    pub workload: Workload,
    /// The present state.
    pub state: AvailabilityState,
    /// The begin of the present state; absent before the workload was first ready.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// Each requested span, by length. Without a request the last hour, day, week, and 30 days.
    pub spans: Vec<AvailabilitySpan>,
    /// The last outage of the longest span.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_outage: Option<Outage>,
}

api_enum! {
    /// The state of a workload.
    pub enum AvailabilityState {
        /// A pod is ready, and none that was ready is not.
        Up,
        /// A pod is ready, and another that was ready is not.
        Degraded,
        /// No pod is ready, although the workload should run.
        Down,
        /// No pod is ready, because a rollout replaces them or a scale-up starts them.
        Deliberate,
        /// Scaled to zero, or deleted.
        Off,
        /// No pod has been ready yet.
        Starting,
        /// The server did not watch, or a value of a later version.
        #[default]
        #[serde(other)]
        Unknown,
    }
}

/// The availability over a span before now. Seconds before `since` are in none of the sums.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct AvailabilitySpan {
    /// The length of the span.
    pub span: GoDuration,
    /// The begin of what is known of the workload within the span; absent if nothing is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// The part of the time in which a pod was ready: up and degraded of up, degraded and down. Absent if the sum is
    /// zero.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub availability: Option<f64>,
    /// Seconds in the state Up.
    pub up_seconds: u64,
    /// Seconds in the state Degraded.
    pub degraded_seconds: u64,
    /// Seconds in the state Down: the outages.
    pub down_seconds: u64,
    /// Seconds in the state Deliberate.
    pub deliberate_seconds: u64,
    /// Seconds in which the server did not watch.
    pub unknown_seconds: u64,
    /// The number of outages.
    pub outages: u64,
    /// The seconds of the longest outage; absent without outages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub longest_outage_seconds: Option<u64>,
    /// The mean time between failures: the seconds in which a pod was ready, for each outage. Absent without outages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mtbf_seconds: Option<u64>,
    /// The mean time to repair: the seconds of an outage. Absent without outages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mttr_seconds: Option<u64>,
}

/// An outage.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Outage {
    /// The begin.
    pub began: Timestamp,
    /// The end; absent while it lasts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended: Option<Timestamp>,
    /// The name of the incident that explains it, if the server still has one.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub incident: String,
    /// The cause of the incident.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
}

impl Availability {
    /// The name of the object for a workload.
    #[must_use]
    pub fn name_of(kind: &str, name: &str) -> String {
        kind.to_ascii_lowercase() + "." + name
    }
}

/// The span that a text names: a duration such as `12h`, or days such as `7d`.
#[must_use]
pub fn span(text: &str) -> Option<GoDuration> {
    let Some(days) = text.strip_suffix('d') else {
        return text.parse().ok();
    };
    let days: u16 = days.parse().ok()?;
    Some(GoDuration::from_secs(i64::from(days) * 86_400))
}

/// An availability in percent, with as many digits as tell it from 100 %: 99.95 %, 99.9998 %. It is never rounded up.
#[must_use]
pub fn percent(availability: f64) -> String {
    let percent = availability * 100.0;
    if percent >= 100.0 {
        return "100 %".to_owned();
    }
    let digits = match 100.0 - percent {
        missing if missing >= 0.01 => 2,
        missing if missing >= 0.001 => 3,
        _ => 4,
    };
    let scale = 10_f64.powi(digits);
    // The smallest step of a double is far below half a digit.
    let cut = (percent * scale + 1e-6).floor() / scale;
    format!("{cut:.*} %", usize::try_from(digits).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_availability_is_never_rounded_up_to_one_that_was_not_reached() {
        for (availability, text) in [
            (1.0, "100 %"),
            (0.9995, "99.95 %"),
            (0.999_949_9, "99.994 %"),
            (0.999_999_6, "99.9999 %"),
            (0.999_999_999, "99.9999 %"),
            (0.995, "99.50 %"),
            (0.5, "50.00 %"),
            (0.0, "0.00 %"),
        ] {
            assert_eq!(percent(availability), text, "{availability}");
        }
    }

    #[test]
    fn a_span_is_a_duration_or_days() {
        for (text, seconds) in [
            ("90m", Some(5_400)),
            ("24h", Some(86_400)),
            ("7d", Some(604_800)),
            ("0d", Some(0)),
            ("-1d", None),
            ("d", None),
            ("1.5d", None),
            ("99999d", None),
            ("week", None),
            ("", None),
        ] {
            let expected = seconds.map(GoDuration::from_secs);
            assert_eq!(span(text), expected, "{text}");
        }
    }

    #[test]
    fn the_name_has_the_kind_and_the_name_of_the_workload() {
        assert_eq!(Availability::name_of("Deployment", "web"), "deployment.web");
    }
}
