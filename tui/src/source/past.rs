//! The state of a cluster with a vitals-server at a time in the past.

use std::sync::atomic::Ordering;

use futures::FutureExt;
use futures::future::{BoxFuture, OptionFuture};
use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::ClusterVitals;

use super::item::at_query;
use super::kubernetes::is_denied;
use super::vitals::Vitals;
use super::{Error, vitals_path};
use crate::model::row::{ClusterRow, NodeRow, PodRow};
use crate::model::{Extent, Interest, Part, Past, Truncation};

impl Vitals {
    /// The state of the cluster at a time.
    pub(super) async fn past(&self, at: Timestamp, interest: Interest) -> Result<Past, Error> {
        let query = at_query(Some(at));
        let subset = &self.kubernetes.subset;
        let nodes = vitals_path(&format!(
            "/nodevitals{}",
            subset.past_query(at, Part::Nodes)
        ));
        let cluster = vitals_path(&format!("/clustervitals/cluster{query}"));
        let (pods, nodes, cluster) = tokio::join!(
            only_past(subset.has_past(Part::Pods), self.past_pods(at, &interest)),
            only_past(
                subset.has_past(Part::Nodes),
                self.kubernetes.list::<NodeRow>(&nodes)
            ),
            OptionFuture::from(
                subset
                    .has_past(Part::Cluster)
                    .then(|| self.get::<ClusterVitals>(&cluster, "clustervitals"))
            )
        );
        let cluster = cluster.and_then(Result::ok);
        // A user without permission for nodes has no nodes in the past either.
        let nodes = match nodes {
            Err(error) if is_denied(&error) && subset.is_everything() => Ok(Default::default()),
            nodes => nodes,
        };
        let ((pods, truncation), (nodes, _)) = (pods?, nodes?);
        Ok(Past {
            at,
            pods,
            nodes,
            incidents: None,
            extent: truncation.map(|truncation| Extent {
                total: cluster.as_ref().map_or(0, |cluster| cluster.pods.total),
                interest,
                truncation,
            }),
            cluster: cluster.as_ref().map(ClusterRow::from_vitals),
        })
    }

    /// The pods at a time, and the selection if there are too many.
    async fn past_pods(
        &self,
        at: Timestamp,
        interest: &Interest,
    ) -> Result<(Vec<PodRow>, Option<Option<Truncation>>), Error> {
        if self.selects.load(Ordering::Relaxed) {
            let pods = self.selection.choose(interest, Some(at)).await?;
            return Ok((pods.rows, Some(pods.truncation)));
        }
        let kubernetes = &self.kubernetes;
        let subset = &kubernetes.subset;
        let query = subset.past_query(at, Part::Pods);
        let all = vitals_path(&format!("/podvitals{query}"));
        let own = format!("/namespaces/{}/podvitals{query}", kubernetes.namespace);
        let own = vitals_path(&own);
        let first = if kubernetes.only { &own } else { &all };
        let (rows, _) = match kubernetes.list(first).await {
            Err(error) if is_denied(&error) && subset.is_everything() => {
                kubernetes.list(&own).await?
            }
            rows => rows?,
        };
        Ok((rows, None))
    }
}

/// Requests a part of a past time only if it is read.
fn only_past<'a, T: Default + Send + 'a>(
    is_read: bool,
    request: impl Future<Output = Result<T, Error>> + Send + 'a,
) -> BoxFuture<'a, Result<T, Error>> {
    if is_read {
        request.boxed()
    } else {
        std::future::ready(Ok(T::default())).boxed()
    }
}
