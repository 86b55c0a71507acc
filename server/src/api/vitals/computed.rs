//! Kinds whose figures change all the time: get and list, and no watch, which would send everything again and again.
//!
//! Their objects are computed for each request. There is no version to start a watch from.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::get;
use http::{StatusCode, Uri};
use kubevitals_proto::labels::Labels;
use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::table::{At, Vitals};
use kubevitals_proto::vitals::{GROUP, VERSION};
use kubevitals_proto::wire::form::{self, Shape};
use kubevitals_proto::wire::object::Encoding;
use kubevitals_proto::wire::status::Status;

use super::list;
use super::query_params::non_empty;
use super::resources::{OFFER, Sources, unknown_resource};
use crate::api::caller::Caller;
use crate::api::incomplete;
use crate::api::negotiated::{Cardinality, ResponseFormat};
use crate::api::path_params::PathParams;
use crate::api::reply::{Answer, Form};
use crate::api::request::option;
use crate::api::selection::Selection;
use crate::api::streaming::{self, CHUNK, ChunkEncoder};
use crate::query::Query;
use crate::work::Cancel;

/// The fields that objects can be selected by.
const FIELDS: [&str; 2] = ["metadata.name", "metadata.namespace"];

/// A kind of computed objects, all of them in namespaces.
pub(super) trait Computed: Send + 'static {
    /// The API object.
    type Object: Vitals + Send + Sync;
    /// What a request asks for.
    type Options: Send + Sync;

    /// The resource name in paths.
    const RESOURCE: &'static str;
    /// The parameters of other lists, which mean nothing here.
    const OF_OTHERS: &'static [&'static str];
    /// What the kind has instead, for the error.
    const INSTEAD: &'static str;

    /// Reads the options of a request.
    ///
    /// # Errors
    /// 400 for an invalid value, or for a server that has no such objects.
    fn options(query: &Query, uri: &Uri) -> Result<Self::Options, Status>;

    /// Reads what a request needs from elsewhere, before the objects of a namespace, or of all, are computed. Returns a
    /// warning for the response if it cannot be read.
    fn prepare(
        _query: &Query,
        _namespace: Option<&str>,
        _options: &mut Self::Options,
    ) -> impl Future<Output = Option<String>> + Send {
        std::future::ready(None)
    }

    /// The objects of a namespace, or of all.
    fn list(query: &Query, namespace: Option<&str>, options: &Self::Options) -> Vec<Self::Object>;

    /// One object.
    fn get(
        query: &Query,
        namespace: &str,
        name: &str,
        options: &Self::Options,
    ) -> Option<Self::Object>;
}

/// The routes of a kind.
pub(super) fn routes<C: Computed>(slash: &str) -> Router<Sources> {
    let (base, resource) = (format!("/apis/{GROUP}/{VERSION}"), C::RESOURCE);
    let in_namespace = format!("{base}/namespaces/{{namespace}}/{resource}");
    Router::new()
        .route(
            &format!("{base}/{resource}{slash}"),
            get(async |State(sources), request| list::<C>(sources, None, request).await),
        )
        .route(
            &format!("{in_namespace}{slash}"),
            get(
                async |State(sources), PathParams(namespace): PathParams<String>, request| {
                    // The router matches an empty namespace too.
                    if namespace.is_empty() {
                        return Err(unknown_resource(request).await);
                    }
                    list::<C>(sources, Some(namespace), request).await
                },
            ),
        )
        .route(
            &format!("{in_namespace}/{{name}}{slash}"),
            get(async |State(sources), path, request| get_one::<C>(sources, path, request).await),
        )
}

