//! The flags of external queries, and what is made of them.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use reqwest::Url;

use super::config::{self, ConfigError, Query};
use crate::engine;
use crate::outbound;

/// The flags of external queries.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Pods' own metrics")]
pub struct ExternalQueryFlags {
    /// The file with PromQL queries whose results are external metrics. Each is sent at its interval while somebody reads
    /// it.
    #[arg(long, value_name = "FILE")]
    pub external_query_config: Option<PathBuf>,

    /// The Prometheus-compatible query API for these queries, its URL without /api/v1; by default that of --history-url,
    /// with its credentials.
    #[arg(long, value_name = "URL", value_parser = outbound::url)]
    pub external_query_url: Option<Url>,

    /// The file with the credentials for --external-query-url, in the form of Prometheus' http_config.
    #[arg(long, value_name = "FILE")]
    pub external_query_http_config: Option<PathBuf>,
}

/// The queries, and the engine that evaluates them.
#[derive(Debug)]
pub struct Settings {
    /// The queries.
    pub queries: Vec<Arc<Query>>,
    /// The engine.
    pub engine: engine::Settings,
}

/// Why external queries cannot be set up, in one line.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// A flag has no effect.
    #[error("{0}")]
    Flags(&'static str),
    /// The file cannot be used.
    #[error("--external-query-config: {0}")]
    Config(#[from] ConfigError),
}

impl ExternalQueryFlags {
    /// The queries, if there are any. `history` is the engine of the long history; `serves` tells whether external metrics
    /// are served at all.
    ///
    /// # Errors
    /// The file cannot be used, or a flag has no effect.
    pub fn settings(
        &self,
        history: Option<&engine::Settings>,
        serves: bool,
    ) -> Result<Option<Settings>, SettingsError> {
        let Some(path) = &self.external_query_config else {
            let alone =
                self.external_query_url.is_some() || self.external_query_http_config.is_some();
            return match alone {
                true => Err(SettingsError::Flags(
                    "--external-query-url and --external-query-http-config go with --external-query-config",
                )),
                false => Ok(None),
            };
        };
        if !serves {
            return Err(SettingsError::Flags(
                "--external-query-config has no effect without --pod-metrics",
            ));
        }
        let engine = match (&self.external_query_url, history) {
            (Some(url), _) => engine::Settings {
                url: url.clone(),
                timeout: config::LONGEST_TIMEOUT,
                http_config: self.external_query_http_config.clone(),
                matchers: Vec::new(),
            },
            (None, Some(_)) if self.external_query_http_config.is_some() => {
                return Err(SettingsError::Flags(
                    "--external-query-http-config goes with --external-query-url",
                ));
            }
            (None, Some(history)) => engine::Settings {
                timeout: config::LONGEST_TIMEOUT,
                ..history.clone()
            },
            (None, None) => {
                return Err(SettingsError::Flags(
                    "--external-query-config needs --external-query-url or --history-url",
                ));
            }
        };
        Ok(Some(Settings {
            queries: config::read(path)?,
            engine,
        }))
    }
}
