//! Requests why a pod or a node has metrics or not, from a vitals-server.

use kubevitals_proto::metrics::Version;
use kubevitals_proto::why::Why;
use serde_json::Value;

use super::client::JSON;
use super::metrics_api::{MetricsApi, Path};
use super::{Error, Failure};

/// A response, parsed and as received.
#[derive(Debug, Clone, PartialEq)]
pub struct WhyResponse {
    /// The parsed response.
    pub why: Why,
    /// The whole response.
    pub json: Value,
}

impl MetricsApi {
    /// Requests why a pod has metrics or not; without a namespace, why a node has.
    ///
    /// # Errors
    /// The request failed; [`is_not_ours`] detects a server without this subresource.
    pub async fn why(
        &self,
        version: Version,
        namespace: Option<&str>,
        name: &str,
    ) -> Result<WhyResponse, Error> {
        let path = Path::metrics(version);
        let path = match namespace {
            Some(namespace) => path.pods(namespace)?,
            None => path.nodes(),
        };
        let response = self.get(path.name(name)?.why(), JSON).await?;
        Ok(WhyResponse {
            why: response.parse()?,
            json: response.parse()?,
        })
    }
}

/// Whether the server is not a vitals-server: it does not have the path. A vitals-server returns a response even for a
/// missing pod.
pub fn is_not_ours(error: &Error) -> bool {
    matches!(error, Error::Server(Failure { code: 404, .. }))
}
