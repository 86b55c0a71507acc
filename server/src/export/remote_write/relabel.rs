//! Which series are written, and the labels that all of them get.

use std::collections::HashMap;
use std::str::FromStr;

use regex::Regex;

use crate::export::is_label_name;

/// A label of every series, which tells clusters and replicas apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExternalLabel {
    /// The name.
    pub name: String,
    /// The value.
    pub value: String,
}

impl FromStr for ExternalLabel {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || format!("{text:?} is no label: write NAME=VALUE, such as cluster=prod");
        let (name, value) = text.split_once('=').ok_or_else(error)?;
        let valid = is_label_name(name) && !name.starts_with("__") && !value.is_empty();
        valid.then_some(()).ok_or_else(error)?;
        Ok(Self {
            name: name.to_owned(),
            value: value.to_owned(),
        })
    }
}

/// A regular expression that matches the whole name of a metric, as in Prometheus' relabelling.
#[derive(Debug, Clone)]
pub struct MetricPattern(Regex);

impl FromStr for MetricPattern {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let anchored = Regex::new(&format!("^(?s:{text})$"));
        anchored
            .map(Self)
            .map_err(|_| format!("{text:?} is no regular expression: write one like kube_pod_.*"))
    }
}

/// The metrics that are written.
#[derive(Debug, Clone, Default)]
pub(super) struct MetricFilter {
    keep: Vec<MetricPattern>,
    drop: Vec<MetricPattern>,
    /// The decisions so far: there are few metrics.
    decided: HashMap<&'static str, bool>,
}

impl MetricFilter {
    /// Keeps the metrics that match one of `keep`, or all if it is empty, but none that matches one of `drop`.
    pub(super) fn new(keep: Vec<MetricPattern>, drop: Vec<MetricPattern>) -> Self {
        Self {
            keep,
            drop,
            decided: HashMap::new(),
        }
    }

    /// Whether a metric is written.
    pub(super) fn keeps(&mut self, name: &'static str) -> bool {
        let matches = |patterns: &[MetricPattern]| patterns.iter().any(|it| it.0.is_match(name));
        let decide = || (self.keep.is_empty() || matches(&self.keep)) && !matches(&self.drop);
        *self.decided.entry(name).or_insert_with(decide)
    }
}
