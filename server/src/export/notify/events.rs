//! Kubernetes Events about incidents, on the objects that they are about.
//!
//! kube's `Recorder` names an Event by the time, so two replicas would create two. These have a name that follows from
//! the notice, and the API server refuses the second one.

use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::api::events::v1::Event;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use k8s_openapi::jiff;
use kube::api::{ObjectMeta, PostParams};
use kube::{Api, Client};
use kubevitals_proto::vitals::{Incident, Involved};

use super::notice::{Action, Notice};
use super::shared::Shared;
use super::target::{Failure, Kind, Target};
use crate::cluster::OWN_EVENTS;
use crate::export::host_name;
use crate::manage::with_timeout;
use crate::telemetry::chain;

/// The time between two Events: the API server stores each of them for an hour.
const INTERVAL: Duration = Duration::from_secs(1);

/// The longest note that the API server accepts, in bytes.
const MAX_NOTE: usize = 1024;

/// The longest name of the instance that the API server accepts, in bytes.
const MAX_INSTANCE: usize = 128;

/// Creates Events.
pub(super) struct Events {
    client: Client,
    instance: String,
    shared: Arc<Shared>,
}

impl Events {
    pub(super) fn new(client: Client, shared: Arc<Shared>) -> Self {
        let mut instance = host_name();
        instance.truncate(instance.floor_char_boundary(MAX_INSTANCE));
        if instance.is_empty() {
            "vitals-server".clone_into(&mut instance);
        }
        Self {
            client,
            instance,
            shared,
        }
    }
}

impl Target for Events {
    const KIND: Kind = Kind {
        label: "events",
        words: "the API server",
    };

    fn location(&self) -> String {
        "events.k8s.io/v1".to_owned()
    }

    async fn deliver(&mut self, notice: &Notice) -> Result<(), Failure> {
        let event = event(notice, &self.instance);
        let api: Api<Event> =
            Api::namespaced(self.client.clone(), &notice.incident.metadata.namespace);
        let created = with_timeout(api.create(&PostParams::default(), &event)).await;
        let result = match created {
            Ok(_) => Ok(()),
            // Another replica or an earlier process has created it.
            Err(kube::Error::Api(status)) if status.code == 409 => Ok(()),
            Err(kube::Error::Api(status)) if (400..429).contains(&status.code) => {
                let hint = match status.code {
                    403 => {
                        "; grant create on events of the group events.k8s.io, or remove --incident-events"
                    }
                    _ => "",
                };
                Err(Failure::Refused(format!("{}{hint}", status.message)))
            }
            Err(error) => Err(Failure::temporary(chain(&error))),
        };
        if result.is_ok() {
            self.shared.clock.sleep(INTERVAL).await;
        }
        result
    }
}

/// The Event about a notice.
fn event(notice: &Notice, instance: &str) -> Event {
    let incident = &notice.incident;
    let involved = &incident.involved;
    let meta = &incident.metadata;
    let (reason, warning) = match notice.action {
        Action::Opened => ("IncidentOpened", true),
        Action::Changed => ("IncidentChanged", true),
        Action::Resolved => ("IncidentResolved", false),
        Action::Withdrawn => ("IncidentWithdrawn", false),
    };
    // The API server requires the namespace of the object, and `default` for an object without one.
    let namespaced = !involved.namespace.is_empty();
    let nanos = i128::from(notice.time.as_nanos());
    Event {
        metadata: ObjectMeta {
            name: Some(name(&involved.name, &notice.id)),
            namespace: Some(meta.namespace.clone()),
            ..ObjectMeta::default()
        },
        event_time: jiff::Timestamp::from_nanosecond(nanos).ok().map(MicroTime),
        reporting_controller: Some(OWN_EVENTS.to_owned()),
        reporting_instance: Some(instance.to_owned()),
        action: Some(incident.reason.as_str().to_owned()),
        reason: Some(reason.to_owned()),
        regarding: Some(ObjectReference {
            api_version: api_version(&involved.kind).map(ToOwned::to_owned),
            kind: Some(involved.kind.clone()),
            name: Some(involved.name.clone()),
            namespace: namespaced.then(|| meta.namespace.clone()),
            uid: Some(involved.uid.clone()).filter(|uid| !uid.is_empty()),
            field_path: field_path(involved),
            ..ObjectReference::default()
        }),
        note: Some(note(incident)),
        type_: Some(if warning { "Warning" } else { "Normal" }.to_owned()),
        ..Event::default()
    }
}

