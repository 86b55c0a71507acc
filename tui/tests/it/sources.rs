//! How the dashboard keeps on telling of a cluster whose API fails in part, for a while, or for this user: over real
//! sockets, against a simulated cluster and its metrics server.

use std::io::{BufRead as _, BufReader, Write as _};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use kubevitals::cli::Connection;
use kubevitals::clock::Clock;
use kubevitals::model::{
    Action, Batch, Effect, FaultKind, Key, Liveness, Message, Outcome, Part, PartState, Settings,
    SourceKind, SourceRequest, State, View, act, apply, refresh,
};
use kubevitals::source::{Connector, Feed};
use kubevitals::view::theme::{Depth, Ground, Theme};
use kubevitals_server::Server;
use kubevitals_server::clock::SystemClock;
use kubevitals_sim::apiserver::Answer;
use kubevitals_sim::identity::{Rule, Subject};
use kubevitals_sim::{Cluster, Config, Faults};
use tempfile::TempDir;

use crate::picture::{draw, text};

/// Longer than anything takes that must happen; it bounds a hang, not a speed.
const PATIENCE: Duration = Duration::from_secs(90);

/// How much faster than the machine's the dashboard's time runs: what is tried again after two minutes is after some
/// seconds.
const SPEED: f64 = 10.0;

/// The response of an API server that starts.
const DENIED: Answer = Answer {
    code: 403,
    content_type: "application/json",
    body: r#"{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Forbidden","code":403,
        "message":"pods is forbidden: User \"admin\" cannot list resource \"pods\" in API group \"\" at the cluster scope"}"#,
};

/// The response while a token is replaced.
const UNAUTHORIZED: Answer = Answer {
    code: 401,
    content_type: "application/json",
    body: r#"{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Unauthorized","code":401,"message":"Unauthorized"}"#,
};

/// A simulated cluster, its metrics server, and the dashboard's state.
struct Lab {
    cluster: Cluster,
    server: Option<Server>,
    state: State,
    feed: Option<Feed>,
    /// The messages so far, in words, in order.
    messages: Vec<String>,
    folder: TempDir,
}

impl Lab {
    async fn start(nodes: u32, pods_per_node: u32) -> Self {
        let config = Config {
            nodes,
            pods_per_node,
            faults: Faults::None,
            ..Config::default()
        };
        let mut lab = Self {
            cluster: Cluster::start(config).await.unwrap(),
            server: None,
            state: State::default(),
            feed: None,
            messages: Vec::new(),
            folder: TempDir::new().unwrap(),
        };
        lab.start_server().await;
        lab
    }

    async fn start_server(&mut self) {
        let clock = Arc::new(SystemClock::default());
        let kubeconfig = self.cluster.server_kubeconfig();
        let settings = kubevitals_server::config::Settings::embedded(kubeconfig, clock)
            .await
            .unwrap();
        let server = Server::start(settings).await.unwrap();
        self.cluster.set_aggregated(server.local_addr());
        self.server = Some(server);
    }

    async fn stop_server(&mut self) {
        self.server.take().unwrap().shutdown().await;
    }

    /// Opens the dashboard, as whoever this kubeconfig is of.
    async fn connect(&mut self, kubeconfig: &str, required: Option<SourceKind>) {
        let path = self.folder.path().join("kubeconfig");
        std::fs::write(&path, kubeconfig).unwrap();
        let connection = Connection {
            kubeconfig: Some(path.display().to_string()),
            ..Connection::default()
        };
        let (began, start) = (Instant::now(), Clock::system().now());
        let now = move || {
            let nanos = began.elapsed().as_secs_f64() * SPEED * 1e9;
            start.plus_nanos(nanos as i64)
        };
        let connector = Connector::new(connection, required, Clock::new(now, SPEED));
        let (session, feed) = connector.connect(None).await.unwrap();
        self.state = State::new(session, Settings::default());
        self.state.now = now();
        self.feed = Some(feed);
        act(&mut self.state, Action::Resize(160, 40));
        act(&mut self.state, Action::Show(View::Pods));
    }

    async fn connect_as_admin(&mut self, required: Option<SourceKind>) {
        let kubeconfig = self.cluster.kubeconfig().to_owned();
        self.connect(&kubeconfig, required).await;
    }

    /// Applies messages until the condition is true.
    async fn until(&mut self, what: &str, is_so: impl Fn(&State) -> bool) {
        self.until_message(what, |state, _| is_so(state)).await;
    }

