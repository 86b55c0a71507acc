//! A place that a command shows.

use std::fmt;

use crate::model::name::Name;
use crate::model::scope::Scope;
use crate::model::view::View;

/// A view with its scope, namespaces and filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The view.
    pub view: View,
    /// The scope.
    pub scope: Scope,
    /// The namespaces, empty for all; `None` leaves those that are chosen.
    pub namespaces: Option<Vec<Name>>,
    /// The filter; `None` leaves the one of the view.
    pub filter: Option<String>,
}

impl fmt::Display for Place {
    /// As the palette parses it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.scope {
            Scope::All => f.write_str(self.view.info().id)?,
            Scope::Node(name) => write!(f, "node/{name}")?,
            Scope::Namespace(name) => write!(f, "namespace/{name}")?,
            Scope::Pod(key) => write!(f, "pod/{} -n {}", key.name, key.namespace)?,
            // The palette has no commands for the pods of a claim or of a problem.
            Scope::Problem(_) => f.write_str("overview")?,
            Scope::Claim(key, _) => write!(f, "volumes name={}", key.name)?,
            Scope::Workload(namespace, workload) => {
                write!(f, "{}/{} -n {namespace}", workload.kind, workload.name)?;
            }
        }
        match (&self.scope, &self.namespaces) {
            (Scope::All | Scope::Node(_), Some(all)) if all.is_empty() => f.write_str(" -A")?,
            (Scope::All | Scope::Node(_), Some(names)) => write!(f, " -n {}", names.join(","))?,
            _ => {}
        }
        match self.filter.as_deref() {
            None | Some("") => Ok(()),
            Some(filter) => write!(f, " {filter}"),
        }
    }
}
