//! What a node answers, step by step.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use kubevitals_proto::time::Timestamp;
use serde_json::Value;
use thiserror::Error;

use crate::objects::Resource;

/// A folder cannot be replayed.
#[derive(Debug, Error)]
pub enum ReplayError {
    /// A file or folder cannot be read.
    #[error("cannot read {path}")]
    Read {
        /// Which.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// A file is not the JSON it should be.
    #[error("{path} is not JSON")]
    Json {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
    /// The folder holds neither scenarios nor a recording.
    #[error("{0} holds neither NN-name/K.txt nor NN-metrics-resource.txt files")]
    Unknown(PathBuf),
}

/// One node's part.
#[derive(Debug)]
pub(super) struct Script {
    pub(super) node: String,
    pub(super) uid: Option<String>,
    /// Bytes of the node's memory, if it was recorded.
    pub(super) memory: Option<u64>,
    pub(super) namespace: String,
    /// Objects that are there from the beginning.
    pub(super) objects: Vec<(Resource, Value)>,
    pub(super) steps: Vec<Step>,
}

/// What a node answers at one step, and what the API server holds then.
#[derive(Debug)]
pub(super) struct Step {
    /// The page, or the status with which the kubelet fails.
    pub(super) resource: Result<Bytes, u16>,
    pub(super) probes: Option<Bytes>,
    pub(super) summary: Option<Bytes>,
    pub(super) pods: Option<Vec<Value>>,
    pub(super) events: Option<Vec<Value>>,
    pub(super) nodes: Option<Vec<Value>>,
}

impl Step {
    /// The latest time in it, of usage or events, in whole seconds and not before that.
    pub(super) fn recorded(&self) -> Option<Timestamp> {
        let usage = self.resource.as_ref().ok().and_then(latest_millis);
        let usage = usage.map(|millis| Timestamp::from_secs(millis / 1_000 + 1));
        let events = self.events.iter().flatten();
        let times = events.filter_map(|event| event.get("lastTimestamp")?.as_str()?.parse().ok());
        usage.into_iter().chain(times).max()
    }

    /// Its objects of one kind, if they were recorded.
    pub(super) fn objects(&self, resource: Resource) -> Option<&[Value]> {
        match resource {
            Resource::Pods => self.pods.as_deref(),
            Resource::Events => self.events.as_deref(),
            Resource::Nodes => self.nodes.as_deref(),
            _ => None,
        }
    }
}

/// The latest timestamp of a page's samples, in milliseconds: `name{labels} value timestamp`.
fn latest_millis(page: &Bytes) -> Option<i64> {
    let text = std::str::from_utf8(page).ok()?;
    let samples = text.lines().filter(|line| !line.starts_with('#'));
    let usage = samples.filter(|line| line.contains("_cpu_usage_seconds_total"));
    usage
        .filter_map(|line| line.rsplit_once(' ')?.1.parse().ok())
        .max()
}

pub(super) fn read(path: &Path) -> Result<Bytes, ReplayError> {
    std::fs::read(path)
        .map(Bytes::from)
        .map_err(|source| ReplayError::Read {
            path: path.to_owned(),
            source,
        })
}
