//! `vitals --plain`: the changes of a cluster as lines, without movement of the cursor and without colours. For screen
//! readers, pipes and terminals on which the dashboard cannot be drawn.

mod picture;

use std::collections::HashSet;
use std::io;
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use super::{Error, Streams};
use crate::model::{self, Action, Effect, Key, Liveness, Message, State, View};
use crate::shutdown::ShutdownSignals;
use crate::source::Feed;
use crate::text::one_line;
use picture::Picture;

/// The time between two comparisons. What ends earlier is not printed, and what changes together is one line.
const APART: Duration = Duration::from_secs(3);

/// Prints a summary, then changes, until a signal ends it or nobody reads the output.
///
/// # Errors
/// The output cannot be written.
pub async fn run(
    mut state: State,
    mut feed: Feed,
    mut ending: ShutdownSignals,
    streams: &mut Streams<'_>,
) -> Result<(), Error> {
    state.now = feed.clock().now();
    let started = model::act(&mut state, Action::Show(View::Overview));
    request(&feed, started);
    let mut printer = Printer::default();
    let mut ticks = interval(Duration::from_secs(1));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut due = Instant::now();
    loop {
        let message = tokio::select! {
            biased;
            () = ending.wait() => return Ok(()),
            () = sleep_until(due) => {
                printer.print(&state, streams)?;
                // Until the summary is printed it is checked often: it is what the user waits for.
                let wait = if printer.before.is_some() { APART } else { APART / 10 };
                due = Instant::now() + wait;
                continue;
            }
            _ = ticks.tick() => Message::Tick(feed.clock().now()),
            message = feed.next() => message,
        };
        let effects = model::apply(&mut state, message);
        request(&feed, effects);
    }
}

/// Sends requests to the source. Other effects need a screen.
fn request(feed: &Feed, effects: Vec<Effect>) {
    for effect in effects {
        if let Effect::Request(request) = effect {
            feed.request(request);
        }
    }
}

/// What has been printed.
#[derive(Debug, Default)]
struct Printer {
    /// The cluster as last printed; none before the summary.
    before: Option<Picture>,
    /// The messages that have been printed: their texts and counts.
    messages: HashSet<(String, u32)>,
}

impl Printer {
    /// Prints what is new.
    fn print(&mut self, state: &State, streams: &mut Streams<'_>) -> io::Result<()> {
        let mut lines = self.new_messages(state);
        let is_loaded = !matches!(
            state.liveness(),
            Liveness::Connecting | Liveness::Loading | Liveness::Lost(_)
        );
        if is_loaded {
            let picture = Picture::of(state);
            match &self.before {
                Some(before) => {
                    // Of too many pods only some are in memory, the unhealthy ones among them.
                    let live = &state.live;
                    let exists = |key: &Key| {
                        live.extent.is_some()
                            || live.pods.get(key).is_some()
                            || live.nodes.get(key).is_some()
                    };
                    lines.extend(picture.changes_since(before, exists));
                }
                None => lines.extend(picture.summary()),
            }
            self.before = Some(picture);
        }
        for line in &lines {
            writeln!(streams.out, "{} {}", state.clock(state.now), one_line(line))?;
        }
        if lines.is_empty() {
            return Ok(());
        }
        streams.out.flush()
    }

    /// The messages that the dashboard would show and that have not been printed: the source, the connection, failures.
    fn new_messages(&mut self, state: &State) -> Vec<String> {
        let entries = state.messages.newest_first();
        let current: HashSet<(String, u32)> = entries
            .map(|entry| (entry.text.clone(), entry.count))
            .collect();
        let entries = state.messages.newest_first();
        let new =
            entries.filter(|entry| !self.messages.contains(&(entry.text.clone(), entry.count)));
        let mut new: Vec<String> = new.map(|entry| entry.text.clone()).collect();
        new.reverse();
        self.messages = current;
        new
    }
}
