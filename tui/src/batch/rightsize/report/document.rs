//! The advice as JSON and YAML.

use kubevitals_proto::duration::GoDuration;
use kubevitals_proto::time::Timestamp;
use kubevitals_proto::units::Bytes;
use schemars::JsonSchema;
use serde::Serialize;

use super::{Line, Report};
use crate::batch::history::{Percentiles, cores};
use crate::batch::rightsize::cost::{Change, Changes, Prices};
use crate::batch::rightsize::rules::{Advised, Refusal, Rules};

/// What JSON and YAML contain beside the head.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Content {
    /// The rules of the advice.
    pub rules: RulesItem,
    /// The sum of the requests that the advice lowers, of all pods.
    pub saved: Amounts,
    /// The sum of the requests that the advice raises, of all pods.
    pub added: Amounts,
    /// What the advice saves a month, in the unit of the prices; negative if it costs more. Null without prices.
    pub saved_per_month: Option<f64>,
    /// One item for each container of each workload.
    pub items: Vec<Item>,
}

/// The rules of the advice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RulesItem {
    /// The percentile of CPU that a request covers; 100 is the maximum.
    pub cpu_percentile: u8,
    /// The margin above it, in percent.
    pub cpu_margin: u32,
    /// The margin above the most memory that was seen, in percent.
    pub memory_margin: u32,
    /// The least history for advice, in seconds.
    pub min_history: i64,
}

/// CPU in cores and memory in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
pub struct Amounts {
    /// Cores.
    pub cpu: f64,
    /// Bytes.
    pub memory: i64,
}

/// A container of a workload.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Item {
    /// The namespace.
    pub namespace: String,
    /// The kind of the workload: `Deployment`, …; `Pod` for a pod without one.
    pub kind: String,
    /// The name of the workload.
    pub workload: String,
    /// The name of the container.
    pub container: String,
    /// Whether it is a sidecar: an init container that runs beside the others.
    pub sidecar: bool,
    /// The pods that exist and have not ended.
    pub pods: u64,
    /// The deleted and ended pods whose usage counts.
    pub past_pods: u64,
    /// Whether the existing pods have different requests or limits. Those of the latest pod are compared.
    pub pods_differ: bool,
    /// Whether the pods have the QoS class Guaranteed: the advice keeps it.
    pub guaranteed: bool,
    /// The time that samples of at least one pod cover, in seconds.
    pub history: i64,
    /// The number of samples of all pods.
    pub samples: u64,
    /// The time of the first sample.
    #[schemars(with = "Option<String>")]
    pub since: Option<Timestamp>,
    /// The time of the last sample.
    #[schemars(with = "Option<String>")]
    pub until: Option<Timestamp>,
    /// The restarts in the span.
    pub restarts: u64,
    /// The restarts after an OOM kill.
    pub oom_kills: u64,
    /// CPU in cores.
    pub cpu: Resource<f64>,
    /// Memory in bytes.
    pub memory: Resource<u64>,
    /// What the advice saves, of all pods; negative if it requests more.
    pub saved: Amounts,
    /// What the advice saves a month; null without prices.
    pub saved_per_month: Option<f64>,
}

/// The usage of a resource, its request and limit, and the advice.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ResourceOf{T}")]
pub struct Resource<T> {
    /// The usage of the pod with the highest usage, at each percentile. Null without samples.
    pub usage: Option<Percentiles<T>>,
    /// The request in force. Null if it is not set.
    pub request: Option<T>,
    /// The limit in force. Null if it is not set.
    pub limit: Option<T>,
    /// The advice. Null if there is none.
    pub advised: Option<AdvisedItem<T>>,
    /// Why there is no advice. Null if there is advice.
    pub refused: Option<RefusedItem>,
}

