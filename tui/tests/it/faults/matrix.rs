//! Every fault of every part, from the start and while the dashboard runs, over soon and not so soon. What is shown
//! follows from the rule in docs/sources.md, which has this table.

use std::fmt::{self, Write as _};
use std::path::PathBuf;
use std::time::Duration;

use kubevitals::model::View;
use kubevitals_sim::apiserver::{Affected, RequestFault};

use super::cluster::{Cluster, NODES, PODS};
use super::dashboard::{Class, Dashboard, Displayed, Word};
use super::{PKI, in_simulated_time};

/// Set to write the table into the document instead of comparing it.
const WRITE: &str = "KUBEVITALS_WRITE_TABLES";

/// Where the table is in docs/sources.md.
const MARKS: [&str; 2] = ["<!-- faults: begin -->\n", "<!-- faults: end -->\n"];

/// The delay of a slow response.
const SLOW: Duration = Duration::from_secs(2);

/// For how long the dashboard runs before a fault begins, and how long it must stay well after it.
const WELL: Duration = Duration::from_secs(30);

/// Longer than anything takes.
const PATIENCE: Duration = Duration::from_secs(300);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    Unauthorized,
    Forbidden,
    NotFound,
    Expired,
    Unavailable,
    Reset,
    Hangs,
    Slow,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Nodes,
    Pods,
    Metrics,
    Vitals,
    Events,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Time {
    running: bool,
    long: bool,
}

#[derive(Debug, Clone, Copy)]
struct Case {
    fault: Fault,
    part: Part,
    time: Time,
}

impl Fault {
    const ALL: [Self; 8] = [
        Self::Unauthorized,
        Self::Forbidden,
        Self::NotFound,
        Self::Expired,
        Self::Unavailable,
        Self::Reset,
        Self::Hangs,
        Self::Slow,
    ];

    /// What the API server does. A part that is only polled is expired at each request.
    fn of(self, part: Part) -> RequestFault {
        match self {
            Self::Unauthorized => RequestFault::Refused(401),
            Self::Forbidden => RequestFault::Refused(403),
            Self::NotFound => RequestFault::Refused(404),
            Self::Expired if part.is_polled() => RequestFault::Refused(410),
            Self::Expired => RequestFault::Expired,
            Self::Unavailable => RequestFault::Refused(503),
            Self::Reset => RequestFault::Reset,
            Self::Hangs => RequestFault::Hangs,
            Self::Slow => RequestFault::Slow(SLOW),
        }
    }

    /// What the reason says; none where nothing fails.
    const fn class(self, part: Part) -> Option<Class> {
        Some(match self {
            Self::Unauthorized => Class::Credential,
            Self::Forbidden => Class::Forbidden,
            Self::NotFound => Class::NotFound,
            Self::Expired if part.is_polled() => Class::Expired,
            Self::Unavailable => Class::Unavailable,
            Self::Reset | Self::Hangs => Class::NoAnswer,
            Self::Expired | Self::Slow => return None,
        })
    }

    /// After which time at most everything is live again. A refusal is tried again after 2 s and then twice as late each
    /// time, to two minutes; any other failure after 1 s, to 30 s; each up to a fifth later. A request that hangs fails after
    /// 10 s. A page is requested every 10 s.
    const fn over_within(self, long: bool) -> Duration {
        Duration::from_secs(match (self, long) {
            (Self::Slow, _) => 10,
            (_, false) => 20,
            (Self::Unauthorized | Self::Forbidden | Self::NotFound, true) => 160,
            (Self::Unavailable | Self::Reset | Self::Expired, true) => 50,
            (Self::Hangs, true) => 60,
        })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unauthorized => "401",
            Self::Forbidden => "403",
            Self::NotFound => "404",
            Self::Expired => "410",
            Self::Unavailable => "503",
            Self::Reset => "reset",
            Self::Hangs => "hang",
            Self::Slow => "slow (2 s)",
        })
    }
}

impl Part {
    const ALL: [Self; 5] = [
        Self::Nodes,
        Self::Pods,
        Self::Metrics,
        Self::Vitals,
        Self::Events,
    ];

    fn affected(self) -> Affected {
        match self {
            Self::Nodes => Affected::resource("", "nodes"),
            Self::Pods => Affected::resource("", "pods"),
            Self::Metrics => Affected::group("metrics.k8s.io"),
            Self::Vitals => Affected::group("kubevitals.io"),
            Self::Events => Affected::resource("", "events"),
        }
    }

    /// Whether it is polled, and never watched.
    const fn is_polled(self) -> bool {
        matches!(self, Self::Metrics | Self::Events)
    }

