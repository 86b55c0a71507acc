//! Where the long history is: flags and settings.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use reqwest::Url;

use super::promql::Matcher;
use crate::flag_values::duration_in;
use crate::outbound;

const SHORTEST: Duration = Duration::from_secs(1);

/// A client of the Kubernetes API does not wait longer.
const LONGEST: Duration = Duration::from_secs(50);

/// The flags of the long history.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Long history")]
pub struct EngineFlags {
    /// The Prometheus-compatible query API that has what is older than the history in memory; its URL without /api/v1.
    #[arg(long, value_name = "URL", value_parser = outbound::url)]
    pub history_url: Option<Url>,

    /// The timeout of a query to the long history.
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = duration_in(SHORTEST, LONGEST))]
    pub history_timeout: Duration,

    /// The file with the credentials for the long history, in the form of Prometheus' http_config.
    #[arg(long, value_name = "FILE")]
    pub history_http_config: Option<PathBuf>,

    /// A label matcher that each query to the long history contains, such as cluster="prod". May be repeated.
    #[arg(long, value_name = "MATCHER")]
    pub history_matcher: Vec<Matcher>,
}

/// Where the long history is, and how it is read.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The URL, without `/api/v1`.
    pub url: Url,
    /// The timeout of a request.
    pub timeout: Duration,
    /// The file with the credentials.
    pub http_config: Option<PathBuf>,
    /// Label matchers of each query.
    pub matchers: Vec<Matcher>,
}

impl EngineFlags {
    /// Where the long history is, if anywhere.
    ///
    /// # Errors
    /// A flag has no effect, in one line.
    pub fn settings(&self) -> Result<Option<Settings>, &'static str> {
        let Some(url) = self.history_url.clone() else {
            if self.history_http_config.is_some() || !self.history_matcher.is_empty() {
                return Err("--history-http-config and --history-matcher go with --history-url");
            }
            return Ok(None);
        };
        Ok(Some(Settings {
            url,
            timeout: self.history_timeout,
            http_config: self.history_http_config.clone(),
            matchers: self.history_matcher.clone(),
        }))
    }
}
