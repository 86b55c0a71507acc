//! The Secret that the replicas share, and how they agree on what is in it.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::PostParams;
use kube::{Api, Client};
use kubevitals_proto::time::Timestamp;

use super::Counts;
use super::apiservice::{asked, why};
use super::authorities::{Authorities, Data};
use crate::tls::Service;

/// Its name.
pub(super) const NAME: &str = "vitals-server-ca";

/// How often another replica may be quicker before it is tried again later.
const TRIES: usize = 5;

/// Who is responsible for it, as a label.
const MANAGED_BY: (&str, &str) = ("app.kubernetes.io/managed-by", "vitals-server");

/// The Secret.
pub(super) struct Store {
    secrets: Api<Secret>,
    namespace: String,
    /// Every CA that was agreed on last, PEM: to be believed further if the Secret is lost.
    known: String,
}

impl Store {
    pub(super) fn new(client: &Client, service: &Service) -> Self {
        Self {
            secrets: Api::namespaced(client.clone(), &service.namespace),
            namespace: service.namespace.clone(),
            known: String::new(),
        }
    }

    /// What all replicas have agreed on: what is in the Secret, moved on if it is time. Without a Secret, or with one
    /// of ours that is of no use, a new CA; of several replicas that make one, the first one's is everybody's.
    pub(super) async fn agree(
        &mut self,
        now: Timestamp,
        counts: &Counts,
    ) -> Result<Authorities, String> {
        for _ in 0..TRIES {
            let present = asked(self.secrets.get_opt(NAME)).await;
            let present = present.map_err(|error| self.failed("read", &error))?;
            let authorities = match &present {
                None => Authorities::make(&self.known, now).map_err(cannot_make)?,
                Some(secret) => self.read(secret, now)?,
            };
            let data = authorities.data();
            if present
                .as_ref()
                .is_some_and(|secret| secret.data.as_ref() == Some(&data))
            {
                self.known = authorities.bundle().to_owned();
                return Ok(authorities);
            }
            if self.write(present, data).await? {
                counts.secrets_written.fetch_add(1, Ordering::Relaxed);
                tracing::info!(
                    "wrote the server's CA into the Secret {}/{NAME}",
                    self.namespace
                );
                self.known = authorities.bundle().to_owned();
                return Ok(authorities);
            }
        }
        let namespace = &self.namespace;
        Err(format!(
            "others change the Secret {namespace}/{NAME} all the time; it is tried again"
        ))
    }

    fn read(&self, secret: &Secret, now: Timestamp) -> Result<Authorities, String> {
        let nothing = Data::new();
        let read = Authorities::read(secret.data.as_ref().unwrap_or(&nothing), now);
        match read {
            Ok(mut authorities) => {
                authorities.advance(now).map_err(cannot_make)?;
                Ok(authorities)
            }
            Err(error) if is_ours(secret) => {
                tracing::warn!(
                    "the Secret {}/{NAME} holds no CA ({error}); there is a new one",
                    self.namespace
                );
                Authorities::make(&self.known, now).map_err(cannot_make)
            }
            Err(error) => Err(format!(
                "the Secret {}/{NAME} holds no CA ({error}) and has no label {}={}: delete it if it is nobody's, and \
                 the server makes a new one",
                self.namespace, MANAGED_BY.0, MANAGED_BY.1
            )),
        }
    }

    /// Writes, unless somebody was quicker.
    async fn write(&self, present: Option<Secret>, data: Data) -> Result<bool, String> {
        let params = PostParams::default();
        let created = present.is_none();
        let mut secret = present.unwrap_or_else(|| Secret {
            metadata: ObjectMeta {
                name: Some(NAME.to_owned()),
                namespace: Some(self.namespace.clone()),
                labels: Some(BTreeMap::from([(
                    MANAGED_BY.0.to_owned(),
                    MANAGED_BY.1.to_owned(),
                )])),
                ..ObjectMeta::default()
            },
            type_: Some("kubernetes.io/tls".to_owned()),
            ..Secret::default()
        });
        secret.data = Some(data);
        // What was read carries its version, and replaces no other.
        let written = if created {
            asked(self.secrets.create(&params, &secret)).await
        } else {
            asked(self.secrets.replace(NAME, &params, &secret)).await
        };
        match written {
            Ok(_) => Ok(true),
            // Made, changed or deleted by another meanwhile.
            Err(kube::Error::Api(status)) if [404, 409].contains(&status.code) => Ok(false),
            Err(error) => {
                let what = if created { "create" } else { "update" };
                Err(self.failed(what, &error))
            }
        }
    }

    fn failed(&self, what: &str, error: &kube::Error) -> String {
        why(
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