    /// A path that is polled.
    const fn polled(self) -> Option<&'static str> {
        match self {
            Self::Metrics => Some("/apis/metrics.k8s.io/v1beta1/pods"),
            Self::Events => Some("/api/v1/namespaces/shop/events"),
            Self::Vitals => Some("/apis/kubevitals.io/v1alpha1/clustervitals/cluster"),
            Self::Nodes | Self::Pods => None,
        }
    }

    const fn view(self) -> View {
        match self {
            Self::Nodes => View::Nodes,
            Self::Vitals => View::Overview,
            Self::Pods | Self::Metrics | Self::Events => View::Pods,
        }
    }

    /// The source without a fault. If it is not kubevitals.io, it is the one with nodes and pods from the API server.
    const fn source(self) -> &'static str {
        match self {
            Self::Vitals => "vitals",
            _ => "metrics",
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nodes => "nodes",
            Self::Pods => "pods",
            Self::Metrics => "metrics.k8s.io",
            Self::Vitals => "kubevitals.io",
            Self::Events => "events (page of a pod)",
        })
    }
}

impl Time {
    /// In the order of the table's columns.
    const ALL: [Self; 4] = [
        Self {
            running: false,
            long: false,
        },
        Self {
            running: false,
            long: true,
        },
        Self {
            running: true,
            long: false,
        },
        Self {
            running: true,
            long: true,
        },
    ];

    const fn lasts(self) -> Duration {
        Duration::from_secs(if self.long { 120 } else { 6 })
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let from = if self.running {
            "while running"
        } else {
            "from the start"
        };
        write!(f, "{from}, for {} s", self.lasts().as_secs())
    }
}

/// What is shown just before a fault is over.
#[derive(Debug, Clone, PartialEq, Eq)]
struct During {
    word: Word,
    source: String,
    reasons: Vec<Class>,
    /// Whether the rows are there.
    rows: bool,
}

impl During {
    fn of(part: Part, displayed: &Displayed) -> Self {
        Self {
            word: displayed.word,
            source: displayed.source.clone(),
            reasons: displayed.reasons.clone(),
            rows: has_rows(part, displayed),
        }
    }

    /// Nothing is wrong.
    fn well(part: Part) -> Self {
        Self {
            word: Word::Live,
            source: part.source().to_owned(),
            reasons: Vec::new(),
            rows: true,
        }
    }

    /// As the table has it.
    fn text(&self, part: Part) -> String {
        let mut text = self.word.to_string();
        if self.source != part.source() {
            let _ = write!(text, ", source {}", self.source);
        }
        for reason in &self.reasons {
            let _ = write!(text, ": {reason}");
        }
        if !self.rows {
            text.push_str("; no rows");
        }
        text
    }
}

fn has_rows(part: Part, displayed: &Displayed) -> bool {
    match part {
        Part::Nodes => displayed.nodes == NODES.len(),
        Part::Pods | Part::Metrics => displayed.pods == PODS.len(),
        // The overview shows pods that want to be looked at, and these are well: the count stands for them.
        Part::Vitals => displayed.text.contains(&format!("pods {}", PODS.len())),
        Part::Events => displayed.text.contains("the image is here"),
    }
}

impl Case {
    /// What the rule says.
    fn expected(self) -> During {
        let Self { fault, part, time } = self;
        let well = During::well(part);
        let Some(class) = fault.class(part) else {
            return well;
        };
        let failing = During {
            word: Word::PartlyLive,
            reasons: vec![class],
            ..well.clone()
        };
        // Only the better source, which another one replaces, is abandoned within six seconds.
        if fault == Fault::Hangs && !time.long && part != Part::Vitals {
            return match time.running {
                true => well,
                false => During {
                    word: Word::Loading,
                    rows: part == Part::Metrics,
                    ..well
                },
            };
        }
        match part {
            Part::Nodes | Part::Pods | Part::Events => During {
                // What was known stays.
                rows: time.running,
                ..failing
            },
            Part::Metrics => During {
                source: "none".to_owned(),
                ..failing
            },
            Part::Vitals => During {
                source: "metrics".to_owned(),
                ..failing
            },
        }
    }

    /// What is shown, and after which time everything is well again; none if it never is.
    async fn observed(self) -> Observed {
        let Self { fault, part, time } = self;
        let cluster = Cluster::start(&PKI).await;
        if part != Part::Vitals {
            cluster.api.set_without(&["kubevitals.io"]);
        }
        let begin = || {
            let fault = Some(fault.of(part));
            cluster.api.set_fault(part.affected(), fault);
        };
        if !time.running {
            begin();
        }
        let mut dashboard = Dashboard::open(&cluster, part.view(), None);
        let mut left = time.lasts();
        if part == Part::Events {
            let second = Duration::from_secs(1);
            dashboard.pass(second).await;
            left -= second;
            dashboard.open_pod("web-0");
        }
        if time.running {
            let well = |displayed: &Displayed| is_well(part, displayed);
            if dashboard.until(PATIENCE, well).await.is_none() {
                return Observed::never_well(part, &dashboard.displayed());
            }
            dashboard.pass(WELL).await;
            before_the_next_poll(&cluster, &mut dashboard, part).await;
            begin();
            left = time.lasts();
        }
        dashboard.pass(left).await;
        let displayed = dashboard.displayed();
        let struck = cluster.api.struck();
        cluster.api.set_fault(part.affected(), None);
        let after = dashboard
            .until(PATIENCE, |displayed| is_well(part, displayed))
            .await;
        dashboard.pass(WELL).await;
        let stays = is_well(part, &dashboard.displayed());
        Observed {
            during: During::of(part, &displayed),
            displayed: displayed.text,
            after: after.filter(|_| stays),
            last: dashboard.displayed().text,
            struck,
        }
    }
}

