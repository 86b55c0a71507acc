//! The values of an autoscaler's metrics, requested of the aggregated APIs as client-go requests them.

use std::collections::BTreeMap;

use kubevitals_proto::duration::GoDuration;
use kubevitals_proto::quantity::{Format, Quantity};
use kubevitals_proto::time::Timestamp;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde_json::{Value, json};

use super::behavior::Tolerance;
use super::client::Client;
use super::replicas::{self, Pod, Proposal, Reading, Target};
use crate::members::Members;

/// What a path segment cannot have.
const SEGMENT: &AsciiSet = &CONTROLS.add(b' ').add(b'/').add(b'%').add(b'?').add(b'#');
/// The window of a value that comes without one, in seconds.
const WINDOW: i64 = 60;

/// The workload whose replicas are calculated, now.
pub(super) struct Scene<'a> {
    pub(super) client: &'a Client,
    pub(super) namespace: &'a str,
    /// The selector of its pods.
    pub(super) selector: &'a str,
    /// Its pods, as JSON.
    pub(super) pods: &'a [Value],
    /// The replicas it should have, and has.
    pub(super) replicas: (i64, i64),
    pub(super) tolerance: Tolerance,
    pub(super) now: Timestamp,
}

/// What a metric asks for.
pub(super) struct Answer {
    pub(super) replicas: i64,
    /// The metric, as conditions name it.
    pub(super) name: String,
    /// Its entry in `currentMetrics`.
    pub(super) status: Value,
}

