//! A simulated HorizontalPodAutoscaler controller: the algorithm of autoscaling/v2 in Kubernetes 1.36.
//!
//! It reads autoscalers, workloads and metrics over HTTP from the API server, the metrics through the aggregated APIs. An
//! autoscaler without a `behavior` gets the default one.

mod behavior;
mod client;
mod metrics;
mod replicas;
mod status;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use kubevitals_proto::time::Timestamp;
use serde_json::{Value, json};
use tokio::sync::Mutex;

use self::behavior::{Behavior, Memory};
use self::client::Client;
use self::metrics::{Answer, Failure, Scene, selector, with_query};
use self::status::Conditions;
use crate::clock::SimClock;
use crate::members::Members;
use crate::pki::PkiError;

/// The time between two passes.
const PERIOD: Duration = Duration::from_secs(15);

/// The controller.
#[derive(Debug)]
pub(crate) struct Controller {
    client: Client,
    clock: SimClock,
    /// What each autoscaler did and wanted before, by namespace and name.
    memories: Mutex<HashMap<(String, String), Memory>>,
}

impl Controller {
    /// The controller of the cluster whose API server is at this URL.
    pub(crate) fn new(
        url: String,
        ca_pem: &str,
        token: &str,
        clock: SimClock,
    ) -> Result<Self, PkiError> {
        Ok(Self {
            client: Client::new(url, ca_pem, token)?,
            clock,
            memories: Mutex::default(),
        })
    }

    /// Acts on every autoscaler, again and again. Never returns.
    pub(crate) async fn run(self: Arc<Self>) {
        loop {
            self.clock.sleep(PERIOD).await;
            self.pass().await;
        }
    }

    /// Acts on every autoscaler once. What fails is tried again in the next pass.
    pub(crate) async fn pass(&self) {
        let path = "/apis/autoscaling/v2/horizontalpodautoscalers";
        let list = match self.client.get(path).await {
            Ok(list) => list,
            Err(error) => return tracing::debug!(error, "autoscalers are not listed"),
        };
        let mut memories = self.memories.lock().await;
        for hpa in list.list("/items") {
            let (namespace, name) = (hpa.text("/metadata/namespace"), hpa.text("/metadata/name"));
            let key = (namespace.to_owned(), name.to_owned());
            let memory = memories.entry(key).or_default();
            let status = self.reconcile(hpa, memory).await;
            if Some(&status) == hpa.get("status") {
                continue;
            }
            let path = format!(
                "/apis/autoscaling/v2/namespaces/{namespace}/horizontalpodautoscalers/{name}/status"
            );
            if let Err(error) = self.client.patch(&path, &json!({"status": status})).await {
                tracing::debug!(
                    namespace,
                    name,
                    error,
                    "status of autoscaler is not written"
                );
            }
        }
    }

    /// Scales the workload of an autoscaler if its metrics ask for it. Returns the new status.
    async fn reconcile(&self, hpa: &Value, memory: &mut Memory) -> Value {
        let now = self.clock.now();
        let mut conditions = Conditions::of(hpa, now);
        let mut status = hpa.get("status").cloned().unwrap_or_else(|| json!({}));
        status.put("observedGeneration", hpa.int("/metadata/generation"));
        if let Err(error) = self
            .scale(hpa, memory, &mut status, &mut conditions, now)
            .await
        {
            let message =
                format!("the HPA controller was unable to get the target's current scale: {error}");
            conditions.set("AbleToScale", false, "FailedGetScale", &message);
        }
        status.put("conditions", conditions.into_value());
        status
    }

