//! Finds the addresses of other replicas in the EndpointSlices of the server's Service.

use std::net::{IpAddr, SocketAddr};

use k8s_openapi::api::discovery::v1::EndpointSlice;
use kube::api::ListParams;
use kube::{Api, Client};

use crate::telemetry::chain;
use crate::tls::Service;

/// Lists the addresses that serve, each once, at most `limit`.
///
/// # Errors
/// The error of the API server.
pub(super) async fn addresses(
    client: &Client,
    service: &Service,
    limit: usize,
) -> Result<Vec<SocketAddr>, String> {
    let slices = Api::<EndpointSlice>::namespaced(client.clone(), &service.namespace);
    let of_service = format!("kubernetes.io/service-name={}", service.name);
    let list = ListParams::default().labels(&of_service).limit(100);
    let slices = slices.list(&list).await.map_err(|error| chain(&error))?;
    let mut addresses: Vec<SocketAddr> = slices.items.iter().flat_map(serving).collect();
    addresses.sort_unstable();
    addresses.dedup();
    addresses.truncate(limit);
    Ok(addresses)
}

/// The serving addresses of one slice. A terminating replica that still serves has more state than one that has just
/// started.
fn serving(slice: &EndpointSlice) -> Vec<SocketAddr> {
    let ports = slice.ports.iter().flatten();
    let Some(port) = ports
        .filter(|port| port.protocol.as_deref().is_none_or(|it| it == "TCP"))
        .find_map(|port| port.port.and_then(|port| u16::try_from(port).ok()))
    else {
        return Vec::new();
    };
    let serving = slice.endpoints.iter().flatten().filter(|endpoint| {
        let conditions = endpoint.conditions.as_ref();
        let is_serving = conditions.and_then(|it| it.serving.or(it.ready));
        is_serving.unwrap_or(true)
    });
    serving
        .flat_map(|endpoint| &endpoint.addresses)
        .filter_map(|address| address.parse::<IpAddr>().ok())
        .map(|address| SocketAddr::new(address, port))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serving_endpoints_are_found_with_their_port() {
        let slice = serde_json::json!({
            "metadata": {"name": "vitals-server-abc"},
            "addressType": "IPv4",
            "ports": [{"name": "udp", "port": 53, "protocol": "UDP"}, {"name": "https", "port": 10250, "protocol": "TCP"}],
            "endpoints": [
                {"addresses": ["10.0.0.1"], "conditions": {"ready": true, "serving": true}},
                {"addresses": ["10.0.0.2"], "conditions": {"ready": false, "serving": false}},
                {"addresses": ["10.0.0.3"], "conditions": {"ready": false, "serving": true, "terminating": true}},
                {"addresses": ["fd00::4"], "conditions": {}},
                {"addresses": ["host.example"], "conditions": {"ready": true}},
            ],
        });
        let slice: EndpointSlice = serde_json::from_value(slice).unwrap();
        let found: Vec<String> = serving(&slice).iter().map(ToString::to_string).collect();
        assert_eq!(
            found,
            ["10.0.0.1:10250", "10.0.0.3:10250", "[fd00::4]:10250"]
        );
    }
}
