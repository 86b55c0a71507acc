//! The objects of the page of a node, a workload, an HPA or a namespace, from the API server.

use std::sync::Arc;

use kubevitals_proto::objects::{
    WireBudget, WireLimitRange, WireNode, WireNodeImages, WireQuota, WireRollout,
};
use serde::de::DeserializeOwned;
use tokio::sync::Mutex;

use super::attempts::Attempts;
use super::client::{JSON, escaped};
use super::message_sender::MessageSender;
use super::status::About;
use super::{ApiClient, Error, VitalsApi};
use crate::model::{Facts, Message, Name, Objects, Scope};

/// The number of a node's images that the page names.
const LARGEST_IMAGES: usize = 4;

/// Reads the objects of the open page. The dashboard requests them again and again; after failures a back-off applies.
pub(super) struct FactPages<'a> {
    sender: &'a MessageSender,
    client: &'a ApiClient,
    /// The client of kubevitals.io, if the source is a vitals-server.
    vitals: Option<VitalsApi>,
    last: Mutex<Option<LastRead>>,
}

struct LastRead {
    scope: Scope,
    facts: Facts,
    attempts: Attempts,
}

/// The outcome of one request: the object, or nothing with the reason in `missing`.
pub(super) struct Reading<'a> {
    pub(super) sender: &'a MessageSender,
    pub(super) client: &'a ApiClient,
    pub(super) vitals: Option<&'a VitalsApi>,
    pub(super) missing: Vec<String>,
    pub(super) failure: Option<Error>,
}

impl<'a> FactPages<'a> {
    pub(super) fn new(
        sender: &'a MessageSender,
        client: &'a ApiClient,
        vitals: Option<VitalsApi>,
    ) -> Self {
        Self {
            sender,
            client,
            vitals,
            last: Mutex::new(None),
        }
    }

    /// The objects of a page. While the back-off after a failure lasts, those of the last request.
    pub(super) async fn facts(&self, scope: Scope) -> Message {
        let mut last = self.last.lock().await;
        let before = last.take().filter(|last| last.scope == scope);
        let mut attempts = match before {
            Some(before) if !before.attempts.is_due() => {
                let facts = before.facts.clone();
                *last = Some(before);
                return Message::Facts(scope, Box::new(facts));
            }
            Some(before) => before.attempts,
            None => Attempts::new(self.sender, None),
        };
        attempts.begin();
        let mut reading = Reading::new(self.sender, self.client, self.vitals.as_ref());
        let objects = reading.objects(&scope).await;
        match &reading.failure {
            Some(error) => attempts.failed(error).await,
            None => attempts.succeeded().await,
        }
        let facts = Facts {
            objects,
            missing: reading.missing,
        };
        *last = Some(LastRead {
            scope: scope.clone(),
            facts: facts.clone(),
            attempts,
        });
        Message::Facts(scope, Box::new(facts))
    }
}

impl<'a> Reading<'a> {
    pub(super) const fn new(
        sender: &'a MessageSender,
        client: &'a ApiClient,
        vitals: Option<&'a VitalsApi>,
    ) -> Self {
        Self {
            sender,
            client,
            vitals,
            missing: Vec::new(),
            failure: None,
        }
    }
}

impl Reading<'_> {
    async fn objects(&mut self, scope: &Scope) -> Objects {
        match scope {
            Scope::Node(name) => self.node(name).await,
            Scope::Workload(namespace, workload) => {
                self.workload(namespace, &workload.kind, &workload.name)
                    .await
            }
            Scope::Namespace(name) => {
                let (mut quotas, mut ranges) = (Vec::new(), Vec::new());
                self.list("/api/v1", name, "resourcequotas", |page| {
                    quotas.extend(page.into_iter().map(WireQuota::convert));
                })
                .await;
                self.list("/api/v1", name, "limitranges", |page| {
                    ranges.extend(page.into_iter().flat_map(WireLimitRange::convert));
                })
                .await;
                Objects::Namespace(quotas, ranges)
            }
            Scope::Hpa(key, _) => match self.hpa(key).await {
                Some((_, facts)) => Objects::Hpa(Box::new(facts)),
                None => Objects::None,
            },
            Scope::All | Scope::Pod(_) | Scope::Claim(..) | Scope::Problem(_) => Objects::None,
        }
    }

    /// The node with its largest images. A list of nodes is read without their names, which are most of an object.
    async fn node(&mut self, name: &Name) -> Objects {
        let resource = "nodes";
        let path = format!("/api/v1/nodes/{}", escaped(name));
        let about = About { resource, name };
        let response = self.client.get(&path, JSON, about).await;
        let read = response.and_then(|response| {
            let images: WireNodeImages = response.parse()?;
            Ok((response.parse::<WireNode>()?, images))
        });
        match read {
            Ok((node, images)) => match node.convert(&self.sender.pools) {
                Some(node) => Objects::Node(Arc::new(node), images.largest(LARGEST_IMAGES)),
                None => Objects::None,
            },
            Err(error) => {
                self.failed(resource, error);
                Objects::None
            }
        }
    }

    /// The rollout of a workload, and the budgets of its pods. Other kinds have no rollout.
    async fn workload(&mut self, namespace: &Name, kind: &str, name: &Name) -> Objects {
        let resource = match kind {
            "Deployment" => "deployments",
            "StatefulSet" => "statefulsets",
            "DaemonSet" => "daemonsets",
            _ => return Objects::None,
        };
        let (namespace_part, name_part) = (escaped(namespace), escaped(name));
        let path = format!("/apis/apps/v1/namespaces/{namespace_part}/{resource}/{name_part}");
        let Some(rollout) = self.get::<WireRollout>(&path, resource, name).await else {
            return Objects::None;
        };
        let rollout = rollout.convert(kind);
        let mut budgets = Vec::new();
        self.list(
            "/apis/policy/v1",
            namespace,
            "poddisruptionbudgets",
            |page| {
                let page = page.into_iter().map(WireBudget::convert);
                budgets.extend(page.filter(|budget| budget.is_of(&rollout.labels)));
            },
        )
        .await;
        Objects::Workload(Box::new(rollout), budgets)
    }

    /// Lists objects of a namespace and gives them to `take`, page by page.
    async fn list<T: DeserializeOwned>(
        &mut self,
        api: &str,
        namespace: &Name,
        resource: &'static str,
        take: impl FnMut(Vec<T>),
    ) {
        let path = format!("{api}/namespaces/{}/{resource}", escaped(namespace));
        match self.client.read_pages(&path, resource, take).await {
            Ok(read) => self.missing.extend(read.cut(resource)),
            Err(error) => self.failed(resource, error),
        }
    }

    pub(super) async fn get<T: DeserializeOwned>(
        &mut self,
        path: &str,
        resource: &'static str,
        name: &str,
    ) -> Option<T> {
        let about = About { resource, name };
        match self.client.parsed(path, JSON, about).await {
            Ok(object) => Some(object),
            Err(error) => {
                self.failed(resource, error);
                None
            }
        }
    }

    fn failed(&mut self, resource: &str, error: Error) {
        self.missing
            .push(format!("{resource}: {}", error.fault().text));
        self.failure = Some(error);
    }
}
