//! Lists and watches against an API server that a test plays, in time that a test moves.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::{StreamExt, stream};
use http::{Request, Response};
use http_body_util::StreamBody;
use hyper::body::Frame;
use kube::Client;
use kube::client::Body;
use kube::runtime::watcher::Event;
use kubevitals_proto::wire::{envelope, protobuf as wire};
use kubevitals_sim::objects::encode_protobuf;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::failure::Kind;
use super::health::WatchHealth;
use super::reflector::{Failed, Reflector};
use super::report::{Need, Outages, Reporter};
use super::request::Collection;
use crate::cluster::pod::SlimPod;
use crate::cluster::slim::Item;

/// An answer of the API server.
#[derive(Clone)]
struct Answer {
    code: u16,
    content_type: &'static str,
    pieces: Vec<Bytes>,
    end: End,
}

/// What comes after the pieces of an answer.
#[derive(Clone, Copy, PartialEq)]
enum End {
    Good,
    Broken,
    Never,
}

const JSON: &str = "application/json";
const PROTOBUF: &str = "application/vnd.kubernetes.protobuf";
const FRAMES: &str = "application/vnd.kubernetes.protobuf;stream=watch";

impl Answer {
    fn new(content_type: &'static str, body: impl Into<Bytes>) -> Self {
        Self {
            code: 200,
            content_type,
            pieces: vec![body.into()],
            end: End::Good,
        }
    }

    fn refusal(code: u16) -> Self {
        let status = json!({"kind": "Status", "message": "no, says the test", "code": code});
        Self {
            code,
            ..Self::new(JSON, status.to_string())
        }
    }

    fn ending(self, end: End) -> Self {
        Self { end, ..self }
    }

    /// Its first bytes alone.
    fn cut(self, bytes: usize) -> Self {
        let mut cut = self.in_pieces_of(1);
        cut.pieces.truncate(bytes);
        cut
    }

    fn in_pieces_of(mut self, size: usize) -> Self {
        let whole: Vec<u8> = self.pieces.concat();
        self.pieces = whole.chunks(size).map(Bytes::copy_from_slice).collect();
        self
    }

    fn response(self) -> Response<impl hyper::body::Body<Data = Bytes, Error = io::Error> + Send> {
        let pieces = self.pieces.into_iter().map(|piece| Ok(Frame::data(piece)));
        let pieces = stream::iter(pieces);
        let body = match self.end {
            End::Good => pieces.boxed(),
            End::Broken => pieces
                .chain(stream::iter([Err(io::ErrorKind::ConnectionReset.into())]))
                .boxed(),
            End::Never => pieces.chain(stream::pending()).boxed(),
        };
        Response::builder()
            .status(self.code)
            .header("content-type", self.content_type)
            .body(StreamBody::new(body))
            .unwrap()
    }
}

fn pod(name: &str, version: u64) -> Value {
    let metadata = json!({"namespace": "a", "name": name, "resourceVersion": version.to_string()});
    json!({"kind": "Pod", "apiVersion": "v1", "metadata": metadata, "status": {"phase": "Running"}})
}

/// A page in protobuf.
fn page(names: &[&str], version: &str, next: &str) -> Answer {
    let mut raw = Vec::new();
    let meta = encode_protobuf(
        "ListMeta",
        &json!({"resourceVersion": version, "continue": next}),
    );
    wire::head(&mut raw, 1, meta.len());
    raw.extend_from_slice(&meta);
    for name in names {
        let item = encode_protobuf("Pod", &pod(name, 5));
        wire::head(&mut raw, 2, item.len());
        raw.extend_from_slice(&item);
    }
    Answer::new(PROTOBUF, envelope::wrap("v1", "PodList", &raw))
}

fn json_page(names: &[&str], version: &str, next: &str) -> Answer {
    let items: Vec<Value> = names.iter().map(|name| pod(name, 5)).collect();
    let list = json!({"kind": "PodList", "metadata": {"resourceVersion": version, "continue": next}, "items": items});
    Answer::new(JSON, list.to_string())
}

