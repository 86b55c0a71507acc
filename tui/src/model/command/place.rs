//! A place that a command shows.

use std::fmt;
use std::str::FromStr;

use kubevitals_proto::time::Timestamp;

use super::error::CommandError;
use crate::model::filter::Filter;
use crate::model::name::{Key, Name};
use crate::model::scope::Scope;
use crate::model::view::View;

/// A view with its scope, namespaces and filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The view.
    pub view: View,
    /// The scope.
    pub scope: Scope,
    /// The rest.
    pub details: Details,
}

/// What is chosen at a place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Details {
    /// The namespaces, empty for all; `None` leaves those that are chosen.
    pub namespaces: Option<Vec<Name>>,
    /// The selected row; `None` leaves it.
    pub selected: Option<Key>,
    /// The time on the screen; `None` leaves it.
    pub at: Option<Timestamp>,
    /// The filter; `None` leaves the one of the view.
    pub filter: Option<String>,
}

impl FromStr for Details {
    type Err = CommandError;

    /// Parses what is behind a view or an object: `-n shop,payments` or `-A`, `--select shop/web-1`, `--at TIME`, then a
    /// filter.
    fn from_str(text: &str) -> Result<Self, CommandError> {
        let mut details = Self::default();
        let mut rest = text.trim_start();
        loop {
            let (flag, others) = split(rest);
            let (value, behind) = split(others);
            rest = match flag {
                "-A" | "--all-namespaces" => {
                    details.namespaces = Some(Vec::new());
                    others
                }
                "-n" | "--namespace" => {
                    let names = value.split(',').filter(|name| !name.is_empty());
                    details.namespaces = Some(names.map(Name::from).collect());
                    behind
                }
                "--select" => {
                    details.selected = (!value.is_empty()).then(|| key(value));
                    behind
                }
                "--at" => {
                    let at = value.parse();
                    details.at = Some(at.map_err(|_| CommandError::Time(value.to_owned()))?);
                    behind
                }
                _ => break,
            };
        }
        // k9s has a slash before a filter.
        let filter = rest.trim();
        let filter = filter.strip_prefix('/').unwrap_or(filter);
        filter
            .parse::<Filter>()
            .map_err(|error| CommandError::Filter(error.to_string()))?;
        let is_written = !filter.is_empty() || details != Self::default();
        details.filter = is_written.then(|| filter.to_owned());
        Ok(details)
    }
}

/// The first word, and what is behind it.
fn split(text: &str) -> (&str, &str) {
    let (first, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    (first, rest.trim_start())
}

/// `worker-1`, `shop/web-1`, `shop/web-1/app`.
fn key(text: &str) -> Key {
    match text.split_once('/') {
        None => Key::named(&Name::from(text)),
        Some((namespace, rest)) => {
            let (name, part) = rest.split_once('/').unwrap_or((rest, ""));
            Key::new(&Name::from(namespace), &Name::from(name)).part(&Name::from(part))
        }
    }
}

fn key_text(key: &Key) -> String {
    match (&*key.namespace, &*key.name, &*key.part) {
        ("", name, "") => name.to_owned(),
        (namespace, name, "") => format!("{namespace}/{name}"),
        (namespace, name, part) => format!("{namespace}/{name}/{part}"),
    }
}

impl fmt::Display for Details {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.namespaces {
            Some(all) if all.is_empty() => f.write_str(" -A")?,
            Some(names) => write!(f, " -n {}", names.join(","))?,
            None => {}
        }
        if let Some(selected) = &self.selected {
            write!(f, " --select {}", key_text(selected))?;
        }
        if let Some(at) = self.at {
            write!(f, " --at {}", at.to_rfc3339_seconds())?;
        }
        match self.filter.as_deref() {
            None | Some("") => Ok(()),
            // It is no flag, and its own slash is no sign of a filter.
            Some(filter) if filter.starts_with(['-', '/']) => write!(f, " /{filter}"),
            Some(filter) => write!(f, " {filter}"),
        }
    }
}

impl fmt::Display for Place {
    /// As the palette parses it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.scope {
            Scope::All => f.write_str(self.view.info().id)?,
            Scope::Node(name) => write!(f, "node/{name}")?,
            Scope::Namespace(name) => write!(f, "namespace/{name}")?,
            Scope::Pod(key) => write!(f, "pod/{} -n {}", key.name, key.namespace)?,
            Scope::Hpa(key, _) => write!(f, "hpas name={}", key.name)?,
            // The palette has no commands for the pods of a claim or of a problem.
            Scope::Problem(_) => f.write_str("overview")?,
            Scope::Claim(key, _) => write!(f, "volumes --select {}", key_text(key))?,
            Scope::Workload(namespace, workload) => {
                write!(f, "{}/{} -n {namespace}", workload.kind, workload.name)?;
            }
        }
        self.details.fmt(f)
    }
}
