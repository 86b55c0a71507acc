//! custom.metrics.k8s.io: metrics that describe objects.

use std::sync::Arc;

use axum::extract::Request;
use http::Uri;
use kubevitals_proto::custom_metrics::{
    List, MetricSelector, ObjectReference, Version, not_found, v1beta1, v1beta2,
};
use kubevitals_proto::quantity::Quantity;
use kubevitals_proto::selector::LabelSelector;
use kubevitals_proto::time::Timestamp;
use kubevitals_proto::wire::status::Status;

use super::encoder::{self, seconds};
use super::sources::{Sources, authorized, when_complete};
use super::target::CustomTarget;
use crate::api::caller::Caller;
use crate::api::reply::{Answer, Form};
use crate::api::selection;
use crate::cluster::NamespaceServices;
use crate::query::{Metric, Named, PodsOf, Query};

/// A request for a metric.
struct MetricRequest {
    target: CustomTarget,
    /// Selects objects by their labels.
    objects: LabelSelector,
    metric: Metric,
    /// The selector of series, as responses repeat it.
    selector: Option<MetricSelector>,
}

/// The value of an object as it is sent.
struct ObjectValue {
    name: Arc<str>,
    at: Timestamp,
    window_seconds: Option<i64>,
    value: Quantity,
}

/// Responds with the values of a metric.
pub(super) async fn respond(version: Version, sources: Sources, request: Request) -> Answer {
    let form = Form::of(&request)?;
    let failure = Form::any(&request);
    let refuse = |status: Status| failure.status(&status);
    let wanted = MetricRequest::of(&request).map_err(refuse)?;
    when_complete(&sources.query).map_err(refuse)?;
    let services = if wanted.target.kind.pods == PodsOf::Service {
        let services = sources.services.list(&wanted.target.namespace).await;
        services.map_err(|error| refuse(Status::internal_error(error)))?
    } else {
        NamespaceServices::default()
    };
    let caller = Caller::of(&request);
    let (parts, _) = request.into_parts();
    let query = sources.query;
    let read = move |_: &_| (wanted.read(&query, &services), wanted);
    let (values, wanted) = caller.run(&sources.pool, read).await?;
    let values = values.map_err(refuse)?;
    let list = List::custom(version, form.encoding);
    let headers = &parts.headers;
    Ok(match version {
        Version::V1beta2 => {
            let to_item = move |value: &_| wanted.item(value);
            encoder::respond(values, to_item, list, form, headers).await
        }
        Version::V1beta1 => {
            let to_item = move |value: &_| v1beta1::MetricValue::from(wanted.item(value));
            encoder::respond(values, to_item, list, form, headers).await
        }
    })
}

impl MetricRequest {
    /// Reads a request.
    ///
    /// # Errors
    /// 404 for a path that names no metric of objects. 400 for a selector that cannot be used.
    fn of(request: &Request) -> Result<Self, Status> {
        let target = CustomTarget::of(&*authorized(request)?)?;
        let uri: &Uri = request.uri();
        let objects = selection::labels(uri, "labelSelector")?;
        let series = selection::labels(uri, "metricLabelSelector")?;
        let selector = MetricSelector::of(&series)
            .map_err(|error| Status::bad_request(format!("metricLabelSelector: {error}")))?;
        let kind = target.kind;
        let labels_unknown = matches!(kind.pods, PodsOf::Workload | PodsOf::Controller);
        if target.name.is_none() && labels_unknown && !objects.is_empty() {
            return Err(Status::bad_request(format!(
                "labelSelector: the labels of {} are not known: request one by its name, or all without a labelSelector",
                kind.resource
            )));
        }
        Ok(Self {
            metric: Metric {
                name: target.metric.clone(),
                series,
            },
            target,
            objects,
            selector,
        })
    }

    /// Reads the values.
    ///
    /// # Errors
    /// 404 if no object has one.
    fn read(
        &self,
        query: &Query,
        services: &NamespaceServices,
    ) -> Result<Vec<ObjectValue>, Status> {
        let metrics = query.custom_metrics();
        let metrics = metrics.ok_or_else(Status::resource_not_found)?;
        let (target, metric) = (&self.target, &self.metric);
        let values = match &target.name {
            Some(name) => {
                let service = services.iter().find(|service| *service.name == **name);
                let object = (&*target.namespace, &**name);
                let value = metrics.get(target.kind, object, service, metric);
                value.map(|value| vec![(Arc::from(&**name), value)])
            }
            None => metrics.list(
                target.kind,
                &target.namespace,
                &self.objects,
                services,
                metric,
            ),
        };
        let values = values.map_err(|why| self.not_found(why))?;
        let values: Vec<_> = values.into_iter().filter_map(ObjectValue::of).collect();
        if values.is_empty() {
            return Err(self.not_found("the value is not finite"));
        }
        Ok(values)
    }

    fn not_found(&self, why: impl std::fmt::Display) -> Status {
        let resource = self.target.kind.resource;
        let of = match &self.target.name {
            Some(name) => format!("{resource} {name}"),
            None => resource.to_owned(),
        };
        not_found(&self.metric.name, &of, &self.metric.series, why)
    }

    fn item(&self, value: &ObjectValue) -> v1beta2::MetricValue {
        let kind = self.target.kind;
        v1beta2::MetricValue {
            described_object: ObjectReference {
                kind: kind.kind.to_owned(),
                namespace: self.target.namespace.clone(),
                name: value.name.to_string(),
                api_version: kind.api_version.to_owned(),
            },
            metric: v1beta2::MetricIdentifier {
                name: self.metric.name.clone(),
                selector: self.selector.clone(),
            },
            timestamp: value.at,
            window_seconds: value.window_seconds,
            value: value.value,
        }
    }
}

impl ObjectValue {
    /// None for a sum that is not finite.
    fn of((name, value): Named) -> Option<Self> {
        Some(Self {
            name,
            at: value.at,
            window_seconds: value.window.map(seconds),
            value: Quantity::from_f64(value.value)?,
        })
    }
}
