//! One object.

use http::{Response, StatusCode};

use super::super::status::{Body, Refusal, answer as respond, full, not_found};
use super::render::Renderer;
use crate::objects::Store;

/// Answers with the object, or 404.
pub(super) fn answer(
    store: &Store,
    renderer: &Renderer,
    namespace: Option<&str>,
    name: &str,
) -> Result<Response<Body>, Refusal> {
    let resource = renderer.resource();
    let object = store
        .get(resource, namespace, name)
        .ok_or_else(|| not_found(resource, name))?;
    let mut json = Vec::with_capacity(object.size_hint() + 128);
    renderer.one(&mut json, &object, true);
    json.push(b'\n');
    Ok(respond(StatusCode::OK, "application/json", full(json)))
}
