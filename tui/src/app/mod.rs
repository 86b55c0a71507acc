//! The dashboard's loop. It owns the state: it applies input and messages, runs the effects, and draws after changes.

mod clusters;
mod effects;
mod first_start;
mod frames;
mod handover;
mod jobs;
mod keyboard;
mod others;
pub mod terminal;

use std::collections::BTreeMap;
use std::future::pending;
use std::io::{self, Write};
use std::path::PathBuf;
use std::pin::pin;
use std::time::Duration;

use crossterm::event::Event;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use crate::config::{Notify, Settings, TimeZoneChoice};
use crate::input::{self, Grip, Hits, KeyMap};
use crate::model::{self, Action, Effect, Kubectl, Message, Name, Session, State, View, Zone};
use crate::shutdown::ShutdownSignals;
use crate::source::{Connector, Feed, Handover};
use crate::view;
use crate::view::theme::{Depth, Theme};
use frames::Frames;
use jobs::{Job, Jobs};
use keyboard::Keyboard;
use others::Others;
use terminal::Screen;

/// The options of the dashboard.
#[derive(Debug, Clone)]
pub struct Options {
    /// Thresholds, spans, columns and the time zone.
    pub settings: model::Settings,
    /// Colours and signs.
    pub theme: Theme,
    /// The configuration.
    pub config: Settings,
    /// The configuration file, which may not exist; `None` without a home directory.
    pub config_file: Option<PathBuf>,
    /// The key bindings.
    pub keys: KeyMap,
    /// The most frames in a second.
    pub fps: u32,
    /// Whether the mouse is used.
    pub mouse: bool,
    /// The first view.
    pub view: View,
}

impl Options {
    /// Converts the configuration.
    #[must_use]
    pub fn of(settings: &Settings, config_file: Option<PathBuf>) -> Self {
        Self {
            settings: model::Settings {
                thresholds: settings.thresholds,
                spans: settings.spans.clone(),
                span: settings.span,
                columns: settings
                    .columns
                    .iter()
                    .map(|(view, fields)| (*view, fields.clone()))
                    .collect(),
                bookmarks: named(&settings.bookmarks),
                filters: named(&settings.filters),
                default_filters: settings
                    .default_filters
                    .iter()
                    .map(|(view, filter)| (*view, Name::from(filter.as_str())))
                    .collect(),
                notify: settings.notify != Notify::Off,
                allow_actions: settings.allow_actions,
                protected: settings.protected.clone(),
                zone: Zone::of_machine(settings.time_zone == TimeZoneChoice::Local),
                commands: settings.key_map().commands(),
                themes: settings.theme_names().into_iter().map(Name::from).collect(),
                theme: settings.theme_name().into(),
            },
            theme: settings.theme(|name| std::env::var(name).ok()),
            keys: settings.key_map(),
            config: settings.clone(),
            config_file,
            fps: settings.fps.into(),
            mouse: settings.mouse,
            view: settings.view,
        }
    }
}

/// Saved texts with their names.
fn named(texts: &BTreeMap<String, String>) -> BTreeMap<Name, String> {
    let texts = texts.iter();
    texts
        .map(|(name, text)| (Name::from(name.as_str()), text.clone()))
        .collect()
}

/// How long messages are applied before input is read again: a long list arrives as many messages.
const BURST: Duration = Duration::from_millis(4);

/// Runs the dashboard until it ends. `others` are contexts of more clusters, which the dashboard follows too.
///
/// # Errors
/// The terminal cannot be opened, read or written.
pub async fn run(
    options: Options,
    connector: Connector,
    session: Session,
    feed: Feed,
    others: Vec<Name>,
    mut ending: ShutdownSignals,
) -> io::Result<()> {
    let mut state = State::new(session, options.settings.clone());
    state.now = feed.clock().now();
    state.started = state.now;
    state.is_new = first_start::is_first_start(&|name| std::env::var(name).ok());
    state.kubectl_flags = connector.kubectl_flags();
    if options.view != View::Overview {
        model::act(&mut state, Action::Show(options.view));
    }
    let handovers = connector.terminal().draw();
    let mut app = App {
        screen: Screen::take(options.mouse, options.theme.depth != Depth::None)?,
        keyboard: Some(Keyboard::open(options.keys.has_alt())?),
        handovers,
        jobs: Jobs::listen()?,
        hits: Hits::default(),
        grip: Grip::default(),
        frame: Duration::from_secs(1) / options.fps.clamp(1, 120),
        options,
        state,
        feed,
        connector,
        others: Others::default(),
        clock_is_compared: false,
        suspending: false,
        running: None,
        over: false,
    };
    app.resize().await?;
    app.connect_others(&others).await;
    if !app.others.is_empty() && app.options.view == View::Overview {
        app.act(Action::Show(View::Clusters)).await?;
    }
    if app.state.session.context.is_empty() && !app.state.session.contexts.is_empty() {
        app.act(Action::Contexts).await?;
    }
    app.run(&mut ending).await
}

