//! Reviews as Go clients send them: protobuf, of which only the spec matters. Answers go out as JSON, which every
//! client that sends protobuf also accepts.

use std::collections::HashMap;
use std::fmt::Debug;

use kubevitals_proto::wire::envelope;
use prost::Message;
use serde::Serialize;
use serde_json::{Value, json};

/// The review as JSON would have it: an object with a `spec`; `None` when the bytes are not one.
pub(super) fn decode(resource: &str, bytes: &[u8]) -> Option<Value> {
    let raw = envelope::unwrap(bytes).ok()?.raw;
    let spec = match resource {
        "tokenreviews" => spec::<TokenSpec>(raw)?,
        "selfsubjectreviews" => json!({}),
        "selfsubjectrulesreviews" => spec::<RulesSpec>(raw)?,
        // A self review's spec is the beginning of a review of anyone.
        _ => spec::<AccessSpec>(raw)?,
    };
    Some(json!({"spec": spec}))
}

fn spec<S: Message + Default + Debug + Serialize>(raw: &[u8]) -> Option<Value> {
    serde_json::to_value(Review::<S>::decode(raw).ok()?.spec?).ok()
}

#[derive(Clone, PartialEq, Message)]
struct Review<S: Message + Default + Debug> {
    #[prost(message, optional, tag = "2")]
    spec: Option<S>,
}

#[derive(Clone, PartialEq, Message, Serialize)]
struct TokenSpec {
    #[prost(string, tag = "1")]
    token: String,
    #[prost(string, repeated, tag = "2")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    audiences: Vec<String>,
}

#[derive(Clone, PartialEq, Message, Serialize)]
struct RulesSpec {
    #[prost(string, tag = "1")]
    namespace: String,
}

#[derive(Clone, PartialEq, Message, Serialize)]
struct AccessSpec {
    #[prost(message, optional, tag = "1")]
    #[serde(rename = "resourceAttributes")]
    resource: Option<ResourceAttributes>,
    #[prost(message, optional, tag = "2")]
    #[serde(rename = "nonResourceAttributes")]
    path: Option<PathAttributes>,
    #[prost(string, tag = "3")]
    user: String,
    #[prost(string, repeated, tag = "4")]
    groups: Vec<String>,
    #[prost(map = "string, message", tag = "5")]
    extra: HashMap<String, ExtraValue>,
    #[prost(string, tag = "6")]
    uid: String,
}

#[derive(Clone, PartialEq, Message, Serialize)]
struct ResourceAttributes {
    #[prost(string, tag = "1")]
    namespace: String,
    #[prost(string, tag = "2")]
    verb: String,
    #[prost(string, tag = "3")]
    group: String,
    #[prost(string, tag = "4")]
    version: String,
    #[prost(string, tag = "5")]
    resource: String,
    #[prost(string, tag = "6")]
    subresource: String,
    #[prost(string, tag = "7")]
    name: String,
}

#[derive(Clone, PartialEq, Message, Serialize)]
struct PathAttributes {
    #[prost(string, tag = "1")]
    path: String,
    #[prost(string, tag = "2")]
    verb: String,
}

#[derive(Clone, PartialEq, Message, Serialize)]
#[serde(transparent)]
struct ExtraValue {
    #[prost(string, repeated, tag = "1")]
    items: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spec_is_taken_out_of_its_envelope() {
        let token = TokenSpec {
            token: "t".to_owned(),
            audiences: vec![],
        };
        let raw = Review { spec: Some(token) }.encode_to_vec();
        let body = envelope::wrap("authentication.k8s.io/v1", "TokenReview", &raw);
        assert_eq!(
            decode("tokenreviews", &body),
            Some(json!({"spec": {"token": "t"}}))
        );
        assert_eq!(decode("tokenreviews", b"{}"), None);
    }
}
