//! Changes of the cluster, each reported with its result.

use http::Method;
use serde_json::json;

use super::Direct;
use super::read::path;
use crate::model::{ClusterChange, Object};
use crate::source::Error;
use crate::source::status::About;

/// The media type of the patches.
const MERGE_PATCH: &str = "application/merge-patch+json";

/// As `kubectl rollout restart` writes it.
const RESTARTED_AT: &str = "kubectl.kubernetes.io/restartedAt";

impl Direct {
    /// Does a change and reports its result.
    pub(super) async fn change(&self, change: &ClusterChange) {
        let result = match change {
            ClusterChange::Restart(object) => self.restart(object).await,
            ClusterChange::Delete(object) => self.delete(object).await,
            ClusterChange::Cordon(node, on) => self.cordon(node, *on).await,
            ClusterChange::Scale(object, replicas) => self.scale(object, *replicas).await,
            // A drain takes minutes and can be cancelled: `drain.rs`.
            ClusterChange::Drain(_) => return,
        };
        match result {
            Ok(()) => self.report(format!("done: {}", change.text()), false).await,
            Err(error) => {
                let text = format!("cannot {}: {}", change.text(), error.fault().text);
                self.report(text, true).await;
            }
        }
    }

    async fn restart(&self, object: &Object) -> Result<(), Error> {
        let now = self.sender.now().to_string();
        let patch =
            json!({"spec": {"template": {"metadata": {"annotations": {RESTARTED_AT: now}}}}});
        self.write(Method::PATCH, &path(object), &patch, about(object))
            .await
    }

    async fn delete(&self, object: &Object) -> Result<(), Error> {
        let options = json!({"kind": "DeleteOptions", "apiVersion": "v1"});
        self.write(Method::DELETE, &path(object), &options, about(object))
            .await
    }

    /// Makes a node unschedulable, or schedulable again.
    pub(super) async fn cordon(&self, node: &str, on: bool) -> Result<(), Error> {
        let patch = json!({"spec": {"unschedulable": on}});
        let about = About {
            resource: "nodes",
            name: node,
        };
        let path = format!("/api/v1/nodes/{}", crate::source::client::escaped(node));
        self.write(Method::PATCH, &path, &patch, about).await
    }

    async fn scale(&self, object: &Object, replicas: u32) -> Result<(), Error> {
        let patch = json!({"spec": {"replicas": replicas}});
        let path = format!("{}/scale", path(object));
        self.write(Method::PATCH, &path, &patch, about(object))
            .await
    }

    /// Sends a request with a body. Its response is not used.
    pub(super) async fn write(
        &self,
        method: Method,
        path: &str,
        body: &serde_json::Value,
        about: About<'_>,
    ) -> Result<(), Error> {
        let media = if method == Method::PATCH {
            MERGE_PATCH
        } else {
            "application/json"
        };
        self.client
            .write(method, path, media, body.to_string(), about)
            .await
    }
}

fn about(object: &Object) -> About<'_> {
    About {
        resource: object.kind.plural(),
        name: &object.name,
    }
}