/// The next event of the terminal; waits for ever while the terminal is lent.
async fn next(keyboard: &mut Option<Keyboard>) -> Option<io::Result<Event>> {
    match keyboard {
        Some(keyboard) => keyboard.next().await,
        None => pending().await,
    }
}

struct App {
    screen: Screen,
    /// None while the terminal is lent.
    keyboard: Option<Keyboard>,
    handovers: mpsc::Receiver<Handover>,
    jobs: Jobs,
    hits: Hits,
    grip: Grip,
    frame: Duration,
    options: Options,
    state: State,
    feed: Feed,
    connector: Connector,
    /// The clusters that are not on the screen.
    others: Others,
    /// Whether a difference between the machine's clock and the cluster's has been reported.
    clock_is_compared: bool,
    /// Whether the job must be stopped.
    suspending: bool,
    /// The command to which the terminal must be handed over.
    running: Option<Kubectl>,
    over: bool,
}

impl App {
    async fn run(&mut self, ending: &mut ShutdownSignals) -> io::Result<()> {
        let mut ticks = interval(Duration::from_secs(1));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut frames = Frames::new(self.frame, Instant::now());
        while !self.over {
            let due = frames.due;
            let drawing = async {
                match due {
                    Some(due) => sleep_until(due).await,
                    None => pending().await,
                }
            };
            tokio::select! {
                biased;
                () = ending.wait() => return Ok(()),
                job = self.jobs.next() => {
                    match job {
                        Job::Stop => self.suspend(ending).await?,
                        Job::Continued => self.screen.restore()?,
                    }
                    frames.show(Instant::now());
                }
                event = next(&mut self.keyboard) => match event {
                    Some(event) => {
                        self.input(&event?).await?;
                        if std::mem::take(&mut self.suspending) {
                            self.suspend(ending).await?;
                        }
                        if let Some(command) = self.running.take() {
                            self.hand_over(&command, ending).await?;
                        }
                        frames.key_pressed(Instant::now());
                    }
                    // The terminal is gone.
                    None => return Ok(()),
                },
                () = drawing => {
                    self.draw()?;
                    frames.drawn(Instant::now());
                }
                message = self.feed.next() => {
                    let until = Instant::now() + BURST;
                    let mut at_once = self.receive(message).await?;
                    while Instant::now() < until {
                        let Some(message) = self.feed.try_next() else { break };
                        at_once |= self.receive(message).await?;
                    }
                    if at_once {
                        frames.show(Instant::now());
                    }
                }
                (at, message) = self.others.next(), if !self.others.is_empty() => {
                    self.receive_of(at, message)?;
                }
                Some(handover) = self.handovers.recv() => {
                    self.lend(handover, ending).await?;
                    frames.show(Instant::now());
                }
                _ = ticks.tick() => {
                    self.tick().await?;
                    frames.show(Instant::now());
                }
            }
        }
        Ok(())
    }

    /// Lends the terminal to a credential plugin. Meanwhile the dashboard does not draw or read keys.
    async fn lend(&mut self, handover: Handover, ending: &mut ShutdownSignals) -> io::Result<()> {
        self.leave();
        let command = handover.command().replace(char::is_control, "");
        writeln!(
            io::stdout(),
            "{command} uses the terminal; the dashboard returns when it ends."
        )?;
        let mut lent = pin!(handover.lend());
        loop {
            tokio::select! {
                biased;
                () = ending.wait() => {
                    self.over = true;
                    return Ok(());
                }
                job = self.jobs.next() => {
                    // The plugin is in the same job: Ctrl-Z stops both.
                    if job == Job::Stop && Jobs::has_shell()? {
                        self.jobs.stop().await?;
                    }
                }
                () = &mut lent => break,
            }
        }
        // Discards input that was typed for the plugin.
        discard_typed();
        self.enter().await
    }

    /// Restores the terminal, stops the job as the shell would, and takes the terminal again when the job continues.
    async fn suspend(&mut self, ending: &mut ShutdownSignals) -> io::Result<()> {
        // A key that is typed while the terminal is left would be lost.
        if !Jobs::has_shell()? {
            let no_shell = "there is no shell to return to, so the dashboard cannot be suspended";
            self.state.say(no_shell, true);
            return Ok(());
        }
        self.leave();
        tokio::select! {
            biased;
            () = ending.wait() => {
                self.over = true;
                return Ok(());
            }
            stopped = self.jobs.stop() => stopped?,
        }
        self.enter().await
    }

    fn leave(&mut self) {
        self.keyboard = None;
        self.screen.leave();
    }

    async fn enter(&mut self) -> io::Result<()> {
        self.screen.enter()?;
        self.keyboard = Some(Keyboard::open(self.options.keys.has_alt())?);
        // It may have changed meanwhile.
        self.resize().await
    }

