//! Reviews as Go clients send them: protobuf, of which only the spec matters. Answers go out as JSON, which every
//! client that sends protobuf also accepts.

use std::collections::HashMap;

use kubevitals_proto::wire::envelope;
use prost::Message;
use serde_json::{Value, json};

/// The review as JSON would have it: an object with a `spec`; `None` when the bytes are not one.
pub(super) fn decode(resource: &str, bytes: &[u8]) -> Option<Value> {
    let raw = envelope::unwrap(bytes).ok()?.raw;
    let spec = match resource {
        "tokenreviews" => Review::<TokenSpec>::decode(raw).ok()?.spec?.json(),
        "selfsubjectreviews" => json!({}),
        "selfsubjectrulesreviews" => Review::<RulesSpec>::decode(raw).ok()?.spec?.json(),
        // A self review's spec is the beginning of a review of anyone.
        _ => Review::<AccessSpec>::decode(raw).ok()?.spec?.json(),
    };
    Some(json!({"spec": spec}))
}

#[derive(Clone, PartialEq, Message)]
struct Review<S: Message + Default + std::fmt::Debug> {
    #[prost(message, optional, tag = "2")]
    spec: Option<S>,
}

#[derive(Clone, PartialEq, Message)]
struct TokenSpec {
    #[prost(string, tag = "1")]
    token: String,
    #[prost(string, repeated, tag = "2")]
    audiences: Vec<String>,
}

#[derive(Clone, PartialEq, Message)]
struct RulesSpec {
    #[prost(string, tag = "1")]
    namespace: String,
}

#[derive(Clone, PartialEq, Message)]
struct AccessSpec {
    #[prost(message, optional, tag = "1")]
    resource: Option<ResourceAttributes>,
    #[prost(message, optional, tag = "2")]
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

#[derive(Clone, PartialEq, Message)]
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

#[derive(Clone, PartialEq, Message)]
struct PathAttributes {
    #[prost(string, tag = "1")]
    path: String,
    #[prost(string, tag = "2")]
    verb: String,
}

#[derive(Clone, PartialEq, Message)]
struct ExtraValue {
    #[prost(string, repeated, tag = "1")]
    items: Vec<String>,
}

impl TokenSpec {
    fn json(self) -> Value {
        let mut spec = json!({"token": self.token});
        if let (false, Some(members)) = (self.audiences.is_empty(), spec.as_object_mut()) {
            members.insert("audiences".to_owned(), json!(self.audiences));
        }
        spec
    }
}

impl RulesSpec {
    fn json(self) -> Value {
        json!({"namespace": self.namespace})
    }
}

impl AccessSpec {
    fn json(self) -> Value {
        let mut spec = json!({"user": self.user, "groups": self.groups, "uid": self.uid});
        let Some(members) = spec.as_object_mut() else {
            return spec;
        };
        let extra = self
            .extra
            .into_iter()
            .map(|(key, value)| (key, json!(value.items)));
        members.insert("extra".to_owned(), Value::Object(extra.collect()));
        if let Some(of) = self.resource {
            let attributes = json!({
                "namespace": of.namespace, "verb": of.verb, "group": of.group, "version": of.version,
                "resource": of.resource, "subresource": of.subresource, "name": of.name,
            });
            members.insert("resourceAttributes".to_owned(), attributes);
        }
        if let Some(of) = self.path {
            members.insert(
                "nonResourceAttributes".to_owned(),
                json!({"path": of.path, "verb": of.verb}),
            );
        }
        spec
    }
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
