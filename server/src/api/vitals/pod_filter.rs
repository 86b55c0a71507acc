//! A filter on pods that selectors cannot express.

use http::Uri;
use kubevitals_proto::needle::Needle;
use kubevitals_proto::wire::status::Status;

use super::query_params::{invalid_param, non_empty};
use crate::query::{Pod, VitalsBuilder};

/// The most words and namespaces in a filter: each costs time for each pod.
const MAX_VALUES: usize = 32;

/// Conditions on a pod, all of which must hold. For lists only: a watch reports changes of objects, not of matches.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct PodFilter {
    /// The pod is in one of these namespaces. Empty for any.
    namespaces: Vec<String>,
    /// A workload of this kind and name made the pod.
    workload: Option<(String, String)>,
    /// Each of these words occurs in one of the texts of the pod.
    words: Vec<Needle>,
    /// The pod is healthy, or is not.
    healthy: Option<bool>,
}

/// The parameters of the filter.
const PARAMETERS: [&str; 4] = ["namespaces", "workload", "search", "healthy"];

impl PodFilter {
    /// Reads the filter in the query string.
    ///
    /// # Errors
    /// 400 for an invalid value.
    pub(super) fn of(uri: &Uri) -> Result<Self, Status> {
        let mut filter = Self::default();
        if let Some(text) = non_empty(uri, "namespaces") {
            filter.namespaces = split_limited("namespaces", &text, text.split(','))?;
        }
        filter.workload = workload(uri)?;
        if let Some(text) = non_empty(uri, "search") {
            let words = split_limited("search", &text, text.split_whitespace())?;
            filter.words = words.iter().map(|word| Needle::new(word)).collect();
        }
        filter.healthy = match non_empty(uri, "healthy").as_deref() {
            None => None,
            Some("true") => Some(true),
            Some("false") => Some(false),
            Some(text) => return Err(invalid_param("healthy", text, "true or false")),
        };
        Ok(filter)
    }

    /// Whether there is any condition.
    pub(super) fn is_set(&self) -> bool {
        *self != Self::default()
    }

    /// The first parameter of the filter in a query string.
    pub(super) fn first_param(uri: &Uri) -> Option<&'static str> {
        PARAMETERS
            .into_iter()
            .find(|parameter| non_empty(uri, parameter).is_some())
    }

    /// Whether a pod matches all conditions.
    pub(super) fn matches(&self, builder: &VitalsBuilder, pod: &Pod) -> bool {
        let namespace = |name: &String| **name == *pod.key.namespace;
        (self.namespaces.is_empty() || self.namespaces.iter().any(namespace))
            && self
                .workload
                .as_ref()
                .is_none_or(|(kind, name)| builder.is_of_workload(pod, kind, name))
            && self.words.iter().all(|word| builder.mentions(pod, word))
            && self
                .healthy
                .is_none_or(|healthy| builder.is_healthy(pod) == healthy)
    }
}

/// Parses the kind and name of a workload.
///
/// # Errors
/// 400 for another form.
pub(super) fn workload(uri: &Uri) -> Result<Option<(String, String)>, Status> {
    let Some(text) = non_empty(uri, "workload") else {
        return Ok(None);
    };
    match text.split_once('/') {
        Some((kind, name)) if !kind.is_empty() && !name.is_empty() => {
            Ok(Some((kind.to_owned(), name.to_owned())))
        }
        _ => Err(invalid_param(
            "workload",
            &text,
            "KIND/NAME, such as Deployment/web",
        )),
    }
}

fn split_limited<'a>(
    parameter: &str,
    text: &str,
    parts: impl Iterator<Item = &'a str>,
) -> Result<Vec<String>, Status> {
    let parts = parts.filter(|part| !part.is_empty());
    let parts: Vec<String> = parts.map(str::to_owned).take(MAX_VALUES + 1).collect();
    if parts.len() > MAX_VALUES {
        return Err(invalid_param(
            parameter,
            text,
            &format!("at most {MAX_VALUES} values"),
        ));
    }
    Ok(parts)
}
