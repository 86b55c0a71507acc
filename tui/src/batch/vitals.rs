//! The connection of commands that need kubevitals.io.

use super::Error;
use crate::clock::Clock;
use crate::source::kubeconfig::Settings;
use crate::source::{ApiClient, Terminal, VitalsApi, VitalsService};

/// Connects to a cluster that serves kubevitals.io, and returns its clock too.
///
/// # Errors
/// The cluster cannot be reached, or does not serve it: then it has no history.
pub(super) async fn connect(settings: &Settings) -> Result<(VitalsApi, Clock), Error> {
    connect_for(settings, "history").await
}

/// As [`connect`]; `data` is what only kubevitals.io has.
///
/// # Errors
/// As [`connect`].
pub(super) async fn connect_for(
    settings: &Settings,
    data: &str,
) -> Result<(VitalsApi, Clock), Error> {
    let clock = Clock::system();
    let client = ApiClient::with_clock(settings.target(&Terminal::default())?, clock.clone())?;
    let host = client.host().to_owned();
    let api = VitalsApi::new(client);
    let why = match api.service().await? {
        VitalsService::Served => return Ok((api, clock)),
        VitalsService::Unavailable => format!(
            "no {data}: the server of kubevitals.io in the cluster at {host} does not answer; \
             check with: kubectl get apiservices v1alpha1.kubevitals.io"
        ),
        VitalsService::Absent { has_metrics } => {
            let others = match has_metrics {
                true => "metrics.k8s.io, which has the latest usage only",
                false => "neither kubevitals.io nor metrics.k8s.io",
            };
            format!(
                "no {data}: the cluster at {host} serves {others}; \
                 install vitals-server: kubectl apply -k deploy/base"
            )
        }
    };
    Err(Error::Failed(why))
}
