//! A plain table of nodes and pods, redrawn calmly until told to end.
//!
//! On a terminal the top rows that fit stay in place; elsewhere each look is a block of its own.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::time::Duration;

use kubevitals_proto::metrics::Version;

use super::tabwriter::TabWriter;
use super::top::{NodeColumns, PodColumns, node_table, pod_table};
use super::{Error, Streams};
use crate::cli::SortBy;
use crate::source::{self, MetricsApi, NodeCapacity, NodeUsage, PodUsage, Selection};

/// What the table is drawn on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Screen {
    /// A terminal, drawn over.
    Terminal,
    /// A pipe or a file, written on.
    Paper,
}

/// One look at a cluster.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    /// What nodes used.
    pub nodes: Vec<NodeUsage>,
    /// How much nodes have.
    pub capacities: Vec<NodeCapacity>,
    /// What pods used.
    pub pods: Vec<PodUsage>,
}

impl Snapshot {
    /// Asks a cluster for everything at once.
    ///
    /// # Errors
    /// The first answer that did not come.
    pub async fn take(api: &MetricsApi, version: Version) -> Result<Self, source::Error> {
        let all = Selection::default();
        let (nodes, capacities, pods) = tokio::try_join!(
            api.nodes(version, all),
            api.node_capacities(all),
            api.pods(version, "", all)
        )?;
        Ok(Self {
            nodes,
            capacities,
            pods,
        })
    }

    /// Whether there are metrics of this many nodes, all that exist, and of some pods.
    pub fn is_whole(&self, nodes: usize) -> bool {
        self.nodes.len() >= nodes
            && self.nodes.len() >= self.capacities.len()
            && !self.pods.is_empty()
    }

    /// Whether there are no metrics at all.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty() && self.pods.is_empty()
    }
}

/// Draws the cluster every `interval`; ends only when the output does.
///
/// # Errors
/// The output cannot be written.
pub async fn run(
    api: &MetricsApi,
    version: Version,
    title: &str,
    screen: Screen,
    interval: Duration,
    streams: &mut Streams<'_>,
) -> Result<(), Error> {
    let mut ticks = tokio::time::interval(interval);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut out = Output::new(screen, streams.out)?;
    let mut last = Snapshot::default();
    loop {
        ticks.tick().await;
        let trouble = match Snapshot::take(api, version).await {
            Ok(snapshot) => {
                last = snapshot;
                None
            }
            Err(error) => Some(error.to_string()),
        };
        let (width, height) = out.size();
        out.draw(&frame(&last, title, trouble.as_deref(), width, height))?;
    }
}

/// The wish of the user or the system that the program end: Ctrl-C, SIGTERM, SIGHUP.
#[derive(Debug)]
pub struct Ending {
    #[cfg(unix)]
    signals: [tokio::signal::unix::Signal; 3],
}

impl Ending {
    /// Listens from now on; the wish no longer ends the program by itself.
    ///
    /// # Errors
    /// The system lets no one listen.
    pub fn listen() -> io::Result<Self> {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            let signals = [
                signal(SignalKind::interrupt())?,
                signal(SignalKind::terminate())?,
                signal(SignalKind::hangup())?,
            ];
            Ok(Self { signals })
        }
        #[cfg(not(unix))]
        Ok(Self {})
    }

    /// Returns when the program is to end.
    pub async fn wait(&mut self) {
        #[cfg(unix)]
        {
            let [interrupt, terminate, hangup] = &mut self.signals;
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
                _ = hangup.recv() => {}
            }
        }
        #[cfg(not(unix))]
        let _ = tokio::signal::ctrl_c().await;
    }
}

/// The lines to show: a title, nodes by name, pods by CPU, as many as fit.
fn frame(
    snapshot: &Snapshot,
    title: &str,
    trouble: Option<&str>,
    width: usize,
    height: usize,
) -> Vec<String> {
    let mut lines: Vec<String> = title.lines().map(str::to_owned).collect();
    lines.extend(trouble.map(|trouble| trouble.lines().next().unwrap_or_default().to_owned()));
    lines.push(String::new());
    if snapshot.is_empty() {
        lines.push("Waiting for the first metrics …".to_owned());
    } else {
        let Snapshot {
            nodes,
            capacities,
            pods,
        } = snapshot.clone();
        let columns = NodeColumns {
            headers: true,
            ..NodeColumns::default()
        };
        let nodes = rows(&node_table(nodes, capacities, SortBy::Name.into(), columns));
        let columns = PodColumns {
            headers: true,
            namespace: true,
            ..PodColumns::default()
        };
        let pods = rows(&pod_table(pods, SortBy::Cpu.into(), columns));
        // Nodes get at most half; one line stays free so that nothing scrolls.
        let free = height.saturating_sub(lines.len() + 2);
        let for_nodes = nodes
            .len()
            .min((free / 2).max(free.saturating_sub(pods.len())));
        lines.extend(first(nodes, for_nodes, "nodes"));
        lines.push(String::new());
        lines.extend(first(pods, free.saturating_sub(for_nodes), "pods"));
    }
    lines.iter().map(|line| cut(line, width)).collect()
}

fn rows(table: &TabWriter) -> Vec<String> {
    let mut text = Vec::new();
    // Writing to a Vec cannot fail.
    let _ = table.write_to(&mut text);
    String::from_utf8_lossy(&text)
        .lines()
        .map(|line| line.trim_end().to_owned())
        .collect()
}

