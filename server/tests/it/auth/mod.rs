//! Authentication and authorization, above all of requests that are refused.

mod access;
mod identity;
mod outage;
mod rotation;

use kubevitals_proto::time::Timestamp;
use kubevitals_sim::identity::{Rule, Subject};
use kubevitals_sim::pki::Certified;
use kubevitals_sim::{Config, Faults, SimClock};
use serde_json::Value;

use crate::harness::{Harness, client};

pub(super) const NODES: &str = "/apis/metrics.k8s.io/v1beta1/nodes";

pub(super) fn config() -> Config {
    Config {
        nodes: 1,
        pods_per_node: 2,
        faults: Faults::None,
        clock: Some(SimClock::manual(Timestamp::from_secs(1_800_000_000))),
        ..Config::default()
    }
}

/// A client with its credentials. Requests return the status and the JSON of the response.
#[derive(Clone)]
pub(super) struct TestUser<'a> {
    harness: &'a Harness,
    client: reqwest::Client,
    headers: Vec<(&'static str, String)>,
}

impl<'a> TestUser<'a> {
    /// A client without credentials.
    pub(super) fn anonymous(harness: &'a Harness) -> Self {
        Self {
            harness,
            client: client(None),
            headers: Vec::new(),
        }
    }

    /// A client with a certificate.
    pub(super) fn with_certificate(harness: &'a Harness, certificate: &Certified) -> Self {
        Self {
            client: client(Some(certificate)),
            ..Self::anonymous(harness)
        }
    }

    /// A client with a token.
    pub(super) fn with_token(harness: &'a Harness, token: &str) -> Self {
        Self::anonymous(harness).with_header("Authorization", &format!("Bearer {token}"))
    }

    /// The same client with one more header.
    pub(super) fn with_header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    pub(super) async fn get(&self, path: &str) -> reqwest::Response {
        let mut request = self.client.get(self.harness.url(path));
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        request.send().await.expect("the server answers")
    }

    /// The status, and the message of a refusal.
    pub(super) async fn status_and_message(&self, path: &str) -> (u16, String) {
        let response = self.get(path).await;
        let status = response.status().as_u16();
        let body = response.bytes().await.expect("a whole body");
        let body: Value = serde_json::from_slice(&body).unwrap_or_default();
        if status >= 400 {
            assert_eq!(body["kind"], "Status", "{path}: {body}");
            assert_eq!(body["code"], status, "{path}: {body}");
        }
        let message = body["message"].as_str().unwrap_or_default();
        (status, message.to_owned())
    }

    pub(super) async fn status(&self, path: &str) -> u16 {
        self.status_and_message(path).await.0
    }
}

/// Allows a user to read the metrics of nodes.
pub(super) fn may_see_nodes(harness: &Harness, subject: Subject) {
    let rule = Rule::resources(&["get", "list"], "metrics.k8s.io", &["nodes"]);
    harness.cluster.identities().grant(subject, rule);
}

pub(super) fn cannot_list(user: &str) -> (u16, String) {
    let message = format!(
        r#"nodes.metrics.k8s.io is forbidden: User "{user}" cannot list resource "nodes" in API group "metrics.k8s.io" at the cluster scope"#
    );
    (403, message)
}

pub(super) fn unauthorized() -> (u16, String) {
    (401, "Unauthorized".to_owned())
}