struct Observed {
    during: During,
    displayed: String,
    after: Option<Duration>,
    last: String,
    /// How many requests met the fault.
    struck: u64,
}

impl Observed {
    fn never_well(part: Part, displayed: &Displayed) -> Self {
        Self {
            during: During::of(part, displayed),
            displayed: displayed.text.clone(),
            after: None,
            last: String::new(),
            struck: 0,
        }
    }
}

/// Whether everything is shown, and nothing of any reason.
fn is_well(part: Part, displayed: &Displayed) -> bool {
    During::of(part, displayed) == During::well(part)
}

/// Lets time pass until just before the next poll of a part.
async fn before_the_next_poll(cluster: &Cluster, dashboard: &mut Dashboard, part: Part) {
    let Some(path) = part.polled() else { return };
    let polls = cluster.requested(path).len();
    while cluster.requested(path).len() == polls {
        dashboard.pass(Duration::from_millis(100)).await;
    }
    let times = cluster.requested(path);
    let every = times[times.len() - 1] - times[times.len() - 2];
    dashboard
        .pass(every.saturating_sub(Duration::from_millis(500)))
        .await;
}

/// How often a part that fails may be requested in two minutes.
const MOST_REQUESTS: u64 = 60;

/// Compares what is shown of a part in every case with what the rule says.
fn follows_the_rule(part: Part) {
    let mut wrong = String::new();
    for (fault, time) in Fault::ALL
        .into_iter()
        .flat_map(|fault| Time::ALL.map(|time| (fault, time)))
    {
        let case = Case { fault, part, time };
        let observed = in_simulated_time(case.observed());
        let expected = case.expected();
        let within = fault.over_within(time.long);
        let mut complaints = Vec::new();
        if observed.during != expected {
            let (displayed, right) = (observed.during.text(part), expected.text(part));
            complaints.push(format!(
                "`{displayed}` is displayed for `{right}`:\n{}",
                observed.displayed
            ));
        }
        match observed.after {
            None => complaints.push(format!("it is never over:\n{}", observed.last)),
            Some(after) if after > within => {
                complaints.push(format!("it is over after {after:?}, not {within:?}"));
            }
            Some(_) => {}
        }
        if fault != Fault::Slow && observed.struck > MOST_REQUESTS {
            complaints.push(format!("it is requested {} times", observed.struck));
        }
        for complaint in complaints {
            let _ = writeln!(wrong, "{fault} {part} {time}: {complaint}");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn nodes_follow_the_rule() {
    follows_the_rule(Part::Nodes);
}

#[test]
fn pods_follow_the_rule() {
    follows_the_rule(Part::Pods);
}

#[test]
fn metrics_follow_the_rule() {
    follows_the_rule(Part::Metrics);
}

#[test]
fn kubevitals_follows_the_rule() {
    follows_the_rule(Part::Vitals);
}

#[test]
fn events_follow_the_rule() {
    follows_the_rule(Part::Events);
}

/// The table of docs/sources.md. What is the same for both lengths of a fault stands once.
fn table() -> String {
    let mut table = "| fault | of | from the start | while running | all LIVE again within |\n|---|---|---|---|---|\n".to_owned();
    for (fault, part) in Fault::ALL
        .into_iter()
        .flat_map(|fault| Part::ALL.map(|part| (fault, part)))
    {
        let label = |running| {
            let [short, long] = [false, true].map(|long| {
                let time = Time { running, long };
                Case { fault, part, time }.expected().text(part)
            });
            if short == long {
                short
            } else {
                format!("{short}, then {long}")
            }
        };
        let [short, long] = [false, true].map(|long| fault.over_within(long).as_secs());
        let _ = writeln!(
            table,
            "| {fault} | {part} | {} | {} | {short} s, {long} s |",
            label(false),
            label(true)
        );
    }
    table
}

#[test]
fn the_table_of_the_document_is_that_of_the_test() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/sources.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let (head, rest) = text.split_once(MARKS[0]).unwrap();
    let (current, tail) = rest.split_once(MARKS[1]).unwrap();
    let table = table();
    if std::env::var_os(WRITE).is_some() {
        let text = format!("{head}{}{table}{}{tail}", MARKS[0], MARKS[1]);
        std::fs::write(&path, text).unwrap();
        return;
    }
    assert!(
        current == table,
        "{}: the table is no longer what is tested: run this test with {WRITE}=1",
        path.display()
    );
}
