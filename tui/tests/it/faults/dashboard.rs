//! A dashboard without a terminal: its source, its state and what it would draw.

use std::fmt;
use std::time::Duration;

use kubevitals::cli::Connection;
use kubevitals::clock::Clock;
use kubevitals::model::{
    Action, Edit, Effect, Message, Session, Settings, SourceKind, State, View, act, apply, refresh,
};
use kubevitals::source::{Connector, Feed};
use kubevitals::view::theme::{Depth, Ground, Theme};
use tokio::time::{Instant, Interval, interval, timeout_at};

use super::cluster::{Cluster, NAMESPACE, NODES, PODS};
use crate::picture::{draw, text};

/// Columns and rows of what is drawn: reasons fit in a line.
const SIZE: (u16, u16) = (200, 40);

/// A dashboard that looks at a cluster.
pub(super) struct Dashboard {
    pub(super) state: State,
    feed: Feed,
    ticks: Interval,
    clock: Clock,
}

impl Dashboard {
    /// Opens a view of the cluster.
    pub(super) fn open(cluster: &Cluster, view: View, required: Option<SourceKind>) -> Self {
        let now = cluster.now.clone();
        let clock = Clock::new(move || now(), 1.0);
        let connector = Connector::new(Connection::default(), required, clock.clone());
        let feed = connector.follow(cluster.client(), NAMESPACE.into(), false);
        let session = Session {
            context: "test".to_owned(),
            cluster: "test".to_owned(),
            contexts: vec!["test".into()],
            namespace: None,
        };
        let mut dashboard = Self {
            state: State::new(session, Settings::default()),
            feed,
            ticks: interval(Duration::from_secs(1)),
            clock,
        };
        dashboard.press(Action::Resize(SIZE.0, SIZE.1));
        dashboard.press(Action::Show(view));
        dashboard
    }

    /// Lets so much time pass.
    pub(super) async fn pass(&mut self, time: Duration) {
        let end = Instant::now() + time;
        while timeout_at(end, self.step()).await.is_ok() {}
    }

    /// Lets time pass until it is so, for so long at most; how long it took.
    pub(super) async fn until(
        &mut self,
        within: Duration,
        is_so: impl Fn(&Displayed) -> bool,
    ) -> Option<Duration> {
        let began = Instant::now();
        while began.elapsed() <= within {
            if is_so(&self.displayed()) {
                return Some(began.elapsed());
            }
            self.pass(Duration::from_secs(1)).await;
        }
        None
    }

    async fn step(&mut self) {
        let message = tokio::select! {
            message = self.feed.next() => message,
            _ = self.ticks.tick() => Message::Tick(self.clock.now()),
        };
        let effects = apply(&mut self.state, message);
        self.follow(effects);
    }

    pub(super) fn press(&mut self, action: Action) {
        let effects = act(&mut self.state, action);
        self.follow(effects);
        refresh(&mut self.state);
    }

    fn follow(&self, effects: Vec<Effect>) {
        for effect in effects {
            if let Effect::Request(request) = effect {
                self.feed.request(request);
            }
        }
    }

    /// Opens the page of a pod, as a person does.
    pub(super) fn open_pod(&mut self, name: &str) {
        self.press(Action::Filter);
        self.press(Action::Edit(Edit::Insert(format!("name={name}"))));
        self.press(Action::Enter);
        self.press(Action::First);
        self.press(Action::Enter);
    }

    /// What is on the screen.
    pub(super) fn displayed(&self) -> Displayed {
        let theme = Theme::new(Depth::None, Ground::Dark, false);
        Displayed::of(text(&draw(&self.state, &theme, SIZE.0, SIZE.1)))
    }
}

/// The word at the right end of the title.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word {
    Connecting,
    Loading,
    Live,
    PartlyLive,
    Stale,
    NoData,
    Lost,
    None,
}

impl Word {
    /// As the title has it. What is part of another word comes after it.
    const ALL: [(Self, &'static str); 7] = [
        (Self::PartlyLive, "PARTLY LIVE"),
        (Self::Connecting, "CONNECTING"),
        (Self::Loading, "LOADING"),
        (Self::Stale, "STALE"),
        (Self::NoData, "NO DATA"),
        (Self::Lost, "LOST"),
        (Self::Live, "LIVE"),
    ];
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let found = Self::ALL.iter().find(|(word, _)| word == self);
        f.write_str(found.map_or("no word", |(_, text)| text))
    }
}

/// What a reason says is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Class {
    Credential,
    Forbidden,
    NotFound,
    Expired,
    Busy,
    Unavailable,
    NoAnswer,
}

impl Class {
    /// Every class.
    const ALL: [Self; 7] = [
        Self::Credential,
        Self::Forbidden,
        Self::NotFound,
        Self::Expired,
        Self::Busy,
        Self::Unavailable,
        Self::NoAnswer,
    ];

    /// What the screen says of it.
    const fn words(self) -> &'static str {
        match self {
            Self::Credential => "does not accept your credential",
            Self::Forbidden => "forbidden: User \"jane\" cannot",
            Self::NotFound => "not found: the cluster does not serve this API",
            Self::Expired => "the resource version is too old",
            Self::Busy => "the server is busy",
            Self::Unavailable => "not available",
            Self::NoAnswer => "no answer",
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Credential => "credential",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not found",
            Self::Expired => "expired",
            Self::Busy => "busy",
            Self::Unavailable => "unavailable",
            Self::NoAnswer => "no answer",
        })
    }
}

/// A screen, as far as the tests look at it.
#[derive(Debug, Clone)]
pub(super) struct Displayed {
    pub(super) text: String,
    pub(super) word: Word,
    /// Which source is said to be shown.
    pub(super) source: String,
    /// How many of the cluster's nodes and pods are named below the title.
    pub(super) nodes: usize,
    pub(super) pods: usize,
    /// The classes whose reasons are displayed.
    pub(super) reasons: Vec<Class>,
}

impl Displayed {
    fn of(text: String) -> Self {
        let (title, body) = text.split_once('\n').unwrap();
        let word = Word::ALL.iter().find(|(_, word)| title.contains(word));
        let word = word.map_or(Word::None, |(word, _)| *word);
        let source = title
            .split_once("source ")
            .and_then(|(_, rest)| rest.split(|c: char| !c.is_alphanumeric()).next());
        let said = |class: &Class| text.contains(class.words());
        Self {
            word,
            source: source.unwrap_or_default().to_owned(),
            nodes: NODES.iter().filter(|name| body.contains(**name)).count(),
            pods: PODS.iter().filter(|(_, name)| body.contains(name)).count(),
            reasons: Class::ALL.into_iter().filter(said).collect(),
            text,
        }
    }
}