/// Advice on a resource.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "AdviceOf{T}")]
pub struct AdvisedItem<T> {
    /// The request.
    pub request: T,
    /// The limit. Null if none is set.
    pub limit: Option<T>,
    /// Whether the need is at least this: the present limit hides the rest.
    pub at_least: bool,
}

/// Why there is no advice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RefusedItem {
    /// One word: `NoSamples`, `LittleHistory`, `FewSamples`, `CrashLoop`, `OOMKilled` or `MemoryGrows`.
    pub reason: String,
    /// A sentence.
    pub message: String,
}

impl Report {
    /// The content of JSON and YAML.
    pub fn document(&self) -> Content {
        let mut all = Changes::default();
        for line in &self.lines {
            all += line.change;
        }
        let mut net = all.saved;
        net += all.added;
        Content {
            rules: RulesItem::of(&self.rules),
            saved: Amounts::of(&all.saved),
            added: Amounts::of(&Change {
                cpu: -all.added.cpu,
                memory: -all.added.memory,
            }),
            saved_per_month: self.prices.of_month(&net),
            items: self
                .lines
                .iter()
                .map(|line| Item::of(line, &self.prices))
                .collect(),
        }
    }
}

impl RulesItem {
    fn of(rules: &Rules) -> Self {
        Self {
            cpu_percentile: rules.cpu_percentile.percentile(),
            cpu_margin: rules.cpu_margin.0,
            memory_margin: rules.memory_margin.0,
            min_history: seconds(rules.min_history),
        }
    }
}

impl Amounts {
    fn of(change: &Change) -> Self {
        Self {
            cpu: change.cores(),
            memory: i64::try_from(change.memory).unwrap_or(i64::MAX),
        }
    }
}

impl Item {
    fn of(line: &Line, prices: &Prices) -> Self {
        let Line {
            key,
            evidence,
            advice,
            change,
        } = line;
        let has_samples = evidence.samples > 0;
        let (cpu, memory) = (&evidence.cpu, &evidence.memory);
        Self {
            namespace: key.namespace.clone(),
            kind: key.kind.clone(),
            workload: key.workload.clone(),
            container: key.container.clone(),
            sidecar: evidence.is_sidecar,
            pods: evidence.replicas,
            past_pods: evidence.past_replicas,
            pods_differ: evidence.differs,
            guaranteed: evidence.is_guaranteed,
            history: seconds(evidence.history),
            samples: evidence.samples,
            since: evidence.span.map(|(since, _)| since),
            until: evidence.span.map(|(_, until)| until),
            restarts: evidence.restarts,
            oom_kills: evidence.oom_kills,
            cpu: Resource {
                usage: has_samples.then(|| Percentiles::of_cpu(cpu)),
                request: evidence.spec.cpu_request.map(cores),
                limit: evidence.spec.cpu_limit.map(cores),
                ..Resource::of(&advice.cpu, cores)
            },
            memory: Resource {
                usage: has_samples.then(|| Percentiles::of_memory(memory)),
                request: evidence.spec.memory_request.map(bytes),
                limit: evidence.spec.memory_limit.map(bytes),
                ..Resource::of(&advice.memory, bytes)
            },
            saved: Amounts::of(change),
            saved_per_month: prices.of_month(change),
        }
    }
}

impl<T> Resource<T> {
    fn of<U: Copy>(advice: &Result<Advised<U>, Refusal>, number: fn(U) -> T) -> Self {
        Self {
            usage: None,
            request: None,
            limit: None,
            advised: advice.as_ref().ok().map(|advised| AdvisedItem {
                request: number(advised.request),
                limit: advised.limit.map(number),
                at_least: advised.at_least,
            }),
            refused: advice.as_ref().err().map(|refusal| RefusedItem {
                reason: refusal.reason().to_owned(),
                message: refusal.to_string(),
            }),
        }
    }
}

fn seconds(duration: GoDuration) -> i64 {
    duration.0 / 1_000_000_000
}

fn bytes(memory: Bytes) -> u64 {
    memory.0
}
