//! Requests for stored objects: get, list, watch and the few writes.

mod list;
mod options;
mod render;
mod watch;
mod write;

use http::{Method, Response, StatusCode};
use hyper::body::Incoming;
use kubevitals_proto::wire::status::Status;

pub(super) use self::write::merge;

use self::options::ListOptions;
use self::render::Renderer;
use super::negotiation::{self, Shape};
use super::request::{Parts, ResourcePath};
use super::selection::Selection;
use super::shared::Shared;
use super::status::{
    Body, Refusal, answer as respond, forbidden_option, full, not_acceptable, not_found,
};
use crate::members::Members;
use crate::objects::Resource;
use serde_json::{Value, json};

/// Answers a request for objects of `resource`, already authorized.
pub(super) async fn answer(
    shared: &Shared,
    resource: Resource,
    path: &ResourcePath,
    request: Parts<'_>,
    body: Incoming,
) -> Result<Response<Body>, Refusal> {
    let info = resource.info();
    if !matches!(path.subresource.as_str(), "" | "status") {
        return Err(Status::resource_not_found().into());
    }
    if path.namespace.is_some() && !info.namespaced {
        return Err(Status::resource_not_found().into());
    }
    // `/api/v1/pods/NAME` does not exist: a name needs its namespace.
    if path.name.is_some() && path.namespace.is_none() && info.namespaced {
        return Err(Status::resource_not_found().into());
    }
    let of_collection = path.name.is_none() || request.query.flag("watch");
    let reads = matches!(*request.method, Method::GET | Method::HEAD);
    // No client here requests protobuf of other reads and of writes.
    let protobuf = |shape: Shape| match shape {
        _ if !(reads && of_collection && shared.serves.read().protobuf) => false,
        Shape::Whole => matches!(
            resource,
            Resource::Pods | Resource::Nodes | Resource::Events
        ),
        Shape::Metadata => true,
        Shape::Table => false,
    };
    let (shape, encoding) =
        negotiation::form(request.headers, protobuf).ok_or_else(not_acceptable)?;
    let renderer = Renderer::new(resource, shape, encoding, request.query, shared.store.now());
    match (request.method, path.name.as_deref()) {
        (&Method::GET | &Method::HEAD, name) if of_collection => {
            let selection =
                Selection::parse(resource, path.namespace.as_deref(), name, request.query)?;
            let options = ListOptions::of(request.query)?;
            if options.initial_events && !shared.serves.read().watch_list {
                return Err(forbidden_option(
                    "sendInitialEvents",
                    "sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled",
                ));
            }
            if request.query.flag("watch") {
                watch::answer(shared, renderer, selection, &options)
            } else {
                list::answer(&shared.store, renderer, &selection, &options)
            }
        }
        (&Method::GET | &Method::HEAD, Some(name)) => {
            let object = shared.store.get(resource, path.namespace.as_deref(), name);
            let object = object.ok_or_else(|| not_found(resource, name))?;
            let mut json = Vec::with_capacity(object.size_hint() + 128);
            if renderer.is_stored() {
                let object = managed(object.to_value(resource));
                serde_json::to_writer(&mut json, &object)
                    .map_err(|e| Status::bad_request(e.to_string()))?;
            } else {
                renderer.one(&mut json, &object, true);
            }
            json.push(b'\n');
            Ok(respond(StatusCode::OK, "application/json", full(json)))
        }
        _ if info.writable => write::answer(shared, &renderer, path, request, body).await,
        _ => Err(Status::method_not_allowed().into()),
    }
}

/// An object with the fields that its writers manage, as kube-apiserver returns it.
fn managed(mut object: Value) -> Value {
    let fields = |object: &Value, member: &str| {
        let pointer = format!("/{member}");
        let names = object
            .members(&pointer)
            .map(|(name, _)| (format!("f:{name}"), json!({})));
        Value::Object(names.collect())
    };
    let time = object.text("/metadata/creationTimestamp").to_owned();
    let entry = |manager: &str, member: &str| {
        json!({
            "manager": manager, "operation": "Update", "apiVersion": object.text("/apiVersion"), "time": time,
            "fieldsType": "FieldsV1", "fieldsV1": {format!("f:{member}"): fields(&object, member)},
        })
    };
    let managed = json!([
        entry("kube-controller-manager", "spec"),
        entry("kubelet", "status")
    ]);
    if let Some(metadata) = object.get_mut("metadata") {
        metadata.put("managedFields", managed);
    }
    object
}
