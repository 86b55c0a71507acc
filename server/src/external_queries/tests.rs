use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use kubevitals_proto::selector::LabelSelector;
use kubevitals_proto::time::Timestamp;
use kubevitals_sim::SimClock;

use super::*;
use crate::engine;

const FILE: &str = "queries:\n\
    - {name: depth, query: 'sum(depth{namespace=\"$namespace\"})', interval: 30s, timeout: 10s}\n\
    - {name: all, query: up, namespaces: ['*']}\n\
    - {name: shops, query: up, namespaces: [shop]}\n";

/// What an engine answers, and the queries that it received.
#[derive(Default)]
struct Script {
    answer: Mutex<(StatusCode, String)>,
    received: Mutex<Vec<String>>,
}

struct Scripted {
    script: Arc<Script>,
    queries: Arc<ExternalQueries>,
    clock: SimClock,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Scripted {
    async fn start() -> Self {
        let script = Arc::<Script>::default();
        let answers = Arc::clone(&script);
        let handler = async move |body: String| -> Response {
            let form = form_urlencoded::parse(body.as_bytes());
            let query = form.into_owned().find(|(name, _)| name == "query");
            answers.received.lock().push(query.unwrap().1);
            answers.answer.lock().clone().into_response()
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(post(handler));
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("queries.yaml");
        std::fs::write(&path, FILE).unwrap();
        let settings = Settings {
            queries: config::read(&path).unwrap(),
            engine: engine::Settings {
                url: url.parse().unwrap(),
                timeout: Duration::from_secs(50),
                http_config: None,
                matchers: Vec::new(),
            },
        };
        let clock = SimClock::manual(Timestamp::from_secs(1_780_000_000));
        let _provider = crate::tls::provider();
        let queries = ExternalQueries::new(settings, clock.process()).unwrap();
        let scripted = Self {
            script,
            queries: Arc::new(queries),
            clock,
            task,
        };
        scripted.answer(StatusCode::OK, &answer(&[("", 1)]));
        scripted
    }

    fn answer(&self, status: StatusCode, body: &str) {
        *self.script.answer.lock() = (status, body.to_owned());
    }

    /// Evaluates what is due. Returns the queries that the engine received.
    async fn turn(&self) -> Vec<String> {
        let (due, _) = self.queries.take_due();
        for key in due {
            Arc::clone(&self.queries).evaluate(key).await;
        }
        std::mem::take(&mut *self.script.received.lock())
    }

    fn read(&self, namespace: &str, name: &str, selector: &str) -> Result<Vec<f64>, QueryAbsence> {
        let selector: LabelSelector = selector.parse().unwrap();
        let values = self.queries.read(namespace, name, &selector)?;
        Ok(values.iter().map(|(_, value)| value.value).collect())
    }
}

/// An answer with these labels, as JSON without braces, and values.
fn answer(series: &[(&str, i64)]) -> String {
    let series = series.iter().map(|(labels, value)| {
        format!(r#"{{"metric":{{{labels}}},"value":[1780000000,"{value}"]}}"#)
    });
    let series: Vec<_> = series.collect();
    format!(
        r#"{{"status":"success","data":{{"resultType":"vector","result":[{}]}}}}"#,
        series.join(",")
    )
}

#[tokio::test]
async fn a_query_is_evaluated_for_the_namespace_that_reads_it() {
    let scripted = Scripted::start().await;
    let names: Vec<_> = scripted.queries.names().cloned().collect();
    assert_eq!(names, ["all", "depth", "shops"].map(Arc::from));
    assert_eq!(
        scripted.read("shop", "depth", ""),
        Err(QueryAbsence::Pending)
    );
    let series = [
        (r#""__name__":"depth","queue":"a""#, 7),
        (r#""queue":"b""#, 5),
    ];
    scripted.answer(StatusCode::OK, &answer(&series));
    let received = scripted.turn().await;
    assert!(received.contains(&"sum(depth{namespace=\"shop\"})".to_owned()));
    assert_eq!(scripted.read("shop", "depth", ""), Ok(vec![7.0, 5.0]));
    assert_eq!(scripted.read("shop", "depth", "queue=b"), Ok(vec![5.0]));
    assert_eq!(
        scripted.read("shop", "depth", "queue=c"),
        Err(QueryAbsence::NoSeries)
    );
    assert_eq!(
        scripted.read("test", "depth", ""),
        Err(QueryAbsence::Pending)
    );
    // Without a placeholder all namespaces share one result.
    assert_eq!(scripted.read("test", "all", ""), Ok(vec![7.0, 5.0]));
    assert_eq!(scripted.turn().await, ["sum(depth{namespace=\"test\"})"]);
}

#[tokio::test]
async fn a_namespace_reads_only_what_it_may() {
    let scripted = Scripted::start().await;
    scripted.turn().await;
    assert_eq!(scripted.read("shop", "shops", ""), Ok(vec![1.0]));
    for (namespace, name) in [
        ("test", "shops"),
        ("test", "none"),
        ("x\"} or up{a=\"", "depth"),
        ("", "all"),
    ] {
        let refused = scripted.read(namespace, name, "");
        assert_eq!(refused, Err(QueryAbsence::NotAllowed), "{namespace} {name}");
    }
    assert_eq!(scripted.turn().await, [""; 0]);
}

#[tokio::test]
async fn what_nobody_reads_is_not_evaluated() {
    let scripted = Scripted::start().await;
    // Those without a placeholder once at the start.
    assert_eq!(scripted.turn().await, ["up", "up"]);
    assert_eq!(scripted.turn().await, [""; 0]);
    let _pending = scripted.read("shop", "depth", "");
    assert_eq!(scripted.turn().await.len(), 1);
    scripted.clock.advance(Duration::from_secs(29));
    assert_eq!(scripted.turn().await, [""; 0]);
    scripted.clock.advance(Duration::from_secs(1));
    assert_eq!(scripted.turn().await.len(), 3);
    scripted.clock.advance(KEPT);
    assert_eq!(scripted.turn().await, [""; 0]);
    assert!(scripted.queries.results.lock().is_empty());
}

#[tokio::test]
async fn failures_are_said_and_results_get_stale() {
    let scripted = Scripted::start().await;
    scripted.answer(StatusCode::SERVICE_UNAVAILABLE, "secret of the engine");
    scripted.turn().await;
    let failed = scripted.read("shop", "all", "").unwrap_err();
    assert_eq!(
        failed.to_string(),
        "the engine of external queries does not work"
    );
    scripted.clock.advance(Duration::from_secs(30));
    scripted.answer(StatusCode::OK, &answer(&[("", 3)]));
    scripted.turn().await;
    assert_eq!(scripted.read("shop", "all", ""), Ok(vec![3.0]));
    // The last result is used for three intervals and a timeout.
    scripted.answer(
        StatusCode::BAD_REQUEST,
        r#"{"status":"error","error":"at 1"}"#,
    );
    scripted.clock.advance(Duration::from_secs(100));
    scripted.turn().await;
    assert_eq!(scripted.read("shop", "all", ""), Ok(vec![3.0]));
    scripted.clock.advance(Duration::from_secs(1));
    let stale = scripted.read("shop", "all", "").unwrap_err().to_string();
    assert_eq!(
        stale,
        "the last result is 101 s old, and the engine of external queries rejects the query"
    );
}

#[tokio::test]
async fn large_answers_and_many_namespaces_are_refused() {
    let scripted = Scripted::start().await;
    let many: Vec<_> = (0..=MAX_SERIES).map(|n| format!(r#""n":"{n}""#)).collect();
    let many: Vec<_> = many.iter().map(|labels| (labels.as_str(), 1)).collect();
    scripted.answer(StatusCode::OK, &answer(&many));
    scripted.turn().await;
    let refused = scripted.read("shop", "all", "").unwrap_err().to_string();
    assert!(refused.contains("more than 1000 series"), "{refused}");
    let long = format!(r#""n":"{}""#, "x".repeat(MAX_LABELS));
    scripted.answer(StatusCode::OK, &answer(&[(&long, 1)]));
    scripted.clock.advance(Duration::from_secs(30));
    scripted.turn().await;
    let refused = scripted.read("shop", "all", "").unwrap_err().to_string();
    assert!(refused.contains("bytes of labels"), "{refused}");
    let reads = (0..MAX_RESULTS).map(|n| scripted.read(&format!("n{n}"), "depth", ""));
    let refused = reads.filter(|read| *read == Err(QueryAbsence::TooMany));
    assert_eq!(refused.count(), 2, "two results are of the other queries");
}

#[tokio::test]
async fn the_task_evaluates_a_query_as_soon_as_it_is_read() {
    let scripted = Scripted::start().await;
    let task = tokio::spawn(Arc::clone(&scripted.queries).run());
    // It is woken by the reader: the clock stands still.
    while scripted.read("shop", "depth", "") == Err(QueryAbsence::Pending) {
        tokio::task::yield_now().await;
    }
    assert_eq!(scripted.read("shop", "depth", ""), Ok(vec![1.0]));
    task.abort();
}