/// The first lines, and how many more there are.
fn first(mut lines: Vec<String>, room: usize, what: &str) -> Vec<String> {
    if lines.len() > room && room > 0 {
        let more = lines.len() - (room - 1);
        lines.truncate(room - 1);
        lines.push(format!("… and {more} more {what}"));
    }
    lines.truncate(room);
    lines
}

fn cut(line: &str, width: usize) -> String {
    if line.chars().count() <= width {
        return line.to_owned();
    }
    line.chars()
        .take(width.saturating_sub(1))
        .chain(['…'])
        .collect()
}

/// Draws frames, and leaves the terminal as it was.
struct Output<'a> {
    out: &'a mut dyn Write,
    screen: Screen,
}

const HIDE_CURSOR: &str = "\x1b[?25l";
const SHOW_CURSOR: &str = "\x1b[?25h";

impl<'a> Output<'a> {
    fn new(screen: Screen, out: &'a mut dyn Write) -> Result<Self, Error> {
        if screen == Screen::Terminal {
            write!(out, "{HIDE_CURSOR}\x1b[2J")?;
        }
        Ok(Self { out, screen })
    }

    fn size(&self) -> (usize, usize) {
        match (self.screen, terminal_size::terminal_size()) {
            (Screen::Terminal, Some((width, height))) => (width.0.into(), height.0.into()),
            (Screen::Terminal, None) => (80, 24),
            (Screen::Paper, _) => (usize::MAX, usize::MAX),
        }
    }

    /// Writes a frame in one piece, over the last one: what changed is seen, nothing flickers.
    fn draw(&mut self, lines: &[String]) -> Result<(), Error> {
        let mut text = String::new();
        match self.screen {
            Screen::Terminal => {
                text.push_str("\x1b[H");
                for line in lines {
                    // Writing to a String cannot fail.
                    let _ = writeln!(text, "{line}\x1b[K");
                }
                text.push_str("\x1b[J");
            }
            Screen::Paper => {
                for line in lines {
                    text.push_str(line);
                    text.push('\n');
                }
                text.push('\n');
            }
        }
        self.out.write_all(text.as_bytes())?;
        Ok(self.out.flush()?)
    }
}

impl Drop for Output<'_> {
    fn drop(&mut self) {
        if self.screen == Screen::Terminal {
            // The terminal may be gone; then there is nothing to restore.
            let _ = writeln!(self.out, "{SHOW_CURSOR}");
            let _ = self.out.flush();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{ContainerUsage, Usage};

    fn snapshot(nodes: usize, pods: usize) -> Snapshot {
        let usage = |cpu: usize| Usage {
            cpu: format!("{cpu}m").parse().unwrap(),
            memory: "5Mi".parse().unwrap(),
            ..Usage::default()
        };
        let pod = |at: usize| PodUsage {
            namespace: "default".to_owned(),
            name: format!("pod-{at:02}"),
            containers: vec![ContainerUsage {
                name: "main".to_owned(),
                usage: usage(at),
            }],
            ..PodUsage::default()
        };
        Snapshot {
            nodes: (0..nodes)
                .map(|at| NodeUsage {
                    name: format!("node-{at}"),
                    usage: usage(at),
                    ..NodeUsage::default()
                })
                .collect(),
            capacities: Vec::new(),
            pods: (0..pods).map(pod).collect(),
        }
    }

    #[test]
    fn what_does_not_fit_is_counted() {
        let lines = frame(&snapshot(3, 30), "demo", None, 80, 14);
        assert_eq!(lines.len(), 13, "one line stays free");
        assert_eq!(
            lines[2],
            "NAME     CPU(cores)   CPU(%)   MEMORY(bytes)   MEMORY(%)"
        );
        assert_eq!(lines[8], "default     pod-29   29m          5Mi");
        assert_eq!(lines[12], "… and 26 more pods");
    }

    #[test]
    fn few_pods_leave_room_for_nodes() {
        let lines = frame(&snapshot(12, 2), "demo", None, 80, 24);
        assert!(lines.iter().any(|line| line.starts_with("node-9")));
        assert!(lines.iter().all(|line| !line.contains("more")));
    }

    #[test]
    fn nothing_is_said_and_trouble_is_told() {
        let lines = frame(
            &Snapshot::default(),
            "demo",
            Some("refused\nby all"),
            80,
            24,
        );
        assert_eq!(
            lines,
            ["demo", "refused", "", "Waiting for the first metrics …"]
        );
    }

    #[test]
    fn small_terminals_cut_and_do_not_fail() {
        for (width, height) in [(0, 0), (1, 1), (10, 3), (20, 6)] {
            let lines = frame(&snapshot(3, 30), "a rather long title", None, width, height);
            assert!(
                lines
                    .iter()
                    .all(|line| line.chars().count() <= width.max(1))
            );
        }
    }

    #[test]
    fn a_terminal_gets_its_cursor_back() {
        let mut out = Vec::new();
        Output::new(Screen::Terminal, &mut out)
            .unwrap()
            .draw(&["x".to_owned()])
            .unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.starts_with(HIDE_CURSOR));
        assert!(text.ends_with("\x1b[?25h\n"), "{text:?}");
    }

    #[test]
    fn paper_gets_plain_blocks() {
        let mut out = Vec::new();
        Output::new(Screen::Paper, &mut out)
            .unwrap()
            .draw(&["x".to_owned()])
            .unwrap();
        assert_eq!(out, b"x\n\n");
    }
}
