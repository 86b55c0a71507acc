//! Which source there is, and why that one.

use std::time::Duration;

use kubevitals_proto::metrics::Version;
use tokio::sync::mpsc;

use super::chosen::Many;
use super::discovery::{self, Served};
use super::kubernetes::Kubernetes;
use super::teller::Teller;
use super::vitals::{Vitals, group_version};
use super::{ApiClient, MetricsApi};
use crate::model::{Ask, Message, Name, SourceKind};

/// How long to wait before a cluster that did not answer is asked again.
const AGAIN: Duration = Duration::from_secs(3);

/// What was found.
struct Found {
    kind: SourceKind,
    why: String,
    metrics: Option<Version>,
}

/// Chooses a source and lets it tell, for ever.
pub(super) async fn run(
    teller: Teller,
    client: ApiClient,
    asks: mpsc::Receiver<Ask>,
    wanted: Option<SourceKind>,
    namespace: Name,
    only: bool,
    many: Many,
) {
    let served = loop {
        match discovery::served(&client).await {
            Ok(served) => break served,
            Err(error) => {
                let again = teller.after(AGAIN);
                teller
                    .lost(first_line(&error.to_string()), Some(again))
                    .await;
                teller.sleep(AGAIN).await;
            }
        }
    };
    teller.up().await;
    let found = choose(&served, wanted);
    teller
        .tell(Message::Source(found.kind, found.why.clone()))
        .await;
    let kubernetes = Kubernetes {
        teller,
        metrics: MetricsApi::new(client.clone(), true),
        client,
        version: found.metrics,
        namespace,
        only,
    };
    match found.kind {
        SourceKind::Vitals => Vitals::new(kubernetes, many).run(asks).await,
        SourceKind::Metrics | SourceKind::None => kubernetes.run(asks).await,
    }
}

/// The first line of an error: what a row has room for.
pub(super) fn first_line(text: &str) -> String {
    text.lines()
        .next()
        .unwrap_or_default()
        .trim_start_matches("error: ")
        .to_owned()
}

fn choose(served: &Served, wanted: Option<SourceKind>) -> Found {
    let found = |kind, why: &str| Found {
        kind,
        why: why.to_owned(),
        metrics: served.metrics,
    };
    let none = || Found {
        metrics: None,
        ..found(
            SourceKind::None,
            if served.metrics_stale {
                "metrics.k8s.io does not answer"
            } else {
                "the cluster has no metrics.k8s.io"
            },
        )
    };
    let metrics = |why: &str| match served.metrics {
        Some(version) => found(
            SourceKind::Metrics,
            &format!("metrics.k8s.io/{}{why}", version.as_str()),
        ),
        None => none(),
    };
    match wanted {
        Some(SourceKind::None) => Found {
            metrics: None,
            ..found(SourceKind::None, "as asked for")
        },
        Some(SourceKind::Metrics) => metrics(""),
        Some(SourceKind::Vitals) | None if served.vitals => {
            found(SourceKind::Vitals, &group_version())
        }
        Some(SourceKind::Vitals) => metrics("; the cluster has no kubevitals.io"),
        None if served.vitals_stale => metrics("; kubevitals.io does not answer"),
        None => metrics(""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_source_that_there_is_is_chosen_and_it_is_said_why() {
        let all = Served {
            metrics: Some(Version::V1beta1),
            vitals: true,
            ..Served::default()
        };
        let metrics = Served {
            vitals: false,
            ..all
        };
        let stale = Served {
            vitals_stale: true,
            ..metrics
        };
        let nothing = Served::default();
        let dead = Served {
            metrics_stale: true,
            ..nothing
        };
        for (served, wanted, kind, why) in [
            (all, None, SourceKind::Vitals, "kubevitals.io/v1alpha1"),
            (
                all,
                Some(SourceKind::Metrics),
                SourceKind::Metrics,
                "metrics.k8s.io/v1beta1",
            ),
            (
                all,
                Some(SourceKind::None),
                SourceKind::None,
                "as asked for",
            ),
            (metrics, None, SourceKind::Metrics, "metrics.k8s.io/v1beta1"),
            (
                metrics,
                Some(SourceKind::Vitals),
                SourceKind::Metrics,
                "metrics.k8s.io/v1beta1; the cluster has no kubevitals.io",
            ),
            (
                stale,
                None,
                SourceKind::Metrics,
                "metrics.k8s.io/v1beta1; kubevitals.io does not answer",
            ),
            (
                nothing,
                None,
                SourceKind::None,
                "the cluster has no metrics.k8s.io",
            ),
            (
                dead,
                None,
                SourceKind::None,
                "metrics.k8s.io does not answer",
            ),
        ] {
            let found = choose(&served, wanted);
            assert_eq!(
                (found.kind, found.why.as_str()),
                (kind, why),
                "{served:?} {wanted:?}"
            );
        }
    }
}
