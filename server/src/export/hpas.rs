//! Lists HorizontalPodAutoscalers.

use std::time::Duration;

use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use kube::api::ListParams;
use kube::{Api, Client};
use tokio::time::timeout;

use super::series::Hpa;
use crate::telemetry::{LogThrottle, chain};

/// The objects of one page.
const PAGE: u32 = 500;

/// The most autoscalers; more have no series.
const MAX: usize = 20_000;

/// The longest time for all pages.
const TIMEOUT: Duration = Duration::from_secs(20);

/// The time between two log lines.
const LOG_INTERVAL: Duration = Duration::from_secs(3600);

/// Lists autoscalers. Without the permission there are none.
pub(super) struct Hpas {
    client: Client,
    problems: LogThrottle,
}

impl Hpas {
    pub(super) fn new(client: Client) -> Self {
        Self {
            client,
            problems: LogThrottle::new(LOG_INTERVAL),
        }
    }

    /// All autoscalers; none if they cannot be listed, which is logged.
    pub(super) async fn list(&mut self) -> Vec<Hpa> {
        let pages = timeout(TIMEOUT, pages(&self.client)).await;
        let error = match pages {
            Ok(Ok(hpas)) => return hpas,
            Ok(Err(error)) => chain(&error),
            Err(_) => format!("no complete response within {} s", TIMEOUT.as_secs()),
        };
        if let Some(unreported) = self.problems.allow() {
            tracing::info!(
                unreported,
                "cannot list horizontalpodautoscalers: {error}; their series are left out; grant this service account list \
                 on them (autoscaling/v2)"
            );
        }
        Vec::new()
    }
}

async fn pages(client: &Client) -> kube::Result<Vec<Hpa>> {
    let api = Api::<HorizontalPodAutoscaler>::all(client.clone());
    let mut hpas = Vec::new();
    let mut params = ListParams::default().limit(PAGE);
    loop {
        let page = api.list(&params).await?;
        hpas.extend(page.items.iter().map(convert));
        match page.metadata.continue_.filter(|it| !it.is_empty()) {
            Some(next) if hpas.len() < MAX => params = params.continue_token(&next),
            _ => return Ok(hpas),
        }
    }
}

fn convert(hpa: &HorizontalPodAutoscaler) -> Hpa {
    let (spec, status) = (&hpa.spec, hpa.status.as_ref());
    let conditions = status.and_then(|it| it.conditions.as_ref());
    Hpa {
        namespace: hpa.metadata.namespace.clone().unwrap_or_default(),
        name: hpa.metadata.name.clone().unwrap_or_default(),
        min: spec.min_replicas.unwrap_or(1),
        max: spec.max_replicas,
        current: status
            .and_then(|it| it.current_replicas)
            .unwrap_or_default(),
        desired: status.map_or(0, |it| it.desired_replicas),
        conditions: conditions
            .into_iter()
            .flatten()
            .map(|it| (it.type_.clone(), it.status.clone()))
            .collect(),
    }
}