/// Why a metric has no answer: the reason and the message of a condition.
pub(super) type Failure = (&'static str, String);

impl Scene<'_> {
    /// The replicas for an entry of `metrics`.
    pub(super) async fn answer(&self, metric: &Value) -> Result<Answer, Failure> {
        let (reason, answer) = match metric.text("/type") {
            "Resource" => ("FailedGetResourceMetric", self.resource(metric).await),
            "Pods" => ("FailedGetPodsMetric", self.pods(metric).await),
            "Object" => ("FailedGetObjectMetric", self.object(metric).await),
            "External" => ("FailedGetExternalMetric", self.external(metric).await),
            other => (
                "InvalidMetricSourceType",
                Err(format!("unknown metric source type \"{other}\"")),
            ),
        };
        answer.map_err(|error| (reason, error))
    }

    async fn resource(&self, metric: &Value) -> Result<Answer, String> {
        let name = metric.text("/resource/name");
        let path = format!(
            "/apis/metrics.k8s.io/v1beta1/namespaces/{}/pods",
            self.namespace
        );
        let path = with_query(&path, &[("labelSelector", self.selector)]);
        let list = self.client.get(&path).await;
        let list =
            list.map_err(|error| format!("unable to get metrics for resource {name}: {error}"))?;
        let values = list.list("/items").iter();
        let values: BTreeMap<String, Reading> = values
            .filter_map(|item| Some((item.text("/metadata/name").to_owned(), usage(item, name)?)))
            .collect();
        if values.is_empty() {
            return Err(format!(
                "unable to get metrics for resource {name}: no metrics returned from resource metrics API"
            ));
        }
        let target = metric.at("/resource/target").unwrap_or(&Value::Null);
        let (target, described) = match target.at("/averageUtilization").and_then(Value::as_i64) {
            Some(percent) => (
                Target::Utilization(percent),
                format!("{name} resource utilization (percentage of request)"),
            ),
            None => (
                Target::Average(milli(target.text("/averageValue"))?),
                format!("{name} resource"),
            ),
        };
        let proposal = self.of_pods(values, (target, name == "cpu"), name)?;
        let current = json!({
            "averageValue": quantity(proposal.average), "averageUtilization": proposal.utilization,
        });
        Ok(Answer {
            replicas: proposal.replicas,
            name: described,
            status: json!({"type": "Resource", "resource": {"name": name, "current": current.without_nulls()}}),
        })
    }

    async fn pods(&self, metric: &Value) -> Result<Answer, String> {
        let name = metric.text("/pods/metric/name");
        let selector = selector(metric.at("/pods/metric/selector"));
        let path = self.custom(&["pods", "*", name]).await?;
        let query = [
            ("labelSelector", self.selector),
            ("metricLabelSelector", &selector),
        ];
        let items = self
            .items(name, &with_query(&path, &query), "custom")
            .await?;
        let values = items.iter().filter_map(|item| {
            let reading = Reading {
                value: milli(item.text("/value")).ok()?,
                at: item.text("/timestamp").parse().ok()?,
                window: item
                    .at("/windowSeconds")
                    .and_then(Value::as_i64)
                    .unwrap_or(WINDOW)
                    * 1_000_000_000,
            };
            Some((item.text("/describedObject/name").to_owned(), reading))
        });
        let target = Target::Average(milli(metric.text("/pods/target/averageValue"))?);
        let proposal = self.of_pods(values.collect(), (target, false), "")?;
        let current = json!({"averageValue": quantity(proposal.average)});
        Ok(Answer {
            replicas: proposal.replicas,
            name: format!("pods metric {name}"),
            status: json!({"type": "Pods", "pods": {"metric": metric.at("/pods/metric"), "current": current}}),
        })
    }

    async fn object(&self, metric: &Value) -> Result<Answer, String> {
        let name = metric.text("/object/metric/name");
        let described = metric.at("/object/describedObject").unwrap_or(&Value::Null);
        let (kind, object) = (described.text("/kind"), described.text("/name"));
        let resource = plural(kind, described.text("/apiVersion"));
        let segments = match kind {
            "Namespace" => [object, "metrics", name],
            _ => [&*resource, object, name],
        };
        let path = match kind {
            "Node" => {
                let version = self.version().await?;
                format!(
                    "/apis/custom.metrics.k8s.io/{version}/nodes/{}/{}",
                    segment(object),
                    segment(name)
                )
            }
            "Namespace" => {
                let version = self.version().await?;
                let path: Vec<String> = segments.iter().map(|it| segment(it)).collect();
                format!(
                    "/apis/custom.metrics.k8s.io/{version}/namespaces/{}",
                    path.join("/")
                )
            }
            _ => self.custom(&segments).await?,
        };
        let selector = selector(metric.at("/object/metric/selector"));
        let path = with_query(&path, &[("metricLabelSelector", &selector)]);
        let items = self.items(name, &path, "custom").await?;
        let value = items.first().map_or("", |item| item.text("/value"));
        let (replicas, current) = self.of_value(milli(value)?, metric.at("/object/target"))?;
        Ok(Answer {
            replicas,
            name: format!("{kind} metric {name}"),
            status: json!({"type": "Object", "object": {
                "metric": metric.at("/object/metric"), "describedObject": described, "current": current,
            }}),
        })
    }

    async fn external(&self, metric: &Value) -> Result<Answer, String> {
        let name = metric.text("/external/metric/name");
        let selector = selector(metric.at("/external/metric/selector"));
        let path = format!(
            "/apis/external.metrics.k8s.io/v1beta1/namespaces/{}/{}",
            self.namespace,
            segment(name)
        );
        let path = with_query(&path, &[("labelSelector", &selector)]);
        let items = self.items(name, &path, "external").await?;
        let values = items.iter().map(|item| milli(item.text("/value")));
        let value = values.sum::<Result<i64, String>>()?;
        let (replicas, current) = self.of_value(value, metric.at("/external/target"))?;
        Ok(Answer {
            replicas,
            name: format!("external metric {name}({selector})"),
            status: json!({"type": "External", "external": {"metric": metric.at("/external/metric"), "current": current}}),
        })
    }

    /// The path of a metric of an object of the namespace.
    async fn custom(&self, segments: &[&str]) -> Result<String, String> {
        let version = self.version().await?;
        let path: Vec<String> = segments.iter().map(|it| segment(it)).collect();
        Ok(format!(
            "/apis/custom.metrics.k8s.io/{version}/namespaces/{}/{}",
            self.namespace,
            path.join("/")
        ))
    }

    /// The newest version of the group that the cluster serves.
    async fn version(&self) -> Result<&'static str, String> {
        let group = self.client.get("/apis/custom.metrics.k8s.io").await;
        let group =
            group.map_err(|_| "no custom metrics API (custom.metrics.k8s.io) registered")?;
        let mut versions = ["v1beta2", "v1beta1"].into_iter();
        let serves = |version: &&str| {
            let served = group.list("/versions");
            served.iter().any(|it| it.text("/version") == *version)
        };
        let found = versions.find(serves);
        found.ok_or_else(|| "no known available metric versions found".to_owned())
    }

    async fn items(&self, metric: &str, path: &str, api: &str) -> Result<Vec<Value>, String> {
        let list = self.client.get(path).await;
        let list = list.map_err(|error| {
            format!("unable to get metric {metric}: unable to fetch metrics from {api} metrics API: {error}")
        })?;
        let items = list.list("/items").to_vec();
        if items.is_empty() {
            return Err(format!(
                "unable to get metric {metric}: no metrics returned from {api} metrics API"
            ));
        }
        Ok(items)
    }

    fn of_pods(
        &self,
        values: BTreeMap<String, Reading>,
        target: (Target, bool),
        resource: &str,
    ) -> Result<Proposal, String> {
        let pods: Vec<Pod> = self.pods.iter().map(|it| pod(it, resource)).collect();
        let at = (self.now, self.tolerance);
        replicas::of_pods(self.replicas.0, &pods, values, target, at)
    }

    /// The replicas for a value of no pod, and the `current` of its status.
    fn of_value(&self, value: i64, target: Option<&Value>) -> Result<(i64, Value), String> {
        let target = target.unwrap_or(&Value::Null);
        if let Some(average) = target.str_at("/averageValue") {
            let average = milli(average)?;
            let (replicas, each) =
                replicas::of_value_per_pod(self.replicas.1, value, average, self.tolerance);
            return Ok((replicas, json!({"averageValue": quantity(each)})));
        }
        let pods: Vec<Pod> = self.pods.iter().map(|it| pod(it, "")).collect();
        let all = milli(target.text("/value"))?;
        let replicas = replicas::of_value(self.replicas.0, &pods, value, all, self.tolerance);
        Ok((replicas, json!({"value": quantity(value)})))
    }
}

