//! Publishes the CA in a ConfigMap. Clients that verify the server, such as Prometheus, read it there, and need no
//! permission for the Secret, which contains the key.
//!
//! The manifests create the ConfigMap empty. Manifests of an earlier version have neither the ConfigMap nor the
//! permission for it: the server logs that once and continues.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::PostParams;
use kube::{Api, Client};

use super::apiservice::{describe, with_timeout};
use super::problem_log::ProblemLog;
use super::secret::NAME;
use crate::tls::Service;

/// The key of the CA, PEM.
const KEY: &str = "ca.crt";

/// The ConfigMap's name in the problem log.
const SUBJECT: &str = "the CA's ConfigMap";

/// The ConfigMap, which has the name of the Secret.
pub(super) struct CaConfigMap {
    api: Api<ConfigMap>,
    location: String,
}

impl CaConfigMap {
    pub(super) fn new(client: &Client, service: &Service) -> Self {
        Self {
            api: Api::namespaced(client.clone(), &service.namespace),
            location: format!("{}/{NAME}", service.namespace),
        }
    }

    /// Writes the CA unless the ConfigMap has it. Returns whether it was written.
    pub(super) async fn write(&self, bundle: &str, problems: &mut ProblemLog) -> bool {
        let location = &self.location;
        let mut object = match with_timeout(self.api.get(NAME)).await {
            Ok(object) => object,
            Err(kube::Error::Api(status)) if [403, 404].contains(&status.code) => {
                problems.info(
                    SUBJECT,
                    format!(
                        "the CA is not published for monitoring: {}; apply deploy/base/configmaps.yaml and \
                         deploy/base/rbac.yaml for the ConfigMap {location}",
                        status.message
                    ),
                );
                return false;
            }
            Err(error) => {
                let what = format!("cannot read the ConfigMap {location}");
                problems.warn(SUBJECT, describe(&what, &error));
                return false;
            }
        };
        let data = object.data.get_or_insert_with(BTreeMap::new);
        if data.get(KEY).is_some_and(|current| current == bundle) {
            problems.resolve(SUBJECT);
            return false;
        }
        data.insert(KEY.to_owned(), bundle.to_owned());
        // The object has the resourceVersion that was read.
        match with_timeout(self.api.replace(NAME, &PostParams::default(), &object)).await {
            Ok(_) => {
                problems.resolve(SUBJECT);
                tracing::info!("wrote the server's CA into the ConfigMap {location}");
                true
            }
            // Changed or deleted since: the next round retries.
            Err(kube::Error::Api(status)) if [404, 409].contains(&status.code) => false,
            Err(error) => {
                let what = format!("cannot update the ConfigMap {location}");
                problems.warn(SUBJECT, describe(&what, &error));
                false
            }
        }
    }
}
