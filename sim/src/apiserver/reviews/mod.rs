//! Token reviews and access reviews.

mod protobuf;

use http::{HeaderMap, Method, Response, StatusCode};
use hyper::body::Incoming;
use kubevitals_proto::wire::status::Status;
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
        "selfsubjectreviews" => json!({"userInfo": user_info(user)}),
        "selfsubjectaccessreviews" => access(identities, user, &spec)?,
        "selfsubjectrulesreviews" => rules(identities, user, &spec),
        _ => access(identities, &subject(&spec), &spec)?,
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
    json!({"authenticated": true, "user": user_info(&user), "audiences": audiences})
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

/// The user of a SubjectAccessReview.
fn subject(spec: &Value) -> UserInfo {
    let texts = |list: &Value| -> Vec<String> {
        let items = list.as_array().into_iter().flatten();
        items.filter_map(|v| Some(v.as_str()?.to_owned())).collect()
    };
    let extra = spec.members("/extra");
    UserInfo {
        username: spec.text("/user").to_owned(),
        uid: spec.text("/uid").to_owned(),
        groups: spec.get("groups").map(texts).unwrap_or_default(),
        extra: extra.map(|(k, v)| (k.clone(), texts(v))).collect(),
    }
}

/// The attributes that a review is about.
fn attributes(spec: &Value) -> Result<Attributes, Refusal> {
    let text = |of: &Value, pointer: &str| of.text(pointer).to_owned();
    match (
        spec.at("/resourceAttributes"),
        spec.at("/nonResourceAttributes"),
    ) {
        (Some(of), None) => Ok(Attributes {
            verb: text(of, "/verb"),
            group: text(of, "/group"),
            resource: text(of, "/resource"),
            subresource: text(of, "/subresource"),
            namespace: text(of, "/namespace"),
            name: text(of, "/name"),
            path: String::new(),
        }),
        (None, Some(of)) => Ok(Attributes::path(of.text("/verb"), of.text("/path"))),
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

fn user_info(user: &UserInfo) -> Value {
    let UserInfo {
        username,
        uid,
        groups,
        extra,
    } = user;
    let (uid, extra) = (
        (!uid.is_empty()).then_some(uid),
        (!extra.is_empty()).then_some(extra),
    );
    json!({"username": username, "uid": uid, "groups": groups, "extra": extra}).without_nulls()
}
