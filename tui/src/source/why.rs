//! Why a pod or a node has metrics, or has none, as our own server tells.

use kubevitals_proto::metrics::Version;
use kubevitals_proto::why::Why;
use serde_json::Value;

use super::client::JSON;
use super::metrics_api::{MetricsApi, Path};
use super::{Error, Failure};

/// An answer, as it is understood and as it came.
#[derive(Debug, Clone, PartialEq)]
pub struct WhyAnswer {
    /// What is understood of it.
    pub why: Why,
    /// All of it.
    pub json: Value,
}

impl MetricsApi {
    /// Why a pod has metrics, or has none.
    ///
    /// # Errors
    /// No answer, or a refusal; [`is_not_ours`] tells whether it is one of a server that has no such answers.
    pub async fn why_pod(
        &self,
        version: Version,
        namespace: &str,
        name: &str,
    ) -> Result<WhyAnswer, Error> {
        self.why(Path::metrics(version).pods(namespace)?.name(name)?)
            .await
    }

    /// Why a node has metrics, or has none.
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

/// Whether a refusal is that of a metrics server that is not ours: it does not know the path. Ours answers whatever
/// is asked for, be it that there is no such pod.
pub fn is_not_ours(error: &Error) -> bool {
    matches!(error, Error::Server(Failure { code: 404, .. }))
}
