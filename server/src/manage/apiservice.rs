//! Reads the APIServices of this server, and writes the CA into them.

use std::time::Duration;

use k8s_openapi::ByteString;
use k8s_openapi::kube_aggregator::pkg::apis::apiregistration::v1::APIService;
use kube::api::{Patch, PatchParams};
use kube::{Api, Client};
use serde_json::json;

use super::problem_log::ProblemLog;
use crate::telemetry::chain;
use crate::tls::Service;

/// The APIServices of the API groups that are always served.
const NAMES: [&str; 3] = [
    "v1beta1.metrics.k8s.io",
    "v1.metrics.k8s.io",
    "v1alpha1.kubevitals.io",
];

/// The APIServices of the metrics of autoscalers.
const OF_AUTOSCALERS: [&str; 3] = [
    "v1beta2.custom.metrics.k8s.io",
    "v1beta1.custom.metrics.k8s.io",
    "v1beta1.external.metrics.k8s.io",
];

/// The timeout of one request.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The field manager of the server's writes.
const FIELD_MANAGER: &str = "vitals-server";

/// Reads and writes the APIServices.
pub(super) struct ApiServices {
    api: Api<APIService>,
    service: Service,
    names: Vec<&'static str>,
}

/// An APIService that names this server's Service, as it was read.
pub(super) struct OwnApiService {
    pub(super) name: &'static str,
    version: Option<String>,
    bundle: Vec<u8>,
    unverified: bool,
}

impl ApiServices {
    /// Those of the served groups. `pod_metrics`: whether the metrics of autoscalers are.
    pub(super) fn new(client: &Client, service: &Service, pod_metrics: bool) -> Self {
        let of_autoscalers = OF_AUTOSCALERS.into_iter().filter(|_| pod_metrics);
        Self {
            api: Api::all(client.clone()),
            service: service.clone(),
            names: NAMES.into_iter().chain(of_autoscalers).collect(),
        }
    }

    /// Reads the APIServices that name this server's Service. An APIService that does not exist or names another
    /// Service is left out. `Err` if one could not be read; the error has been logged.
    pub(super) async fn read(&self, problems: &mut ProblemLog) -> Result<Vec<OwnApiService>, ()> {
        let (mut found, mut failed) = (Vec::new(), false);
        for &name in &self.names {
            match with_timeout(self.api.get_opt(name)).await {
                Ok(None) => problems.info(
                    name,
                    format!("there is no APIService {name}: the kube-apiserver forwards no requests of this group and version"),
                ),
                Ok(Some(object)) => match self.check(name, object) {
                    Ok(one) => found.push(one),
                    Err(other) => problems.warn(name, other),
                },
                Err(error) => {
                    problems.warn(
                        name,
                        describe(&format!("cannot read the APIService {name}"), &error),
                    );
                    failed = true;
                }
            }
        }
        if failed { Err(()) } else { Ok(found) }
    }

    fn check(&self, name: &'static str, object: APIService) -> Result<OwnApiService, String> {
        let spec = object.spec.unwrap_or_default();
        let Service {
            namespace,
            name: own,
        } = &self.service;
        let service = spec.service.unwrap_or_default();
        let named = (service.namespace.as_deref(), service.name.as_deref());
        if named != (Some(namespace), Some(own)) {
            let (other_namespace, other) = (named.0.unwrap_or("-"), named.1.unwrap_or("-"));
            return Err(format!(
                "the APIService {name} is served by {other_namespace}/{other} and not by {namespace}/{own}: the server does not change its \
                 caBundle; set --service-namespace and --service-name if that is this server"
            ));
        }
        Ok(OwnApiService {
            name,
            version: object.metadata.resource_version,
            bundle: spec
                .ca_bundle
                .map(|ByteString(bytes)| bytes)
                .unwrap_or_default(),
            unverified: spec.insecure_skip_tls_verify.unwrap_or_default(),
        })
    }

    /// Writes the bundle unless the APIService has it. Returns whether it was written. A merge patch changes no other
    /// field. It carries the resourceVersion that was read, so the API server refuses it after any change since.
    pub(super) async fn write(&self, found: &OwnApiService, bundle: &str) -> Result<bool, String> {
        if found.bundle == bundle.as_bytes() && !found.unverified {
            return Ok(false);
        }
        let patch = Patch::Merge(json!({
            "metadata": {"resourceVersion": found.version},
            "spec": {"caBundle": ByteString(bundle.as_bytes().to_vec()), "insecureSkipTLSVerify": false},
        }));
        let params = PatchParams {
            field_manager: Some(FIELD_MANAGER.to_owned()),
            ..PatchParams::default()
        };
        let patched = self.api.patch(found.name, &params, &patch);
        match with_timeout(patched).await {
            Ok(_) => Ok(true),
            Err(error) => {
                let what = format!("cannot write the CA into the APIService {}", found.name);
                Err(describe(&what, &error))
            }
        }
    }
}

/// Limits the duration of a request.
pub(crate) async fn with_timeout<T>(
    request: impl Future<Output = Result<T, kube::Error>>,
) -> Result<T, kube::Error> {
    let late = |_| kube::Error::Service("the API server did not answer in 10 s".into());
    tokio::time::timeout(TIMEOUT, request).await.map_err(late)?
}

/// Formats a failed request: what failed, why, and what to do.
pub(super) fn describe(what: &str, error: &kube::Error) -> String {
    match error {
        kube::Error::Api(status) if status.code == 403 => format!(
            "{what}: {}; --manage-apiservice-ca needs the rules in deploy/base/rbac.yaml",
            status.message
        ),
        kube::Error::Api(status) => format!("{what}: {}", status.message),
        error => format!("{what}: {}", chain(error)),
    }
}
