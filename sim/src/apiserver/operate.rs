//! Writes that make something happen: deleting and evicting pods, restarting and scaling workloads, cordoning nodes.

use std::sync::atomic::Ordering;

use http::{Method, Response, StatusCode};
use hyper::body::Incoming;
use kubevitals_proto::wire::status::Status;
use serde_json::{Value, json};

use super::body;
use super::request::{Parts, ResourcePath};
use super::resources::merge;
use super::shared::Shared;
use super::status::{Body, Refusal, disruption, json_answer, not_found};
use crate::members::Members;
use crate::objects::Resource;

/// Whether a request is such a write.
pub(super) fn serves(resource: Resource, path: &ResourcePath, method: &Method) -> bool {
    let is_workload = matches!(
        resource,
        Resource::Deployments
            | Resource::StatefulSets
            | Resource::DaemonSets
            | Resource::ReplicaSets
    );
    path.name.is_some()
        && match (resource, path.subresource.as_str()) {
            (Resource::Pods, "eviction") => *method == Method::POST,
            (Resource::Pods, "") => *method == Method::DELETE,
            (Resource::Nodes, "") => *method == Method::PATCH,
            (_, "") => is_workload && *method == Method::PATCH,
            (_, "scale") => is_workload && matches!(*method, Method::PATCH | Method::GET),
            _ => false,
        }
}

/// Does a write.
pub(super) async fn answer(
    shared: &Shared,
    resource: Resource,
    path: &ResourcePath,
    request: Parts<'_>,
    incoming: Incoming,
) -> Result<Response<Body>, Refusal> {
    let name = path.name.as_deref().unwrap_or_default();
    let namespace = path.namespace.as_deref();
    let stored = || {
        let object = shared.store.get(resource, namespace, name);
        object.ok_or_else(|| not_found(resource, name))
    };
    stored()?;
    let content = body::read(incoming).await?;
    let patch: Value = serde_json::from_slice(&content).unwrap_or_default();
    let world = shared.world.read().clone();
    let world = world.as_deref();
    if resource == Resource::Pods {
        let is_eviction = path.subresource == "eviction";
        let is_protected = shared.protects_pods.load(Ordering::Relaxed)
            || world.is_some_and(|world| !world.can_evict(namespace, name));
        if is_eviction && is_protected {
            return Err(disruption(name));
        }
        if !world.is_some_and(|world| world.delete_named(namespace, name)) {
            shared.store.delete(resource, namespace, name);
        }
        let status =
            json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"});
        let code = if is_eviction {
            StatusCode::CREATED
        } else {
            StatusCode::OK
        };
        return Ok(json_answer(code, &status));
    }
    if *request.method == Method::PATCH {
        let mut object = stored()?.to_value(resource);
        merge(&mut object, &patch);
        shared.store.apply(resource, object);
        if let Some(world) = world {
            match (resource, patch.at("/spec/replicas").and_then(Value::as_u64)) {
                (Resource::Nodes, _) => {
                    if let Some(on) = patch.at("/spec/unschedulable") {
                        world.cordon(name, on.as_bool() == Some(true));
                    }
                }
                (_, Some(replicas)) => {
                    world.scale(namespace, name, u32::try_from(replicas).unwrap_or(u32::MAX));
                }
                (_, None) if patch.at("/spec/template").is_some() => world.restart(namespace, name),
                _ => {}
            }
        }
    }
    let object = stored()?.to_value(resource);
    if path.subresource == "scale" {
        let scale = json!({
            "kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": {"name": name, "namespace": namespace},
            "spec": {"replicas": object.int("/spec/replicas")},
            "status": {"replicas": object.int("/status/replicas")},
        });
        return Ok(json_answer(StatusCode::OK, &scale));
    }
    if object.is_null() {
        return Err(Status::method_not_allowed().into());
    }
    Ok(json_answer(StatusCode::OK, &object))
}
