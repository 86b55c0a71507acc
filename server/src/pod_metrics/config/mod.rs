//! The file of `--pod-metrics-config`: which pods are scraped, how, and what is kept.

mod file;
mod reload;
mod rule;

use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use regex::RegexSet;

pub use file::ConfigError;
pub(super) use reload::{INTERVAL as RELOAD_INTERVAL, Reloader};
pub(super) use rule::{Access, Attribute, PortRef, Rule, Scheme};

/// What bounds the scrape of one pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bounds {
    /// The most bytes of a response, after decompression.
    pub(super) body: usize,
    /// The most kept series of a pod.
    pub(super) series: usize,
    /// The most bytes of a label's value; a series with a longer one is not kept.
    pub(super) label: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            body: 8 << 20,
            series: 1000,
            label: 512,
        }
    }
}

/// The families that are kept whether or not anybody asks for them: names, or anchored regular expressions.
#[derive(Debug, Clone)]
pub(super) struct Keep {
    patterns: Box<[Arc<str>]>,
    set: RegexSet,
}

impl Default for Keep {
    fn default() -> Self {
        Self {
            patterns: Box::default(),
            set: RegexSet::empty(),
        }
    }
}

impl Keep {
    /// Compiles the patterns.
    ///
    /// # Errors
    /// One is no regular expression, or they are too large together.
    pub(super) fn new(patterns: &[String]) -> Result<Self, String> {
        const MAX_SIZE: usize = 1 << 20;
        let anchored = patterns.iter().map(|it| format!("^(?:{it})$"));
        let set = regex::RegexSetBuilder::new(anchored)
            .size_limit(MAX_SIZE)
            .build()
            .map_err(|error| {
                let error = error.to_string();
                let last = error.lines().last().unwrap_or_default();
                format!("keep: {last}")
            })?;
        Ok(Self {
            patterns: patterns.iter().map(|it| Arc::from(&**it)).collect(),
            set,
        })
    }

    /// Whether there is no pattern.
    pub(super) fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// The first pattern that matches the name of a family.
    pub(super) fn pattern(&self, family: &str) -> Option<&Arc<str>> {
        let first = self.set.matches(family).into_iter().next()?;
        self.patterns.get(first)
    }
}

/// The config, from the file and the flags.
#[derive(Debug, Clone)]
pub(super) struct Config {
    /// The rules in order: the first that selects a pod decides. The built-in ones come last.
    pub(super) rules: Vec<Arc<Rule>>,
    /// How pods are scraped that ask for it by an annotation; none if annotations do not count.
    pub(super) annotated: Option<Arc<Rule>>,
    /// What is kept of every pod.
    pub(super) keep: Keep,
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
            allowed: Vec::new(),
            namespace_series: file::NAMESPACE_SERIES,
        }
    }
}
