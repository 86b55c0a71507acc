//! kubevitals.io/v1alpha1: get, list and watch of nodes, pods, incidents and the cluster, and their history; get and
//! list of availabilities and volumes.

mod availability;
mod computed;
mod events;
mod history;
mod kind;
mod list;
mod own_metrics;
mod parameters;
mod pod_filter;
mod query_params;
mod remote;
mod resources;
mod sort_by;
mod version_options;
mod volumes;
mod watch;
mod watchers;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{any, get};
use http::StatusCode;
use kubevitals_proto::vitals::discovery::{HISTORY, METRICS};
use kubevitals_proto::vitals::table::{At, Vitals as _};
use kubevitals_proto::vitals::{GROUP, VERSION};
use kubevitals_proto::why::SUBRESOURCE;
use kubevitals_proto::wire::form::{self, Shape};
use kubevitals_proto::wire::object::Encoding;
use kubevitals_proto::wire::status::Status;

use super::caller::Caller;
use super::incomplete;
use super::negotiated::{Cardinality, ResponseFormat};
use super::path_params::PathParams;
use super::reply::{Answer, Form};
use super::request;
use super::selection::Selection;
use super::streaming;
use crate::query::Query;
use crate::work::{Cancel, Pool};
use availability::Availabilities;
use kind::{Clusters, Incidents, Kind, Nodes, Pods};
use list::{FromEngine, ListEncoder, ObjectSet};
use parameters::ListOptions;
use resources::{OFFER, Sources, unknown_resource};
use version_options::VersionRequirement;
use volumes::Volumes;
pub(super) use watchers::Watchers;

/// The routes. A trailing slash means nothing.
pub(super) fn routes(
    query: &Arc<Query>,
    watchers: &Arc<Watchers>,
    pool: &Arc<Pool>,
) -> Router<Arc<Query>> {
    let sources = Sources {
        query: Arc::clone(query),
        watchers: Arc::clone(watchers),
        pool: Arc::clone(pool),
    };
    let mut routes = Router::new();
    for slash in ["", "/"] {
        routes = routes
            .merge(cluster_wide::<Nodes>(slash))
            .merge(cluster_wide::<Clusters>(slash))
            .merge(namespaced::<Pods>(slash))
            .merge(namespaced::<Incidents>(slash))
            .merge(histories(slash))
            .merge(own_metrics(slash))
            .merge(computed::routes::<Availabilities>(slash))
            .merge(computed::routes::<Volumes>(slash));
    }
    let rest = format!("/apis/{GROUP}/{VERSION}/{{*rest}}");
    routes
        .route_layer(middleware::from_fn_with_state(
            sources.clone(),
            when_complete,
        ))
        .route(&rest, any(unknown_resource))
        .with_state(sources)
}

/// The layer before all objects: 503 until all nodes and pods have been listed. Else clients would take the missing
/// ones for deleted. Clients retry after the time in the response.
async fn when_complete(State(sources): State<Sources>, request: Request, next: Next) -> Response {
    if sources.query.detector().is_complete() {
        return next.run(request).await;
    }
    let message = "the nodes and pods of the cluster have not all been listed yet: try again";
    Form::any(&request).status(&Status::unavailable_for(message, 1))
}

/// The routes of a kind without namespaces.
fn cluster_wide<K: Kind>(slash: &str) -> Router<Sources> {
    let at = |path: &str| format!("/apis/{GROUP}/{VERSION}/{}{path}{slash}", K::RESOURCE);
    Router::new()
        .route(
            &at(""),
            get(async |State(sources), request| list_or_watch::<K>(sources, None, request).await),
        )
        .route(
            &at("/{name}"),
            get(
                async |State(sources), PathParams(name): PathParams<String>, request| {
                    get_one::<K>(sources, String::new(), name, request).await
                },
            ),
        )
}

/// The routes of a kind with namespaces.
fn namespaced<K: Kind>(slash: &str) -> Router<Sources> {
    let base = format!("/apis/{GROUP}/{VERSION}");
    let resource = K::RESOURCE;
    Router::new()
        .route(
            &format!("{base}/{resource}{slash}"),
            get(async |State(sources), request| list_or_watch::<K>(sources, None, request).await),
        )
        .route(
            &format!("{base}/namespaces/{{namespace}}/{resource}{slash}"),
            get(
                async |State(sources), PathParams(namespace): PathParams<String>, request| {
                    // The router matches an empty namespace too.
                    if namespace.is_empty() {
                        return Err(unknown_resource(request).await);
                    }
                    list_or_watch::<K>(sources, Some(namespace), request).await
                },
            ),
        )
        .route(
            &format!("{base}/namespaces/{{namespace}}/{resource}/{{name}}{slash}"),
            get(
                async |State(sources),
                       PathParams((namespace, name)): PathParams<(String, String)>,
                       request| {
                    get_one::<K>(sources, namespace, name, request).await
                },
            ),
        )
}

/// The routes of histories.
fn histories(slash: &str) -> Router<Sources> {
    let base = format!("/apis/{GROUP}/{VERSION}");
    let end = format!("{{name}}/{HISTORY}{slash}");
    Router::new()
        .route(
            &format!("{base}/{}/{end}", Nodes::RESOURCE),
            get(history::of_node),
        )
        .route(
            &format!("{base}/{}/{end}", Clusters::RESOURCE),
            get(history::of_cluster),
        )
        .route(
            &format!("{base}/namespaces/{{namespace}}/{}/{end}", Pods::RESOURCE),
            get(history::of_pod),
        )
}

