//! The conditions of an autoscaler.

use kubevitals_proto::time::Timestamp;
use serde_json::{Value, json};

use crate::members::Members;

/// The conditions of a status, with the time of the last change of each.
pub(super) struct Conditions {
    all: Vec<Value>,
    now: Timestamp,
}

impl Conditions {
    /// Those of a status.
    pub(super) fn of(hpa: &Value, now: Timestamp) -> Self {
        Self {
            all: hpa.list("/status/conditions").to_vec(),
            now,
        }
    }

    /// Sets a condition.
    pub(super) fn set(&mut self, kind: &str, holds: bool, reason: &str, message: &str) {
        let status = if holds { "True" } else { "False" };
        let at = self.all.iter().position(|it| it.text("/type") == kind);
        let before = at.map(|at| self.all.remove(at)).unwrap_or_default();
        let since = match before.text("/status") == status {
            true => before.text("/lastTransitionTime").to_owned(),
            false => self.now.to_string(),
        };
        let condition = json!({
            "type": kind, "status": status, "lastTransitionTime": since, "reason": reason, "message": message,
        });
        self.all.insert(at.unwrap_or(self.all.len()), condition);
    }

    pub(super) fn into_value(self) -> Value {
        self.all.into()
    }
}
