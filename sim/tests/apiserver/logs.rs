//! Logs of containers, as a kubelet serves them.

use kubevitals_sim::objects::Resource;
use serde_json::{Value, json};

use crate::harness::{Answer, Api, get};

/// A pod whose container is in this state, after it ended with exit code 7.
fn pod(state: &Value, restarts: u32) -> Value {
    json!({
        "metadata": {"namespace": "shop", "name": "web", "uid": "u"},
        "spec": {"containers": [{"name": "app"}, {"name": "proxy"}]},
        "status": {"containerStatuses": [{
            "name": "app", "restartCount": restarts, "state": state,
            "lastState": {"terminated": {
                "exitCode": 7, "reason": "Error",
                "startedAt": "2026-01-01T11:00:00Z", "finishedAt": "2026-01-01T11:30:00Z",
            }},
        }, {"name": "proxy", "restartCount": 0, "state": {"waiting": {"reason": "ContainerCreating"}}}]},
    })
}

async fn log(query: &str) -> Answer {
    let api = Api::start().await;
    let running = json!({"running": {"startedAt": "2026-01-01T11:31:00Z"}});
    api.store.apply(Resource::Pods, pod(&running, 1));
    let client = api.admin().await;
    get(
        &client,
        &format!("/api/v1/namespaces/shop/pods/web/log?{query}"),
    )
    .await
}

#[tokio::test]
async fn the_last_lines_are_served_with_their_times() {
    let tail = log("container=app&tailLines=5&timestamps=true").await;
    assert_eq!((tail.code, tail.content_type.as_str()), (200, "text/plain"));
    let lines: Vec<&str> = tail.text.lines().collect();
    assert_eq!(lines.len(), 5);
    for line in lines {
        let (time, text) = line.split_once(' ').unwrap();
        assert!(
            time.starts_with("2026-01-01T11:59:") && time.len() == 30 && !text.is_empty(),
            "{line}"
        );
    }
}

#[tokio::test]
async fn the_previous_log_ends_with_the_crash() {
    let previous = log("container=app&previous=true").await;
    assert!(
        previous
            .text
            .trim_end()
            .ends_with(r#""msg":"main: exit status 7","trace":"#)
            || previous.text.contains("exit status 7")
    );
    let none = log("container=proxy&previous=true").await;
    assert_eq!(
        (none.code, &none.json()["message"]),
        (
            400,
            &json!("previous terminated container \"proxy\" in pod \"web\" not found")
        )
    );
}

#[tokio::test]
async fn a_log_since_a_time_is_bounded_in_bytes() {
    let since = log("container=app&sinceTime=2026-01-01T11:58:00Z&timestamps=true").await;
    assert!(
        since
            .text
            .lines()
            .next()
            .unwrap()
            .starts_with("2026-01-01T11:58:0"),
        "{}",
        since.text
    );
    let limited =
        log("container=app&sinceTime=2026-01-01T11:58:00Z&timestamps=true&limitBytes=100").await;
    assert_eq!(limited.text, since.text[..100]);
}

#[tokio::test]
async fn what_has_no_log_is_said_as_a_kubelet_says_it() {
    for (query, message) in [
        (
            "container=proxy",
            "container \"proxy\" in pod \"web\" is waiting to start: ContainerCreating",
        ),
        (
            "container=other",
            "container other is not valid for pod web",
        ),
        (
            "",
            "a container name must be specified for pod web, choose one of: [app proxy]",
        ),
    ] {
        let answer = log(query).await;
        assert_eq!(
            (answer.code, answer.json()["message"].as_str()),
            (400, Some(message))
        );
    }
}
