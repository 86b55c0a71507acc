//! The file of `--pod-metrics-config`: which pods are scraped, how, and what is kept.

mod aggregate;
mod bounds;
mod file;
mod form;
mod keep;
mod path;
mod reload;
mod rule;

use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;

use aggregate::Aggregates;
use bounds::NAMESPACE_SERIES;

pub use aggregate::Aggregate;
pub(super) use bounds::Bounds;
pub use file::ConfigError;
pub(super) use keep::Keep;
pub(super) use path::check_path;
pub(super) use reload::{INTERVAL as RELOAD_INTERVAL, Reloader};
pub(super) use rule::{Access, Attribute, PortRef, Rule, Scheme, Trust};

/// The config, from the file and the flags.
#[derive(Debug, Clone)]
pub(super) struct Config {
    /// The rules in order: the first that selects a pod decides. The built-in ones come last.
    pub(super) rules: Vec<Arc<Rule>>,
    /// How pods are scraped that ask for it by an annotation; none if annotations do not count.
    pub(super) annotated: Option<Arc<Rule>>,
    /// What is kept of every pod.
    pub(super) keep: Keep,
    /// How the values of an object's pods become one.
    pub(super) aggregates: Aggregates,
    /// Addresses that are scraped although they are loopback or link-local.
    pub(super) allowed: Vec<IpNet>,
    /// The most kept series of a namespace.
    pub(super) namespace_series: usize,
}

impl Config {
    /// The config without a file.
    pub(super) fn new(interval: Duration) -> Self {
        Self {
            rules: rule::built_in(interval),
            annotated: Some(Arc::new(Rule::annotated(interval))),
            keep: Keep::default(),
            aggregates: Aggregates::default(),
            allowed: Vec::new(),
            namespace_series: NAMESPACE_SERIES,
        }
    }

    /// Takes the rules over that are the same in the config before, so that their targets stay as they are.
    pub(super) fn adopt(&mut self, before: &Self) {
        let known = || before.rules.iter().chain(&before.annotated);
        for rule in self.rules.iter_mut().chain(&mut self.annotated) {
            if let Some(same) = known().find(|it| **it == *rule) {
                *rule = Arc::clone(same);
            }
        }
    }
}