    async fn until_message(&mut self, what: &str, mut is_so: impl FnMut(&State, &Message) -> bool) {
        let began = Instant::now();
        loop {
            let left = PATIENCE.saturating_sub(began.elapsed());
            let message = tokio::time::timeout(left, self.feed.as_mut().unwrap().next()).await;
            let Ok(message) = message else {
                panic!("{what}: never; {:?}\n{}", self.state.parts, self.text());
            };
            self.messages.push(brief(&message));
            let is_so = is_so(&self.state, &message);
            let effects = apply(&mut self.state, message);
            for effect in effects {
                if let Effect::Request(request) = effect {
                    self.request(request);
                }
            }
            refresh(&mut self.state);
            if is_so {
                return;
            }
        }
    }

    /// Applies messages for a duration of the dashboard's clock.
    async fn for_(&mut self, seconds: u64) {
        let until = tokio::time::Instant::now() + Duration::from_secs(seconds).div_f64(SPEED);
        while let Ok(message) =
            tokio::time::timeout_at(until, self.feed.as_mut().unwrap().next()).await
        {
            self.messages.push(brief(&message));
            let _asks = apply(&mut self.state, message);
        }
        refresh(&mut self.state);
    }

    fn request(&self, request: SourceRequest) {
        self.feed.as_ref().unwrap().request(request);
    }

    /// What the screen says.
    fn text(&self) -> String {
        text(&draw(
            &self.state,
            &Theme::new(Depth::None, Ground::Dark, false),
            160,
            40,
        ))
    }

    /// How many pods there are.
    fn pods(&self) -> usize {
        let store = self.cluster.store();
        store
            .snapshot(kubevitals_sim::objects::Resource::Pods)
            .len()
    }

    /// Waits until all pods of all namespaces are shown, live.
    async fn until_all_is_live(&mut self, kind: SourceKind) {
        let pods = self.pods();
        self.until("all pods, live", |state| {
            matches!(state.source, Some((source, _)) if source == kind)
                && state.live.pods.len() == pods
                && state.only.is_none()
                && state.liveness() == Liveness::Live
        })
        .await;
        let text = self.text();
        assert!(says_live(&text), "{text}");
        assert!(!text.contains("forbidden"), "{text}");
    }

    async fn stop(mut self) {
        self.feed = None;
        if let Some(server) = self.server.take() {
            server.shutdown().await;
        }
        self.cluster.shutdown().await;
    }
}

fn brief(message: &Message) -> String {
    match message {
        Message::Part(part, outcome) => format!("{part} {outcome:?}"),
        Message::Pods(Batch::All(rows)) => format!("all pods {}", rows.len()),
        Message::Pods(Batch::Some(changes)) => format!("some pods {}", changes.len()),
        Message::Source(kind, why) => format!("source {kind} {why}"),
        Message::Only(only) => format!("only {only:?}"),
        Message::Link(link) => format!("{link:?}"),
        _ => String::new(),
    }
}

/// Whether the title says that all is live.
fn says_live(text: &str) -> bool {
    let title = text.lines().next().unwrap_or_default().trim_end();
    title.ends_with("  LIVE")
}

fn is_source(state: &State, kind: SourceKind) -> bool {
    matches!(state.source, Some((source, _)) if source == kind)
}

/// A user who may see what is granted in the namespace `shop`.
fn jane(lab: &Lab, rules: &[(&str, &[&str], &[&str])]) -> String {
    let subject = Subject::service_account("shop", "jane");
    for (group, resources, verbs) in rules {
        let rule = Rule::resources(verbs, group, resources).in_namespace("shop");
        lab.cluster.identities().grant(subject.clone(), rule);
    }
    let kubeconfig = lab.cluster.api().service_account_kubeconfig("shop", "jane");
    kubeconfig.replace("namespace: default", "namespace: shop")
}

const SEE: &[&str] = &["get", "list", "watch"];

/// C17: an API server that starts denies everything for some seconds, or a token is replaced.
#[tokio::test(flavor = "multi_thread")]
async fn a_denial_of_seconds_costs_seconds_at_the_start() {
    for source in [None, Some(SourceKind::Metrics), Some(SourceKind::None)] {
        for (answer, says) in [
            (DENIED, "forbidden"),
            (UNAUTHORIZED, "the server does not accept your credential"),
        ] {
            let mut lab = Lab::start(2, 10).await;
            lab.cluster.api().answer_with(Some(answer));
            lab.connect_as_admin(source).await;
            lab.until("why there are no pods", |state| {
                let failure = state.part(Part::Pods).failure();
                failure.is_some_and(|(why, _)| why.text.contains(says))
            })
            .await;
            assert!(!says_live(&lab.text()), "{}", lab.text());
            if says != "forbidden" {
                assert!(!lab.text().contains("forbidden"), "{}", lab.text());
            }
            lab.for_(6).await;
            lab.cluster.api().answer_with(None);
            // If no usage is required, all is live without it.
            lab.until_all_is_live(source.unwrap_or(SourceKind::Vitals))
                .await;
            lab.stop().await;
        }
    }
}

