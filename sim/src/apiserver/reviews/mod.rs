//! Token reviews and access reviews.

mod protobuf;

use http::{HeaderMap, Method, Response, StatusCode};
use hyper::body::Incoming;
use kubevitals_proto::wire::status::Status;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::body;
use super::discovery::review_kind;
use super::request::ResourcePath;
use super::status::{Body, Refusal, json_answer};
use crate::identity::{Attributes, Identities, UserInfo};
use crate::members::Members;

/// Whether a path is of a review.
pub(super) fn serves(path: &ResourcePath) -> bool {
    kind(path).is_some()
}

fn kind(path: &ResourcePath) -> Option<&'static str> {
    review_kind(&path.group, &path.version, &path.resource)
}

/// Reads a review, in JSON or protobuf.
pub(super) async fn read(
    path: &ResourcePath,
    headers: &HeaderMap,
    incoming: Incoming,
) -> Result<Value, Refusal> {
    if body::media_type(headers) != "application/vnd.kubernetes.protobuf" {
        return body::json(headers, incoming).await;
    }
    let review = protobuf::decode(&path.resource, &body::read(incoming).await?);
    review.ok_or_else(|| Status::bad_request("the body is not a review in protobuf").into())
}

/// Answers a review of `user`: its spec, with the status filled in.
pub(super) fn answer(
    identities: &Identities,
    user: &UserInfo,
    method: &Method,
    path: &ResourcePath,
    review: &Value,
) -> Result<Response<Body>, Refusal> {
    if method != Method::POST || path.name.is_some() {
        return Err(Status::method_not_allowed().into());
    }
    let spec = review.get("spec").cloned().unwrap_or_else(|| json!({}));
    let status = match path.resource.as_str() {
        "tokenreviews" => token(identities, &spec),
        "selfsubjectreviews" => json!({"userInfo": user}),
        "selfsubjectaccessreviews" => access(identities, user, &spec)?,
        "selfsubjectrulesreviews" => rules(identities, user, &spec),
        _ => access(identities, &read_as(&spec)?, &spec)?,
    };
    let spec = (path.resource != "selfsubjectreviews").then_some(spec);
    let answer = json!({
        "kind": kind(path), "apiVersion": format!("{}/v1", path.group),
        "metadata": {"creationTimestamp": null}, "spec": spec, "status": status,
    });
    Ok(json_answer(StatusCode::CREATED, &answer.without_nulls()))
}

fn token(identities: &Identities, spec: &Value) -> Value {
    let Some(user) = identities.authenticate(spec.text("/token")) else {
        return json!({"user": {}, "error": "[invalid bearer token, token lookup failed]"});
    };
    let audiences = spec.get("audiences").cloned();
    let audiences = audiences.unwrap_or_else(|| json!(["https://kubernetes.default.svc"]));
    json!({"authenticated": true, "user": user, "audiences": audiences})
}

fn access(identities: &Identities, subject: &UserInfo, spec: &Value) -> Result<Value, Refusal> {
    let attributes = attributes(spec)?;
    if subject.username.is_empty() && subject.groups.is_empty() {
        let message =
            "spec.user: Invalid value: \"\": at least one of user or group must be specified";
        return Err(Status::bad_request(message).into());
    }
    Ok(json!({"allowed": identities.review(subject, &attributes)}))
}

/// A part of a review that the server has a type for.
fn read_as<T: DeserializeOwned>(part: &Value) -> Result<T, Refusal> {
    T::deserialize(part).map_err(|error| Status::bad_request(error.to_string()).into())
}

/// The attributes that a review is about.
fn attributes(spec: &Value) -> Result<Attributes, Refusal> {
    let attributes = ["/resourceAttributes", "/nonResourceAttributes"];
    match attributes.map(|pointer| spec.at(pointer)) {
        [Some(of), None] | [None, Some(of)] => read_as(of),
        _ => {
            let message =
                "exactly one of nonResourceAttributes or resourceAttributes must be specified";
            Err(Status::bad_request(message).into())
        }
    }
}

/// `kubectl auth can-i --list`.
fn rules(identities: &Identities, user: &UserInfo, spec: &Value) -> Value {
    let namespace = spec.text("/namespace");
    let (mut resources, mut paths) = (Vec::new(), Vec::new());
    for rule in identities.rules_of(user) {
        if rule.namespace.as_deref().is_some_and(|ns| ns != namespace) {
            continue;
        }
        if rule.paths.is_empty() {
            resources.push(json!({
                "verbs": rule.verbs, "apiGroups": rule.groups, "resources": rule.resources, "resourceNames": rule.names,
            }));
        } else {
            paths.push(json!({"verbs": rule.verbs, "nonResourceURLs": rule.paths}));
        }
    }
    json!({"resourceRules": resources, "nonResourceRules": paths, "incomplete": false})
}
