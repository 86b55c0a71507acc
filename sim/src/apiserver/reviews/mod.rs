//! Token reviews and access reviews.

mod protobuf;

use http::{HeaderMap, Method, Response, StatusCode};
use hyper::body::Incoming;
use kubevitals_proto::wire::status::Status;
use serde_json::{Map, Value, json};

use super::body;
use super::request::ResourcePath;
use super::status::{Body, Refusal, json_answer};
use crate::identity::{Attributes, Identities, UserInfo};

/// Whether a path is of a review.
pub(super) fn serves(path: &ResourcePath) -> bool {
    matches!(
        (
            path.group.as_str(),
            path.version.as_str(),
            path.resource.as_str()
        ),
        (
            "authentication.k8s.io",
            "v1",
            "tokenreviews" | "selfsubjectreviews"
        ) | (
            "authorization.k8s.io",
            "v1",
            "subjectaccessreviews"
                | "localsubjectaccessreviews"
                | "selfsubjectaccessreviews"
                | "selfsubjectrulesreviews"
        )
    )
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
    let (kind, status) = match path.resource.as_str() {
        "tokenreviews" => ("TokenReview", token(identities, &spec)),
        "selfsubjectreviews" => ("SelfSubjectReview", json!({"userInfo": user_info(user)})),
        "selfsubjectaccessreviews" => ("SelfSubjectAccessReview", access(identities, user, &spec)?),
        "selfsubjectrulesreviews" => ("SelfSubjectRulesReview", rules(identities, user, &spec)),
        "localsubjectaccessreviews" => (
            "LocalSubjectAccessReview",
            access(identities, &subject(&spec), &spec)?,
        ),
        _ => (
            "SubjectAccessReview",
            access(identities, &subject(&spec), &spec)?,
        ),
    };
    let mut answer = json!({"kind": kind, "apiVersion": format!("{}/v1", path.group)});
    if let Some(members) = answer.as_object_mut() {
        members.insert("metadata".to_owned(), json!({"creationTimestamp": null}));
        if kind != "SelfSubjectReview" {
            members.insert("spec".to_owned(), spec);
        }
        members.insert("status".to_owned(), status);
    }
    Ok(json_answer(StatusCode::CREATED, &answer))
}

fn token(identities: &Identities, spec: &Value) -> Value {
    let token = spec
        .get("token")
        .and_then(Value::as_str)
        .unwrap_or_default();
    match identities.authenticate(token) {
        Some(user) => {
            let audiences = spec
                .get("audiences")
                .cloned()
                .unwrap_or_else(|| json!(["https://kubernetes.default.svc"]));
            json!({"authenticated": true, "user": user_info(&user), "audiences": audiences})
        }
        None => json!({"user": {}, "error": "[invalid bearer token, token lookup failed]"}),
    }
}

fn access(identities: &Identities, subject: &UserInfo, spec: &Value) -> Result<Value, Refusal> {
    let attributes = attributes(spec)?;
    if subject.username.is_empty() && subject.groups.is_empty() {
        return Err(Status::bad_request(
            "spec.user: Invalid value: \"\": at least one of user or group must be specified",
        )
        .into());
    }
    Ok(json!({"allowed": identities.review(subject, &attributes)}))
}

/// Whom a SubjectAccessReview is about.
fn subject(spec: &Value) -> UserInfo {
    let texts = |list: Option<&Value>| -> Vec<String> {
        let items = list.and_then(Value::as_array).into_iter().flatten();
        items
            .filter_map(|v| v.as_str().map(str::to_owned))
            .collect()
    };
    let text = |member: &str| {
        spec.get(member)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let extra = spec
        .get("extra")
        .and_then(Value::as_object)
        .into_iter()
        .flatten();
    UserInfo {
        username: text("user"),
        uid: text("uid"),
        groups: texts(spec.get("groups")),
        extra: extra.map(|(k, v)| (k.clone(), texts(Some(v)))).collect(),
    }
}

/// The attributes that a review is about.
fn attributes(spec: &Value) -> Result<Attributes, Refusal> {
    let text = |of: &Value, member: &str| {
        of.get(member)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let present = |member: &str| spec.get(member).filter(|v| !v.is_null());
    match (
        present("resourceAttributes"),
        present("nonResourceAttributes"),
    ) {
        (Some(of), None) => Ok(Attributes {
            verb: text(of, "verb"),
            group: text(of, "group"),
            resource: text(of, "resource"),
            subresource: text(of, "subresource"),
            namespace: text(of, "namespace"),
            name: text(of, "name"),
            path: String::new(),
        }),
        (None, Some(of)) => Ok(Attributes::path(&text(of, "verb"), &text(of, "path"))),
        _ => Err(Status::bad_request(
            "exactly one of nonResourceAttributes or resourceAttributes must be specified",
        )
        .into()),
    }
}

/// `kubectl auth can-i --list`.
fn rules(identities: &Identities, user: &UserInfo, spec: &Value) -> Value {
    let namespace = spec
        .get("namespace")
        .and_then(Value::as_str)
        .unwrap_or_default();
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
    let mut info = Map::new();
    info.insert("username".to_owned(), json!(user.username));
    if !user.uid.is_empty() {
        info.insert("uid".to_owned(), json!(user.uid));
    }
    info.insert("groups".to_owned(), json!(user.groups));
    if !user.extra.is_empty() {
        info.insert("extra".to_owned(), json!(user.extra));
    }
    info.into()
}
