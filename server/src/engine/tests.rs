use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::post;
use kubevitals_proto::time::Timestamp;
use parking_lot::Mutex;

use super::*;

/// An engine whose responses a test scripts, and the requests that it received.
struct Scripted {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<(String, String)>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Scripted {
    async fn start(respond: impl Fn() -> Response + Clone + Send + Sync + 'static) -> Self {
        let requests: Arc<Mutex<Vec<(String, String)>>> = Arc::default();
        let received = Arc::clone(&requests);
        let handler = async move |uri: Uri, body: String| {
            received.lock().push((uri.to_string(), body));
            respond()
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().fallback(post(handler));
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self {
            address,
            requests,
            task,
        }
    }

    fn engine(&self, path: &str, timeout: Duration, matchers: &[&str]) -> Engine {
        let _provider = crate::tls::provider();
        let settings = Settings {
            url: format!("http://{}{path}", self.address).parse().unwrap(),
            timeout,
            http_config: None,
            matchers: matchers.iter().map(|it| it.parse().unwrap()).collect(),
        };
        Engine::new(settings).unwrap()
    }
}

const RANGE: Range = Range {
    first: Timestamp(1_000_000_000_000),
    last: Timestamp(1_300_000_000_000),
    step: 60_000_000_000,
};

const LONG: Duration = Duration::from_secs(60);

/// The result of a range query to an engine with these responses.
async fn queried(
    timeout: Duration,
    respond: impl Fn() -> Response + Clone + Send + Sync + 'static,
) -> Result<Vec<Series>, String> {
    let scripted = Scripted::start(respond).await;
    let engine = scripted.engine("", timeout, &[]);
    let result = engine.range("up", RANGE).await;
    let label = result
        .as_ref()
        .map_or_else(EngineError::reason, |_| "success");
    let counted = engine.metrics_for_tests();
    assert_eq!(counted.get(&[label]), Some(&1), "{counted:?}");
    result.map_err(|error| {
        let line = error.to_string();
        assert!(!line.contains('\n') && !error.message().contains('\n'));
        format!("{}: {line}", error.reason())
    })
}

fn ok(text: &'static str) -> Response {
    text.into_response()
}

fn values(series: &Series) -> Vec<(i64, f64)> {
    let values = series.points.iter();
    values.map(|it| (it.at.as_secs(), it.value)).collect()
}

#[tokio::test]
async fn queries_are_forms_with_times_and_the_matchers() {
    let scripted = Scripted::start(|| {
        ok(r#"{"status":"success","data":{"resultType":"vector","result":[]}}"#)
    })
    .await;
    let engine = scripted.engine(
        "/select/0/prometheus/?dedup=true",
        LONG,
        &["cluster=\"a\\\"b\""],
    );
    let hostile = "x\"} or up{a=\"\\\n";
    let selector = engine
        .select("m")
        .with("pod", hostile)
        .without("container", "");
    assert_eq!(
        selector.to_string(),
        "m{cluster=\"a\\\"b\",pod=\"x\\\"} or up{a=\\\"\\\\\\n\",container!=\"\"}"
    );
    let found = engine
        .instant(&selector.to_string(), Timestamp::from_millis(1_500))
        .await;
    assert_eq!(found.unwrap(), []);
    engine.range("up", RANGE).await.unwrap();
    let requests = scripted.requests.lock().clone();
    assert_eq!(
        requests[0].0,
        "/select/0/prometheus/api/v1/query?dedup=true"
    );
    let form = |n: usize| -> Vec<(String, String)> {
        let pairs = form_urlencoded::parse(requests[n].1.as_bytes());
        pairs.into_owned().collect()
    };
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(form(0)[0], pair("query", &selector.to_string()));
    assert_eq!(
        form(0)[1..],
        [pair("time", "1.500"), pair("timeout", "60000ms")]
    );
    let times = [
        pair("start", "1000.000"),
        pair("end", "1300.000"),
        pair("step", "60.000"),
    ];
    assert_eq!(form(1)[1..4], times);
}

#[test]
fn matchers_are_those_of_promql() {
    for (text, expected) in [
        ("cluster=\"prod\"", "up{cluster=\"prod\"}"),
        (" a_b1 =~ \"x|y\" ", "up{a_b1=~\"x|y\"}"),
        ("a!=\"\\\\\"", "up{a!=\"\\\\\"}"),
        ("a!~\".*\"", "up{a!~\".*\"}"),
    ] {
        let matcher: Matcher = text.parse().unwrap();
        assert_eq!(
            Selector::new("up", &[matcher]).to_string(),
            expected,
            "{text}"
        );
    }
    for text in [
        "",
        "a",
        "a=",
        "a=b",
        "1a=\"b\"",
        "a=\"b",
        "a=\"b\"c\"",
        "a=\"b\\x\"",
        "a-b=\"c\"",
        "=\"a\"",
        "a==\"b\"",
    ] {
        let refused = text.parse::<Matcher>().unwrap_err();
        assert!(refused.contains("cluster=\"prod\""), "{text}: {refused}");
    }
}

#[tokio::test]
async fn an_engine_that_fails_is_one_line_that_says_how() {
    let status = |code: StatusCode, body: &'static str| move || (code, body).into_response();
    let rejected = r#"{"status":"error","errorType":"bad_data","error":"parse error\nat 1"}"#;
    type Respond = Arc<dyn Fn() -> Response + Send + Sync>;
    let rows: [(Respond, &str); 12] = [
        (
            Arc::new(status(StatusCode::INTERNAL_SERVER_ERROR, "<html>")),
            "Failed: it failed (HTTP 500)",
        ),
        (
            Arc::new(status(StatusCode::SERVICE_UNAVAILABLE, "")),
            "Failed: it failed (HTTP 503)",
        ),
        (
            Arc::new(status(StatusCode::BAD_REQUEST, rejected)),
            "Rejected: it rejects the query (HTTP 400): parse error at 1",
        ),
        (
            Arc::new(status(StatusCode::TOO_MANY_REQUESTS, "")),
            "Limited: ",
        ),
        (
            Arc::new(status(StatusCode::UNAUTHORIZED, "")),
            "Denied: it rejects the credentials (HTTP 401)",
        ),
        (
            Arc::new(|| Redirect::temporary("http://127.0.0.1:1/").into_response()),
            "Redirect: it redirects (HTTP 307)",
        ),
        (Arc::new(|| ok("<html>")), "Invalid: "),
        (Arc::new(|| ok("")), "Invalid: "),
        (
            Arc::new(|| ok(r#"{"status":"error"}"#)),
            "Invalid: the response is not one of Prometheus' query API: its",
        ),
        (
            Arc::new(|| ok(r#"{"status":"success","data":{"result":7}}"#)),
            "Invalid: ",
        ),
        (
            Arc::new(|| {
                ok(r#"{"status":"success","data":{"result":[{"metric":{},"values":[[1,"x"]]}]}}"#)
            }),
            "Invalid: ",
        ),
        (
            Arc::new(|| {
                ok(r#"{"status":"success","data":{"result":[{"metric":{},"values":[[1,2,3]]"#)
            }),
            "Invalid: ",
        ),
    ];
    for (respond, expected) in rows {
        let found = queried(LONG, move || respond()).await.unwrap_err();
        assert!(found.starts_with(expected), "{expected}: {found}");
    }
}

#[tokio::test]
async fn nobody_listens() {
    let scripted = Scripted::start(|| ok("")).await;
    let engine = scripted.engine("", LONG, &[]);
    scripted.task.abort();
    let mut scripted = scripted;
    assert!((&mut scripted.task).await.is_err());
    let error = engine.range("up", RANGE).await.unwrap_err();
    assert_eq!(error.reason(), "Unreachable");
    assert_eq!(error.message(), "the long history cannot be reached");
}

/// Neither a response that never comes, nor one that never ends.
#[tokio::test]
async fn a_hanging_engine_does_not_hang_its_reader() {
    let short = Duration::from_millis(50);
    let endless = || {
        let chunks = futures::stream::pending::<Result<Bytes, Infallible>>();
        Body::from_stream(chunks).into_response()
    };
    let found = queried(short, endless).await.unwrap_err();
    assert!(found.starts_with("Timeout: "), "{found}");
    // Requests that wait for a slot have the same timeout.
    let scripted = Scripted::start(endless).await;
    let engine = scripted.engine("", Duration::from_millis(200), &[]);
    let results = futures::future::join_all((0..20).map(|_| engine.range("up", RANGE))).await;
    assert!(
        results
            .iter()
            .all(|it| matches!(it, Err(EngineError::Timeout(_))))
    );
}

#[tokio::test]
async fn an_engine_gets_four_requests_at_once() {
    let hanging = || Body::from_stream(futures::stream::pending::<Result<Bytes, Infallible>>());
    let scripted = Scripted::start(move || hanging().into_response()).await;
    let engine = scripted.engine("", LONG, &[]);
    let queries = futures::future::join_all((0..20).map(|_| engine.range("up", RANGE)));
    let sent = async {
        while scripted.requests.lock().len() < 4 {
            tokio::task::yield_now().await;
        }
        // The others would be sent in the same way.
        for _ in 0..1_000 {
            tokio::task::yield_now().await;
        }
        scripted.requests.lock().len()
    };
    tokio::select! {
        _ = queries => panic!("a response ended"),
        sent = sent => assert_eq!(sent, 4),
    }
}

#[tokio::test]
async fn a_huge_response_is_refused_before_it_is_read_whole() {
    let huge = || {
        let chunk = Bytes::from(vec![b' '; 1 << 20]);
        let chunks = std::iter::repeat_n(Ok::<_, Infallible>(chunk), 100);
        Body::from_stream(futures::stream::iter(chunks)).into_response()
    };
    let found = queried(LONG, huge).await.unwrap_err();
    assert!(found.starts_with("TooLarge: "), "{found}");
    // Nor is one with more series or points than any query has.
    let many = |what: &str, count: usize| {
        let what = vec![what; count].join(",");
        Bytes::from(format!(
            r#"{{"status":"success","data":{{"result":[{what}]}}}}"#
        ))
    };
    let series = many(r#"{"metric":{}}"#, 250_001);
    let points = vec![r#"[1,"1"]"#; 11_002].join(",");
    let points = many(&format!(r#"{{"metric":{{}},"values":[{points}]}}"#), 1);
    for body in [series, points] {
        let found = queried(LONG, move || body.clone().into_response()).await;
        assert!(found.unwrap_err().starts_with("TooLarge: "));
    }
}

#[tokio::test]
async fn values_that_are_no_numbers_are_left_out() {
    let body = r#"{"status":"success","data":{"resultType":"matrix","result":[
        {"metric":{"pod":"a","job":"x"},"values":[[1000,"NaN"],[1060,"+Inf"],[1120,"-Inf"],[1180,"2.5e0"],[-1,"1"],[1e300,"1"]]},
        {"metric":{"pod":"b"},"values":[[1000,"NaN"]]},
        {"metric":{"pod":"c"},"histograms":[[1000,{"count":"1"}]]}],
        "warnings":["w"]},"infos":[]}"#;
    let found = queried(LONG, move || ok(body)).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].labels.get("pod"), "a");
    assert_eq!(found[0].labels.get("job"), "", "nobody reads it");
    assert_eq!(values(&found[0]), [(1_180, 2.5)]);
}

#[tokio::test]
async fn duplicate_series_are_one_and_the_largest_value_counts() {
    let body = r#"{"status":"success","data":{"result":[
        {"metric":{"pod":"a","replica":"1"},"values":[[1060,"2"],[1000,"1"]]},
        {"metric":{"pod":"a","replica":"2"},"values":[[1060,"3"],[1120,"4"],[1120,"4"]]},
        {"metric":{"pod":"b"},"value":[1000.123,"7"]}]}}"#;
    let found = queried(LONG, move || ok(body)).await.unwrap();
    assert_eq!(found.len(), 2);
    assert_eq!(
        values(&found[0]),
        [(1_000, 1.0), (1_060, 3.0), (1_120, 4.0)]
    );
    assert_eq!(found[1].points[0].at, Timestamp::from_millis(1_000_123));
    assert_eq!(found[1].last(), Some(7.0));
}