    async fn scale(
        &self,
        hpa: &Value,
        memory: &mut Memory,
        status: &mut Value,
        conditions: &mut Conditions,
        now: Timestamp,
    ) -> Result<(), String> {
        let namespace = hpa.text("/metadata/namespace");
        let path = target(hpa)?;
        let workload = self.client.get(&path).await?;
        conditions.set(
            "AbleToScale",
            true,
            "SucceededGetScale",
            "the HPA controller was able to get the target's current scale",
        );
        let current = workload.int("/spec/replicas");
        status.put("currentReplicas", workload.int("/status/replicas"));
        let min = hpa
            .at("/spec/minReplicas")
            .and_then(Value::as_i64)
            .unwrap_or(1);
        let max = hpa.int("/spec/maxReplicas");
        if current == 0 && min != 0 {
            status.put("desiredReplicas", 0);
            let message = "scaling is disabled since the replica count of the target is zero";
            conditions.set("ScalingActive", false, "ScalingDisabled", message);
            return Ok(());
        }
        let behavior = Behavior::of(hpa.at("/spec/behavior").unwrap_or(&Value::Null));
        let desired = if current > max || current < min {
            current.clamp(min, max)
        } else {
            let selector = selector(workload.at("/spec/selector"));
            let pods = with_query(
                &format!("/api/v1/namespaces/{namespace}/pods"),
                &[("labelSelector", &selector)],
            );
            let pods = self.client.get(&pods).await?;
            let scene = Scene {
                client: &self.client,
                namespace,
                selector: &selector,
                pods: pods.list("/items"),
                replicas: (current, workload.int("/status/replicas")),
                tolerance: behavior.tolerance(),
                now,
            };
            let mut answers = Vec::new();
            for metric in hpa.list("/spec/metrics") {
                answers.push(scene.answer(metric).await);
            }
            let statuses = answers.iter().flatten().map(|it| it.status.clone());
            status.put("currentMetrics", Value::from_iter(statuses));
            let recommended = match recommend(answers, current) {
                Ok((recommended, metric)) => {
                    let message = format!(
                        "the HPA was able to successfully calculate a replica count from {metric}"
                    );
                    conditions.set("ScalingActive", true, "ValidMetricFound", &message);
                    recommended
                }
                Err((reason, error)) => {
                    let message =
                        format!("the HPA was unable to compute the replica count: {error}");
                    conditions.set("ScalingActive", false, reason, &message);
                    return Ok(());
                }
            };
            let decision = behavior.decide(memory, now, current, recommended, (min, max));
            let (reason, message) = decision
                .stabilized
                .unwrap_or(("ReadyForNewScale", "recommended size matches current size"));
            conditions.set("AbleToScale", true, reason, message);
            let within = (
                "DesiredWithinRange",
                "the desired count is within the acceptable range",
            );
            let (reason, message) = decision.limited.unwrap_or(within);
            conditions.set(
                "ScalingLimited",
                decision.limited.is_some(),
                reason,
                message,
            );
            decision.replicas
        };
        status.put("desiredReplicas", desired);
        if desired == current {
            return Ok(());
        }
        let patch = json!({"spec": {"replicas": desired}});
        match self.client.patch(&format!("{path}/scale"), &patch).await {
            Ok(_) => {
                behavior.changed(memory, now, desired - current);
                status.put("lastScaleTime", now.to_string());
                let message =
                    format!("the HPA controller was able to update the target scale to {desired}");
                conditions.set("AbleToScale", true, "SucceededRescale", &message);
            }
            Err(error) => {
                let message =
                    format!("the HPA controller was unable to update the target scale: {error}");
                conditions.set("AbleToScale", false, "FailedUpdateScale", &message);
            }
        }
        Ok(())
    }
}

/// The path of the workload that an autoscaler scales.
fn target(hpa: &Value) -> Result<String, String> {
    let (namespace, reference) = (hpa.text("/metadata/namespace"), "/spec/scaleTargetRef");
    let name = hpa.text(&format!("{reference}/name"));
    let plural = match hpa.text(&format!("{reference}/kind")) {
        "Deployment" => "deployments",
        "StatefulSet" => "statefulsets",
        other => return Err(format!("no matches for kind \"{other}\"")),
    };
    Ok(format!(
        "/apis/apps/v1/namespaces/{namespace}/{plural}/{name}"
    ))
}

/// The most that any metric asks for, and which. A metric without a value prevents a scale-down, and everything if there
/// is no other.
fn recommend(
    answers: Vec<Result<Answer, Failure>>,
    current: i64,
) -> Result<(i64, String), Failure> {
    let mut failures = Vec::new();
    let mut best: Option<(i64, String)> = None;
    for answer in answers {
        match answer {
            Ok(answer)
                if best
                    .as_ref()
                    .is_none_or(|(most, _)| answer.replicas > *most) =>
            {
                best = Some((answer.replicas, answer.name));
            }
            Ok(_) => {}
            Err(failure) => failures.push(failure),
        }
    }
    let first = failures.into_iter().next();
    match (best, first) {
        (Some((replicas, name)), None) => Ok((replicas, name)),
        (Some((replicas, name)), Some(_)) if replicas >= current => Ok((replicas, name)),
        (_, Some(failure)) => Err(failure),
        (None, None) => Err(("InvalidMetricSourceType", "no metrics".to_owned())),
    }
}
