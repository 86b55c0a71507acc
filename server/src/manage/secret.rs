//! The Secret that the replicas share, and how they agree on what is in it.
//!
//! It is made by whoever installs the server, empty, and only ever filled here. RBAC knows no name when something is
//! created: an account that may create a Secret may create any, such as kubeadm's bootstrap tokens, and every kubelet
//! is shown this account's token.

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::api::PostParams;
use kube::{Api, Client};
use kubevitals_proto::time::Timestamp;

use super::ManagedCaMetrics;
use super::apiservice::{describe, with_timeout};
use super::authorities::{Authorities, Data};
use crate::tls::Service;

/// Its name.
pub(super) const NAME: &str = "vitals-server-ca";

/// How often another replica may be quicker before it is tried again later.
const MAX_ATTEMPTS: usize = 5;

/// Who is responsible for what is in it, as a label that the manifests set.
const MANAGED_BY: (&str, &str) = ("app.kubernetes.io/managed-by", "vitals-server");

/// Its types: the manifests', and that of a CA made by `kubectl create secret tls`. What is in Secrets of other types
/// has a meaning to others, some of whom fill them.
const TYPES: [&str; 2] = ["Opaque", "kubernetes.io/tls"];

/// The Secret.
pub(super) struct CaSecret {
    secrets: Api<Secret>,
    namespace: String,
    /// Every CA that was agreed on last, PEM: to be believed further if the Secret is lost.
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

    /// What all replicas have agreed on: what is in the Secret, moved on if it is time. In an empty Secret, or in one
    /// of ours whose content is of no use, a new CA; of several replicas that make one, the first one's is
    /// everybody's.
    ///
    /// # Errors
    /// What is wrong and what to do, without a Secret too: it is made by whoever installs the server.
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
            "others change the Secret {namespace}/{NAME} all the time; it is tried again"
        ))
    }

    fn read(&self, secret: &Secret, now: Timestamp) -> Result<Authorities, String> {
        let namespace = &self.namespace;
        let kind = secret.type_.as_deref().unwrap_or("Opaque");
        if !TYPES.contains(&kind) {
            return Err(format!(
                "the Secret {namespace}/{NAME} is of type {kind} and so not for a CA: it is left alone; delete it if \
                 it is nobody's, and apply deploy/base/secret.yaml"
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
                    "the Secret {namespace}/{NAME} holds no CA ({error}); there is a new one"
                );
                Authorities::make(&self.last_bundle, now).map_err(cannot_make)
            }
            Err(error) => Err(format!(
                "the Secret {namespace}/{NAME} holds no CA ({error}) and has no label {}={}: it is left alone; take \
                 its data away if it is nobody's, and the server puts a new CA into it",
                MANAGED_BY.0, MANAGED_BY.1
            )),
        }
    }

    /// Writes, unless somebody was quicker.
    async fn write(&self, mut secret: Secret, data: Data) -> Result<bool, String> {
        secret.data = Some(data);
        // What was read carries its version, and replaces no other.
        let params = PostParams::default();
        match with_timeout(self.secrets.replace(NAME, &params, &secret)).await {
            Ok(_) => Ok(true),
            // Changed or deleted by another meanwhile.
            Err(kube::Error::Api(status)) if [404, 409].contains(&status.code) => Ok(false),
            Err(error) => Err(self.describe_error("update", &error)),
        }
    }

    fn missing(&self) -> String {
        let namespace = &self.namespace;
        format!(
            "there is no Secret {namespace}/{NAME}, in which --manage-apiservice-ca keeps the server's CA, and the \
             server may not make one: apply deploy/base/secret.yaml, or: kubectl --namespace {namespace} create \
             secret generic {NAME}; until then the certificate that is shown stays, and it is looked for again"
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
    let label = secret.metadata.labels.as_ref();
    label
        .and_then(|labels| labels.get(MANAGED_BY.0))
        .map(String::as_str)
        == Some(MANAGED_BY.1)
}

fn cannot_make(error: String) -> String {
    format!("cannot make a CA: {error}")
}
