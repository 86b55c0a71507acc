//! `Resize`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::usage::Amounts;
use crate::time::Timestamp;

/// A resize in place that the node has not completed. Until it has, requests, limits and ratios are those of the
/// resources that the kubelet has in force.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Resize {
    /// The state of the resize.
    pub state: ResizeState,
    /// The kubelet's message; only in the pod's own resize.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// The start of this state, if the kubelet reports it; only in the pod's own resize.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// The requests in the spec.
    pub requests: Amounts,
    /// The limits in the spec.
    pub limits: Amounts,
}

api_enum! {
    /// The progress of a resize.
    pub enum ResizeState {
        /// The node has not enough free resources now: the kubelet retries.
        Deferred,
        /// The node can never grant the resize; it does not count in the node's requests.
        Infeasible,
        /// The kubelet has failed to apply the resize, and retries.
        Error,
        /// The kubelet applies the resize.
        InProgress,
        /// The kubelet has not reported the resize yet.
        #[default]
        #[serde(other)]
        Pending,
    }
}

impl ResizeState {
    /// The state that a pod's conditions stand for, and the condition that does; none if there is none about a resize.
    /// `parts` are a condition's type, status and reason.
    ///
    /// Where the spec has changed again during a resize both conditions are set: `PodResizePending` is about the current
    /// spec and applies.
    pub fn of_conditions<'a, C>(
        conditions: impl IntoIterator<Item = &'a C>,
        parts: impl Fn(&'a C) -> (&'a str, &'a str, &'a str),
    ) -> Option<(Self, &'a C)> {
        let states = conditions.into_iter().filter_map(|condition| {
            let (kind, status, reason) = parts(condition);
            Some((Self::of_condition(kind, status, reason)?, condition))
        });
        states.min_by_key(|(state, _)| matches!(state, Self::Error | Self::InProgress))
    }

    fn of_condition(kind: &str, status: &str, reason: &str) -> Option<Self> {
        match (kind, reason) {
            _ if status == "False" => None,
            ("PodResizePending", "Deferred") => Some(Self::Deferred),
            ("PodResizePending", "Infeasible") => Some(Self::Infeasible),
            ("PodResizePending", _) => Some(Self::Pending),
            ("PodResizeInProgress", "Error") => Some(Self::Error),
            ("PodResizeInProgress", _) => Some(Self::InProgress),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_maps_to_a_resize_state() {
        for (kind, status, reason, expected) in [
            (
                "PodResizePending",
                "True",
                "Deferred",
                Some(ResizeState::Deferred),
            ),
            (
                "PodResizePending",
                "True",
                "Infeasible",
                Some(ResizeState::Infeasible),
            ),
            (
                "PodResizePending",
                "True",
                "SomethingNew",
                Some(ResizeState::Pending),
            ),
            (
                "PodResizeInProgress",
                "True",
                "",
                Some(ResizeState::InProgress),
            ),
            (
                "PodResizeInProgress",
                "True",
                "Error",
                Some(ResizeState::Error),
            ),
            ("PodResizePending", "False", "Deferred", None),
            ("Ready", "True", "Deferred", None),
        ] {
            assert_eq!(ResizeState::of_condition(kind, status, reason), expected);
        }
        let both = [
            ("Ready", "True", ""),
            ("PodResizeInProgress", "True", ""),
            ("PodResizePending", "True", "Deferred"),
        ];
        let found = ResizeState::of_conditions(&both, |parts| *parts);
        assert_eq!(found, Some((ResizeState::Deferred, &both[2])));
        assert_eq!(ResizeState::of_conditions(&both[..1], |parts| *parts), None);
    }
}