/// C17: the same under a running dashboard, whose watches are cut.
#[tokio::test(flavor = "multi_thread")]
async fn a_denial_of_seconds_costs_seconds_while_it_runs() {
    for source in [None, Some(SourceKind::Metrics)] {
        for answer in [DENIED, UNAUTHORIZED] {
            let mut lab = Lab::start(2, 10).await;
            let kind = source.unwrap_or(SourceKind::Vitals);
            lab.connect_as_admin(source).await;
            lab.until_all_is_live(kind).await;
            lab.cluster.api().answer_with(Some(answer));
            lab.cluster.api().drop_connections();
            lab.until("that pods are stale", |state| {
                matches!(state.part(Part::Pods), PartState::Stale { .. })
            })
            .await;
            // What was known stays.
            assert_eq!(lab.state.live.pods.len(), lab.pods());
            lab.for_(6).await;
            assert_eq!(lab.state.live.pods.len(), lab.pods());
            lab.cluster.api().answer_with(None);
            lab.until_all_is_live(kind).await;
            lab.stop().await;
        }
    }
}

/// C18: without permission for kubevitals.io the source is metrics.k8s.io, and without that one the API server alone.
#[tokio::test(flavor = "multi_thread")]
async fn fewer_permissions_lead_to_a_lower_source() {
    let metrics: (&str, &[&str], &[&str]) = ("metrics.k8s.io", &["pods"], SEE);
    let pods: (&str, &[&str], &[&str]) = ("", &["pods"], SEE);
    let vitals: (&str, &[&str], &[&str]) = ("kubevitals.io", &["podvitals"], SEE);
    for (rules, kind) in [
        (vec![pods, metrics], SourceKind::Metrics),
        (vec![pods], SourceKind::None),
        (vec![pods, metrics, vitals], SourceKind::Vitals),
    ] {
        let mut lab = Lab::start(2, 10).await;
        let kubeconfig = jane(&lab, &rules);
        lab.connect(&kubeconfig, None).await;
        lab.until("the pods of shop", |state| {
            is_source(state, kind)
                && *state.part(Part::Pods) == PartState::Live
                && (kind != SourceKind::Metrics || *state.part(Part::Usage) == PartState::Live)
                && state.only.as_deref() == Some("shop")
        })
        .await;
        let rows = lab.state.live.pods.rows();
        assert!(!rows.is_empty() && rows.iter().all(|row| &*row.namespace == "shop"));
        let text = lab.text();
        assert!(text.contains(&format!("source {kind}, ns shop")), "{text}");
        assert!(text.contains("PARTLY LIVE"), "{text}");
        // Denied requests are retried, but less and less often.
        lab.for_(60).await;
        let before = lab.cluster.api().requests();
        lab.for_(120).await;
        let after = lab.cluster.api().requests();
        // Twelve polls of usage, and two of each of some nine parts that are refused.
        assert!(
            after - before < 80,
            "{} requests in two minutes",
            after - before
        );
        // What is granted later is noticed.
        let subject = Subject::service_account("shop", "jane");
        for group in ["", "apps", "autoscaling", "metrics.k8s.io", "kubevitals.io"] {
            let all = Rule::resources(&["*"], group, &["*"]);
            lab.cluster.identities().grant(subject.clone(), all);
        }
        lab.until_all_is_live(SourceKind::Vitals).await;
        lab.stop().await;
    }
}

