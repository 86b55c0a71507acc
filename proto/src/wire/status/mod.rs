//! `metav1.Status`: how Kubernetes answers a request that failed.

mod errors;
mod protobuf;
mod reason;

pub use reason::Reason;

use super::gojson;
use super::meta::ListMeta;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};

/// The subject of a [`Status`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub struct Details {
    /// The object's name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// The resource's API group.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub group: String,
    /// The resource.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub kind: String,
    /// The object's UID.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub uid: String,
    /// Single causes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub causes: Vec<Cause>,
    /// After how many seconds to try again.
    #[serde(skip_serializing_if = "is_zero")]
    pub retry_after_seconds: i32,
}

/// One cause in [`Details`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(default)]
pub struct Cause {
    /// As a machine reads it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// As a person reads it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// The field it concerns.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub field: String,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde's shape
const fn is_zero(n: &i32) -> bool {
    *n == 0
}

/// The answer to a request that failed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "camelCase")]
#[error("{message}")]
pub struct Status {
    kind: Kind,
    #[serde(default)]
    api_version: V1,
    /// Empty, but for where to go on after an expired list.
    #[serde(default, deserialize_with = "lenient")]
    pub metadata: ListMeta,
    /// `Failure`, or `Success`.
    #[serde(default)]
    pub status: String,
    /// As a person reads it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// As a machine reads it.
    #[serde(default, skip_serializing_if = "no_reason")]
    pub reason: Reason,
    /// The subject.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient"
    )]
    pub details: Option<Details>,
    /// The HTTP status code.
    #[serde(default)]
    pub code: u16,
}

/// A value, or the default where the JSON has another type.
fn lenient<'de, D: Deserializer<'de>, T: DeserializeOwned + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    let value = serde_json::Value::deserialize(deserializer)?;
    Ok(T::deserialize(value).unwrap_or_default())
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
enum Kind {
    #[default]
    Status,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
enum V1 {
    #[default]
    #[serde(rename = "v1")]
    V1,
}

fn no_reason(reason: &Reason) -> bool {
    *reason == Reason::Unknown
}

impl Status {
    /// A failure with `code`, `reason` and `message`, without details.
    #[must_use]
    pub fn failure(code: u16, reason: Reason, message: impl Into<String>) -> Self {
        Self {
            status: "Failure".into(),
            message: message.into(),
            reason,
            code,
            ..Self::default()
        }
    }

    /// The same with `details`.
    #[must_use]
    pub fn with_details(self, details: Details) -> Self {
        Self {
            details: Some(details),
            ..self
        }
    }

    /// As compact JSON, without a line's end.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(256);
        // Only a map with keys that are not strings could fail, and there is none.
        let _ = gojson::write_value(&mut out, self);
        out
    }
}
