//! The few writes there are: leases, secrets, configmaps and apiservices can be created, updated, patched and deleted.

use http::{HeaderMap, Method, Response, StatusCode};
use hyper::body::Incoming;
use kubevitals_proto::wire::status::Status;
use serde_json::{Value, json};

use super::super::body;
use super::super::request::{Parts, ResourcePath};
use super::super::shared::Shared;
use super::super::status::{
    Body, Refusal, already_exists, conflict, json_answer, not_found, unsupported_media_type,
};
use super::render::Renderer;
use crate::members::Members;
use crate::objects::{Precondition, Resource, Store, WriteError};

/// Does a write.
pub(super) async fn answer(
    shared: &Shared,
    renderer: &Renderer,
    path: &ResourcePath,
    request: Parts<'_>,
    incoming: Incoming,
) -> Result<Response<Body>, Refusal> {
    let target = Target {
        store: &shared.store,
        resource: renderer.resource,
        namespace: path.namespace.as_deref(),
    };
    let name = path.name.as_deref();
    let object = body::json(request.headers, incoming);
    let (code, stored_name) = match (request.method, name) {
        (&Method::POST, None) => (StatusCode::CREATED, target.create(object.await?)?),
        (&Method::PUT, Some(name)) => (StatusCode::OK, target.update(name, object.await?)?),
        (&Method::PATCH, Some(name)) => {
            let upsert = patch_kind(request.headers)?;
            target.patch(name, &object.await?, upsert)?
        }
        (&Method::DELETE, Some(name)) => return target.delete(name),
        _ => return Err(Status::method_not_allowed().into()),
    };
    let stored = shared
        .store
        .get(target.resource, target.namespace, &stored_name);
    let stored = stored.ok_or_else(|| not_found(target.resource, &stored_name))?;
    Ok(json_answer(code, &stored.to_value(target.resource)))
}

/// Whether a patch creates what is missing (server-side apply), or not (merge patches).
fn patch_kind(headers: &HeaderMap) -> Result<bool, Refusal> {
    match body::media_type(headers) {
        "application/merge-patch+json" | "application/strategic-merge-patch+json" => Ok(false),
        "application/apply-patch+yaml" => Ok(true),
        _ => Err(unsupported_media_type()),
    }
}

struct Target<'a> {
    store: &'a Store,
    resource: Resource,
    namespace: Option<&'a str>,
}

impl Target<'_> {
    /// Creates; the name.
    fn create(&self, mut object: Value) -> Result<String, Refusal> {
        let name = match (
            object.text("/metadata/name"),
            object.str_at("/metadata/generateName"),
        ) {
            ("", None) => {
                return Err(Status::bad_request("name or generateName is required").into());
            }
            ("", Some(prefix)) => format!("{prefix}{:05x}", self.store.resource_version()),
            (name, _) => name.to_owned(),
        };
        self.put_in_place(&mut object, &name)?;
        self.apply(object, &name, Precondition::Absent)?;
        Ok(name)
    }

    /// Replaces; the name.
    fn update(&self, name: &str, mut object: Value) -> Result<String, Refusal> {
        self.put_in_place(&mut object, name)?;
        let condition =
            expected_version(&object).map_or(Precondition::Present, Precondition::Version);
        self.apply(object, name, condition)?;
        Ok(name.to_owned())
    }

    /// Merges; whether it was created, and the name.
    fn patch(
        &self,
        name: &str,
        patch: &Value,
        upsert: bool,
    ) -> Result<(StatusCode, String), Refusal> {
        loop {
            let present = self.store.get(self.resource, self.namespace, name);
            let (mut object, condition) = match &present {
                Some(object) => (
                    object.to_value(self.resource),
                    Precondition::Version(object.resource_version()),
                ),
                None if upsert => (json!({}), Precondition::Absent),
                None => return Err(not_found(self.resource, name)),
            };
            if expected_version(patch).is_some_and(|v| condition != Precondition::Version(v)) {
                return Err(conflict(self.resource, name));
            }
            merge(&mut object, patch);
            self.put_in_place(&mut object, name)?;
            let code = if present.is_some() {
                StatusCode::OK
            } else {
                StatusCode::CREATED
            };
            match self.store.apply_if(self.resource, object, condition) {
                Ok(_) => return Ok((code, name.to_owned())),
                // Somebody else wrote in between: merge into what is there now, as kube-apiserver does.
                Err(WriteError::Conflict | WriteError::Exists | WriteError::Missing) => {}
                Err(error @ WriteError::Invalid) => return Err(self.refusal(error, name)),
            }
        }
    }

    fn delete(&self, name: &str) -> Result<Response<Body>, Refusal> {
        let present = self.store.get(self.resource, self.namespace, name);
        let Some(present) =
            present.filter(|_| self.store.delete(self.resource, self.namespace, name))
        else {
            return Err(not_found(self.resource, name));
        };
        let uid = present
            .to_value(self.resource)
            .pointer("/metadata/uid")
            .cloned();
        let info = self.resource.info();
        let details = json!({"name": name, "group": info.group, "kind": info.plural, "uid": uid});
        let status = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details});
        Ok(json_answer(StatusCode::OK, &status))
    }

    /// Checks that the object is where the path says, and fills in what it leaves out.
    fn put_in_place(&self, object: &mut Value, name: &str) -> Result<(), Refusal> {
        let members = object.as_object_mut();
        let metadata = members.map(|it| it.entry("metadata").or_insert_with(|| json!({})));
        let metadata = metadata.and_then(Value::as_object_mut);
        let metadata = metadata.ok_or_else(|| Status::bad_request("not an object"))?;
        let mut place = |member: &str, expected: &str| {
            let actual = metadata.entry(member).or_insert_with(|| json!(expected));
            if actual.as_str() == Some(expected) {
                return Ok(());
            }
            Err(Status::bad_request(format!(
                "the {member} of the object ({actual}) does not match the {member} on the URL ({expected})"
            )).into())
        };
        place("name", name)?;
        self.namespace
            .map_or(Ok(()), |namespace| place("namespace", namespace))
    }

    fn apply(&self, object: Value, name: &str, condition: Precondition) -> Result<u64, Refusal> {
        self.store
            .apply_if(self.resource, object, condition)
            .map_err(|error| self.refusal(error, name))
    }

    fn refusal(&self, error: WriteError, name: &str) -> Refusal {
        match error {
            WriteError::Exists => already_exists(self.resource, name),
            WriteError::Missing => not_found(self.resource, name),
            WriteError::Conflict => conflict(self.resource, name),
            WriteError::Invalid => Status::bad_request(error.to_string()).into(),
        }
    }
}

fn expected_version(object: &Value) -> Option<u64> {
    object.str_at("/metadata/resourceVersion")?.parse().ok()
}

/// RFC 7386. Strategic merge and apply differ from it only for lists with keys, which what can be written here has not.
pub(in crate::apiserver) fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(members) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    let Some(into) = target.as_object_mut() else {
        return;
    };
    for (key, value) in members {
        if value.is_null() {
            into.remove(key);
        } else {
            merge(into.entry(key.as_str()).or_insert(Value::Null), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_merge_patch_replaces_adds_and_removes() {
        let mut object = json!({"a": {"b": 1, "c": 2}, "d": [1, 2]});
        merge(
            &mut object,
            &json!({"a": {"b": null, "e": {"f": null, "g": 3}}, "d": [3]}),
        );
        assert_eq!(object, json!({"a": {"c": 2, "e": {"g": 3}}, "d": [3]}));
    }
}
