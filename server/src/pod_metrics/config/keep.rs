//! Which families are kept of all that a page has.

use std::sync::Arc;

use regex::RegexSet;

/// The families that are kept whether or not anybody asks for them: names, or anchored regular expressions.
#[derive(Debug, Clone)]
pub(in crate::pod_metrics) struct Keep {
    patterns: Box<[Arc<str>]>,
    set: RegexSet,
}

impl PartialEq for Keep {
    fn eq(&self, other: &Self) -> bool {
        self.patterns == other.patterns
    }
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
    pub(in crate::pod_metrics) fn new(patterns: &[String]) -> Result<Self, String> {
        const MAX_SIZE: usize = 1 << 20;
        let anchored = patterns.iter().map(|it| format!("^(?:{it})$"));
        let set = regex::RegexSetBuilder::new(anchored)
            .size_limit(MAX_SIZE)
            .build()
            .map_err(|error| {
                let error = error.to_string();
                let last = error.lines().last().unwrap_or_default();
                format!("a name or regular expression: {last}")
            })?;
        Ok(Self {
            patterns: patterns.iter().map(|it| Arc::from(&**it)).collect(),
            set,
        })
    }

    /// Whether there is no pattern.
    pub(in crate::pod_metrics) fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// The first pattern that matches the name of a family.
    pub(in crate::pod_metrics) fn pattern(&self, family: &str) -> Option<&Arc<str>> {
        let first = self.set.matches(family).into_iter().next()?;
        self.patterns.get(first)
    }
}
