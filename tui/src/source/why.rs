//! Requests why a pod or a node has metrics or not, from a vitals-server.

use kubevitals_proto::metrics::Version;
use kubevitals_proto::why::Why;
use serde_json::Value;

use super::client::JSON;
use super::metrics_api::{MetricsApi, Path};
use super::{Error, Failure};

/// A response, parsed and as received.
#[derive(Debug, Clone, PartialEq)]
pub struct WhyAnswer {
    /// The parsed response.
    pub why: Why,
    /// The whole response.
    pub json: Value,
}

impl MetricsApi {
    /// Requests why a pod has metrics or not.
    ///
    /// # Errors
    /// The request failed; [`is_not_ours`] detects a server without this subresource.
    pub async fn why_pod(
        &self,
        version: Version,
        namespace: &str,
        name: &str,
    ) -> Result<WhyAnswer, Error> {
        self.why(Path::metrics(version).pods(namespace)?.name(name)?)
            .await
    }

    /// Requests why a node has metrics or not.
    ///
    /// # Errors
    /// As [`why_pod`](Self::why_pod).
    pub async fn why_node(&self, version: Version, name: &str) -> Result<WhyAnswer, Error> {
        self.why(Path::metrics(version).nodes().name(name)?).await
    }

    async fn why(&self, path: Path<'_>) -> Result<WhyAnswer, Error> {
        let answer = self.get(path.why(), JSON).await?;
        Ok(WhyAnswer {
            why: answer.parse()?,
            json: answer.parse()?,
        })
    }
}

/// Whether the server is not a vitals-server: it does not have the path. A vitals-server returns a response even for a
/// missing pod.
pub fn is_not_ours(error: &Error) -> bool {
    matches!(error, Error::Server(Failure { code: 404, .. }))
}
