//! Requests the metrics that the pod of the open page exposes itself.

use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::OwnMetrics;
use kubevitals_proto::vitals::discovery::METRICS;
use tokio::sync::Mutex;

use super::attempts::Attempts;
use super::item::{pod_vitals_path, span_query};
use super::kubernetes::Kubernetes;
use super::message_sender::MessageSender;
use crate::model::{FaultKind, Key, Message};

/// The attempts of the requests. The dashboard repeats them while the page is open; after failures a back-off applies.
pub(super) struct OwnMetricsPages(Mutex<Attempts>);

impl OwnMetricsPages {
    pub(super) fn new(sender: &MessageSender) -> Self {
        Self(Mutex::new(Attempts::new(sender, None)))
    }

    /// Requests the metrics of a pod, with their history over a span.
    pub(super) async fn request(
        &self,
        kubernetes: &Kubernetes,
        pod: Key,
        span: (Timestamp, Timestamp),
        steps: u32,
    ) {
        let mut attempts = self.0.lock().await;
        if !attempts.is_due() {
            return;
        }
        attempts.begin();
        let path = pod_vitals_path(&pod, "");
        let path = format!("{path}/{METRICS}?{}", span_query(span, steps));
        let metrics = match kubernetes
            .metrics
            .parsed::<OwnMetrics>(&path, "podvitals/metrics", "")
            .await
        {
            Ok(metrics) => {
                attempts.succeeded().await;
                Ok(Box::new(metrics))
            }
            Err(error) => {
                let fault = error.fault();
                // The pod is gone, or the server is too old to have such metrics.
                if fault.kind == FaultKind::NotFound {
                    return;
                }
                attempts.failed(&error).await;
                Err(fault)
            }
        };
        let message = Message::OwnMetrics(pod, metrics);
        kubernetes.sender.send(message).await;
    }
}