/// An event of a watch in protobuf.
fn frame(kind: &str, object: &Value) -> Vec<u8> {
    let name = object["kind"].as_str().unwrap();
    let object = envelope::wrap("v1", name, &encode_protobuf(name, object));
    let mut event = Vec::new();
    wire::string(&mut event, 1, kind);
    wire::message(&mut event, 2, |out| {
        wire::head(out, 1, object.len());
        out.extend_from_slice(&object);
    });
    let mut frame = u32::try_from(event.len()).unwrap().to_be_bytes().to_vec();
    frame.extend_from_slice(&event);
    frame
}

fn frames(events: &[(&str, Value)]) -> Answer {
    let frames: Vec<u8> = events
        .iter()
        .flat_map(|(kind, it)| frame(kind, it))
        .collect();
    Answer::new(FRAMES, frames).ending(End::Never)
}

fn lines(events: &[(&str, Value)]) -> Answer {
    let line =
        |(kind, object): &(&str, Value)| json!({"type": kind, "object": object}).to_string() + "\n";
    Answer::new(JSON, events.iter().map(line).collect::<String>()).ending(End::Never)
}

/// The bookmark that ends what exists.
fn end_of_list(version: u64) -> (&'static str, Value) {
    let metadata = json!({"resourceVersion": version.to_string(), "annotations": {"k8s.io/initial-events-end": "true"}});
    (
        "BOOKMARK",
        json!({"kind": "Pod", "apiVersion": "v1", "metadata": metadata}),
    )
}

/// A watch that begins with what exists.
fn watch_list(names: &[&str], version: u64) -> Vec<(&'static str, Value)> {
    let pods = names.iter().map(|name| ("ADDED", pod(name, 3)));
    pods.chain([end_of_list(version)]).collect()
}

/// What a test answers.
type Play = fn(&Asked) -> Answer;

/// What was asked, and when.
#[derive(Debug, Clone)]
struct Asked {
    after: Duration,
    uri: String,
    accept: String,
}

impl Asked {
    fn is_watch_list(&self) -> bool {
        self.uri.contains("sendInitialEvents=true")
    }

    fn is_watch(&self) -> bool {
        self.uri.contains("watch=true")
    }

    fn is_json_only(&self) -> bool {
        !self.accept.contains("protobuf")
    }

    fn follows(&self, token: &str) -> bool {
        self.uri.contains(&format!("continue={token}"))
    }
}

struct Server {
    client: Client,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    fn new(answer: impl FnMut(&Asked) -> Answer + Send + 'static) -> Self {
        let (began, answer) = (Instant::now(), Arc::new(Mutex::new(answer)));
        let asked: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let log = Arc::clone(&asked);
        let service = tower::service_fn(move |request: Request<Body>| {
            let asked = Asked {
                after: began.elapsed(),
                uri: request.uri().to_string(),
                accept: request.headers()["accept"].to_str().unwrap().to_owned(),
            };
            log.lock().push(asked.clone());
            let answer = (*answer.lock())(&asked);
            async move { Ok::<_, Infallible>(answer.response()) }
        });
        Self {
            client: Client::new(service, "default"),
            asked,
        }
    }

    fn reflector(&self, watch_list: bool) -> Reflector<SlimPod> {
        Reflector::new(
            &self.client,
            Collection::all::<SlimPod>(),
            watch_list,
            || 0.5,
        )
    }

    fn asked(&self) -> Vec<Asked> {
        self.asked.lock().clone()
    }
}

