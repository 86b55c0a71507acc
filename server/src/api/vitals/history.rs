//! The subresource `history`: the history of a pod, a workload, a namespace, a node or the cluster.

use axum::extract::{Request, State};
use axum::response::Response;
use http::StatusCode;
use kubevitals_proto::duration::GoDuration;
use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::{API_VERSION, GROUP, History, Meta, Span};
use kubevitals_proto::wire::object::{self, Encoding};
use kubevitals_proto::wire::status::Status;

use super::kind::{Clusters, Kind as _, Nodes, Pods};
use super::parameters::{HistoryOptions, Reach};
use super::pod_filter::workload;
use super::remote;
use super::resources::{OFFER, Sources, unknown_resource};
use crate::api::caller::Caller;
use crate::api::incomplete;
use crate::api::negotiated::{Cardinality, ResponseFormat};
use crate::api::path_params::PathParams;
use crate::api::reply::{Answer, Form};
use crate::query::{ClusterSingleton, HistorySubject, Older, Query, Steps};
use crate::shard::{HistoryScope, NodeScope, PodScope};
use crate::work::Cancel;

/// The pod name that stands for all pods of a workload or namespace. No pod can have this name.
const ALL_PODS: &str = "-";

/// The subject of a history, with its own names.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Subject {
    Node(String),
    Pod(String, String),
    Workload {
        namespace: String,
        kind: String,
        name: String,
    },
    Namespace(String),
    Cluster,
}

impl Subject {
    fn of(&self) -> HistorySubject<'_> {
        match self {
            Self::Node(name) => HistorySubject::Node(name),
            Self::Pod(namespace, name) => HistorySubject::Pod { namespace, name },
            Self::Workload {
                namespace,
                kind,
                name,
            } => HistorySubject::Workload {
                namespace,
                kind,
                name,
            },
            Self::Namespace(namespace) => HistorySubject::Namespace(namespace),
            Self::Cluster => HistorySubject::Cluster,
        }
    }

    /// The part of the other shards' histories that may have the subject. The pods of a workload are not known to those.
    fn scope(&self, since: Timestamp, until: Timestamp) -> HistoryScope {
        let (nodes, pods) = match self.clone() {
            Self::Node(name) => (NodeScope::One(name), PodScope::None),
            Self::Pod(namespace, name) => (NodeScope::None, PodScope::One(namespace, name)),
            Self::Workload { namespace, .. } | Self::Namespace(namespace) => {
                (NodeScope::None, PodScope::Namespace(namespace))
            }
            Self::Cluster => (NodeScope::All, PodScope::None),
        };
        HistoryScope {
            nodes,
            pods,
            since,
            until,
        }
    }

    /// The metadata of an existing subject. An existing subject without history gets an empty history instead of a
    /// 404.
    fn existing_meta(&self, query: &Query) -> Option<Meta> {
        let snapshot = query.changes().snapshot();
        let named = |namespace: &str, name: &str| Meta {
            name: name.to_owned(),
            namespace: namespace.to_owned(),
            ..Meta::default()
        };
        match self {
            Self::Node(name) => Nodes::find(&snapshot, "", name).map(|_| named("", name)),
            Self::Pod(namespace, name) => {
                Pods::find(&snapshot, namespace, name).map(|_| named(namespace, name))
            }
            Self::Cluster => Some(named("", ClusterSingleton::NAME)),
            Self::Workload { .. } | Self::Namespace(_) => None,
        }
    }

    fn not_found(&self) -> Status {
        let (resource, name) = match self {
            Self::Node(name) => (Nodes::RESOURCE, name.clone()),
            Self::Pod(_, name) => (Pods::RESOURCE, name.clone()),
            Self::Workload { kind, name, .. } => (Pods::RESOURCE, format!("{kind}/{name}")),
            Self::Namespace(namespace) => (Pods::RESOURCE, namespace.clone()),
            Self::Cluster => (Clusters::RESOURCE, ClusterSingleton::NAME.to_owned()),
        };
        Status::not_found(GROUP, resource, &name)
    }
}

/// The history of a node.
pub(super) async fn of_node(
    State(sources): State<Sources>,
    PathParams(name): PathParams<String>,
    request: Request,
) -> Answer {
    respond(sources, Subject::Node(name), request).await
}