    /// Applies the size of the terminal.
    async fn resize(&mut self) -> io::Result<()> {
        let size = self.screen.terminal().size()?;
        self.act(Action::Resize(size.width, size.height)).await
    }

    async fn input(&mut self, event: &Event) -> io::Result<()> {
        // Terminals cut the screen when they shrink, even if they grow again before the next frame.
        if matches!(event, Event::Resize(..)) {
            self.screen.clear()?;
        }
        let actions = input::actions(
            event,
            self.state.mode(),
            &self.options.keys,
            &self.hits,
            &mut self.grip,
            std::time::Instant::now(),
        );
        for action in actions {
            self.act(action).await?;
        }
        Ok(())
    }

    async fn act(&mut self, action: Action) -> io::Result<()> {
        let effects = model::act(&mut self.state, action);
        self.effects(effects).await
    }

    /// Applies a message; returns whether to draw at once.
    async fn receive(&mut self, message: Message) -> io::Result<bool> {
        let at_once = !message.is_steady();
        self.apply(message).await?;
        Ok(at_once)
    }

    async fn apply(&mut self, message: Message) -> io::Result<()> {
        let effects = model::apply(&mut self.state, message);
        self.effects(effects).await
    }

    /// Runs every second.
    async fn tick(&mut self) -> io::Result<()> {
        if !self.clock_is_compared
            && let Some(difference) = self.feed.clock().difference()
        {
            self.clock_is_compared = true;
            self.state.say(difference, true);
        }
        self.apply(Message::Tick(self.feed.clock().now())).await?;
        self.tick_others().await;
        Ok(())
    }

    async fn effects(&mut self, mut effects: Vec<Effect>) -> io::Result<()> {
        loop {
            let mut entrance = None;
            for effect in effects {
                match effect {
                    Effect::Quit => self.over = true,
                    Effect::Suspend => self.suspending = true,
                    Effect::Redraw => self.screen.restore()?,
                    Effect::Mouse => self.switch_mouse()?,
                    Effect::Notify(text) => {
                        let context = self.state.session.context.clone();
                        self.notify(&context, &text)?;
                    }
                    Effect::Theme(name) => self.draw_with(&name),
                    Effect::Persist(setting) => self.persist(&setting),
                    Effect::Copy(text) => self.copy(&text)?,
                    Effect::Export(form) => self.export(form),
                    Effect::Request(request) => self.feed.request(request),
                    Effect::Direct(request) => {
                        if !self.feed.request_directly(request) {
                            let why = "not done: not connected, or too many requests are waiting";
                            self.state.say(why, true);
                        }
                    }
                    Effect::Run(command) => self.running = Some(command),
                    Effect::Connect(context) if !self.others.is_empty() => {
                        entrance = Some(self.join(context).await);
                    }
                    Effect::Connect(context) => self.connect(&context).await,
                    Effect::ReadClusters => self.read_clusters(),
                    // The other effects are for the cluster that is still on the screen.
                    Effect::EnterCluster(to) => entrance = Some(to),
                }
            }
            match entrance {
                Some(entrance) => effects = self.enter_cluster(entrance).await,
                None => return Ok(()),
            }
        }
    }

    /// Connects to another cluster.
    async fn connect(&mut self, context: &Name) {
        match self.connector.connect(Some(context)).await {
            Ok((session, feed)) => {
                let mut state = State::new(session, self.state.settings.clone());
                state.size = self.state.size;
                state.now = self.state.now;
                state.started = self.state.now;
                state.span = self.state.span;
                state.messages = std::mem::take(&mut self.state.messages);
                state.kubectl_flags = std::mem::take(&mut self.state.kubectl_flags);
                self.state = state;
                self.feed = feed;
                self.clock_is_compared = false;
            }
            Err(error) => self.state.say(error.to_string(), true),
        }
    }

    fn draw(&mut self) -> io::Result<()> {
        model::refresh(&mut self.state);
        // The map and charts show what the mouse points at.
        self.screen.follow_mouse(self.hits.can_be_pointed_at())?;
        let Self {
            screen,
            state,
            options,
            hits,
            ..
        } = self;
        let mut scrolled = None;
        screen.terminal().draw(|frame| {
            let drawn = view::draw(state, &options.theme, &options.keys, frame.buffer_mut());
            if let Some(cursor) = drawn.cursor {
                frame.set_cursor_position(cursor);
            }
            *hits = drawn.hits;
            scrolled = drawn.scrolled;
        })?;
        if let Some(rows) = scrolled {
            state.scrolled(rows);
        }
        screen.title(view::terminal_title(state))
    }
}

/// Discards unread input.
fn discard_typed() {
    #[cfg(unix)]
    {
        use rustix::termios::{QueueSelector, tcflush};
        // A terminal that is gone has no input.
        let _ = tcflush(io::stdin(), QueueSelector::IFlush);
    }
}
