//! The subresources `metrics` and `why` of podvitals: the metrics that a pod exposes itself, and why it has a value of
//! one of them or has none.

use axum::extract::{Request, State};
use axum::response::Response;
use http::StatusCode;
use kubevitals_proto::selector::LabelSelector;
use kubevitals_proto::vitals::GROUP;
use kubevitals_proto::wire::object::{self, Encoding};
use kubevitals_proto::wire::status::Status;

use super::kind::{Kind as _, Pods};
use super::parameters::{HistoryOptions, Reach};
use super::query_params::non_empty;
use super::resources::{OFFER, Sources, unknown_resource};
use crate::api::negotiated::{Cardinality, ResponseFormat};
use crate::api::path_params::PathParams;
use crate::api::reply::{Answer, Form};
use crate::query::Steps;

/// The metrics of a pod.
pub(super) async fn of_pod(
    State(sources): State<Sources>,
    PathParams((namespace, name)): PathParams<(String, String)>,
    request: Request,
) -> Answer {
    if namespace.is_empty() || name.is_empty() {
        return Err(unknown_resource(request).await);
    }
    let query = &sources.query;
    let reply = ResponseFormat::of(&request, OFFER, Cardinality::One)?.form();
    let refuse = |status: Status| Form::any(&request).status(&status);
    let steps = match non_empty(request.uri(), "since") {
        Some(_) => {
            let options = HistoryOptions::of(request.uri(), query.wall(), Reach::of(query));
            let options = options.map_err(refuse)?;
            Some(Steps::new(options.since, options.until, options.step))
        }
        None => None,
    };
    let metrics = query.own_metrics().of(&namespace, &name, steps.as_ref());
    let metrics = metrics.ok_or_else(|| refuse(Status::not_found(GROUP, Pods::RESOURCE, &name)))?;
    Ok(
        match object::text(&metrics, reply.encoding == Encoding::Yaml) {
            Ok(body) => reply.bytes(StatusCode::OK, body),
            Err(error) => reply.status(&Status::internal_error(error)),
        },
    )
}

/// Why a pod has a value of the metric that the query string names, or has none.
pub(super) async fn why(
    State(sources): State<Sources>,
    PathParams((namespace, name)): PathParams<(String, String)>,
    request: Request,
) -> Response {
    let form = Form::any(&request);
    let Some(metric) = non_empty(request.uri(), "metric") else {
        let message =
            "metric: the name of a metric that the pod exposes, such as metric=queue_length";
        return form.status(&Status::bad_request(message));
    };
    let selector = non_empty(request.uri(), "metricLabelSelector").unwrap_or_default();
    let selector: LabelSelector = match selector.parse() {
        Ok(selector) => selector,
        Err(error) => {
            let message = format!("metricLabelSelector: {error}");
            return form.status(&Status::bad_request(message));
        }
    };
    let why = sources.query.why();
    let why = why.metric(&namespace, &name, &metric, &selector);
    form.json(StatusCode::OK, &why)
}
