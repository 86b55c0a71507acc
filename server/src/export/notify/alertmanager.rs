//! Alerts for Alertmanager: `POST /api/v2/alerts`.
//!
//! All alerts are sent again every minute, because Alertmanager ends an alert that nobody repeats within
//! `resolve_timeout`. Alertmanager identifies an alert by its labels, so they do not change while the incident lasts, and
//! are the same at every replica; the cause, which evidence may refine, is an annotation. Every replica sends, and
//! Alertmanager notifies once.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Method};
use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::Incident;
use reqwest::Url;
use serde::Serialize;
use tokio::sync::watch;

use super::notice::ExtraLabels;
use super::shared::Shared;
use super::target::{Attempts, Failure, Kind, judge_response};
use super::tracker::AlertState;
use crate::outbound::{Client, shown_url};

/// The time after which alerts are sent again: a fifth of Alertmanager's default `resolve_timeout`.
const RESEND_INTERVAL: Duration = Duration::from_secs(60);

/// The largest number of alerts in one request.
const BATCH: usize = 128;

/// The number of items of evidence in the description.
const EVIDENCE: usize = 4;

/// The labels of an alert, apart from those that the administrator adds.
pub(super) const LABELS: [&str; 10] = [
    "alertname",
    "container",
    "incident",
    "namespace",
    "node",
    "object",
    "object_kind",
    "severity",
    "workload",
    "workload_kind",
];

const KIND: Kind = Kind {
    label: "alertmanager",
    words: "Alertmanager",
};

/// One Alertmanager.
#[derive(Debug)]
pub(super) struct Alertmanager {
    pub(super) url: Url,
    pub(super) client: Arc<Client>,
    /// The URL of the API server, for links.
    pub(super) cluster_url: String,
    pub(super) labels: ExtraLabels,
    pub(super) shared: Arc<Shared>,
}

/// An alert of Alertmanager's API.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Alert<'a> {
    labels: BTreeMap<&'a str, &'a str>,
    annotations: BTreeMap<&'static str, String>,
    starts_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    ends_at: Option<Timestamp>,
    #[serde(rename = "generatorURL")]
    generator_url: String,
}

impl<'a> Alert<'a> {
    fn new(state: &'a AlertState, extra: &'a BTreeMap<String, String>, cluster_url: &str) -> Self {
        let incident = &*state.incident;
        let meta = &incident.metadata;
        Self {
            labels: labels(incident, extra),
            annotations: annotations(incident),
            starts_at: incident.began,
            ends_at: state.ended,
            generator_url: format!(
                "{}/apis/kubevitals.io/v1alpha1/namespaces/{}/incidents/{}",
                cluster_url.trim_end_matches('/'),
                meta.namespace,
                meta.name
            ),
        }
    }
}

/// What identifies an alert.
fn labels<'a>(
    incident: &'a Incident,
    extra: &'a BTreeMap<String, String>,
) -> BTreeMap<&'a str, &'a str> {
    let (meta, involved) = (&incident.metadata, &incident.involved);
    let workload = involved.workload.as_ref();
    let own = [
        ("alertname", "KubevitalsIncident"),
        ("container", &involved.container),
        ("incident", &meta.name),
        ("namespace", &meta.namespace),
        ("node", &involved.node),
        ("object", &involved.name),
        ("object_kind", &involved.kind),
        ("severity", incident.severity().as_str()),
        ("workload", workload.map_or("", |it| &it.name)),
        ("workload_kind", workload.map_or("", |it| &it.kind)),
    ];
    let extra = extra.iter().map(|(name, value)| (&**name, &**value));
    let all = extra.chain(own);
    all.filter(|(_, value)| !value.is_empty()).collect()
}

/// What a person needs to know. It may change while the alert lasts.
fn annotations(incident: &Incident) -> BTreeMap<&'static str, String> {
    let meta = &incident.metadata;
    let last = incident.evidence.len().saturating_sub(EVIDENCE);
    let evidence = incident.evidence.iter().skip(last);
    let evidence: Vec<String> = evidence
        .map(|it| format!("{} {}", it.time.to_rfc3339_seconds(), it.text))
        .collect();
    BTreeMap::from([
        ("summary", incident.message.clone()),
        ("description", evidence.join("\n")),
        ("reason", incident.reason.as_str().to_owned()),
        ("cause", incident.cause.as_str().to_owned()),
        ("certainty", incident.certainty.as_str().to_owned()),
        ("count", incident.count.to_string()),
        (
            "command",
            format!(
                "kubectl get incidents.kubevitals.io {} --namespace {} -o yaml",
                meta.name, meta.namespace
            ),
        ),
    ])
}