/// What the containers of a pod use of a resource together; none if one of them has no value.
fn usage(item: &Value, resource: &str) -> Option<Reading> {
    let containers = item.list("/containers").iter();
    let values = containers.map(|it| milli(it.text(&format!("/usage/{resource}"))).ok());
    let window: GoDuration = item.text("/window").parse().ok()?;
    Some(Reading {
        value: values.sum::<Option<i64>>()?,
        at: item.text("/timestamp").parse().ok()?,
        window: window.0,
    })
}

/// What the calculation reads of a pod.
fn pod(pod: &Value, resource: &str) -> Pod {
    let ready = pod.list("/status/conditions").iter();
    let mut ready = ready.filter(|it| it.text("/type") == "Ready");
    let ready = ready.next().and_then(|it| {
        let since = it.text("/lastTransitionTime").parse().ok()?;
        Some((it.text("/status") == "True", since))
    });
    let sidecars = pod.list("/spec/initContainers").iter();
    let sidecars = sidecars.filter(|it| it.text("/restartPolicy") == "Always");
    let containers = pod.list("/spec/containers").iter().chain(sidecars);
    let pointer = format!("/resources/requests/{resource}");
    let request = containers.map(|it| milli(it.text(&pointer)).ok());
    Pod {
        name: pod.text("/metadata/name").to_owned(),
        phase: pod.text("/status/phase").to_owned(),
        deleted: pod.at("/metadata/deletionTimestamp").is_some(),
        ready,
        started: pod.text("/status/startTime").parse().ok(),
        request: request.sum(),
    }
}

/// The resource of a kind, as paths of the custom metrics API have it.
fn plural(kind: &str, api_version: &str) -> String {
    let lower = kind.to_lowercase();
    let plural = match lower.strip_suffix("ss") {
        Some(_) => format!("{lower}es"),
        None => format!("{lower}s"),
    };
    match api_version.split_once('/') {
        Some((group, _)) => format!("{plural}.{group}"),
        None => plural,
    }
}

/// A label selector as text.
pub(super) fn selector(selector: Option<&Value>) -> String {
    let selector = selector.unwrap_or(&Value::Null);
    let labels = selector.members("/matchLabels");
    let labels = labels.map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()));
    let expressions = selector.list("/matchExpressions").iter().map(|it| {
        let values = it.list("/values").iter().filter_map(Value::as_str);
        let values = values.collect::<Vec<_>>().join(",");
        let key = it.text("/key");
        match it.text("/operator") {
            "In" => format!("{key} in ({values})"),
            "NotIn" => format!("{key} notin ({values})"),
            "DoesNotExist" => format!("!{key}"),
            _ => key.to_owned(),
        }
    });
    labels.chain(expressions).collect::<Vec<_>>().join(",")
}

fn segment(text: &str) -> String {
    utf8_percent_encode(text, SEGMENT).to_string()
}

/// A path with the parameters that are not empty.
pub(super) fn with_query(path: &str, parameters: &[(&str, &str)]) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    let parameters = parameters.iter().filter(|(_, value)| !value.is_empty());
    let query = query.extend_pairs(parameters).finish();
    match query.is_empty() {
        true => path.to_owned(),
        false => format!("{path}?{query}"),
    }
}

/// A quantity in thousandths.
fn milli(text: &str) -> Result<i64, String> {
    let quantity = text.parse::<Quantity>();
    let quantity = quantity.map_err(|_| format!("\"{text}\" is not a quantity"))?;
    Ok(quantity.milli_value())
}

fn quantity(milli: i64) -> String {
    Quantity::new(milli, -3, Format::DecimalSi).to_string()
}
