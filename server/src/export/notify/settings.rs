//! Where incidents are sent: flags and settings.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use reqwest::Url;

use super::signature::Keys;
use crate::export::is_label_name;
use crate::flag_values::{bytes, count, duration_in};
use crate::outbound::{Client, url};

/// The timeout of a request to a webhook or an Alertmanager.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The longest delay of an announcement.
const MAX_DELAY: Duration = Duration::from_secs(600);

/// The flags of incidents that are sent to other systems.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Incidents")]
pub struct IncidentFlags {
    /// The file to which incidents are appended as JSON lines. /dev/stdout is the output of the container.
    #[arg(long, value_name = "FILE")]
    pub incident_log: Option<PathBuf>,

    /// The size above which the log of incidents is renamed and started again.
    #[arg(long, value_name = "QUANTITY", default_value = "16Mi", value_parser = bytes)]
    pub incident_log_max_size: usize,

    /// The number of renamed logs of incidents that stay.
    #[arg(long, value_name = "NUMBER", default_value = "4", value_parser = count)]
    pub incident_log_max_files: usize,

    /// Create Kubernetes Events about incidents, on the objects that they are about.
    #[arg(long)]
    pub incident_events: bool,

    /// The URL to which incidents are sent as CloudEvents. May be repeated.
    #[arg(long, value_name = "URL", value_parser = url)]
    pub incident_webhook_url: Vec<Url>,

    /// The file with the keys that sign requests to webhooks, as Standard Webhooks has them: whsec_ and base64, one a
    /// line.
    #[arg(long, value_name = "FILE")]
    pub incident_webhook_key_file: Option<PathBuf>,

    /// The file with the credentials for webhooks, in the form of Prometheus' http_config.
    #[arg(long, value_name = "FILE")]
    pub incident_webhook_http_config: Option<PathBuf>,

    /// The URL of an Alertmanager, without /api/v2. May be repeated, once for each member of a cluster.
    #[arg(long, value_name = "URL", value_parser = url)]
    pub alertmanager_url: Vec<Url>,

    /// The file with the credentials for Alertmanager, in the form of Prometheus' http_config.
    #[arg(long, value_name = "FILE")]
    pub alertmanager_http_config: Option<PathBuf>,

    /// A label of all alerts and notices, such as cluster=prod. May be repeated.
    #[arg(long, value_name = "NAME=VALUE", value_parser = label)]
    pub incident_label: Vec<(String, String)>,

    /// The time between noticing an incident and announcing it, in which its evidence arrives and incidents with one
    /// cause are joined.
    #[arg(long, value_name = "DURATION", default_value = "30s",
          value_parser = duration_in(Duration::ZERO, MAX_DELAY))]
    pub incident_delay: Duration,
}

/// Where incidents are sent.
#[derive(Debug, Clone)]
pub struct Settings {
    pub(super) log: Option<LogSettings>,
    pub(super) events: bool,
    pub(super) webhooks: Option<Services>,
    pub(super) webhook_keys: Option<Keys>,
    pub(super) alertmanagers: Option<Services>,
    pub(super) labels: Arc<BTreeMap<String, String>>,
    pub(super) delay: Duration,
}

impl Settings {
    /// Whether one replica sends for all. Alertmanager identifies the alerts of all replicas by their labels.
    pub(in crate::export) fn has_notices(&self) -> bool {
        self.log.is_some() || self.events || self.webhooks.is_some()
    }
}

/// The services of one flag, and their client.
#[derive(Debug, Clone)]
pub(super) struct Services {
    pub(super) urls: Vec<Url>,
    pub(super) client: Arc<Client>,
}

impl Services {
    /// Each URL with the client.
    pub(super) fn each(&self) -> impl Iterator<Item = (Url, Arc<Client>)> + use<'_> {
        let urls = self.urls.iter().cloned();
        urls.map(|url| (url, Arc::clone(&self.client)))
    }

    /// None if there are no URLs.
    fn new(urls: &[Url], (flag, config): (&str, &Option<PathBuf>)) -> Result<Option<Self>, String> {
        if urls.is_empty() {
            return Ok(None);
        }
        let client = Client::new(config.clone(), TIMEOUT);
        let client = client.map_err(|error| format!("{flag}: {error}"))?;
        Ok(Some(Self {
            urls: urls.to_vec(),
            client: Arc::new(client),
        }))
    }
}

/// The log of incidents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LogSettings {
    pub(super) path: PathBuf,
    /// The size above which the file is renamed, in bytes.
    pub(super) max_size: u64,
    /// The number of renamed files.
    pub(super) max_files: usize,
}

impl IncidentFlags {
    /// Where incidents are sent, if anywhere.
    ///
    /// # Errors
    /// The keys or the credentials cannot be used, or a flag has no effect without another one; in one line.
    pub fn settings(&self) -> Result<Option<Settings>, String> {
        let webhook = !self.incident_webhook_url.is_empty();
        let alertmanager = !self.alertmanager_url.is_empty();
        for (name, set, needed, is_there) in [
            (
                "--incident-webhook-key-file",
                self.incident_webhook_key_file.is_some(),
                "--incident-webhook-url",
                webhook,
            ),
            (
                "--incident-webhook-http-config",
                self.incident_webhook_http_config.is_some(),
                "--incident-webhook-url",
                webhook,
            ),
            (
                "--alertmanager-http-config",
                self.alertmanager_http_config.is_some(),
                "--alertmanager-url",
                alertmanager,
            ),
        ] {
            if set && !is_there {
                return Err(format!("{name} has no effect without {needed}"));
            }
        }
        let log = self.incident_log.clone().map(|path| LogSettings {
            path,
            max_size: self.incident_log_max_size as u64,
            max_files: self.incident_log_max_files,
        });
        if log.is_none() && !self.incident_events && !webhook && !alertmanager {
            return Ok(None);
        }
        let keys = self.incident_webhook_key_file.clone().map(Keys::of_file);
        Ok(Some(Settings {
            log,
            events: self.incident_events,
            webhooks: Services::new(
                &self.incident_webhook_url,
                (
                    "--incident-webhook-http-config",
                    &self.incident_webhook_http_config,
                ),
            )?,
            webhook_keys: keys.transpose()?,
            alertmanagers: Services::new(
                &self.alertmanager_url,
                ("--alertmanager-http-config", &self.alertmanager_http_config),
            )?,
            labels: Arc::new(self.incident_label.iter().cloned().collect()),
            delay: self.incident_delay,
        }))
    }
}

/// A label with a name that Prometheus and Alertmanager accept, and that no alert has already.
fn label(text: &str) -> Result<(String, String), String> {
    let (name, value) = text
        .split_once('=')
        .ok_or_else(|| "write NAME=VALUE".to_owned())?;
    if !is_label_name(name) {
        return Err(format!("{name:?} is no label name"));
    }
    if super::alertmanager::LABELS.contains(&name) {
        return Err(format!("alerts already have a label {name}"));
    }
    if value.is_empty() {
        return Err(format!("the label {name} has no value"));
    }
    Ok((name.to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_those_of_prometheus() {
        assert_eq!(
            label("cluster=prod=1"),
            Ok(("cluster".to_owned(), "prod=1".to_owned()))
        );
        for (text, expected) in [
            ("cluster", "write NAME=VALUE"),
            ("=prod", "is no label name"),
            ("1st=a", "is no label name"),
            ("a-b=c", "is no label name"),
            ("severity=low", "already have a label severity"),
            ("cluster=", "has no value"),
        ] {
            let error = label(text).unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
