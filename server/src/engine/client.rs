//! The client: requests with a timeout, a limit on their number, and a limit on the size of the responses.

use std::time::Duration;

use bytes::Bytes;
use form_urlencoded::Serializer;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use kubevitals_proto::labels::Labels as AllLabels;
use kubevitals_proto::time::Timestamp;
use parking_lot::Mutex;
use reqwest::Url;
use tokio::sync::Semaphore;

use super::answer::{self, Series};
use super::error::{EngineError, MAX_BODY};
use super::metrics::EngineMetrics;
use super::promql::{Matcher, Selector};
use super::settings::Settings;
use crate::outbound::{self, Client, OutboundError, shown_url};
use crate::telemetry::LogThrottle;
use crate::telemetry::metrics::Registry;

/// The most bytes of a response with an error.
const MAX_ERROR: usize = 64 << 10;

/// The number of concurrent requests.
const SLOTS: usize = 4;

/// The time between two warnings.
const WARNING_INTERVAL: Duration = Duration::from_secs(60);

/// The times of a range query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// The first.
    pub first: Timestamp,
    /// The last, or less than a step before it.
    pub last: Timestamp,
    /// The time between two, in nanoseconds.
    pub step: i64,
}

/// The client of the engine.
#[derive(Debug)]
pub struct Engine {
    client: Client,
    url: Url,
    timeout: Duration,
    matchers: Vec<Matcher>,
    slots: Semaphore,
    metrics: EngineMetrics,
    warnings: Mutex<LogThrottle>,
}

impl Engine {
    /// Makes a client. It sends nothing before the first query.
    ///
    /// # Errors
    /// The credentials cannot be used.
    pub fn new(settings: Settings) -> Result<Self, OutboundError> {
        let Settings {
            url,
            timeout,
            http_config,
            matchers,
        } = settings;
        Ok(Self {
            // The timeout of a query includes the wait for a slot, so it is the shorter one.
            client: Client::new(http_config, timeout * 2)?,
            url,
            timeout,
            matchers,
            slots: Semaphore::new(SLOTS),
            metrics: EngineMetrics::default(),
            warnings: Mutex::new(LogThrottle::new(WARNING_INTERVAL)),
        })
    }

    /// Registers the metrics.
    pub fn register(&self, registry: &mut Registry) {
        self.metrics.register(registry);
    }

    /// Registers the metrics of an engine for the queries of `--external-query-config`.
    pub fn register_external(&self, registry: &mut Registry) {
        self.metrics.register_external(registry);
    }

    /// Selects series of a metric, with the matchers of the settings. An empty name selects those of all metrics.
    pub fn select(&self, metric: &'static str) -> Selector {
        Selector::new(metric, &self.matchers)
    }

    /// Evaluates a query at one time.
    ///
    /// # Errors
    /// There is no usable answer.
    pub async fn instant(&self, query: &str, at: Timestamp) -> Result<Vec<Series>, EngineError> {
        self.query("query", query, &[("time", seconds(at.0))]).await
    }

    /// Evaluates a query at the times of a range.
    ///
    /// # Errors
    /// There is no usable answer.
    pub async fn range(&self, query: &str, range: Range) -> Result<Vec<Series>, EngineError> {
        let times = [
            ("start", seconds(range.first.0)),
            ("end", seconds(range.last.0)),
            ("step", seconds(range.step)),
        ];
        self.query("query_range", query, &times).await
    }

    /// Evaluates a query that somebody else wrote, with all labels of its series. The caller logs errors.
    ///
    /// # Errors
    /// There is no usable answer within the timeout, or within that of the settings.
    pub async fn evaluate(
        &self,
        query: &str,
        at: Timestamp,
        timeout: Duration,
    ) -> Result<Vec<Series<AllLabels>>, EngineError> {
        let in_flight = InFlight::begin(&self.metrics);
        let response = self.response("query", self.form(query, &[("time", seconds(at.0))]));
        let timeout = timeout.min(self.timeout);
        let response = tokio::time::timeout(timeout, response).await;
        drop(in_flight);
        let result = response.unwrap_or(Err(EngineError::Timeout(timeout)));
        let result = result.and_then(|body| answer::read(&body));
        self.count(&result);
        result
    }

