//! The availability of workloads: get and list. There is no watch, because the figures change every second.

use axum::Router;
use axum::extract::{Request, State};
use axum::routing::get;
use http::{StatusCode, Uri};
use kubevitals_proto::labels::Labels;
use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::availability::span;
use kubevitals_proto::vitals::table::{At, Vitals as _};
use kubevitals_proto::vitals::{Availability, GROUP, VERSION};
use kubevitals_proto::wire::form::{self, Shape};
use kubevitals_proto::wire::object::Encoding;
use kubevitals_proto::wire::status::Status;

use super::list;
use super::query_params::{invalid_param, non_empty};
use super::resources::{OFFER, Sources, unknown_resource};
use crate::api::caller::Caller;
use crate::api::negotiated::{Cardinality, ResponseFormat};
use crate::api::path_params::PathParams;
use crate::api::reply::{Answer, Form};
use crate::api::request::option;
use crate::api::selection::Selection;
use crate::api::streaming::{self, CHUNK, ChunkEncoder};
use crate::query::{Query, Spans};
use crate::work::Cancel;

const RESOURCE: &str = "availabilities";

/// The fields that objects can be selected by.
const FIELDS: [&str; 2] = ["metadata.name", "metadata.namespace"];

/// The parameters of other lists, which mean nothing here.
const OF_OTHERS: [&str; 3] = ["at", "stats", "trend"];

/// The routes.
pub(super) fn routes(slash: &str) -> Router<Sources> {
    let base = format!("/apis/{GROUP}/{VERSION}");
    let in_namespace = format!("{base}/namespaces/{{namespace}}/{RESOURCE}");
    Router::new()
        .route(
            &format!("{base}/{RESOURCE}{slash}"),
            get(async |State(sources), request| list(sources, None, request).await),
        )
        .route(
            &format!("{in_namespace}{slash}"),
            get(
                async |State(sources), PathParams(namespace): PathParams<String>, request| {
                    // The router matches an empty namespace too.
                    if namespace.is_empty() {
                        return Err(unknown_resource(request).await);
                    }
                    list(sources, Some(namespace), request).await
                },
            ),
        )
        .route(
            &format!("{in_namespace}/{{name}}{slash}"),
            get(async |State(sources), path, request| get_one(sources, path, request).await),
        )
}

/// Lists the workloads of a namespace, or of all.
async fn list(sources: Sources, namespace: Option<String>, request: Request) -> Answer {
    let format = ResponseFormat::of(&request, OFFER, Cardinality::Many)?;
    let failure = Form::any(&request);
    let refuse = |status: Status| failure.status(&status);
    let uri = request.uri();
    let selection = Selection::of(uri, &FIELDS).map_err(refuse)?;
    let spans = options(&sources.query, uri).map_err(refuse)?;
    let shape = format.shape(Availability::KIND, uri).map_err(refuse)?;
    let reply = format.form();
    let caller = Caller::of(&request);
    let (parts, _) = request.into_parts();
    let query = sources.query;
    let work = move |_: &Cancel| {
        let all = query.availability().list(namespace.as_deref(), &spans);
        let selected = all.into_iter().filter(|it| selects(&selection, it));
        let selected: Vec<Availability> = selected.collect();
        (selected, query.wall())
    };
    let (objects, now) = caller.run(&sources.pool, work).await?;
    let yaml = reply.encoding == Encoding::Yaml;
    let encoder = Encoder {
        objects: objects.into_iter(),
        list: form::List::new(Availability::KIND, shape, yaml, list::meta("")),
        now,
    };
    Ok(streaming::respond(encoder, reply, None, &parts.headers).await)
}

/// Gets one workload.
async fn get_one(
    sources: Sources,
    PathParams((namespace, name)): PathParams<(String, String)>,
    request: Request,
) -> Answer {
    let format = ResponseFormat::of(&request, OFFER, Cardinality::One)?;
    let failure = Form::any(&request);
    let refuse = |status: Status| failure.status(&status);
    let uri = request.uri();
    let spans = options(&sources.query, uri).map_err(refuse)?;
    let shape = format.shape(Availability::KIND, uri).map_err(refuse)?;
    let query = &sources.query;
    let found = query.availability().get(&namespace, &name, &spans);
    let object = found.ok_or_else(|| refuse(Status::not_found(GROUP, RESOURCE, &name)))?;
    let (reply, item) = (format.form(), object.named());
    Ok(reply.bytes(
        StatusCode::OK,
        encoded(&item, shape, reply.encoding, query.wall()),
    ))
}

fn encoded(object: &Availability, shape: Shape, encoding: Encoding, now: Timestamp) -> Vec<u8> {
    let (kind, meta, item) = (Availability::KIND, list::meta(""), At(object, now));
    let mut out = Vec::new();
    match encoding {
        Encoding::Yaml => form::object_yaml(&mut out, kind, shape, &meta, &item),
        Encoding::Json | Encoding::Protobuf => {
            form::object_json(&mut out, kind, shape, &meta, &item);
        }
    }
    out
}

fn selects(selection: &Selection, object: &Availability) -> bool {
    selection.matches(&Labels::default(), |field| match field {
        "metadata.name" => Some(&*object.metadata.name),
        "metadata.namespace" => Some(&*object.metadata.namespace),
        _ => None,
    })
}

/// Reads the spans.
///
/// # Errors
/// 400 for an invalid span, for a parameter of other kinds, or for a server that stores no availability. 405 for a
/// watch.
fn options(query: &Query, uri: &Uri) -> Result<Spans, Status> {
    if option(uri, "watch") {
        return Err(Status::not_supported("watch", GROUP, RESOURCE));
    }
    if let Some(name) = OF_OTHERS
        .into_iter()
        .find(|it| non_empty(uri, it).is_some())
    {
        let message = format!("{name}: {RESOURCE} have spans before now only: use span=1h,7d");
        return Err(Status::bad_request(message));
    }
    if !query.availability().is_stored() {
        return Err(Status::bad_request(
            "this server stores no availability: start it with --availability-retention=744h",
        ));
    }
    let Some(text) = non_empty(uri, "span") else {
        return Ok(Spans::default());
    };
    let spans: Option<Vec<_>> = text.split(',').take(Spans::MAX + 1).map(span).collect();
    spans.and_then(Spans::of).ok_or_else(|| {
        let expected = format!("at most {} spans of up to 31 days: 1h,24h,7d", Spans::MAX);
        invalid_param("span", &text, &expected)
    })
}

/// Encodes a list.
struct Encoder {
    objects: std::vec::IntoIter<Availability>,
    list: form::List,
    now: Timestamp,
}

impl ChunkEncoder for Encoder {
    fn advance(&mut self, out: &mut Vec<u8>) -> bool {
        for object in self.objects.by_ref() {
            self.list.item(out, &At(&object.named(), self.now));
            if out.len() >= CHUNK {
                return true;
            }
        }
        self.list.end(out);
        false
    }
}
