//! Volumes: claims and their events from the API server, and usage from kubevitals.io. They are read only while the
//! dashboard shows them.

use std::time::Duration;

use kubevitals_proto::objects::WireEvent;
use kubevitals_proto::vitals::VolumeVitals;

use super::attempts::Attempts;
use super::claim::WireClaim;
use super::client::{JSON, escaped};
use super::item::Collection;
use super::json_items::JsonItems;
use super::kubernetes::{Kubernetes, is_denied};
use super::status::About;
use super::{Error, vitals_path};
use crate::model::row::{Claim, ClaimReason, VolumeUsage};
use crate::model::{Batch, Key, Message, Names, Part, SourceKind, VolumeChange};

/// The time between two requests for usage and for events. Kubelets measure volumes every one to two minutes.
const POLL: Duration = Duration::from_secs(60);

/// The kind that events name.
const CLAIM: &str = "PersistentVolumeClaim";

/// The most events of claims that are requested.
const MAX_EVENTS: u32 = 500;

const CLAIMS: Collection = Collection::paged("/api/v1/persistentvolumeclaims", Part::Claims);

/// The reason that an event about a claim gives, and the key of the claim.
fn reason(event: WireEvent, names: &Names) -> Option<(Key, ClaimReason)> {
    let event = event.convert_about(CLAIM, names)?;
    let key = Key::new(&event.pod.namespace, &names.intern(&event.pod.name));
    let reason = ClaimReason {
        reason: event.reason,
        message: names.intern(&event.message),
        at: event.last,
    };
    Some((key, reason))
}

impl Kubernetes {
    /// Sends volumes while they are on the screen, for ever.
    pub(super) async fn volumes(&self, kind: SourceKind) {
        let mut on_screen = self.volumes_on_screen.subscribe();
        loop {
            let _ = on_screen.wait_for(|on_screen| *on_screen).await;
            let usage = async {
                if kind == SourceKind::Vitals {
                    self.volume_usage().await;
                }
            };
            tokio::select! {
                _ = async { tokio::join!(self.claims(), self.claim_reasons(), usage) } => {}
                _ = on_screen.wait_for(|on_screen| !*on_screen) => {}
            }
        }
    }

    async fn claims(&self) {
        let row = |claim: WireClaim| claim.claim(self.sender.names());
        let message = |batch: Batch<(Key, Claim)>| Message::Volumes(VolumeChange::Claims(batch));
        self.send_rows(CLAIMS, &row, &message).await;
    }

    async fn volume_usage(&self) {
        let mut attempts = Attempts::new(&self.sender, Part::Volumes);
        let resource = "volumevitals.kubevitals.io";
        let path = |namespace: Option<String>| {
            let namespace = namespace
                .map(|it| format!("/namespaces/{it}"))
                .unwrap_or_default();
            vitals_path(&format!("{namespace}/volumevitals"))
        };
        let row = |object: &[u8], names: &Names| {
            let volume: VolumeVitals = serde_json::from_slice(object).map_err(Error::unreadable)?;
            let meta = &volume.metadata;
            let key = Key::new(&names.intern(&meta.namespace), &names.intern(&meta.name));
            Ok(Some((key, VolumeUsage::from_vitals(&volume, names))))
        };
        self.poll(&mut attempts, resource, path, row, |all| {
            Message::Volumes(VolumeChange::Usage(all))
        })
        .await;
    }

    /// Why claims are not bound: the events about claims say it.
    async fn claim_reasons(&self) {
        let mut attempts = Attempts::new(&self.sender, Part::Events);
        let fields = escaped(&format!("involvedObject.kind={CLAIM}")).to_string();
        let path = |namespace: Option<String>| {
            let namespace = namespace
                .map(|it| format!("/namespaces/{it}"))
                .unwrap_or_default();
            format!("/api/v1{namespace}/events?limit={MAX_EVENTS}&fieldSelector={fields}")
        };
        let row = |object: &[u8], names: &Names| {
            let event: WireEvent = serde_json::from_slice(object).map_err(Error::unreadable)?;
            Ok(reason(event, names))
        };
        self.poll(&mut attempts, "events", path, row, |all| {
            Message::Volumes(VolumeChange::Reasons(all))
        })
        .await;
    }

    /// Lists objects from time to time, for ever: of all namespaces, or of one if the list of all is denied.
    async fn poll<T: Send>(
        &self,
        attempts: &mut Attempts,
        resource: &'static str,
        path: impl Fn(Option<String>) -> String,
        row: impl Fn(&[u8], &Names) -> Result<Option<T>, Error> + Sync,
        message: impl Fn(Vec<T>) -> Message,
    ) {
        let names = self.sender.names();
        let list = async |namespace: Option<String>| {
            let mut reader = JsonItems::new(|object: &[u8]| row(object, names));
            let (path, about) = (path(namespace), About::list(resource));
            self.client
                .read_list(&path, JSON, about, &mut reader)
                .await?;
            Ok::<Vec<T>, Error>(reader.items.into_iter().flatten().collect())
        };
        let own = || Some(escaped(&self.namespace).to_string());
        loop {
            attempts.begin();
            let mut listed = list(own().filter(|_| self.only)).await;
            if !self.only && self.subset.is_everything() && listed.as_ref().is_err_and(is_denied) {
                listed = list(own()).await;
            }
            match listed {
                Ok(all) => {
                    self.sender.send(message(all)).await;
                    attempts.succeeded().await;
                    self.sender.sleep(POLL).await;
                }
                Err(error) => attempts.failed_wait(&error).await,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kubevitals_proto::time::Timestamp;

    #[test]
    fn an_event_gives_the_reason_of_its_claim() {
        let names = Names::default();
        let event = br#"{"metadata":{"namespace":"a","name":"b.1","uid":"7f5d1c50-5d2e-4d0a-8f0e-0c1f1a2b3c4d"},
            "involvedObject":{"kind":"PersistentVolumeClaim","namespace":"a","name":"b"},"type":"Warning",
            "reason":"ProvisioningFailed","message":"no space","lastTimestamp":"1970-01-01T00:00:09Z","count":3}"#;
        let event: WireEvent = serde_json::from_slice(event).unwrap();
        let (key, reason) = reason(event, &names).unwrap();
        assert_eq!(&*key.name, "b");
        assert_eq!(
            (&*reason.reason, &*reason.message),
            ("ProvisioningFailed", "no space")
        );
        assert_eq!(reason.at, Timestamp::from_secs(9));
        assert!(super::reason(WireEvent::default(), &names).is_none());
    }
}