impl Alertmanager {
    /// Sends alerts whenever they have changed, and every minute. Does not return.
    pub(super) async fn run(self, mut alerts: watch::Receiver<Arc<Vec<AlertState>>>) {
        let clock = &self.shared.clock;
        let mut attempts = Attempts::new(KIND, shown_url(&self.url));
        loop {
            let latest = Arc::clone(&alerts.borrow_and_update());
            if let Some(delay) = self.send_all(&latest, &mut attempts).await {
                clock.sleep(delay).await;
                continue;
            }
            tokio::select! {
                () = clock.sleep(RESEND_INTERVAL) => {}
                changed = alerts.changed() => if changed.is_err() {
                    return std::future::pending().await;
                }
            }
        }
    }

    /// Sends all alerts. Returns the delay after which to try again, if an attempt failed.
    async fn send_all(&self, alerts: &[AlertState], attempts: &mut Attempts) -> Option<Duration> {
        for batch in alerts.chunks(BATCH) {
            let sent = self.send(batch).await;
            if let Some(delay) = attempts.judge(&self.shared, sent) {
                return Some(delay);
            }
        }
        None
    }

    async fn send(&self, batch: &[AlertState]) -> Result<(), Failure> {
        let alerts: Vec<Alert<'_>> = batch
            .iter()
            .map(|state| Alert::new(state, &self.labels, &self.cluster_url))
            .collect();
        // Encoding these types cannot fail.
        let body = serde_json::to_vec(&alerts).unwrap_or_default();
        let mut headers = HeaderMap::new();
        let json = HeaderValue::from_static("application/json");
        headers.insert(CONTENT_TYPE, json);
        let mut url = self.url.clone();
        // URLs of flags have a host, so they have a path.
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(["api", "v2", "alerts"]);
        }
        match self.client.send(Method::POST, &url, headers, body).await {
            Ok(response) => judge_response(response).await,
            Err(error) => Err(Failure::temporary(error.to_string())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::notice::Action;
    use super::super::tests::notice;
    use super::*;

    fn state(ended: Option<i64>) -> AlertState {
        AlertState {
            incident: notice(Action::Opened).incident,
            ended: ended.map(Timestamp::from_secs),
        }
    }

    #[test]
    fn an_alert_has_the_fields_of_alertmanagers_api() {
        let extra = BTreeMap::from([("cluster".to_owned(), "prod".to_owned())]);
        let state = state(None);
        let alert = Alert::new(&state, &extra, "https://10.0.0.1/");
        let alert = serde_json::to_value(&alert).unwrap();
        assert_eq!(
            alert,
            serde_json::json!({
                "labels": {
                    "alertname": "KubevitalsIncident", "cluster": "prod", "container": "web", "incident": "web-1-00",
                    "namespace": "shop", "node": "n1", "object": "web-1", "object_kind": "Pod", "severity": "warning",
                    "workload": "web", "workload_kind": "Deployment",
                },
                "annotations": {
                    "summary": "container web was killed: out of memory",
                    "description": "2027-01-15T08:00:00Z memory rose to 64Mi of 64Mi",
                    "reason": "Restart", "cause": "OomKilled", "certainty": "Direct", "count": "3",
                    "command": "kubectl get incidents.kubevitals.io web-1-00 --namespace shop -o yaml",
                },
                "startsAt": "2027-01-15T08:00:00Z",
                "generatorURL":
                    "https://10.0.0.1/apis/kubevitals.io/v1alpha1/namespaces/shop/incidents/web-1-00",
            })
        );
        let labels = alert["labels"].as_object().unwrap().keys();
        let own: Vec<&String> = labels.filter(|name| *name != "cluster").collect();
        assert_eq!(own, LABELS);
    }

    #[test]
    fn an_alert_that_is_over_has_its_end() {
        let state = self::state(Some(1_800_000_090));
        let extra = BTreeMap::new();
        let alert = Alert::new(&state, &extra, "https://10.0.0.1");
        let alert = serde_json::to_value(&alert).unwrap();
        assert_eq!(alert["endsAt"], "2027-01-15T08:01:30Z");
    }

    #[test]
    fn labels_stay_when_the_cause_and_the_count_change() {
        let (before, extra) = (state(None), BTreeMap::new());
        let mut incident = (*before.incident).clone();
        incident.reason = kubevitals_proto::vitals::IncidentKind::ProbeFailing;
        incident.cause = kubevitals_proto::vitals::Cause::LivenessProbe;
        incident.count = 99;
        incident.message = "otherwise".to_owned();
        assert_eq!(labels(&before.incident, &extra), labels(&incident, &extra));
    }
}