/// C19: kubevitals.io goes away under a running dashboard: core/v1 goes on, what is missing is named, and it comes back.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_goes_away_is_replaced_and_taken_back() {
    let mut lab = Lab::start(2, 10).await;
    lab.connect_as_admin(None).await;
    lab.until_all_is_live(SourceKind::Vitals).await;
    lab.stop_server().await;
    lab.until("another source", |state| {
        !is_source(state, SourceKind::Vitals)
    })
    .await;
    assert_eq!(lab.state.live.pods.len(), lab.pods());
    lab.until("pods from it, and what is missing", |state| {
        *state.part(Part::Pods) == PartState::Live
            && *state.part(Part::Nodes) == PartState::Live
            && state.part(Part::Incidents).failure().is_some()
            && state.part(Part::Usage).failure().is_some()
    })
    .await;
    act(&mut lab.state, Action::Show(View::Incidents));
    let text = lab.text();
    assert!(text.contains("PARTLY LIVE"), "{text}");
    assert!(text.contains("incidents: kubevitals.io: "), "{text}");
    act(&mut lab.state, Action::Show(View::Pods));
    // What happens meanwhile is seen.
    let pod = lab.state.live.pods.rows().first().unwrap().name.to_string();
    let namespace = lab
        .state
        .live
        .pods
        .rows()
        .first()
        .unwrap()
        .namespace
        .to_string();
    let resource = kubevitals_sim::objects::Resource::Pods;
    lab.cluster.store().delete(resource, Some(&namespace), &pod);
    lab.until("that a pod is gone", |state| {
        !state
            .live
            .pods
            .rows()
            .iter()
            .any(|row| *row.name == *pod && *row.namespace == *namespace)
    })
    .await;
    lab.for_(120).await;
    lab.start_server().await;
    lab.until_all_is_live(SourceKind::Vitals).await;
    lab.stop().await;
}

/// C24, N5: a pod that is gone, or that may not be got, has a page that says so.
#[tokio::test(flavor = "multi_thread")]
async fn an_unavailable_page_has_a_reason() {
    let mut lab = Lab::start(2, 10).await;
    let rules: [(&str, &[&str], &[&str]); 1] = [("", &["pods"], &["list", "watch"])];
    let kubeconfig = jane(&lab, &rules);
    for (kubeconfig, missing, kind, says) in [
        (
            lab.cluster.kubeconfig().to_owned(),
            true,
            FaultKind::NotFound,
            "not found",
        ),
        (
            kubeconfig,
            false,
            FaultKind::Forbidden,
            "forbidden: User \"system:serviceaccount:shop:jane\" cannot get pods in namespace shop",
        ),
    ] {
        lab.connect(&kubeconfig, Some(SourceKind::Metrics)).await;
        lab.until("pods", |state| !state.live.pods.is_empty()).await;
        let row = lab.state.live.pods.rows().first().unwrap().clone();
        let name = if missing {
            "no-such-pod".into()
        } else {
            row.name.clone()
        };
        let key = Key::new(&row.namespace, &name);
        lab.request(SourceRequest::Detail(key.clone(), None));
        lab.until_message("why there is no page", |_, message| {
            matches!(message, Message::NoDetail(of, why)
                if *of == key && why.kind == kind && why.text == says)
        })
        .await;
    }
    // The page shows it instead of the pod.
    act(&mut lab.state, Action::Enter);
    let key = lab.state.screen().pod().unwrap().clone();
    lab.request(SourceRequest::Detail(key, None));
    lab.until("that on its page", |state| {
        state.screen().no_detail.is_some()
    })
    .await;
    let text = lab.text();
    assert!(
        text.contains("probes, conditions and events: forbidden: User"),
        "{text}"
    );
    lab.stop().await;
}

/// C23: rows are shown page by page, with how many there will be.
#[tokio::test(flavor = "multi_thread")]
async fn a_long_list_is_displayed_while_it_arrives() {
    let mut lab = Lab::start(12, 100).await;
    let pods = lab.pods();
    assert!(pods > 1_000);
    lab.connect_as_admin(Some(SourceKind::None)).await;
    let mut seen = Vec::new();
    lab.until_message("all pods", |state, message| {
        if let Message::Part(Part::Pods, Outcome::Loading(progress)) = message {
            seen.push((progress.done, progress.total, state.live.pods.len()));
        }
        matches!(message, Message::Part(Part::Pods, Outcome::Succeeded))
    })
    .await;
    let total = Some(pods as u64);
    assert_eq!(seen, [(500, total, 500), (1_000, total, 1_000)]);
    assert_eq!(lab.state.live.pods.len(), pods);
    lab.stop().await;
}

/// After a resource version that is too old the source lists again at once, without a message.
#[tokio::test(flavor = "multi_thread")]
async fn an_expired_watch_is_listed_again_silently() {
    for source in [None, Some(SourceKind::Metrics)] {
        let mut lab = Lab::start(2, 10).await;
        lab.connect_as_admin(source).await;
        let kind = source.unwrap_or(SourceKind::Vitals);
        lab.until_all_is_live(kind).await;
        lab.messages.clear();
        lab.cluster.api().expire_watches();
        lab.cluster.api().break_watches();
        lab.for_(30).await;
        let failed = |text: &&String| text.contains("pods Failed") || text.contains("nodes Failed");
        assert!(
            !lab.messages.iter().any(|text| failed(&text)),
            "{:?}",
            lab.messages
        );
        assert_eq!(lab.state.liveness(), Liveness::Live);
        lab.stop().await;
    }
}