/// The history of the cluster.
pub(super) async fn of_cluster(
    State(sources): State<Sources>,
    PathParams(name): PathParams<String>,
    request: Request,
) -> Answer {
    if name != ClusterSingleton::NAME {
        let status = Status::not_found(GROUP, Clusters::RESOURCE, &name);
        return Err(Form::any(&request).status(&status));
    }
    respond(sources, Subject::Cluster, request).await
}

/// The history of a pod, a workload or a namespace.
pub(super) async fn of_pod(
    State(sources): State<Sources>,
    PathParams((namespace, name)): PathParams<(String, String)>,
    request: Request,
) -> Answer {
    if namespace.is_empty() || name.is_empty() {
        return Err(unknown_resource(request).await);
    }
    let subject = if name == ALL_PODS {
        aggregate(namespace, &request).map_err(|status| Form::any(&request).status(&status))?
    } else {
        Subject::Pod(namespace, name)
    };
    respond(sources, subject, request).await
}

/// The workload that the query string names, else the whole namespace.
fn aggregate(namespace: String, request: &Request) -> Result<Subject, Status> {
    Ok(match workload(request.uri())? {
        Some((kind, name)) => Subject::Workload {
            namespace,
            kind,
            name,
        },
        None => Subject::Namespace(namespace),
    })
}

async fn respond(sources: Sources, subject: Subject, request: Request) -> Answer {
    let Sources { query, pool, .. } = sources;
    let reply = ResponseFormat::of(&request, OFFER, Cardinality::One)?.form();
    let failure = Form::any(&request);
    let refuse = |status: Status| failure.status(&status);
    let options =
        HistoryOptions::of(request.uri(), query.wall(), Reach::of(&query)).map_err(refuse)?;
    let caller = Caller::of(&request);
    // The request is not needed while the work runs on another thread.
    drop(request);
    let scope = || Some(subject.scope(options.since, options.until));
    let (query, missing) = query.with_history_of_shards(scope).await;
    // Decoding the series of a large namespace takes long; on the pool, other requests do not wait for it.
    let steps = Steps::new(options.since, options.until, options.step);
    let older = query
        .history()
        .older(subject.of(), &steps, options.aggregation);
    let older = older.await;
    let work = move |cancel: &Cancel| history(&query, &subject, &options, older.as_ref(), cancel);
    let history = caller.run(&pool, work).await?.map_err(refuse)?;
    let mut response = remote::warn(encode(&history, reply), &missing);
    if let Some(absent) = &history.absent {
        incomplete::add(&mut response, &absent.message);
    }
    Ok(response)
}

fn history(
    query: &Query,
    subject: &Subject,
    options: &HistoryOptions,
    older: Option<&Older>,
    cancel: &Cancel,
) -> Result<History, Status> {
    let steps = Steps::new(options.since, options.until, options.step);
    let found = query
        .history()
        .over(subject.of(), steps, options.aggregation, older, cancel);
    let mut history = match (found, older.and_then(Older::absent)) {
        (Some(history), _) => history,
        (None, absent) => match (subject.existing_meta(query), absent) {
            (Some(meta), absent) => History {
                absent: absent.cloned(),
                ..empty(meta, &steps)
            },
            // It may have existed before.
            (None, Some(absent)) => return Err(Status::service_unavailable(&*absent.message)),
            (None, None) => return Err(subject.not_found()),
        },
    };
    if let Subject::Pod(namespace, name) = subject {
        let span = (steps.since(), steps.until());
        history.marks = query.history().marks(namespace, name, span, older);
    }
    if let Some(container) = &options.container {
        history
            .containers
            .retain(|series| series.name == *container);
        history.marks.retain(|mark| mark.container == *container);
    }
    Ok(history)
}

/// Makes a history without points.
fn empty(metadata: Meta, steps: &Steps) -> History {
    let mut history = History {
        kind: "History".to_owned(),
        api_version: API_VERSION.to_owned(),
        metadata,
        span: Span {
            since: steps.since(),
            until: steps.until(),
            step: GoDuration(steps.step()),
        },
        ..History::default()
    };
    history.total.points = vec![None; steps.len()];
    history
}

fn encode(history: &History, reply: Form) -> Response {
    match object::text(history, reply.encoding == Encoding::Yaml) {
        Ok(body) => reply.bytes(StatusCode::OK, body),
        Err(error) => reply.status(&Status::internal_error(error)),
    }
}
