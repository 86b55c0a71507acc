//! Times as kubectl shows them: how long ago.

use kubevitals_proto::age::human;
use kubevitals_proto::time::Timestamp;
use serde_json::{Value, json};

use crate::members::Members;

/// Ages as of one moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ages(jiff::Timestamp);

impl Ages {
    pub(super) fn at(now: jiff::Timestamp) -> Self {
        Self(now)
    }

    /// How long ago a time was; `<unknown>` when there is none.
    pub(super) fn since(self, time: &str) -> String {
        match time.parse::<jiff::Timestamp>() {
            Ok(then) => human(self.0.as_second() - then.as_second()),
            Err(_) => "<unknown>".to_owned(),
        }
    }

    /// How long ago a time was.
    pub(super) fn since_time(self, then: Timestamp) -> String {
        human(self.0.as_second() - then.as_secs())
    }

    /// The age of an object.
    pub(super) fn of(self, object: &Value) -> Value {
        json!(self.since(object.text("/metadata/creationTimestamp")))
    }
}