/// A cluster that cannot be reached is lost, and found again.
#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_that_is_cut_off_is_lost_and_found() {
    let mut lab = Lab::start(2, 10).await;
    lab.connect_as_admin(None).await;
    lab.until_all_is_live(SourceKind::Vitals).await;
    lab.cluster.cut_api(true);
    lab.until("that it is lost", |state| {
        matches!(state.liveness(), Liveness::Lost(_))
    })
    .await;
    assert!(lab.text().contains("LOST"), "{}", lab.text());
    lab.for_(120).await;
    assert_eq!(lab.state.live.pods.len(), lab.pods());
    // It is the cluster that does not answer: there is no other source to go to.
    assert!(is_source(&lab.state, SourceKind::Vitals));
    lab.cluster.cut_api(false);
    lab.until_all_is_live(SourceKind::Vitals).await;
    lab.stop().await;
}

/// C23: every request accepts gzip, and the source reads it, also in a watch with a gzip member for each event.
#[tokio::test(flavor = "multi_thread")]
async fn answers_and_watches_may_be_compressed() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let plain: Arc<Mutex<Vec<String>>> = Arc::default();
    let log = Arc::clone(&plain);
    // The thread ends with the process, which is the test.
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let log = Arc::clone(&log);
            std::thread::spawn(move || compressed(stream, &log));
        }
    });
    let mut lab = Lab::start(1, 1).await;
    let kubeconfig = crate::api::kubeconfig(&format!("http://{address}"));
    lab.connect(&kubeconfig, Some(SourceKind::Metrics)).await;
    lab.until("two pods", |state| state.live.pods.len() == 2)
        .await;
    assert_eq!(*lab.state.part(Part::Pods), PartState::Live);
    assert_eq!(*plain.lock().unwrap(), Vec::<String>::new());
    lab.stop().await;
}

/// A server of two pods, one of which comes by the watch, that compresses all it says.
fn compressed(mut stream: std::net::TcpStream, plain: &Mutex<Vec<String>>) -> Option<()> {
    let gzip = |text: &str| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    };
    let pod = |name: &str| {
        format!(
            r#"{{"metadata":{{"name":"{name}","namespace":"shop","uid":"{name}","resourceVersion":"7"}}}}"#
        )
    };
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    loop {
        let mut request = String::new();
        if reader.read_line(&mut request).ok()? == 0 {
            return None;
        }
        let mut is_plain = true;
        loop {
            let mut header = String::new();
            reader.read_line(&mut header).ok()?;
            if header.trim().is_empty() {
                break;
            }
            is_plain &= header.trim().to_lowercase() != "accept-encoding: gzip";
        }
        if is_plain {
            plain.lock().unwrap().push(request.clone());
        }
        let head = "Content-Type: application/json\r\nContent-Encoding: gzip\r\n";
        if request.contains("/api/v1/pods?watch=true") {
            let event = format!(r#"{{"type":"ADDED","object":{}}}"#, pod("second"));
            let mut body = gzip("\n");
            body.extend(gzip(&format!("{event}\n")));
            write!(
                stream,
                "HTTP/1.1 200 OK\r\n{head}Transfer-Encoding: chunked\r\n\r\n{:x}\r\n",
                body.len()
            )
            .ok()?;
            stream.write_all(&body).ok()?;
            stream.write_all(b"\r\n").ok()?;
            // It stays open, as watches do.
            stream.flush().ok()?;
            continue;
        }
        let (code, body) = if request.contains(" /api/v1/pods?") {
            let list = format!(
                r#"{{"metadata":{{"resourceVersion":"6"}},"items":[{}]}}"#,
                pod("first")
            );
            (200, list)
        } else if request.contains(" /apis ") {
            (200, r#"{"groups":[]}"#.to_owned())
        } else {
            (404, "{}".to_owned())
        };
        let body = gzip(&body);
        let length = body.len();
        write!(
            stream,
            "HTTP/1.1 {code} X\r\n{head}Content-Length: {length}\r\n\r\n"
        )
        .ok()?;
        stream.write_all(&body).ok()?;
        stream.flush().ok()?;
    }
}
