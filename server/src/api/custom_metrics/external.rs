//! external.metrics.k8s.io: metrics that describe no object.

use axum::extract::Request;
use kubevitals_proto::custom_metrics::external::ExternalMetricValue;
use kubevitals_proto::custom_metrics::{List, not_found};
use kubevitals_proto::quantity::Quantity;
use kubevitals_proto::wire::status::Status;

use super::encoder::{self, seconds};
use super::sources::{Sources, authorized, when_complete};
use super::target;
use crate::api::caller::Caller;
use crate::api::reply::{Answer, Form};
use crate::api::selection;
use crate::query::{ExternalValue, Metric};

/// Responds with the values of a metric.
pub(super) async fn respond(sources: Sources, request: Request) -> Answer {
    let form = Form::of(&request)?;
    let failure = Form::any(&request);
    let refuse = |status: Status| failure.status(&status);
    let attributes = authorized(&request).map_err(refuse)?;
    let (namespace, name) = target::external(&attributes).map_err(refuse)?;
    let series = selection::labels(request.uri(), "labelSelector").map_err(refuse)?;
    when_complete(&sources.query).map_err(refuse)?;
    let (namespace, metric) = (
        namespace.to_owned(),
        Metric {
            name: name.to_owned(),
            series,
        },
    );
    let caller = Caller::of(&request);
    let (parts, _) = request.into_parts();
    let query = sources.query;
    let read = move |_: &_| {
        let metrics = query.external_metrics();
        let values = metrics.map(|metrics| metrics.read(&namespace, &metric));
        (values, namespace, metric)
    };
    let (values, namespace, metric) = caller.run(&sources.pool, read).await?;
    let values = values.ok_or_else(|| refuse(Status::resource_not_found()))?;
    let no_value = |why: &dyn std::fmt::Display| {
        let of = format!("namespaces {namespace}");
        refuse(not_found(&metric.name, &of, &metric.series, why))
    };
    let values = values.map_err(|why| no_value(&why))?;
    // An autoscaler takes the sum of all, so it must have all.
    let finite = |value: ExternalValue| Some((Quantity::from_f64(value.value.value)?, value));
    let values: Option<Vec<_>> = values.into_iter().map(finite).collect();
    let values = values.ok_or_else(|| no_value(&"one of the values is not a finite number"))?;
    let name = metric.name;
    let to_item = move |(quantity, value): &(Quantity, ExternalValue)| ExternalMetricValue {
        metric_name: name.clone(),
        metric_labels: value.labels.clone(),
        timestamp: value.value.at,
        window: value.value.window.map(seconds),
        value: *quantity,
    };
    let list = List::external(form.encoding);
    Ok(encoder::respond(values, to_item, list, form, &parts.headers).await)
}
