//! The chain from a pod to the value of one of its own metrics.

use std::sync::Arc;
use std::time::Duration;

use kubevitals_proto::time::Timestamp;

use super::{Absence, Reading, Value};
use crate::cluster::PodKey;

/// The chain from a pod to a value: the first step that fails explains the others.
#[derive(Debug, Clone)]
pub struct Explanation {
    /// What selects the pod for a scrape, or why nothing does, as a clause.
    pub selected: Result<Selected, String>,
    /// The last scrape of the pod, or of the exporter that names it; none before the first.
    pub scrape: Option<LastScrape>,
    /// What asks for the family, so that it is kept: nothing, or one or more.
    pub kept: Vec<Demand>,
    /// The family that the name stands for, if the last scrape had it and it is kept.
    pub family: Option<Family>,
    /// The number of kept series of the family, and how many of them the selector matches.
    pub series: (usize, usize),
    /// The value, or the first reason why there is none.
    pub value: Result<Value, Absence>,
}

/// What selects a pod for a scrape, and what is scraped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selected {
    /// What selects it.
    pub by: SelectedBy,
    /// The URL.
    pub url: String,
    /// The time between two scrapes.
    pub interval: Duration,
}

/// What selects a pod for a scrape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SelectedBy {
    /// Its annotation or label of this name.
    Annotation(&'static str),
    /// The rule of this name in the config file, or a built-in rule.
    Rule(Arc<str>),
    /// An exporter whose series name the pod.
    Exporter(PodKey),
}

/// The last scrape of a pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastScrape {
    /// When it ended.
    pub at: Timestamp,
    /// How long it took.
    pub duration: Duration,
    /// The bytes of the response, after decompression.
    pub bytes: usize,
    /// The samples of the kept families in the response.
    pub samples: usize,
    /// What was refused or skipped, each as a clause: lines that do not parse, series above a limit.
    pub problems: Vec<String>,
    /// The error as a clause, and what to do about it.
    pub result: Result<(), (String, String)>,
}

/// A family that a pod exposes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Family {
    /// The name that the pod exposes.
    pub name: Arc<str>,
    /// `gauge`, `counter`, `histogram`, `native histogram`, `summary` or `untyped`.
    pub kind: &'static str,
    /// What the name reads from it.
    pub reading: Reading,
}

/// What asks for a family.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Demand {
    /// A HorizontalPodAutoscaler.
    Hpa(PodKey),
    /// An entry of `keep` in the config file.
    Config(Arc<str>),
    /// A request of the API within the last minutes.
    Asked,
}
