//! The dashboard in a pseudo-terminal, as a person uses it.

mod clusters;
mod colours;
mod faults;
mod floods;
mod handover;
mod jobs;
mod kept;
mod keys;
mod lifecycle;
mod line_keys;
mod list_keys;
mod map;
mod objects;
mod pointing;
mod questions;
mod several;
mod text_keys;
mod ways;

use std::path::Path;

use tempfile::TempDir;
use vt100::{Color, Screen};

use crate::terminal::Terminal;

/// The pointer before the selected row.
const POINTER: &str = "▌";

/// A demo and its dashboard in a terminal.
pub(crate) struct Dashboard {
    pub(crate) terminal: Terminal,
    folder: TempDir,
}

impl Dashboard {
    /// The dashboard of a small cluster in which time runs fast.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let usual = [
            "--nodes",
            "3",
            "--pods-per-node",
            "20",
            "--speed",
            "20",
            "--seed",
            "7",
        ];
        Self::of_demo(&[&usual, arguments].concat())
    }

    /// The dashboard of any demo.
    pub(crate) fn of_demo(arguments: &[&str]) -> Self {
        Self::in_environment(arguments, &[])
    }

    /// The same with variables of the environment.
    pub(crate) fn in_environment(arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let folder = TempDir::new().unwrap();
        let kubeconfig = folder.path().join("kubeconfig").display().to_string();
        let arguments = [&["demo", "--kubeconfig-out", &kubeconfig], arguments].concat();
        let place = folder.path().display().to_string();
        // Nobody's own configuration is changed.
        let own = [&[("XDG_CONFIG_HOME", &*place)], environment].concat();
        let terminal = Terminal::start(&arguments, &place, 160, 40, &own);
        terminal.wait_for("the dashboard, live", |text| text.contains("LIVE"));
        Self { terminal, folder }
    }

    /// Where the program runs, and writes its exports.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Goes to the view of this title by its key.
    pub(crate) fn show(&mut self, key: &str, title: &str) {
        self.terminal.press(key);
        self.wait_view(title);
    }

    /// Waits until this view is shown.
    pub(crate) fn wait_view(&self, title: &str) {
        self.terminal
            .wait_until(&format!("the view {title}"), |screen, _| {
                (current_view(screen).as_deref() == Some(title)).then_some(())
            });
    }

    /// Waits until the selected row is so, and says what it is.
    pub(crate) fn wait_selected(&self, what: &str, is_so: impl Fn(&str) -> bool) -> String {
        self.terminal
            .wait_until(what, |screen, _| selected(screen).filter(|row| is_so(row)))
    }

    /// Waits until the pointer is so many rows below the headings.
    pub(crate) fn wait_pointer(&self, what: &str, is_so: impl Fn(usize) -> bool) {
        self.terminal.wait_until(what, |screen, _| {
            let rows = rows(screen);
            let head = rows.iter().position(|row| row.contains("NAMESPACE"))?;
            let at = rows.iter().position(|row| row.starts_with(POINTER))?;
            is_so(at.checked_sub(head)?).then_some(())
        });
    }

    /// The selected row's namespace and name, in the view of pods.
    pub(crate) fn pod(&self) -> (String, String) {
        let row = self.wait_selected("a selected pod", |row| row.split_whitespace().count() > 2);
        let mut words = row.split_whitespace().map(str::to_owned);
        (words.next().unwrap(), words.next().unwrap())
    }
}

/// The rows of a screen.
pub(crate) fn rows(screen: &Screen) -> Vec<String> {
    let columns = screen.size().1;
    screen.rows(0, columns.get()).collect()
}

/// The row that the pointer is before, without it.
pub(crate) fn selected(screen: &Screen) -> Option<String> {
    let rows = rows(screen);
    let row = rows.iter().find(|row| row.starts_with(POINTER))?;
    Some(row.trim_start_matches(POINTER).trim_end().to_owned())
}

/// Which view's name stands out in the row of views.
pub(crate) fn current_view(screen: &Screen) -> Option<String> {
    let rows = rows(screen);
    let at = rows
        .iter()
        .position(|row| row.contains("Overview") && row.contains("Incidents"))?;
    let row = u16::try_from(at).ok()?;
    let stands_out = |column: u16| {
        let cell = screen.cell(row, column);
        cell.is_some_and(|cell| cell.inverse() || cell.bgcolor() != Color::Default)
    };
    let titles = [
        "Overview",
        "Nodes",
        "Pods",
        "Containers",
        "Workloads",
        "Namespaces",
        "HPAs",
        "Incidents",
        "Map",
        "Volumes",
        "Probes",
    ];
    let found = titles.iter().find(|title| {
        let place = rows[at]
            .find(*title)
            .map(|byte| rows[at][..byte].chars().count());
        place.is_some_and(|column| stands_out(u16::try_from(column).unwrap_or(0)))
    });
    found.map(|title| (*title).to_owned())
}
