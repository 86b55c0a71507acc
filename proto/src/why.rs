//! Why a pod or a node has or lacks metrics: the response of our subresource `why` of the pods and nodes of
//! metrics.k8s.io; and of `podvitals` of kubevitals.io, for one of the metrics that a pod exposes itself.
//!
//! The response has the steps from the API server to the last point, up to the first that fails.

use serde::{Deserialize, Serialize};

use crate::duration::GoDuration;
use crate::time::Timestamp;
use crate::vitals::{ContainerState, Ended};

/// The subresource: `/apis/metrics.k8s.io/VERSION/namespaces/NAMESPACE/pods/NAME/why`, `…/nodes/NAME/why`.
pub const SUBRESOURCE: &str = "why";

/// The response.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Why {
    /// The kind of the response.
    pub kind: Kind,
    /// `metrics.k8s.io/v1`, `metrics.k8s.io/v1beta1` or `kubevitals.io/v1alpha1`.
    pub api_version: String,
    /// The pod or node.
    pub metadata: Subject,
    /// Whether the server has metrics now.
    pub available: bool,
    /// The outcome in one word, for programs: `available`, `zero_cpu`, `forbidden` …
    pub reason: String,
    /// The outcome in one sentence.
    pub verdict: String,
    /// What to do about it; empty when nothing needs to be done.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub hint: String,
    /// The age of the metrics, if there are any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub freshness: Option<Freshness>,
    /// The chain.
    pub steps: Vec<Step>,
    /// A pod's containers in the order of its spec, without init containers that have completed; then others that the
    /// kubelet reported.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub containers: Vec<Container>,
}

/// The kind of a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// A pod.
    PodMetricsWhy,
    /// A node.
    NodeMetricsWhy,
    /// One of the metrics that a pod exposes itself.
    OwnMetricWhy,
}

/// The name of a pod or node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// The name.
    pub name: String,
    /// The namespace; of a node, nothing.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub namespace: String,
}

/// The age of metrics.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Freshness {
    /// The time of the newest point, by the kubelet's clock.
    pub timestamp: Timestamp,
    /// The window of the CPU rate.
    pub window: GoDuration,
    /// The time since the server received that point, by the server's clock.
    pub age: GoDuration,
}

/// A step of the chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// The step.
    pub name: StepName,
    /// Whether the step succeeded.
    pub state: State,
    /// The message.
    pub message: String,
}

/// The steps, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum StepName {
    /// The API server has the pod or node.
    Known,
    /// The pod's phase is Running.
    Running,
    /// The pod is bound to a node, which the API server has and `--node-selector` selects.
    Node,
    /// The node's Ready condition is True.
    Ready,
    /// The server scraped the node's kubelet.
    Scraped,
    /// The node's other pages, which say more than usage: `/metrics/probes` and `/stats/summary`.
    Pages,
    /// The page has the pod or node.
    Reported,
    /// It is whole: nothing lacks that a rate needs.
    Whole,
    /// It is not too old.
    Fresh,
    /// The server scrapes pods' own metrics.
    Enabled,
    /// An annotation, a rule or an exporter selects the pod for a scrape.
    Selected,
    /// Somebody asks for the metric, so the server keeps it.
    Kept,
    /// The pod exposes the family that the name of the metric stands for.
    Family,
    /// The family has series that the selector matches.
    Series,
    /// The series have a value.
    Value,
    /// A step that is unknown to this client.
    #[serde(other)]
    Other,
}

/// Whether a step succeeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum State {
    /// The step succeeded.
    Ok,
    /// The step failed, but the next ones succeed for now.
    Warning,
    /// The step failed, and no later one can succeed.
    Failed,
    /// A state that is unknown to this client.
    #[serde(other)]
    Other,
}

/// A container: its state, and its last reading by the kubelet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Container {
    /// The name.
    pub name: String,
    /// Whether its last reading has all that its rate needs.
    pub whole: bool,
    /// The missing value, in one word.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub lack: String,
    /// Why it does not run, or else the missing value, in words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// The state, if the pod's status has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<ContainerState>,
    /// The last termination.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_ended: Option<Ended>,
}

impl Container {
    /// A container of which only the name is known.
    pub fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            whole: false,
            lack: String::new(),
            message: String::new(),
            state: None,
            last_ended: None,
        }
    }
}

/// A description of a problem, and a hint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// The problem: a clause without a final stop.
    pub what: String,
    /// What to do about it.
    pub hint: &'static str,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_has_this_form_and_newer_ones_parse() {
        let json = r#"{"kind":"PodMetricsWhy","apiVersion":"metrics.k8s.io/v1","metadata":{"name":"web","namespace":"shop"},"available":false,"reason":"zero_cpu","verdict":"v","hint":"h","steps":[{"name":"known","state":"ok","message":"m"}],"containers":[{"name":"a","whole":false,"lack":"zero_cpu","message":"m"}]}"#;
        let why: Why = serde_json::from_str(json).unwrap();
        assert_eq!(serde_json::to_string(&why).unwrap(), json);
        let newer = json
            .replace("\"known\"", "\"dreamt\"")
            .replace("\"ok\"", "\"perhaps\"")
            .replace("\"reason\"", "\"more\":1,\"reason\"");
        let why: Why = serde_json::from_str(&newer).unwrap();
        assert_eq!(
            (why.steps[0].name, why.steps[0].state),
            (StepName::Other, State::Other)
        );
    }
}
