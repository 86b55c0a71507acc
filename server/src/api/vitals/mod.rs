//! kubevitals.io/v1alpha1: get, list and watch of nodes, pods, incidents and the cluster, and their past.

mod events;
mod given;
mod history;
mod kind;
mod list;
mod options;
mod parameters;
mod sort_by;
mod sought;
mod watch;
mod watchers;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{any, get};
use http::StatusCode;
use kubevitals_proto::vitals::discovery::HISTORY;
use kubevitals_proto::vitals::table::{At, Vitals as _};
use kubevitals_proto::vitals::{API_VERSION, GROUP, VERSION};
use kubevitals_proto::wire::form::{self, Shape};
use kubevitals_proto::wire::object::Encoding;
use kubevitals_proto::wire::status::Status;

use super::named::Named;
use super::pieces;
use super::reply::Form;
use super::request;
use super::selection::Selection;
use super::wanted::{Number, Offer, Wanted};
use super::working::Caller;
use crate::query::Query;
use crate::work::{Cancel, Pool};
use kind::{Clusters, Incidents, Kind, Nodes, Pods};
use list::{All, Listed};
use options::Wants;
use parameters::Asked;
pub(super) use watchers::Watchers;

/// What objects and lists can be had in.
const OFFER: Offer = Offer {
    api_version: API_VERSION,
    package: "kubevitals",
    objects: &["application/json", "application/yaml"],
    lists: &[
        "application/json",
        "application/yaml",
        "application/json;stream=watch",
    ],
    protobuf: false,
};

/// What the handlers answer from.
#[derive(Clone)]
struct Sources {
    query: Arc<Query>,
    watchers: Arc<Watchers>,
    /// Does what visits the whole cluster.
    pool: Arc<Pool>,
}

/// The routes. A path is the same with a slash at its end.
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
            .merge(histories(slash));
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

/// The layer before all that tells of objects: 503 until all of them are known, so that no client takes those that are
/// not for deleted. Clients try again by themselves, as the answer says.
async fn when_complete(State(sources): State<Sources>, request: Request, next: Next) -> Response {
    if sources.query.detector().is_complete() {
        return next.run(request).await;
    }
    let message = "the nodes and pods of the cluster have not all been read yet: try again";
    Form::any(&request).status(&Status::unavailable_for(message, 1))
}

/// The routes of a kind whose objects are in no namespace.
fn cluster_wide<K: Kind>(slash: &str) -> Router<Sources> {
    let at = |path: &str| format!("/apis/{GROUP}/{VERSION}/{}{path}{slash}", K::RESOURCE);
    Router::new()
        .route(
            &at(""),
            get(async |State(sources), request| many::<K>(sources, None, request).await),
        )
        .route(
            &at("/{name}"),
            get(
                async |State(sources), Named(name): Named<String>, request| {
                    one::<K>(sources, String::new(), name, request).await
                },
            ),
        )
}

/// The routes of a kind whose objects are in namespaces.
fn namespaced<K: Kind>(slash: &str) -> Router<Sources> {
    let base = format!("/apis/{GROUP}/{VERSION}");
    let resource = K::RESOURCE;
    Router::new()
        .route(
            &format!("{base}/{resource}{slash}"),
            get(async |State(sources), request| many::<K>(sources, None, request).await),
        )
        .route(
            &format!("{base}/namespaces/{{namespace}}/{resource}{slash}"),
            get(
                async |State(sources), Named(namespace): Named<String>, request| {
                    // A router that matches an empty name leaves it to us that there is no such path.
                    if namespace.is_empty() {
                        return unknown_resource(request).await;
                    }
                    many::<K>(sources, Some(namespace), request).await
                },
            ),
        )
        .route(
            &format!("{base}/namespaces/{{namespace}}/{resource}/{{name}}{slash}"),
            get(
                async |State(sources),
                       Named((namespace, name)): Named<(String, String)>,
                       request| {
                    one::<K>(sources, namespace, name, request).await
                },
            ),
        )
}

/// The routes of what was.
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

async fn unknown_resource(request: Request) -> Response {
    Form::any(&request).status(&Status::resource_not_found())
}

