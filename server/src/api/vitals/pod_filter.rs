//! Which pods a list is of, beside what selectors can say.

use http::Uri;
use kubevitals_proto::needle::Needle;
use kubevitals_proto::wire::status::Status;

use super::query_params::{invalid_param, non_empty};
use crate::query::{Pod, VitalsBuilder};

/// How many words may be sought, and namespaces named, at most: each costs a list time for each pod.
const MAX_VALUES: usize = 32;

/// What is asked of pods, all of which must hold. Of what is told now or was at a time, so not of a watch, which is told
/// of changes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct PodFilter {
    /// In one of these namespaces; in any, if there is none.
    namespaces: Vec<String>,
    /// Made by a workload of this kind and name.
    workload: Option<(String, String)>,
    /// With these words, each of them in one of the texts that are told of a pod.
    words: Vec<Needle>,
    /// Well, or not.
    healthy: Option<bool>,
}

/// The parameters that say what pods are sought.
const PARAMETERS: [&str; 4] = ["namespaces", "workload", "search", "healthy"];

impl PodFilter {
    /// What the query string asks for.
    ///
    /// # Errors
    /// 400 for a value that a parameter does not take.
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

    /// Whether anything is asked of pods.
    pub(super) fn is_set(&self) -> bool {
        *self != Self::default()
    }

    /// The first parameter that asks something of pods.
    pub(super) fn first_param(uri: &Uri) -> Option<&'static str> {
        PARAMETERS
            .into_iter()
            .find(|parameter| non_empty(uri, parameter).is_some())
    }

    /// Whether a pod is one of them.
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

/// A workload: its kind and name.
///
/// # Errors
/// 400 for what is none.
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
            &format!("at most {MAX_VALUES}"),
        ));
    }
    Ok(parts)
}