    fn count<T>(&self, result: &Result<T, EngineError>) {
        let label = result
            .as_ref()
            .map_or_else(EngineError::reason, |_| "success");
        self.metrics.requests.inc([label]);
    }

    async fn query(
        &self,
        path: &str,
        query: &str,
        times: &[(&str, String)],
    ) -> Result<Vec<Series>, EngineError> {
        let in_flight = InFlight::begin(&self.metrics);
        let response = self.response(path, self.form(query, times));
        let response = tokio::time::timeout(self.timeout, response).await;
        drop(in_flight);
        let result = response.unwrap_or(Err(EngineError::Timeout(self.timeout)));
        let result = result.and_then(|body| answer::read(&body));
        self.count(&result);
        if let Err(error) = &result
            && let Some(unreported) = self.warnings.lock().allow()
        {
            tracing::warn!(
                url = shown_url(&self.url),
                unreported,
                "cannot read the long history: {error}; answers go back as far as the history in memory"
            );
        }
        result
    }

    fn form(&self, query: &str, times: &[(&str, String)]) -> String {
        let mut form = Serializer::new(String::new());
        form.append_pair("query", query).extend_pairs(times);
        // The engine need not work on what nobody waits for.
        form.append_pair("timeout", &format!("{}ms", self.timeout.as_millis()));
        form.finish()
    }

    /// The body of a successful response.
    async fn response(&self, path: &str, form: String) -> Result<Bytes, EngineError> {
        // Never closed.
        let _slot = self.slots.acquire().await;
        let form_type = HeaderValue::from_static("application/x-www-form-urlencoded");
        let headers = HeaderMap::from_iter([
            (CONTENT_TYPE, form_type),
            (ACCEPT, HeaderValue::from_static("application/json")),
        ]);
        let url = endpoint(&self.url, path);
        let response = self.client.send(Method::POST, &url, headers, form).await;
        let response = response.map_err(EngineError::Unreachable)?;
        let status = response.status();
        if status.is_success() {
            let body = outbound::read_limited(response, MAX_BODY).await;
            return body.map_err(|error| match error {
                OutboundError::TooLarge(_) => EngineError::TooLarge,
                error => EngineError::Unreachable(error),
            });
        }
        if status == StatusCode::TOO_MANY_REQUESTS {
            return Err(EngineError::Limited);
        }
        let code = status.as_u16();
        if status.is_redirection() {
            return Err(EngineError::Redirect(code));
        }
        if matches!(code, 401 | 403) {
            return Err(EngineError::Denied(code));
        }
        let body = outbound::read_limited(response, MAX_ERROR).await;
        let text = answer::error_text(&body.unwrap_or_default());
        Err(match status.is_client_error() {
            true => EngineError::Rejected(code, text),
            false => EngineError::Failed(code, text),
        })
    }
}

/// Counts a request while it waits or is in flight.
struct InFlight<'a>(&'a EngineMetrics);

impl<'a> InFlight<'a> {
    fn begin(metrics: &'a EngineMetrics) -> Self {
        metrics.in_flight.inc();
        Self(metrics)
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.in_flight.dec();
    }
}

/// The URL of a query. The path of the base may end with a slash, and its query stays.
fn endpoint(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    url.set_path(&format!(
        "{}/api/v1/{path}",
        base.path().trim_end_matches('/')
    ));
    url
}

/// Nanoseconds as seconds of the API, to the millisecond.
fn seconds(nanos: i64) -> String {
    let millis = nanos.div_euclid(1_000_000);
    format!(
        "{}.{:03}",
        millis.div_euclid(1_000),
        millis.rem_euclid(1_000)
    )
}

#[cfg(test)]
impl Engine {
    /// The number of requests by result, without those that never happened.
    pub(super) fn metrics_for_tests(&self) -> std::collections::BTreeMap<[&'static str; 1], u64> {
        let mut requests = self.metrics.requests.read();
        requests.retain(|_, count| *count > 0);
        requests
    }
}