/// The routes of the metrics that pods expose themselves.
fn own_metrics(slash: &str) -> Router<Sources> {
    let pod = format!(
        "/apis/{GROUP}/{VERSION}/namespaces/{{namespace}}/{}/{{name}}",
        Pods::RESOURCE
    );
    Router::new()
        .route(&format!("{pod}/{METRICS}{slash}"), get(own_metrics::of_pod))
        .route(
            &format!("{pod}/{SUBRESOURCE}{slash}"),
            get(own_metrics::why),
        )
}

/// Lists or watches.
async fn list_or_watch<K: Kind>(
    sources: Sources,
    namespace: Option<String>,
    request: Request,
) -> Answer {
    let format = ResponseFormat::of(&request, OFFER, Cardinality::Many)?;
    let failure = Form::any(&request);
    let refuse = |status: Status| failure.status(&status);
    let namespace: Option<Arc<str>> = namespace.map(Arc::from);
    let selection = Selection::of(request.uri(), K::FIELDS).map_err(refuse)?;
    let mut options = ListOptions::of::<K>(request.uri()).map_err(refuse)?;
    let kind = K::Object::KIND;
    let shape = format.shape(kind, request.uri()).map_err(refuse)?;
    if request::option(request.uri(), "watch") {
        let watch_request = watch::WatchRequest {
            selection,
            namespace,
            shape,
            options,
        };
        return watch::respond::<K>(&sources, watch_request, &request).map_err(refuse);
    }
    options.requirement = VersionRequirement::of_list(request.uri()).map_err(refuse)?;
    let reply = format.form();
    let yaml = reply.encoding == Encoding::Yaml;
    let of_namespace = namespace.as_deref();
    let (query, missing) = remote::query::<K>(&sources.query, &options, of_namespace, None).await;
    let visits_all = options.visits_all();
    let from_engine = FromEngine::read::<K>(&query, &options, of_namespace, None).await;
    let mut from_engine = from_engine.map_err(refuse)?;
    let warning = from_engine.warning.take();
    let list = move |cancel: &Cancel| {
        let options = (&options, from_engine);
        ListEncoder::<K>::new(&query, selection, namespace, options, shape, yaml, cancel)
    };
    let caller = Caller::of(&request);
    let (parts, _) = request.into_parts();
    let encoder = if visits_all {
        caller.run(&sources.pool, list).await?
    } else {
        list(&Cancel::default())
    };
    let encoder = encoder.map_err(refuse)?;
    let response = streaming::respond(encoder, reply, None, &parts.headers).await;
    let mut response = remote::warn(response, &missing);
    if let Some(warning) = warning {
        incomplete::add(&mut response, &warning);
    }
    Ok(response)
}

/// Gets one object.
async fn get_one<K: Kind>(
    sources: Sources,
    namespace: String,
    name: String,
    request: Request,
) -> Answer {
    let format = ResponseFormat::of(&request, OFFER, Cardinality::One)?;
    let failure = Form::any(&request);
    let refuse = |status: Status| failure.status(&status);
    let mut options = ListOptions::of::<K>(request.uri()).map_err(refuse)?;
    options.requirement = VersionRequirement::of_get(request.uri()).map_err(refuse)?;
    let kind = K::Object::KIND;
    let shape = format.shape(kind, request.uri()).map_err(refuse)?;
    let (reply, visits_all) = (format.form(), options.visits_all());
    let (of_namespace, of_name) = (Some(&*namespace), Some(&*name));
    let (query, missing) =
        remote::query::<K>(&sources.query, &options, of_namespace, of_name).await;
    let from_engine = FromEngine::read::<K>(&query, &options, of_namespace, of_name).await;
    let mut from_engine = from_engine.map_err(refuse)?;
    let warning = from_engine.warning.take();
    let encode = move |cancel: &Cancel| {
        encoded::<K>(
            &query,
            (&options, from_engine),
            (&namespace, &name),
            shape,
            reply.encoding,
            cancel,
        )
    };
    let caller = Caller::of(&request);
    // The request is not needed while the work runs on another thread.
    drop(request);
    let encoded = if visits_all {
        caller.run(&sources.pool, encode).await?
    } else {
        encode(&Cancel::default())
    };
    let body = encoded.map_err(refuse)?;
    let mut response = remote::warn(reply.bytes(StatusCode::OK, body), &missing);
    if let Some(warning) = warning {
        incomplete::add(&mut response, &warning);
    }
    Ok(response)
}

/// Encodes the object of this namespace and name.
fn encoded<K: Kind>(
    query: &Query,
    (options, from_engine): (&ListOptions, FromEngine),
    (namespace, name): (&str, &str),
    shape: Shape,
    encoding: Encoding,
    cancel: &Cancel,
) -> Result<Vec<u8>, Status> {
    let kind = K::Object::KIND;
    let mut all = ObjectSet::<K>::of(query, options, from_engine, cancel)?;
    let record = all
        .find(namespace, name)
        .ok_or_else(|| Status::not_found(GROUP, K::RESOURCE, name))?;
    let object = all.convert(&record);
    let list_meta = list::meta(&object.meta().resource_version);
    let item = At(&object, query.wall());
    let mut out = Vec::new();
    match encoding {
        Encoding::Yaml => form::object_yaml(&mut out, kind, shape, &list_meta, &item),
        Encoding::Json | Encoding::Protobuf => {
            form::object_json(&mut out, kind, shape, &list_meta, &item);
        }
    }
    Ok(out)
}
