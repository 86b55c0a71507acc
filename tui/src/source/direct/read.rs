//! Reads an object: as YAML, described, its events, its ports.

use serde_json::Value;

use super::Direct;
use crate::model::describe::{self, Events, Parts};
use crate::model::{Document, Kind, Object, ReadRequest, TextLine, Topic};
use crate::source::Error;
use crate::source::client::{JSON, escaped};
use crate::source::status::About;

/// The path of an object.
pub(super) fn path(object: &Object) -> String {
    let kind = object.kind;
    let place = match &*object.namespace {
        "" => String::new(),
        namespace => format!("/namespaces/{}", escaped(namespace)),
    };
    format!(
        "{}{place}/{}/{}",
        kind.api(),
        kind.plural(),
        escaped(&object.name)
    )
}

impl Direct {
    /// Reads what is requested of an object.
    pub(super) async fn read(&self, request: &ReadRequest) -> Result<Document, Error> {
        let Some(object) = &request.object else {
            return Ok(events_document(&self.events(None).await?, self.now()));
        };
        match request.what {
            Topic::Events => Ok(events_document(
                &self.events(Some(object)).await?,
                self.now(),
            )),
            Topic::Yaml => describe::yaml(self.object(object).await?).map_err(Error::Request),
            Topic::Ports => Ok(Document {
                ports: describe::ports(&self.object(object).await?),
                ..Document::default()
            }),
            Topic::Describe => self.describe(object).await,
        }
    }

    fn now(&self) -> kubevitals_proto::time::Timestamp {
        self.sender.now()
    }

    /// Reads an object.
    pub(super) async fn object(&self, object: &Object) -> Result<Value, Error> {
        let about = About {
            resource: object.kind.plural(),
            name: &object.name,
        };
        self.client.parsed(&path(object), JSON, about).await
    }

    /// The newest events of an object, or of all.
    async fn events(&self, object: Option<&Object>) -> Result<Events, Error> {
        let path = match object {
            None => "/api/v1/events".to_owned(),
            Some(object) => {
                let place = match &*object.namespace {
                    // Events of nodes are in the namespace default.
                    "" => String::new(),
                    namespace => format!("/namespaces/{}", escaped(namespace)),
                };
                let Object { kind, name, .. } = object;
                let selector = format!(
                    "involvedObject.kind={},involvedObject.name={name}",
                    kind.name()
                );
                format!("/api/v1{place}/events?fieldSelector={}", escaped(&selector))
            }
        };
        let mut events = Events::default();
        let take = |page: Vec<Value>| events.add(page);
        let read = self.client.read_pages(&path, "events", take).await?;
        events.cut = read.cut("events").unwrap_or_default();
        Ok(events)
    }

    /// Describes an object, with what kubectl requests besides. What cannot be read is named in its place.
    async fn describe(&self, object: &Object) -> Result<Document, Error> {
        let (value, events, pods) = tokio::join!(
            self.object(object),
            self.events(Some(object)),
            self.pods_of(object)
        );
        let failed = |error: Error| error.fault().text;
        let parts = Parts {
            object: &value?,
            kind: object.kind,
            pods: pods.map_err(failed),
            events: events.map_err(failed),
            now: self.now(),
        };
        Ok(Document {
            lines: describe::describe(&parts),
            ..Document::default()
        })
    }

    /// The pods on a node; none for other kinds.
    async fn pods_of(&self, object: &Object) -> Result<Vec<Value>, Error> {
        if object.kind != Kind::Node {
            return Ok(Vec::new());
        }
        self.pods_on(&object.name).await
    }

    /// The pods on a node: all of them, so that a drain does not leave one out.
    pub(super) async fn pods_on(&self, node: &str) -> Result<Vec<Value>, Error> {
        let selector = escaped(&format!("spec.nodeName={node}"));
        let path = format!("/api/v1/pods?fieldSelector={selector}");
        let mut pods = Vec::new();
        let take = |page: Vec<Value>| pods.extend(page);
        let read = self.client.read_pages(&path, "pods", take).await?;
        match read.cut("pods") {
            None => Ok(pods),
            Some(cut) => Err(Error::Request(cut)),
        }
    }
}

/// A page of events, newest first.
fn events_document(events: &Events, now: kubevitals_proto::time::Timestamp) -> Document {
    let mut lines = describe::events(events, now, true);
    if lines.is_empty() {
        lines.push(TextLine::plain("No events"));
    }
    Document {
        lines,
        ..Document::default()
    }
}
