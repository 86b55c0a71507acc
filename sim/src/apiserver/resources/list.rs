//! Lists: a consistent snapshot, page by page, rendered as it is sent.

use std::sync::Arc;

use bytes::Bytes;
use http::{Response, StatusCode};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use kubevitals_proto::wire::envelope;
use kubevitals_proto::wire::status::Status;
use serde_json::json;

use super::super::selection::Selection;
use super::super::status::{Body, Refusal, answer as respond, expired_continue};
use super::options::{ContinueToken, ListOptions, VersionMatch};
use super::render::Renderer;
use crate::members::Members;
use crate::objects::{Object, Resource, Snapshot, Store};

/// How much is rendered at a time.
const CHUNK: usize = 64 * 1024;

/// Answers with a list, or a page of it.
pub(super) fn answer(
    store: &Store,
    renderer: Renderer,
    selection: &Selection,
    options: &ListOptions,
) -> Result<Response<Body>, Refusal> {
    let resource = renderer.resource;
    let snapshot = snapshot(store, resource, options)?;
    let after = options.continues.as_ref().map(|token| token.after.as_str());
    let mut matching = snapshot
        .range(selection.namespace.as_deref(), after)
        .filter(|(_, object)| selection.matches(object.meta()));
    let page: Vec<(&Arc<str>, &Arc<Object>)> = match options.limit {
        Some(limit) => matching.by_ref().take(limit).collect(),
        None => matching.by_ref().collect(),
    };
    let more = options.limit.is_some() && matching.next().is_some();
    let mut metadata = json!({"resourceVersion": snapshot.resource_version().to_string()});
    if let (true, Some((last, _))) = (more, page.last()) {
        let sent = options.continues.as_ref().map_or(0, |t| t.sent) + page.len();
        let token = ContinueToken {
            version: snapshot.resource_version(),
            after: last.to_string(),
            sent,
        };
        store.retain_for_paging(resource, &snapshot);
        metadata.put("continue", token.encode());
        if selection.is_everything() {
            metadata.put("remainingItemCount", snapshot.len().saturating_sub(sent));
        }
    }
    let objects: Vec<Arc<Object>> = page.into_iter().map(|(_, object)| object.clone()).collect();
    if renderer.is_protobuf() {
        let chunks = renderer.protobuf_list(&metadata, &objects);
        let chunks = chunks.into_iter().map(|chunk| Ok(Frame::data(chunk)));
        let body = StreamBody::new(futures::stream::iter(chunks)).boxed_unsync();
        return Ok(respond(StatusCode::OK, envelope::CONTENT_TYPE, body));
    }
    let mut head = Vec::with_capacity(512);
    renderer.open_list(&mut head, &metadata);
    Ok(respond(
        StatusCode::OK,
        "application/json",
        body(renderer, head, objects),
    ))
}

/// The snapshot that a list is of.
fn snapshot(store: &Store, resource: Resource, options: &ListOptions) -> Result<Snapshot, Refusal> {
    match &options.continues {
        Some(token) if token.version > 0 => {
            let snapshot = store.snapshot_at(resource, token.version);
            return snapshot.map_err(|_| {
                let (version, token) = (0, token.clone());
                expired_continue(ContinueToken { version, ..token }.encode())
            });
        }
        Some(_) => return Ok(store.snapshot(resource)),
        None => {}
    }
    let current = store.snapshot(resource);
    match options.version {
        VersionMatch::Newest => Ok(current),
        VersionMatch::NotOlderThan(version) | VersionMatch::Exact(version)
            if version > current.resource_version() =>
        {
            Err(Status::too_large_resource_version(version, current.resource_version()).into())
        }
        VersionMatch::NotOlderThan(_) => Ok(current),
        VersionMatch::Exact(version) => store.snapshot_at(resource, version).map_err(|_| {
            Status::expired("The resourceVersion for the provided list is too old.").into()
        }),
    }
}

/// The list's bytes, rendered chunk by chunk as the connection takes them.
fn body(renderer: Renderer, head: Vec<u8>, objects: Vec<Arc<Object>>) -> Body {
    let mut objects = objects.into_iter();
    let mut out = head;
    let (mut first, mut done) = (true, false);
    let chunks = std::iter::from_fn(move || {
        if done {
            return None;
        }
        while out.len() < CHUNK {
            let Some(object) = objects.next() else {
                Renderer::close_list(&mut out);
                done = true;
                break;
            };
            if !std::mem::take(&mut first) {
                out.push(b',');
            }
            renderer.item(&mut out, &object);
        }
        let capacity = if done { 0 } else { CHUNK + CHUNK / 8 };
        Some(Ok(Frame::data(Bytes::from(std::mem::replace(
            &mut out,
            Vec::with_capacity(capacity),
        )))))
    });
    StreamBody::new(futures::stream::iter(chunks)).boxed_unsync()
}
