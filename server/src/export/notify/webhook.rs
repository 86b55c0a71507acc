//! Webhooks: CloudEvents 1.0 in structured JSON mode, signed as Standard Webhooks defines it.

use std::sync::Arc;

use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Method};
use kubevitals_proto::time::Timestamp;
use reqwest::Url;
use serde::Serialize;

use super::notice::Notice;
use super::shared::Shared;
use super::signature::Keys;
use super::target::{Failure, Kind, Target, judge_response};
use crate::outbound::{Client, shown_url};

/// The media type of a CloudEvent in structured mode.
const MEDIA_TYPE: &str = "application/cloudevents+json; charset=utf-8";

/// The origin of the events: incidents of this API.
const SOURCE: &str = "/apis/kubevitals.io/v1alpha1/incidents";

/// One webhook.
#[derive(Debug)]
pub(super) struct Webhook {
    pub(super) url: Url,
    pub(super) client: Arc<Client>,
    pub(super) keys: Option<Keys>,
    pub(super) shared: Arc<Shared>,
}

/// A CloudEvent.
#[derive(Debug, Serialize)]
struct CloudEvent<'a> {
    specversion: &'static str,
    id: &'a str,
    source: &'static str,
    #[serde(rename = "type")]
    kind: String,
    subject: String,
    time: Timestamp,
    datacontenttype: &'static str,
    data: &'a Notice,
}

impl<'a> CloudEvent<'a> {
    fn of(notice: &'a Notice) -> Self {
        let meta = &notice.incident.metadata;
        Self {
            specversion: "1.0",
            id: &notice.id,
            source: SOURCE,
            kind: format!("io.kubevitals.incident.{}", notice.action.as_str()),
            subject: format!("{}/{}", meta.namespace, meta.name),
            time: notice.time,
            datacontenttype: "application/json",
            data: notice,
        }
    }
}

/// The headers of Standard Webhooks. Without keys there is no signature.
///
/// # Errors
/// The keys cannot be used; one line.
fn headers(
    keys: Option<&Keys>,
    id: &str,
    now: Timestamp,
    body: &[u8],
) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
    let mut insert = |name: &'static str, value: &str| {
        // IDs, numbers and base64 are valid values.
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    };
    insert("webhook-id", id);
    insert("webhook-timestamp", &now.as_secs().to_string());
    if let Some(keys) = keys {
        insert("webhook-signature", &keys.sign(id, now.as_secs(), body)?);
    }
    Ok(headers)
}

impl Target for Webhook {
    const KIND: Kind = Kind {
        label: "webhook",
        words: "the webhook",
    };

    fn location(&self) -> String {
        shown_url(&self.url)
    }

    async fn deliver(&mut self, notice: &Notice) -> Result<(), Failure> {
        // Encoding these types cannot fail.
        let body = serde_json::to_vec(&CloudEvent::of(notice)).unwrap_or_default();
        let now = self.shared.clock.wall();
        let headers = headers(self.keys.as_ref(), &notice.id, now, &body);
        let headers = headers.map_err(Failure::temporary)?;
        let sent = self.client.send(Method::POST, &self.url, headers, body);
        match sent.await {
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
    use crate::query::VitalsBuilder;

    #[test]
    fn a_notice_is_a_cloud_event_with_the_incident_as_data() {
        let notice = notice(Action::Resolved);
        let event = serde_json::to_value(CloudEvent::of(&notice)).unwrap();
        let incident = VitalsBuilder::incident(&notice.incident);
        let incident = serde_json::to_value(incident).unwrap();
        assert_eq!(
            event,
            serde_json::json!({
                "specversion": "1.0",
                "id": notice.id,
                "source": "/apis/kubevitals.io/v1alpha1/incidents",
                "type": "io.kubevitals.incident.resolved",
                "subject": "shop/web-1-00",
                "time": "2027-01-15T08:00:30Z",
                "datacontenttype": "application/json",
                "data": {
                    "id": notice.id,
                    "action": "resolved",
                    "time": "2027-01-15T08:00:30Z",
                    "severity": "warning",
                    "labels": {"cluster": "prod"},
                    "incident": incident,
                },
            })
        );
        assert_eq!(incident["apiVersion"], "kubevitals.io/v1alpha1");
    }

    #[test]
    fn requests_have_the_headers_of_standard_webhooks() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("keys");
        std::fs::write(&file, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let keys = Keys::of_file(file.clone()).unwrap();
        let now = Timestamp::from_secs(1_614_265_330);
        let id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
        let with = |keys| headers(keys, id, now, br#"{"test": 2432232314}"#);
        let signed = with(Some(&keys)).unwrap();
        for (name, value) in [
            ("content-type", MEDIA_TYPE),
            ("webhook-id", id),
            ("webhook-timestamp", "1614265330"),
            (
                "webhook-signature",
                "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
            ),
        ] {
            assert_eq!(signed[name], value);
        }
        assert!(!with(None).unwrap().contains_key("webhook-signature"));
        // A request without its signature would be refused.
        std::fs::remove_file(file).unwrap();
        with(Some(&keys)).unwrap_err();
    }
}
