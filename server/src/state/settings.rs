//! What is persisted, and where: flags and settings.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::INCIDENTS;
use crate::flag_values::{is_dns_label, zero_or_in};

/// Writing more often costs more than it saves.
const SHORTEST: Duration = Duration::from_secs(10);

/// The flags of the persisted state.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "State")]
pub struct StateFlags {
    /// The folder that persists the state of this replica, which no other may share. A restarted server reads it: it
    /// answers at once and has its history.
    #[arg(long, value_name = "FOLDER")]
    pub state_dir: Option<PathBuf>,

    /// The time between two writes of the state, at least 10s; 0 to write only at shutdown.
    #[arg(long, value_name = "DURATION", default_value = "5m0s",
          value_parser = zero_or_in(SHORTEST, Duration::MAX))]
    pub state_interval: Duration,

    /// The ConfigMap in the Service's namespace that persists incidents, so that they outlive the pod; empty for none.
    /// It must exist and may be empty: the server never creates it.
    #[arg(long, value_name = "NAME", default_value = INCIDENTS, value_parser = subdomain)]
    pub incidents_configmap: String,
}

/// Where the state is persisted, and how often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The folder.
    pub folder: PathBuf,
    /// The interval of writes while the server runs; zero for none.
    pub interval: Duration,
}

impl StateFlags {
    /// Where the state is persisted, if anywhere.
    pub fn settings(&self) -> Option<Settings> {
        let folder = self.state_dir.clone()?;
        let interval = self.state_interval;
        Some(Settings { folder, interval })
    }

    /// The ConfigMap for incidents, if any.
    pub fn incidents(&self) -> Option<String> {
        let name = Some(self.incidents_configmap.clone());
        name.filter(|name| !name.is_empty())
    }
}

/// A ConfigMap's name (RFC 1123 subdomain), or nothing.
fn subdomain(text: &str) -> Result<String, String> {
    let valid = text.is_empty() || (text.len() <= 253 && text.split('.').all(is_dns_label));
    valid
        .then(|| text.to_owned())
        .ok_or_else(|| "write the name of a ConfigMap, or nothing for none".to_owned())
}
