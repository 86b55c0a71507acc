//! Webhooks, Events and the log, while the targets misbehave.

use std::collections::BTreeSet;
use std::fs;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use kubevitals_sim::identity::{Rule, SERVER_ACCOUNT, Subject};
use kubevitals_sim::objects::Resource;
use ring::hmac;
use serde_json::Value;

use super::receiver::{Answer, Receiver, Request, garbage};
use super::{World, brief, lines, pairs};

/// Whether the signature of a request is right, as a receiver checks it.
fn verifies(request: &Request, secret: &[u8]) -> bool {
    let header = |name: &str| request.headers[name].to_str().unwrap();
    let mut message = format!("{}.{}.", header("webhook-id"), header("webhook-timestamp"));
    message.push_str(std::str::from_utf8(&request.body).unwrap());
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    let signatures = header("webhook-signature").split(' ');
    let mut signatures = signatures.filter_map(|it| it.strip_prefix("v1,"));
    signatures.any(|it| {
        let signature = BASE64_STANDARD.decode(it).unwrap();
        hmac::verify(&key, message.as_bytes(), &signature).is_ok()
    })
}

/// The actions of the requests that a receiver has not seen before, by their IDs.
fn received(receiver: &Receiver) -> Vec<(String, String)> {
    let mut ids = BTreeSet::new();
    let requests = receiver.requests().into_iter();
    let new = requests.filter(|it| ids.insert(it.headers["webhook-id"].clone()));
    new.map(|it| brief(&it.json()["data"])).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_webhook_that_fails_in_every_way_gets_each_notice_in_order() {
    let world = World::new().await;
    let elsewhere = Receiver::start([]).await;
    let receiver = Receiver::start([
        Answer::Status(500),
        Answer::Status(503),
        Answer::RetryAfter(429, 300),
        Answer::Redirect(elsewhere.url("/stolen")),
        Answer::Status(401),
        Answer::Status(404),
    ])
    .await;
    let secret = [7; 32];
    let keys = world.folder.path().join("keys");
    fs::write(&keys, format!("whsec_{}\n", BASE64_STANDARD.encode(secret))).unwrap();
    let server = world
        .serve(&[
            format!("--incident-webhook-url={}", receiver.url("/hook?tenant=a")),
            format!("--incident-webhook-key-file={}", keys.display()),
            "--incident-label=cluster=prod".to_owned(),
        ])
        .await;
    world.breaks("web-1");
    world
        .until("the webhook has seen every failure", async || {
            receiver.requests().len() == 7
        })
        .await;
    world.recovers("web-1");
    let both = pairs(&[("opened", "web-1"), ("resolved", "web-1")]);
    world
        .until("the end has arrived", async || received(&receiver) == both)
        .await;
    let requests = receiver.requests();
    let ids: BTreeSet<&str> = requests
        .iter()
        .map(|it| it.headers["webhook-id"].to_str().unwrap())
        .collect();
    assert_eq!((requests.len(), ids.len()), (8, 2));
    for request in &requests {
        assert!(verifies(request, &secret), "{request:?}");
        assert!(!verifies(request, &[8; 32]));
        assert_eq!(request.path, "/hook");
        let event = request.json();
        assert_eq!(event["id"], request.headers["webhook-id"].to_str().unwrap());
        assert_eq!(event["data"]["labels"]["cluster"], "prod");
    }
    let second = |at: usize| {
        let timestamp = requests[at].headers["webhook-timestamp"].to_str().unwrap();
        timestamp.parse::<i64>().unwrap()
    };
    assert!(second(3) - second(2) >= 300, "Retry-After");
    assert_eq!(elsewhere.requests().len(), 0, "redirects are not followed");
    assert_eq!(world.notices(&server, "webhook", "delivered").await, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_notice_that_the_webhook_refuses_is_counted_and_the_next_one_is_sent() {
    let world = World::new().await;
    let receiver = Receiver::start([Answer::Status(400)]).await;
    let flag = format!("--incident-webhook-url={}", receiver.url("/"));
    let server = world.serve(&[flag]).await;
    world.breaks("web-1");
    world
        .until("it is refused", async || {
            world.notices(&server, "webhook", "refused").await == 1
        })
        .await;
    world.recovers("web-1");
    world
        .until("the next one is delivered", async || {
            world.notices(&server, "webhook", "delivered").await == 1
        })
        .await;
    assert_eq!(receiver.requests().len(), 2);
    assert!(
        !receiver.requests()[0]
            .headers
            .contains_key("webhook-signature")
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_webhook_that_never_answers_and_a_full_disk_delay_nobody_else() {
    let world = World::new().await;
    let hanging = Receiver::start([Answer::Hang]).await;
    let (garbage, task) = garbage().await;
    let other = Receiver::start([]).await;
    let server = world
        .serve(&[
            "--incident-log=/dev/full".to_owned(),
            format!("--incident-webhook-url={}", hanging.url("/")),
            format!("--incident-webhook-url={garbage}"),
            format!("--incident-webhook-url={}", other.url("/")),
        ])
        .await;
    world.breaks("web-1");
    world
        .until("the other webhook has it", async || {
            other.requests().len() == 1
        })
        .await;
    // Two after the garbage, three after the timeout of the one that hangs.
    world
        .until("all webhooks have it", async || {
            world.notices(&server, "webhook", "delivered").await == 3
        })
        .await;
    assert_eq!(hanging.requests().len(), 2);
    let retries = "kubevitals_incident_notice_retries_total{target=\"log\"}";
    assert!(crate::harness::counted(&world.cluster, &server, retries).await > 0);
    assert_eq!(world.notices(&server, "log", "delivered").await, 0);
    task.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_goes_on_when_there_is_space_again() {
    let world = World::new().await;
    let folder = world.folder.path().join("volume");
    let log = folder.join("log");
    let server = world
        .serve(&[format!("--incident-log={}", log.display())])
        .await;
    world.breaks("web-1");
    let retries = "kubevitals_incident_notice_retries_total{target=\"log\"}";
    world
        .until("the log cannot be written", async || {
            crate::harness::counted(&world.cluster, &server, retries).await > 1
        })
        .await;
    fs::create_dir(&folder).unwrap();
    let opened = pairs(&[("opened", "web-1")]);
    world
        .until("the log has the incident", async || lines(&log) == opened)
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_are_created_on_the_object_and_are_no_evidence() {
    let world = World::new().await;
    let server = world.serve(&["--incident-events".to_owned()]).await;
    world.breaks("web-1");
    // Without the permission, the notice is lost and counted.
    world
        .until("the API server denies it", async || {
            world.notices(&server, "events", "refused").await == 1
        })
        .await;
    world.cluster.identities().grant(
        Subject::service_account(SERVER_ACCOUNT.0, SERVER_ACCOUNT.1),
        Rule::resources(&["create"], "events.k8s.io", &["events"]),
    );
    world.breaks("other-pod");
    world.recovers("web-1");
    world
        .until("the Events are there", async || {
            world.notices(&server, "events", "delivered").await >= 2
        })
        .await;
    let incidents = server.query().health().incidents().0;
    let of = |name: &str| {
        let found = incidents
            .iter()
            .find(|it| it.incident.involved.name == name);
        found.unwrap().incident.clone()
    };
    let (web, other) = (of("web-1"), of("other-pod"));
    let mut seen = Vec::new();
    let events = world.cluster.store().snapshot(Resource::Events);
    for (_, event) in events.range(None, None) {
        let event: Value = event.to_value(Resource::Events);
        if event["reportingComponent"] != "kubevitals.io/vitals-server" {
            continue;
        }
        let involved = &event["involvedObject"];
        let about = if involved["name"] == "web-1" {
            &web
        } else {
            &other
        };
        assert_eq!(involved["uid"], about.involved.uid);
        assert_eq!(involved["fieldPath"], "spec.containers{web}");
        assert!(
            event["message"]
                .as_str()
                .unwrap()
                .starts_with(&about.message)
        );
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        seen.push((text(&event["reason"]), text(&involved["name"])));
    }
    seen.sort();
    let expected = [
        ("IncidentOpened", "other-pod"),
        ("IncidentResolved", "web-1"),
    ];
    assert_eq!(seen, pairs(&expected));
    world.pass(60).await;
    for entry in server.query().health().incidents().0 {
        let evidence = entry.incident.evidence.iter();
        let texts: Vec<&str> = evidence.map(|it| &*it.text).collect();
        assert!(texts.iter().all(|it| !it.contains("Incident")), "{texts:?}");
    }
}