/// A list, or a watch.
async fn many<K: Kind>(sources: Sources, namespace: Option<String>, request: Request) -> Response {
    let wanted = match Wanted::of(&request, OFFER, Number::Many) {
        Ok(wanted) => wanted,
        Err(refusal) => return refusal,
    };
    let namespace: Option<Arc<str>> = namespace.map(Arc::from);
    let prepared = Selection::of(request.uri(), K::FIELDS).and_then(|selection| {
        let asked = Asked::of::<K>(request.uri())?;
        let shape = wanted.shape(K::Told::KIND, request.uri())?;
        Ok((selection, asked, shape))
    });
    let (selection, mut asked, shape) = match prepared {
        Ok(prepared) => prepared,
        Err(status) => return Form::any(&request).status(&status),
    };
    if request::option(request.uri(), "watch") {
        let watching = watch::Asked {
            selection,
            namespace,
            shape,
            asked,
        };
        return watch::answer::<K>(&sources, watching, &request);
    }
    match Wants::of_list(request.uri()) {
        Ok(wants) => asked.wants = wants,
        Err(status) => return Form::any(&request).status(&status),
    }
    let reply = wanted.reply();
    let yaml = reply.encoding == Encoding::Yaml;
    let (query, heavy) = (Arc::clone(&sources.query), asked.looks_at_all());
    let list = move |cancel: &Cancel| {
        Listed::<K>::new(&query, selection, namespace, &asked, shape, yaml, cancel)
    };
    let (caller, failure) = (Caller::of(&request), Form::any(&request));
    let (parts, _) = request.into_parts();
    let listed = if heavy {
        caller.run(&sources.pool, list).await
    } else {
        Ok(list(&Cancel::default()))
    };
    match listed {
        Ok(Ok(listed)) => pieces::answer(listed, reply, None, &parts.headers).await,
        Ok(Err(status)) => failure.status(&status),
        Err(refusal) => refusal,
    }
}

/// One object.
async fn one<K: Kind>(
    sources: Sources,
    namespace: String,
    name: String,
    request: Request,
) -> Response {
    let wanted = match Wanted::of(&request, OFFER, Number::One) {
        Ok(wanted) => wanted,
        Err(refusal) => return refusal,
    };
    let failure = Form::any(&request);
    let prepared = Asked::of::<K>(request.uri()).and_then(|mut asked| {
        asked.wants = Wants::of_get(request.uri())?;
        let shape = wanted.shape(K::Told::KIND, request.uri())?;
        Ok((asked, shape))
    });
    let (asked, shape) = match prepared {
        Ok(prepared) => prepared,
        Err(status) => return failure.status(&status),
    };
    let (reply, heavy) = (wanted.reply(), asked.looks_at_all());
    let query = Arc::clone(&sources.query);
    let encode = move |cancel: &Cancel| {
        encoded::<K>(
            &query,
            &asked,
            (&namespace, &name),
            shape,
            reply.encoding,
            cancel,
        )
    };
    let caller = Caller::of(&request);
    // It cannot be kept while others work.
    drop(request);
    let encoded = if heavy {
        caller.run(&sources.pool, encode).await
    } else {
        Ok(encode(&Cancel::default()))
    };
    match encoded {
        Ok(Ok(body)) => reply.bytes(StatusCode::OK, body),
        Ok(Err(status)) => failure.status(&status),
        Err(refusal) => refusal,
    }
}

/// The object of this namespace and name, as its answer has it.
fn encoded<K: Kind>(
    query: &Query,
    asked: &Asked,
    (namespace, name): (&str, &str),
    shape: Shape,
    encoding: Encoding,
    cancel: &Cancel,
) -> Result<Vec<u8>, Status> {
    let kind = K::Told::KIND;
    let mut all = All::<K>::of(query, asked, cancel)?;
    let kept = all
        .find(namespace, name)
        .ok_or_else(|| Status::not_found(GROUP, K::RESOURCE, name))?;
    let told = all.told(&kept);
    let list_meta = list::meta(&told.meta().resource_version);
    let item = At(&told, query.wall());
    let mut out = Vec::new();
    match encoding {
        Encoding::Yaml => form::object_yaml(&mut out, kind, shape, &list_meta, &item),
        Encoding::Json | Encoding::Protobuf => {
            form::object_json(&mut out, kind, shape, &list_meta, &item);
        }
    }
    Ok(out)
}
