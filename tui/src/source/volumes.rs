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
        let names = self.sender.names();
        let row = |object: &[u8]| {
            let volume: VolumeVitals = serde_json::from_slice(object).map_err(Error::unreadable)?;
            let meta = &volume.metadata;
            let key = Key::new(&names.intern(&meta.namespace), &names.intern(&meta.name));
            Ok((key, VolumeUsage::from_vitals(&volume, names)))
        };
        let list = |namespace: String| async move {
            let path = vitals_path(&format!("{namespace}/volumevitals"));
            let mut reader = JsonItems::new(row);
            let about = About::list("volumevitals.kubevitals.io");
            let list = self.client.read_list(&path, JSON, about, &mut reader);
            list.await.map(|_| VolumeChange::Usage(reader.items))
        };
        self.poll(Part::Volumes, list).await;
    }

    /// Why claims are not bound: the events about claims say it.
    async fn claim_reasons(&self) {
        let names = self.sender.names();
        let fields = &escaped(&format!("involvedObject.kind={CLAIM}"));
        let list = |namespace: String| async move {
            let path = format!("/api/v1{namespace}/events?fieldSelector={fields}");
            let mut reasons = Vec::new();
            let take = |page: Vec<WireEvent>| {
                reasons.extend(page.into_iter().filter_map(|event| reason(event, names)));
            };
            let read = self.client.read_pages(&path, "events", take);
            read.await.map(|_| VolumeChange::Reasons(reasons))
        };
        self.poll(Part::Events, list).await;
    }

    /// Lists objects from time to time, for ever: of all namespaces, or of one if the list of all is denied. `list` gets
    /// the part of the path that names the namespace.
    async fn poll<F: Future<Output = Result<VolumeChange, Error>>>(
        &self,
        part: Part,
        list: impl Fn(String) -> F,
    ) {
        let mut attempts = Attempts::new(&self.sender, part);
        let own = format!("/namespaces/{}", escaped(&self.namespace));
        let first = if self.only {
            own.clone()
        } else {
            String::new()
        };
        loop {
            attempts.begin();
            let mut listed = list(first.clone()).await;
            if !self.only && self.subset.is_everything() && listed.as_ref().is_err_and(is_denied) {
                listed = list(own.clone()).await;
            }
            match listed {
                Ok(all) => {
                    self.sender.send(Message::Volumes(all)).await;
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
