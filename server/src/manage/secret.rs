//! The Secret that the replicas share, and how they agree on its content.
//!
//! The user who installs the server creates the Secret empty, and the server only fills it. RBAC cannot limit
//! creation by name: an account that may create a Secret may create any, such as kubeadm's bootstrap tokens, and
//! every kubelet receives this account's token.

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::api::PostParams;
use kube::{Api, Client};
use kubevitals_proto::time::Timestamp;

use super::apiservice::{describe, with_timeout};
use super::authorities::{Authorities, Data};
use super::metrics::ManagedCaMetrics;
use crate::tls::Service;

/// The name of the Secret.
pub(super) const NAME: &str = "vitals-server-ca";

/// The number of attempts when another replica changes the Secret.
const MAX_ATTEMPTS: usize = 5;

/// The label that the manifests set on the Secret.
const MANAGED_BY: (&str, &str) = ("app.kubernetes.io/managed-by", "vitals-server");

/// The label that stays when a Secret is applied by Helm, which puts its own name into the other.
const PART_OF: (&str, &str) = ("app.kubernetes.io/part-of", "kubevitals");

/// The types of the Secret: that of the manifests, and that of `kubectl create secret tls`. Secrets of other types
/// belong to other programs.
const TYPES: [&str; 2] = ["Opaque", "kubernetes.io/tls"];

/// Reads and writes the Secret.
pub(super) struct CaSecret {
    secrets: Api<Secret>,
    namespace: String,
    /// All CAs that were agreed on last, PEM: they stay in the bundle if the Secret is lost.
    last_bundle: String,
}

impl CaSecret {
    pub(super) fn new(client: &Client, service: &Service) -> Self {
        Self {
            secrets: Api::namespaced(client.clone(), &service.namespace),
            namespace: service.namespace.clone(),
            last_bundle: String::new(),
        }
    }

    /// Returns the CAs that all replicas agree on: those in the Secret, advanced if it is time. If the Secret is
    /// empty, or is ours and unusable, creates a new CA. If several replicas create one, the first write wins.
    ///
    /// # Errors
    /// What is wrong and what to do; also if there is no Secret.
    pub(super) async fn agree(
        &mut self,
        now: Timestamp,
        metrics: &ManagedCaMetrics,
    ) -> Result<Authorities, String> {
        for _ in 0..MAX_ATTEMPTS {
            let found = with_timeout(self.secrets.get_opt(NAME)).await;
            let found = found.map_err(|error| self.describe_error("read", &error))?;
            let secret = found.ok_or_else(|| self.missing())?;
            let authorities = self.read(&secret, now)?;
            let data = authorities.data();
            if secret.data.as_ref() == Some(&data) {
                self.last_bundle = authorities.bundle().to_owned();
                return Ok(authorities);
            }
            if self.write(secret, data).await? {
                metrics.secrets_written.inc();
                tracing::info!(
                    "wrote the server's CA into the Secret {}/{NAME}",
                    self.namespace
                );
                self.last_bundle = authorities.bundle().to_owned();
                return Ok(authorities);
            }
        }
        let namespace = &self.namespace;
        Err(format!(
            "other writers change the Secret {namespace}/{NAME} continuously; the server retries"
        ))
    }

    fn read(&self, secret: &Secret, now: Timestamp) -> Result<Authorities, String> {
        let namespace = &self.namespace;
        let kind = secret.type_.as_deref().unwrap_or("Opaque");
        if !TYPES.contains(&kind) {
            return Err(format!(
                "the Secret {namespace}/{NAME} is of type {kind} and so not for a CA: the server does not change it; delete it if \
                 no other program uses it, and apply deploy/base/secret.yaml"
            ));
        }
        let nothing = Data::new();
        let data = secret.data.as_ref().unwrap_or(&nothing);
        if data.values().all(|ByteString(bytes)| bytes.is_empty()) {
            return Authorities::make(&self.last_bundle, now).map_err(cannot_make);
        }
        match Authorities::read(data, now) {
            Ok(mut authorities) => {
                authorities.advance(now).map_err(cannot_make)?;
                Ok(authorities)
            }
            Err(error) if is_ours(secret) => {
                tracing::warn!(
                    "the Secret {namespace}/{NAME} holds no CA ({error}); the server creates a new one"
                );
                Authorities::make(&self.last_bundle, now).map_err(cannot_make)
            }
            Err(error) => Err(format!(
                "the Secret {namespace}/{NAME} holds no CA ({error}) and has no label {}={}: the server does not change it; \
                 remove its data if no other program uses it, and the server puts a new CA into it",
                MANAGED_BY.0, MANAGED_BY.1
            )),
        }
    }

    /// Writes the Secret. Returns false after a conflict.
    async fn write(&self, mut secret: Secret, data: Data) -> Result<bool, String> {
        secret.data = Some(data);
        // The Secret has the resourceVersion that was read, so a write after another one fails.
        let params = PostParams::default();
        match with_timeout(self.secrets.replace(NAME, &params, &secret)).await {
            Ok(_) => Ok(true),
            // Changed or deleted since.
            Err(kube::Error::Api(status)) if [404, 409].contains(&status.code) => Ok(false),
            Err(error) => Err(self.describe_error("update", &error)),
        }
    }

    fn missing(&self) -> String {
        let namespace = &self.namespace;
        format!(
            "there is no Secret {namespace}/{NAME}, in which --manage-apiservice-ca stores the server's CA, and the \
             server may not create one: apply deploy/base/secret.yaml, or: kubectl --namespace {namespace} create \
             secret generic {NAME}; until then the current certificate stays; the server retries"
        )
    }

    fn describe_error(&self, what: &str, error: &kube::Error) -> String {
        describe(
            &format!("cannot {what} the Secret {}/{NAME}", self.namespace),
            error,
        )
    }
}

fn is_ours(secret: &Secret) -> bool {
    secret.metadata.labels.iter().any(|labels| {
        [MANAGED_BY, PART_OF]
            .iter()
            .any(|(name, value)| labels.get(*name).is_some_and(|label| label == value))
    })
}

fn cannot_make(error: String) -> String {
    format!("cannot create a CA: {error}")
}