/// A name that follows from the notice, with at most 253 characters.
fn name(object: &str, id: &str) -> String {
    let object = object.get(..object.floor_char_boundary(216));
    format!("{}.{id}", object.unwrap_or_default())
}

/// The container, as the kubelet's Events name it.
fn field_path(involved: &Involved) -> Option<String> {
    let of_container = involved.kind == "Pod" && !involved.container.is_empty();
    of_container.then(|| format!("spec.containers{{{}}}", involved.container))
}

fn api_version(kind: &str) -> Option<&'static str> {
    match kind {
        "Pod" | "Node" | "ReplicationController" => Some("v1"),
        "Deployment" | "ReplicaSet" | "StatefulSet" | "DaemonSet" => Some("apps/v1"),
        "Job" | "CronJob" => Some("batch/v1"),
        _ => None,
    }
}

/// The message, the name of the incident, and the last evidence.
fn note(incident: &Incident) -> String {
    let mut note = format!("{} ({})", incident.message, incident.metadata.name);
    if let Some(evidence) = incident.evidence.last() {
        note = format!("{note}: {}", evidence.text);
    }
    if note.len() > MAX_NOTE {
        note.truncate(note.floor_char_boundary(MAX_NOTE - '…'.len_utf8()));
        note.push('…');
    }
    note
}

#[cfg(test)]
mod tests {
    use super::super::tests::notice;
    use super::*;

    #[test]
    fn an_event_is_about_the_object_of_the_incident() {
        for (kind, namespace, container, expected) in [
            (
                "Pod",
                "shop",
                "web",
                serde_json::json!({"apiVersion": "v1", "kind": "Pod", "name": "web-1", "namespace": "shop",
                    "uid": "u1", "fieldPath": "spec.containers{web}"}),
            ),
            (
                "Deployment",
                "shop",
                "web",
                serde_json::json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": "web-1",
                    "namespace": "shop", "uid": "u1"}),
            ),
            (
                "Node",
                "",
                "",
                serde_json::json!({"apiVersion": "v1", "kind": "Node", "name": "web-1", "uid": "u1"}),
            ),
            (
                "Rollout",
                "shop",
                "",
                serde_json::json!({"kind": "Rollout", "name": "web-1", "namespace": "shop", "uid": "u1"}),
            ),
        ] {
            let mut notice = notice(Action::Opened);
            let involved = &mut Arc::make_mut(&mut notice.incident).involved;
            kind.clone_into(&mut involved.kind);
            namespace.clone_into(&mut involved.namespace);
            container.clone_into(&mut involved.container);
            let event = serde_json::to_value(event(&notice, "pod-1")).unwrap();
            assert_eq!(event["regarding"], expected);
            assert_eq!(event["reportingController"], "kubevitals.io/vitals-server");
            assert_eq!(event["reportingInstance"], "pod-1");
            assert_eq!(
                (&event["type"], &event["reason"]),
                (&"Warning".into(), &"IncidentOpened".into())
            );
            assert_eq!(event["eventTime"], "2027-01-15T08:00:30.000000Z");
        }
    }

    #[test]
    fn names_and_notes_have_the_lengths_that_the_api_server_accepts() {
        let mut notice = notice(Action::Resolved);
        let incident = Arc::make_mut(&mut notice.incident);
        incident.involved.name = "x".repeat(253);
        incident.message = "é".repeat(2000);
        let event = event(&notice, "pod-1");
        assert_eq!(event.metadata.name.unwrap().len(), 253);
        let note = event.note.unwrap();
        assert!(
            note.len() <= MAX_NOTE && note.ends_with('…'),
            "{}",
            note.len()
        );
        assert_eq!(event.type_.as_deref(), Some("Normal"));
    }
}
