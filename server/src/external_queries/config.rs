//! The file of `--external-query-config`.

use std::collections::BTreeSet;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_saphyr::Spanned;

use crate::flag_values::duration_in;
use crate::telemetry::first_line;

/// The most bytes of the file.
const MAX_BYTES: u64 = 1 << 20;

/// The most queries.
const MAX_QUERIES: usize = 1_000;

/// Stands in a query for the namespace of the autoscaler that reads it.
const PLACEHOLDER: &str = "$namespace";

/// Allows all namespaces.
const ALL: &str = "*";

/// The names of the server's own external metrics begin so.
pub const RESERVED: &str = "kubevitals_";

const SHORTEST: Duration = Duration::from_secs(1);
const LONGEST_INTERVAL: Duration = Duration::from_secs(3_600);

/// The longest timeout of a query.
pub(super) const LONGEST_TIMEOUT: Duration = Duration::from_secs(50);

const INTERVAL: Duration = Duration::from_secs(30);
const TIMEOUT: Duration = Duration::from_secs(10);

/// A query whose result is an external metric.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// The name of the metric.
    pub name: Arc<str>,
    /// The PromQL, perhaps with a placeholder.
    query: String,
    /// The namespaces that may read it; none for all.
    namespaces: Option<BTreeSet<String>>,
    /// The time between two evaluations.
    pub interval: Duration,
    /// The longest time of an evaluation.
    pub timeout: Duration,
}

impl Query {
    /// Whether autoscalers of a namespace may read it.
    pub(super) fn allows(&self, namespace: &str) -> bool {
        is_namespace(namespace)
            && self
                .namespaces
                .as_ref()
                .is_none_or(|allowed| allowed.contains(namespace))
    }

    /// Whether each namespace has a result of its own.
    pub(super) fn is_of_namespace(&self) -> bool {
        self.query.contains(PLACEHOLDER)
    }

    /// The PromQL for a namespace, which must be allowed.
    pub(super) fn text(&self, namespace: &str) -> String {
        self.query.replace(PLACEHOLDER, namespace)
    }
}

/// Whether this may be the name of a namespace: such a name cannot end a string of PromQL.
fn is_namespace(name: &str) -> bool {
    (1..=63).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

/// Why the file cannot be used, in one line.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It cannot be read.
    #[error("cannot read {path:?}: {cause}")]
    File {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        cause: io::Error,
    },
    /// It is too large.
    #[error("{0:?} is larger than 1 MiB")]
    TooLarge(PathBuf),
    /// It has another form, or a value is invalid.
    #[error("{path:?} is no list of queries: {cause}")]
    Form {
        /// The file.
        path: PathBuf,
        /// The cause, with the number of the line.
        cause: String,
    },
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    queries: Vec<FileQuery>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileQuery {
    name: Spanned<String>,
    query: String,
    namespaces: Option<Vec<String>>,
    interval: Option<Time>,
    timeout: Option<Time>,
}

/// A duration as flags are written.
#[derive(Debug, Clone, Copy)]
struct Time(Duration);

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let parsed = duration_in(SHORTEST, LONGEST_INTERVAL)(&text);
        parsed
            .map(Self)
            .map_err(|error| D::Error::custom(format!("{text:?}: {error}")))
    }
}

/// Reads the file.
pub(super) fn read(path: &Path) -> Result<Vec<Arc<Query>>, ConfigError> {
    let failed = |cause| ConfigError::File {
        path: path.to_owned(),
        cause,
    };
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(failed)?;
    let bytes = file.take(MAX_BYTES + 1).read_to_string(&mut text);
    if bytes.map_err(failed)? as u64 > MAX_BYTES {
        return Err(ConfigError::TooLarge(path.to_owned()));
    }
    parse(&text).map_err(|cause| ConfigError::Form {
        path: path.to_owned(),
        cause,
    })
}

fn parse(text: &str) -> Result<Vec<Arc<Query>>, String> {
    let file: File =
        serde_saphyr::from_str(text).map_err(|error| first_line(&error.to_string()))?;
    if file.queries.len() > MAX_QUERIES {
        return Err(format!("there are more than {MAX_QUERIES} queries"));
    }
    let mut names = BTreeSet::new();
    let queries = file.queries.into_iter().map(|query| {
        let line = query.name.referenced.line();
        let name = query.name.value.clone();
        if !names.insert(name.clone()) {
            return Err(format!("line {line}: {name:?} is there twice"));
        }
        query
            .checked()
            .map_err(|cause| format!("line {line}: query {name:?}: {cause}"))
    });
    queries.collect()
}