/// Follows a stream until `events` of its events have come; what is known then, and the failures on the way.
async fn known(
    server: &Server,
    watch_list: bool,
    events: usize,
) -> (BTreeSet<String>, Vec<Failed>) {
    let mut stream = std::pin::pin!(server.reflector(watch_list).stream());
    let (mut known, mut listing, mut failures) = (BTreeSet::new(), BTreeSet::new(), Vec::new());
    let mut seen = 0;
    while seen < events {
        let name = |pod: SlimPod| pod.metadata().name.clone();
        match stream.next().await.unwrap() {
            Ok(Event::Init) => listing.clear(),
            Ok(Event::InitApply(pod)) => {
                listing.insert(name(pod));
            }
            Ok(Event::InitDone) => {
                known = std::mem::take(&mut listing);
                seen += 1;
            }
            Ok(Event::Apply(pod)) => {
                known.insert(name(pod));
                seen += 1;
            }
            Ok(Event::Delete(pod)) => {
                known.remove(&name(pod));
                seen += 1;
            }
            Err(failed) => failures.push(failed),
        }
    }
    (known, failures)
}

fn names(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// After the list, a watch that adds `c` and deletes `a`.
fn changes() -> Vec<(&'static str, Value)> {
    vec![("ADDED", pod("c", 8)), ("DELETED", pod("a", 9))]
}

#[tokio::test(start_paused = true)]
async fn every_api_server_is_asked_for_the_best_it_has_and_gives_the_same() {
    let with_watch_list: Play = |_| frames(&[watch_list(&["a", "b"], 7), changes()].concat());
    let in_json: Play = |_| lines(&[watch_list(&["a", "b"], 7), changes()].concat());
    let refused: Play = |asked| match asked {
        _ if asked.is_watch_list() => Answer::refusal(422),
        _ if asked.is_watch() => frames(&changes()),
        _ => page(&["a", "b"], "7", ""),
    };
    let bad_request: Play = |asked| match asked {
        _ if asked.is_watch_list() => Answer::refusal(400),
        _ if asked.is_watch() => frames(&changes()),
        _ if asked.follows("x") => page(&["b"], "7", ""),
        _ => page(&["a"], "7", "x"),
    };
    // Before 1.27, an API server does not know the parameter and never says where the list ends.
    let ignorant: Play = |asked| match asked {
        _ if asked.is_watch_list() => frames(&[("ADDED", pod("a", 3)), ("ADDED", pod("gone", 3))]),
        _ if asked.is_watch() => frames(&changes()),
        _ => page(&["a", "b"], "7", ""),
    };
    let ends: Play = |asked| match asked {
        _ if asked.is_watch_list() => frames(&[("ADDED", pod("a", 3))]).ending(End::Good),
        _ if asked.is_watch() => frames(&changes()),
        _ => page(&["a", "b"], "7", ""),
    };
    let stale: Play = |asked| match asked {
        _ if asked.is_watch_list() => Answer::refusal(504),
        _ if asked.is_watch() => frames(&changes()),
        _ => page(&["a", "b"], "7", ""),
    };
    let without_protobuf: Play = |asked| match asked {
        _ if asked.is_watch_list() => Answer::refusal(422),
        _ if !asked.is_json_only() && !asked.is_watch() => Answer::refusal(406),
        _ if asked.is_watch() => lines(&changes()),
        _ if asked.follows("x") => json_page(&["b"], "7", ""),
        _ => json_page(&["a"], "7", "x"),
    };
    // Something on the way takes no notice of what is asked for.
    let json_anyway: Play = |asked| match asked {
        _ if asked.is_watch_list() => Answer::refusal(422),
        _ if asked.is_watch() => lines(&changes()),
        _ => json_page(&["a", "b"], "7", ""),
    };
    let garbled: Play = |asked| match asked {
        _ if asked.is_watch_list() => Answer::refusal(422),
        _ if asked.is_watch() => lines(&changes()),
        _ if asked.is_json_only() => json_page(&["a", "b"], "7", ""),
        _ => Answer::new(
            PROTOBUF,
            &b"k8s\0\x12\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"[..],
        ),
    };
    for (name, play, requests) in [
        ("WatchList in protobuf", with_watch_list, 1),
        ("WatchList in JSON", in_json, 1),
        ("422", refused, 3),
        ("400, two pages", bad_request, 4),
        ("no end of the list", ignorant, 3),
        ("a watch that ends", ends, 3),
        ("504", stale, 3),
        ("406, two pages", without_protobuf, 5),
        ("JSON anyway", json_anyway, 4),
        ("garbled protobuf", garbled, 4),
    ] {
        for size in [1, 7, 1 << 20] {
            let server = Server::new(move |asked| play(asked).in_pieces_of(size));
            let (known, failures) = known(&server, true, 3).await;
            assert_eq!(known, names(&["b", "c"]), "{name}");
            assert!(failures.is_empty(), "{name}: {failures:?}");
            assert_eq!(
                server.asked().len(),
                requests,
                "{name}: {:?}",
                server.asked()
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_list_goes_to_the_cache_once_and_later_to_the_most_recent_state() {
    let mut watches = 0;
    let server = Server::new(move |asked| {
        if !asked.is_watch() {
            return page(&["a"], "7", "");
        }
        watches += 1;
        match watches {
            1 => Answer::refusal(410),
            _ => frames(&[("ADDED", pod("b", 8))]),
        }
    });
    let (_, failures) = known(&server, false, 3).await;
    assert_eq!(failures.len(), 1);
    assert_eq!(failures[0].failure.kind(), Kind::Expired);
    let asked = server.asked();
    let lists: Vec<&Asked> = asked.iter().filter(|it| !it.is_watch()).collect();
    assert!(
        lists[0]
            .uri
            .contains("resourceVersion=0&resourceVersionMatch=NotOlderThan"),
        "{lists:?}"
    );
    assert!(!lists[1].uri.contains("resourceVersion"), "{lists:?}");
}

#[tokio::test(start_paused = true)]
async fn a_list_that_breaks_off_or_expires_in_the_midst_is_begun_anew_and_nothing_of_it_remains() {
    for (name, trouble) in [
        ("410", Answer::refusal(410)),
        ("500", Answer::refusal(500)),
        (
            "a cut connection",
            page(&["old", "older"], "3", "").cut(60).ending(End::Broken),
        ),
        (
            "an end in an object",
            page(&["old", "older"], "3", "").cut(60),
        ),
        (
            "an end in the head",
            page(&["old", "older"], "3", "").cut(5),
        ),
        (
            "silence",
            page(&["old", "older"], "3", "").cut(60).ending(End::Never),
        ),
    ] {
        let mut trouble = Some(trouble);
        let server = Server::new(move |asked| match asked {
            _ if asked.is_watch() => frames(&[]),
            _ if asked.follows("x") => trouble.take().unwrap_or_else(|| page(&["b"], "7", "")),
            _ => page(&["a"], "7", "x"),
        });
        let (known, failures) = known(&server, false, 1).await;
        assert_eq!(known, names(&["a", "b"]), "{name}");
        assert_eq!(failures.len(), 1, "{name}: {failures:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_api_server_that_says_nothing_is_given_up() {
    let mut first = true;
    let server = Server::new(move |asked| {
        let mut answer = page(&["a"], "7", "");
        if std::mem::take(&mut first) {
            answer = answer.cut(18).ending(End::Never);
        }
        if asked.is_watch() {
            frames(&[])
        } else {
            answer
        }
    });
    let (known, failures) = known(&server, false, 1).await;
    assert_eq!(known, names(&["a"]));
    assert_eq!(
        failures[0].failure.to_string(),
        "the API server sent nothing for 1m0s"
    );
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_is_refused_is_asked_again_after_seconds_and_then_minutes() {
    for watch_list in [true, false] {
        let server = Server::new(move |asked| match asked.after.as_secs() {
            0..2000 => Answer::refusal(403),
            _ if asked.is_watch_list() => frames(&watch_list_of_one()),
            _ if asked.is_watch() => Answer::refusal(403),
            _ => page(&["a"], "7", ""),
        });
        let (_, failures) = known(&server, watch_list, 1).await;
        let after: Vec<u64> = server.asked().iter().map(|it| it.after.as_secs()).collect();
        assert_eq!(
            after,
            [0, 2, 6, 14, 30, 62, 126, 254, 510, 1022, 1622, 2222]
        );
        assert!(failures.iter().all(|it| it.failure.kind() == Kind::Denied));
    }
}

fn watch_list_of_one() -> Vec<(&'static str, Value)> {
    watch_list(&["a"], 7)
}

#[tokio::test(start_paused = true)]
async fn after_an_answer_the_delays_begin_anew() {
    let (mut lists, mut watches) = (0, 0);
    let server = Server::new(move |asked| {
        let count = if asked.is_watch() {
            &mut watches
        } else {
            &mut lists
        };
        *count += 1;
        match (asked.is_watch(), *count) {
            (false, 1..=3) | (true, 1..=2) => Answer::refusal(403),
            (false, _) => page(&["a"], "7", ""),
            (true, _) => frames(&[("ADDED", pod("b", 8))]),
        }
    });
    let (known, failures) = known(&server, false, 2).await;
    assert_eq!(known, names(&["a", "b"]));
    let delays: Vec<u64> = failures.iter().map(|it| it.retry_in.as_secs()).collect();
    assert_eq!(delays, [2, 4, 8, 2, 4]);
}

#[tokio::test(start_paused = true)]
async fn a_watch_goes_on_from_where_it_was_and_never_in_a_hot_loop() {
    let mut watches = 0;
    let server = Server::new(move |asked| {
        if !asked.is_watch() {
            return page(&["a"], "7", "");
        }
        watches += 1;
        match watches {
            // It brings something and ends, which is no failure; then it is cut; then it ends at once, and again.
            1 => frames(&[("ADDED", pod("b", 8))]).ending(End::Good),
            2 => frames(&[("ADDED", pod("c", 9))]).ending(End::Broken),
            3 | 4 => frames(&[]).ending(End::Good),
            _ => frames(&[("ADDED", pod("d", 12))]),
        }
    });
    let (known, failures) = known(&server, false, 4).await;
    assert_eq!(known, names(&["a", "b", "c", "d"]));
    let delays: Vec<u128> = failures.iter().map(|it| it.retry_in.as_millis()).collect();
    assert_eq!(delays, [800, 1600]);
    let versions: Vec<bool> = [7, 8, 9, 9, 9]
        .iter()
        .zip(server.asked().iter().filter(|it| it.is_watch()))
        .map(|(version, asked)| asked.uri.contains(&format!("resourceVersion={version}")))
        .collect();
    assert_eq!(versions, [true; 5], "{:?}", server.asked());
}

#[tokio::test(start_paused = true)]
async fn a_version_that_the_api_server_does_not_have_leads_to_a_list() {
    let too_large = || {
        let status = json!({"kind": "Status", "message": "Too large resource version: 7, current: 3", "code": 504});
        Answer {
            code: 504,
            ..Answer::new(JSON, status.to_string())
        }
    };
    let error = || {
        let status = json!({"kind": "Status", "apiVersion": "v1", "message": "too old resource version", "code": 410});
        frames(&[("ERROR", status)])
    };
    let json_error = || {
        let status = json!({"kind": "Status", "message": "too old resource version", "code": 410});
        lines(&[("ERROR", status)])
    };
    for refusal in [too_large(), Answer::refusal(410), error(), json_error()] {
        let mut refusal = Some(refusal);
        let server = Server::new(move |asked| match asked {
            _ if asked.is_watch_list() => frames(&watch_list(&["a"], 7)).ending(End::Good),
            _ => refusal.take().unwrap_or_else(|| frames(&[])),
        });
        let (_, failures) = known(&server, true, 2).await;
        assert_eq!(failures.len(), 1, "{failures:?}");
        let lists = server
            .asked()
            .iter()
            .filter(|it| it.is_watch_list())
            .count();
        assert_eq!(lists, 2, "{:?}", server.asked());
    }
}

/// The log of a minute or more of four watches.
fn logged(run: impl FnOnce()) -> String {
    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);
    impl io::Write for Log {
        fn write(&mut self, line: &[u8]) -> io::Result<usize> {
            self.0.lock().extend_from_slice(line);
            Ok(line.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_writer(move || writer.clone())
        .with_ansi(false)
        .with_max_level(tracing::Level::INFO)
        .finish();
    tracing::subscriber::with_default(subscriber, run);
    let bytes = log.0.lock().clone();
    String::from_utf8(bytes).unwrap()
}

#[tokio::test(start_paused = true)]
async fn one_line_says_one_thing() {
    let failures = |play: Play, count: usize| async move {
        let server = Server::new(play);
        let mut stream = std::pin::pin!(server.reflector(false).stream());
        let mut all = Vec::new();
        while all.len() < count {
            if let Err(failed) = stream.next().await.unwrap() {
                all.push(failed);
            }
        }
        all
    };
    let html: Play = |_| Answer::new("text/html; charset=utf-8", "<html>\nSign in</html>");
    let cases: [(Play, usize, &str); 5] = [
        (
            |_| Answer::refusal(403),
            4,
            "403 Forbidden from the API server: no, says the test",
        ),
        (
            |_| Answer::refusal(500),
            1,
            "500 Internal Server Error from the API server: no, says the test",
        ),
        (
            |_| Answer::refusal(404),
            4,
            "404 Not Found from the API server: no, says the test",
        ),
        (html, 1, "the answer is text/html"),
        (
            |_| Answer::new(PROTOBUF, "").ending(End::Broken),
            1,
            "the answer breaks off",
        ),
    ];
    for (play, watches, expected) in cases {
        let failures = failures(play, 20).await;
        let health: [WatchHealth; 4] = Default::default();
        let outages = Outages::default();
        let resources = ["nodes", "pods", "events", "jobs"];
        let log = logged(|| {
            let mut reporters: Vec<Reporter<'_>> = resources
                .into_iter()
                .zip(&health)
                .map(|(what, health)| {
                    let need = if what == "jobs" || what == "events" {
                        Need::Optional
                    } else {
                        Need::Required
                    };
                    Reporter::new(health, &outages, what, need)
                })
                .collect();
            for failed in &failures {
                for reporter in &mut reporters {
                    reporter.failed(failed);
                }
            }
            for reporter in &mut reporters {
                reporter.answered();
                reporter.answered();
            }
        });
        let (begins, ends): (Vec<&str>, Vec<&str>) =
            log.lines().partition(|line| line.contains("WARN"));
        assert_eq!((begins.len(), ends.len()), (watches, watches), "{log}");
        for line in begins {
            assert!(line.contains(expected) && line.contains("retry="), "{line}");
            for noise in ["Status {", "Api(", "unreported", "Error"] {
                assert!(!line.replace("Server Error", "").contains(noise), "{line}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_failure_that_lasts_is_said_every_ten_minutes_with_what_was_held_back() {
    let failed = || Failed {
        failure: super::failure::Failure::refusal(403, b""),
        retry_in: Duration::from_secs(2),
    };
    let (health, outages) = (WatchHealth::default(), Outages::default());
    let mut reporter = Reporter::new(&health, &outages, "pods", Need::Required);
    let mut log = String::new();
    for _ in 0..150 {
        log += &logged(|| reporter.failed(&failed()));
        tokio::time::advance(Duration::from_secs(10)).await;
    }
    assert_eq!(log.lines().count(), 3, "{log}");
    let held: Vec<bool> = log
        .lines()
        .map(|line| line.contains("unreported=59"))
        .collect();
    assert_eq!(held, [false, true, true], "{log}");
    assert!(health.refused() && health.failures() == 150);
    // A watch that wavers is not said each time.
    log.clear();
    for _ in 0..30 {
        log += &logged(|| {
            reporter.answered();
            reporter.failed(&failed());
        });
        tokio::time::advance(Duration::from_secs(2)).await;
    }
    assert!(log.lines().count() <= 4, "{log}");
}
