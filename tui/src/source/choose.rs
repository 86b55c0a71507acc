//! Which source there is, and why that one.

use std::time::Duration;

use kubevitals_proto::metrics::Version;
use tokio::sync::mpsc;

use super::chosen::Many;
use super::discovery::{self, Served};
use super::kubernetes::Kubernetes;
use super::teller::Teller;
use super::vitals::{Vitals, group_version};
use super::words::first_line;
use super::{ApiClient, MetricsApi};
use crate::model::{Ask, Message, Name, SourceKind};

/// How long to wait before a cluster that did not answer is asked again.
const AGAIN: Duration = Duration::from_secs(3);

/// How long to wait before it is looked again whether there is a better source.
const LOOK_AGAIN: Duration = Duration::from_secs(20);

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
    mut asks: mpsc::Receiver<Ask>,
    wanted: Option<SourceKind>,
    namespace: Name,
    only: bool,
    many: Many,
) {
    let mut found = loop {
        match discovery::served(&client).await {
            Ok(served) => break choose(&served, wanted),
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
    loop {
        let source = Message::Source(found.kind, found.why.clone());
        teller.tell(source).await;
        let kubernetes = Kubernetes {
            teller: teller.clone(),
            metrics: MetricsApi::new(client.clone(), true),
            client: client.clone(),
            version: found.metrics,
            namespace: Name::clone(&namespace),
            only,
        };
        let telling = async {
            match found.kind {
                SourceKind::Vitals => Vitals::new(kubernetes, many).run(&mut asks).await,
                SourceKind::Metrics | SourceKind::None => kubernetes.run(&mut asks).await,
            }
        };
        found = tokio::select! {
            () = telling => return,
            better = better(&teller, &client, wanted, found.kind) => better,
        };
    }
}

/// Waits for a better source than this kind: its server may just be starting, or be installed meanwhile.
async fn better(
    teller: &Teller,
    client: &ApiClient,
    wanted: Option<SourceKind>,
    kind: SourceKind,
) -> Found {
    loop {
        teller.sleep(LOOK_AGAIN).await;
        if kind == SourceKind::Vitals {
            continue;
        }
        // Who cannot be asked just now is asked again.
        let Ok(served) = discovery::served(client).await else {
            continue;
        };
        let found = choose(&served, wanted);
        if rank(found.kind) > rank(kind) {
            return found;
        }
    }
}

/// The more a kind tells, the higher.
const fn rank(kind: SourceKind) -> u8 {
    match kind {
        SourceKind::None => 0,
        SourceKind::Metrics => 1,
        SourceKind::Vitals => 2,
    }
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