impl FileQuery {
    fn checked(self) -> Result<Arc<Query>, String> {
        let name = self.name.value;
        let valid = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.:".contains(&byte);
        if name.is_empty() || name.len() > 253 || !name.bytes().all(valid) {
            return Err("a name has 1 to 253 letters, digits and _-.:".to_owned());
        }
        if name.starts_with(RESERVED) {
            return Err(format!(
                "names that begin with {RESERVED} are those of the server's own metrics: use another name"
            ));
        }
        if self.query.trim().is_empty() {
            return Err("the query is empty".to_owned());
        }
        let namespaces = match self.namespaces {
            Some(names) if names.iter().any(|name| name == ALL) => None,
            Some(names) => {
                if let Some(wrong) = names.iter().find(|name| !is_namespace(name)) {
                    return Err(format!("{wrong:?} is no name of a namespace"));
                }
                Some(names.into_iter().collect())
            }
            None if self.query.contains(PLACEHOLDER) => None,
            None => {
                return Err(format!(
                    "any namespace could read it: use {PLACEHOLDER} in the query, or list namespaces ({ALL:?} for all)"
                ));
            }
        };
        let timeout = self.timeout.map_or(TIMEOUT, |time| time.0);
        if timeout > LONGEST_TIMEOUT {
            return Err(format!(
                "the timeout must be at most {}s",
                LONGEST_TIMEOUT.as_secs()
            ));
        }
        Ok(Arc::new(Query {
            name: name.into(),
            query: self.query,
            namespaces,
            interval: self.interval.map_or(INTERVAL, |time| time.0),
            timeout,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_have_defaults_and_namespaces() {
        let text = "queries:\n- name: depth\n  query: sum(depth{namespace=\"$namespace\"})\n\
            - name: a.b:c\n  query: up\n  namespaces: [shop]\n  interval: 1m\n  timeout: 5s\n\
            - {name: all, query: up, namespaces: ['*']}\n";
        let queries = parse(text).unwrap();
        let [depth, other, all] = queries.as_slice() else {
            panic!("{queries:?}")
        };
        assert_eq!((depth.interval, depth.timeout), (INTERVAL, TIMEOUT));
        assert!(depth.is_of_namespace() && depth.allows("shop"));
        assert_eq!(depth.text("shop"), "sum(depth{namespace=\"shop\"})");
        assert!(other.allows("shop") && !other.allows("test") && !other.is_of_namespace());
        assert_eq!(other.interval, Duration::from_secs(60));
        assert!(all.allows("test"));
        for hostile in ["", "a\"} or up{x=\"", "A", "a/b", "a b", &"a".repeat(64)] {
            assert!(!all.allows(hostile) && !depth.allows(hostile), "{hostile}");
        }
    }

    #[test]
    fn a_bad_file_is_refused_with_the_line() {
        for (text, expected) in [
            ("", "unexpected end"),
            ("{}", "queries"),
            ("queries: 7\n", "line 1"),
            ("queries:\n- name: a\n", "query"),
            ("queries:\n- {name: a, query: up, more: 1}\n", "line 2"),
            (
                "queries:\n- {name: a, query: up}\n",
                "line 2: query \"a\": any namespace could read it",
            ),
            (
                "queries:\n- {name: a/b, query: $namespace}\n",
                "line 2: query \"a/b\": a name has",
            ),
            (
                "queries:\n- {name: kubevitals_open_incidents, query: $namespace}\n",
                "line 2: query \"kubevitals_open_incidents\": names that begin with kubevitals_",
            ),
            (
                "queries:\n- {name: a, query: ' ', namespaces: [b]}\n",
                "line 2: query \"a\": the query is empty",
            ),
            (
                "queries:\n- {name: a, query: up, namespaces: [B]}\n",
                "\"B\" is no name of a namespace",
            ),
            (
                "queries:\n- {name: a, query: $namespace}\n- name: a\n  query: $namespace\n",
                "line 3: \"a\" is there twice",
            ),
            (
                "queries:\n- name: a\n  query: $namespace\n  interval: 1\n",
                "line 4",
            ),
            (
                "queries:\n- name: a\n  query: $namespace\n  timeout: 2m\n",
                "the timeout must be at most 50s",
            ),
        ] {
            let refused = parse(text).unwrap_err();
            assert!(refused.contains(expected), "{text}: {refused}");
            assert!(!refused.contains('\n'));
        }
    }
}
