//! Which pods a list is of, beside what selectors can say.

use http::Uri;
use kubevitals_proto::needle::Needle;
use kubevitals_proto::wire::status::Status;

use super::given::{bad, given};
use crate::query::{Pod, VitalsBuilder};

/// How many words may be sought, and namespaces named, at most: each costs a list time for each pod.
const MOST: usize = 32;

/// What is asked of pods, all of which must hold. Of what is told now or was at a time, so not of a watch, which is told
/// of changes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Sought {
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

impl Sought {
    /// What the query string asks for.
    ///
    /// # Errors
    /// 400 for a value that a parameter does not take.
    pub(super) fn of(uri: &Uri) -> Result<Self, Status> {
        let mut sought = Self::default();
        if let Some(text) = given(uri, "namespaces") {
            sought.namespaces = few("namespaces", &text, text.split(','))?;
        }
        sought.workload = workload(uri)?;
        if let Some(text) = given(uri, "search") {
            let words = few("search", &text, text.split_whitespace())?;
            sought.words = words.iter().map(|word| Needle::new(word)).collect();
        }
        sought.healthy = match given(uri, "healthy").as_deref() {
            None => None,
            Some("true") => Some(true),
            Some("false") => Some(false),
            Some(text) => return Err(bad("healthy", text, "true or false")),
        };
        Ok(sought)
    }

    /// Whether anything is asked of pods.
    pub(super) fn is_any(&self) -> bool {
        *self != Self::default()
    }

    /// The first parameter that asks something of pods.
    pub(super) fn first(uri: &Uri) -> Option<&'static str> {
        PARAMETERS
            .into_iter()
            .find(|parameter| given(uri, parameter).is_some())
    }

    /// Whether a pod is one of them.
    pub(super) fn has(&self, builder: &VitalsBuilder, pod: &Pod) -> bool {
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
    let Some(text) = given(uri, "workload") else {
        return Ok(None);
    };
    match text.split_once('/') {
        Some((kind, name)) if !kind.is_empty() && !name.is_empty() => {
            Ok(Some((kind.to_owned(), name.to_owned())))
        }
        _ => Err(bad("workload", &text, "KIND/NAME, such as Deployment/web")),
    }
}

fn few<'a>(
    parameter: &str,
    text: &str,
    parts: impl Iterator<Item = &'a str>,
) -> Result<Vec<String>, Status> {
    let parts = parts.filter(|part| !part.is_empty());
    let parts: Vec<String> = parts.map(str::to_owned).take(MOST + 1).collect();
    if parts.len() > MOST {
        return Err(bad(parameter, text, &format!("at most {MOST}")));
    }
    Ok(parts)
}