/// Lists the objects of a namespace, or of all.
async fn list<C: Computed>(
    sources: Sources,
    namespace: Option<String>,
    request: Request,
) -> Answer {
    let format = ResponseFormat::of(&request, OFFER, Cardinality::Many)?;
    let failure = Form::any(&request);
    let refuse = |status: Status| failure.status(&status);
    let uri = request.uri();
    let selection = Selection::of(uri, &FIELDS).map_err(refuse)?;
    let mut options = options::<C>(&sources.query, uri).map_err(refuse)?;
    let shape = format.shape(C::Object::KIND, uri).map_err(refuse)?;
    let warning = C::prepare(&sources.query, namespace.as_deref(), &mut options).await;
    let reply = format.form();
    let caller = Caller::of(&request);
    let (parts, _) = request.into_parts();
    let query = Arc::clone(&sources.query);
    let work = move |_: &Cancel| {
        let all = C::list(&query, namespace.as_deref(), &options);
        let selected = all.into_iter().filter(|it| selects(&selection, it));
        let selected: Vec<C::Object> = selected.collect();
        (selected, query.wall())
    };
    let (objects, now) = caller.run(&sources.pool, work).await?;
    let yaml = reply.encoding == Encoding::Yaml;
    let encoder = Encoder {
        objects: objects.into_iter(),
        list: form::List::new(C::Object::KIND, shape, yaml, list::meta("")),
        now,
    };
    let response = streaming::respond(encoder, reply, None, &parts.headers).await;
    Ok(warned(response, warning.as_deref()))
}

/// Gets one object.
async fn get_one<C: Computed>(
    sources: Sources,
    PathParams((namespace, name)): PathParams<(String, String)>,
    request: Request,
) -> Answer {
    let format = ResponseFormat::of(&request, OFFER, Cardinality::One)?;
    let failure = Form::any(&request);
    let refuse = |status: Status| failure.status(&status);
    let uri = request.uri();
    let mut options = options::<C>(&sources.query, uri).map_err(refuse)?;
    let shape = format.shape(C::Object::KIND, uri).map_err(refuse)?;
    let query = &sources.query;
    let warning = C::prepare(query, Some(&namespace), &mut options).await;
    let found = C::get(query, &namespace, &name, &options);
    let object = found.ok_or_else(|| refuse(Status::not_found(GROUP, C::RESOURCE, &name)))?;
    let (reply, item) = (format.form(), object.named());
    let response = reply.bytes(
        StatusCode::OK,
        encoded(&item, shape, reply.encoding, query.wall()),
    );
    Ok(warned(response, warning.as_deref()))
}

fn warned(mut response: Response, warning: Option<&str>) -> Response {
    if let Some(warning) = warning {
        incomplete::add(&mut response, warning);
    }
    response
}

fn encoded<T: Vitals>(object: &T, shape: Shape, encoding: Encoding, now: Timestamp) -> Vec<u8> {
    let (kind, meta, item) = (T::KIND, list::meta(""), At(object, now));
    let mut out = Vec::new();
    match encoding {
        Encoding::Yaml => form::object_yaml(&mut out, kind, shape, &meta, &item),
        Encoding::Json | Encoding::Protobuf => {
            form::object_json(&mut out, kind, shape, &meta, &item);
        }
    }
    out
}

fn selects(selection: &Selection, object: &impl Vitals) -> bool {
    selection.matches(&Labels::default(), |field| match field {
        "metadata.name" => Some(&*object.meta().name),
        "metadata.namespace" => Some(&*object.meta().namespace),
        _ => None,
    })
}

/// Reads the options.
///
/// # Errors
/// As [`Computed::options`], and 400 for a parameter of other kinds. 405 for a watch.
fn options<C: Computed>(query: &Query, uri: &Uri) -> Result<C::Options, Status> {
    if option(uri, "watch") {
        return Err(Status::not_supported("watch", GROUP, C::RESOURCE));
    }
    let mut of_others = C::OF_OTHERS.iter();
    if let Some(name) = of_others.find(|it| non_empty(uri, it).is_some()) {
        let message = format!("{name}: {} have {}", C::RESOURCE, C::INSTEAD);
        return Err(Status::bad_request(message));
    }
    C::options(query, uri)
}

/// Encodes a list.
struct Encoder<T> {
    objects: std::vec::IntoIter<T>,
    list: form::List,
    now: Timestamp,
}

impl<T: Vitals + Send + 'static> ChunkEncoder for Encoder<T> {
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
