//! The flags of what leaves the server.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use reqwest::Url;

use super::remote_write::{self, ExternalLabel, MAX_EXTERNAL_LABELS, MetricPattern, Protocol};
use crate::flag_values::{bytes, duration_in};
use crate::outbound::{Client, OutboundError, url};

/// The flags of remote write, and of the election of the replica that writes.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Export")]
pub struct ExportFlags {
    /// The URL of a Prometheus remote-write receiver; the flag may be repeated.
    #[arg(long, value_name = "URL", value_parser = url)]
    pub remote_write_url: Vec<Url>,

    /// The version of the protocol. A receiver that does not support 2.0 gets 1.0.
    #[arg(long, value_name = "VERSION", value_enum, default_value_t)]
    pub remote_write_protocol: Protocol,

    /// A file with credentials, CA and headers for the receivers, in the form of Prometheus' http_config. It is read again
    /// when it changes. With several URLs, one file for all, or one for each in the same order.
    #[arg(long, value_name = "FILE")]
    pub remote_write_http_config: Vec<PathBuf>,

    /// A label of every series, such as cluster=prod; the flag may be repeated.
    #[arg(long, value_name = "NAME=VALUE")]
    pub remote_write_external_label: Vec<ExternalLabel>,

    /// Each replica writes, and adds this label with its host name, for receivers that deduplicate. Without it, one
    /// replica writes.
    #[arg(long, value_name = "LABEL")]
    pub remote_write_replica_label: Option<String>,

    /// Write only metrics whose whole name matches this regular expression; the flag may be repeated.
    #[arg(long, value_name = "REGEX")]
    pub remote_write_keep: Vec<MetricPattern>,

    /// Do not write metrics whose whole name matches this regular expression; the flag may be repeated.
    #[arg(long, value_name = "REGEX")]
    pub remote_write_drop: Vec<MetricPattern>,

    /// The memory for requests that wait, for each receiver.
    #[arg(long, value_name = "QUANTITY", default_value = "64Mi", value_parser = bytes)]
    pub remote_write_queue_memory: usize,

    /// The space below --state-dir for requests that wait, for each receiver.
    #[arg(long, value_name = "QUANTITY", default_value = "1Gi", value_parser = bytes)]
    pub remote_write_queue_disk: usize,

    /// The time after which a request to a receiver fails.
    #[arg(long, value_name = "DURATION", default_value = "30s",
          value_parser = duration_in(Duration::from_secs(1), Duration::from_secs(300)))]
    pub remote_write_timeout: Duration,

    /// The time between two samples of nodes, pods, incidents and HPAs. Usage is written for each scrape.
    #[arg(long, value_name = "DURATION", default_value = "1m0s",
          value_parser = duration_in(Duration::from_secs(5), Duration::from_secs(300)))]
    pub remote_write_objects_interval: Duration,

    /// Use a Lease in the Service's namespace to choose the one replica that writes.
    #[arg(long, default_value_t = true)]
    pub leader_elect: bool,
}

/// What leaves the server, and how.
#[derive(Debug)]
pub struct ExportSettings {
    pub(crate) remote_write: Option<remote_write::Settings>,
    /// Whether a Lease chooses the replica that writes.
    pub(crate) leader_elect: bool,
    /// Whether each replica writes series, with a label of its own.
    pub(crate) each_writes: bool,
}

/// Flags that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ExportFlagError {
    /// Credentials cannot be used.
    #[error("--remote-write-http-config: {0}")]
    HttpConfig(#[from] OutboundError),
    /// There is not one file for each URL.
    #[error(
        "--remote-write-http-config: {files} files for {urls} URLs; write one for all, or one for each"
    )]
    Files {
        /// The number of files.
        files: usize,
        /// The number of URLs.
        urls: usize,
    },
    /// There are too many labels.
    #[error("--remote-write-external-label: at most {MAX_EXTERNAL_LABELS} labels")]
    Labels,
    /// The replica label has no valid name.
    #[error("--remote-write-replica-label: {0:?} is no label name")]
    ReplicaLabel(String),
}

impl ExportFlags {
    /// The settings.
    ///
    /// # Errors
    /// Flags contradict each other, or credentials cannot be used.
    pub fn settings(self) -> Result<ExportSettings, ExportFlagError> {
        Ok(ExportSettings {
            leader_elect: self.leader_elect,
            each_writes: self.remote_write_replica_label.is_some(),
            remote_write: self.remote_write()?,
        })
    }

    fn remote_write(self) -> Result<Option<remote_write::Settings>, ExportFlagError> {
        let (files, urls) = (self.remote_write_http_config, self.remote_write_url);
        if urls.is_empty() {
            return Ok(None);
        }
        if files.len() > 1 && files.len() != urls.len() {
            let (files, urls) = (files.len(), urls.len());
            return Err(ExportFlagError::Files { files, urls });
        }
        let client = |file: Option<PathBuf>| Client::new(file, self.remote_write_timeout);
        let mut receivers = Vec::with_capacity(urls.len());
        for (at, url) in urls.into_iter().enumerate() {
            let own = if files.len() > 1 {
                files.get(at)
            } else {
                files.first()
            };
            receivers.push((url, Arc::new(client(own.cloned())?)));
        }
        let mut external = self.remote_write_external_label;
        if let Some(name) = self.remote_write_replica_label {
            let value = super::host_name();
            let label = format!("{name}={value}").parse();
            external.push(label.map_err(|_| ExportFlagError::ReplicaLabel(name))?);
        }
        if external.len() > MAX_EXTERNAL_LABELS {
            return Err(ExportFlagError::Labels);
        }
        Ok(Some(remote_write::Settings {
            receivers,
            protocol: self.remote_write_protocol,
            external,
            keep: self.remote_write_keep,
            drop: self.remote_write_drop,
            queue_memory: self.remote_write_queue_memory,
            queue_disk: self.remote_write_queue_disk as u64,
            objects_interval: self.remote_write_objects_interval,
        }))
    }
}
