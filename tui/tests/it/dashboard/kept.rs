//! What the user arranges, and finds again at the next start.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use vt100::{Color, Screen};

use super::{Dashboard, rows};
use crate::terminal::Mouse;

/// The folder of the configuration.
struct Config(TempDir);

impl Config {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("kubevitals/config.toml")
    }

    fn text(&self) -> String {
        fs::read_to_string(self.file()).unwrap()
    }

    fn write(&self, text: &str) {
        fs::create_dir_all(self.file().parent().unwrap()).unwrap();
        fs::write(self.file(), text).unwrap();
    }

    /// Starts the dashboard of a small cluster with this configuration.
    fn start(&self) -> Dashboard {
        start_in(&[("XDG_CONFIG_HOME", self.0.path())])
    }
}

fn start_in(folders: &[(&str, &Path)]) -> Dashboard {
    let arguments = ["--nodes", "2", "--pods-per-node", "8", "--seed", "7"];
    let texts = folders
        .iter()
        .map(|(name, path)| (*name, path.to_str().unwrap()));
    Dashboard::in_environment(&arguments, &texts.collect::<Vec<_>>())
}

fn quit(mut dashboard: Dashboard) {
    dashboard.terminal.press("q");
    assert_eq!(dashboard.terminal.wait_for_end(), 0);
}

/// Bookmarks the place on the screen.
fn bookmark(dashboard: &mut Dashboard, name: &str) {
    dashboard.terminal.press("B");
    dashboard.terminal.wait_for_text("Bookmark ─");
    dashboard.terminal.send(name);
    dashboard.terminal.wait_for_text(&format!("> {name}"));
    dashboard.terminal.press("enter");
}

#[test]
fn a_bookmark_is_there_after_the_next_start() {
    let config = Config::new();
    let mut dashboard = config.start();
    dashboard.show("3", "Pods");
    dashboard.terminal.send("/ns=kube-system\r");
    dashboard.terminal.wait_for_text("/ ns=kube-system");
    bookmark(&mut dashboard, "system pods");
    dashboard
        .terminal
        .wait_for_text("bookmark \"system pods\" stored in ");
    let text = config.text();
    assert!(
        text.contains("[bookmarks]\n\"system pods\" = \"pods -A ns=kube-system\"\n"),
        "{text}"
    );
    quit(dashboard);
    let mut dashboard = config.start();
    dashboard.terminal.press("'");
    dashboard.terminal.wait_for_text("Bookmarks ─");
    dashboard.terminal.wait_for_text("system pods");
    dashboard.terminal.press("enter");
    dashboard.wait_view("Pods");
    dashboard.terminal.wait_for_text("/ ns=kube-system");
    dashboard.terminal.press("'");
    dashboard.terminal.wait_for_text("Bookmarks ─");
    dashboard.terminal.press("delete");
    dashboard
        .terminal
        .wait_for_text("bookmark \"system pods\" removed in ");
    assert!(!config.text().contains("system pods"));
}

#[test]
fn a_saved_filter_is_there_after_the_next_start() {
    let config = Config::new();
    let mine = "# Mine.\nfps = 30 # enough\n";
    config.write(mine);
    let mut dashboard = config.start();
    dashboard.show("3", "Pods");
    dashboard.terminal.send("/ns=kube-system\r");
    dashboard.terminal.wait_for_text("/ ns=kube-system");
    dashboard.terminal.press("f");
    dashboard.terminal.wait_for_text("(save this filter)");
    dashboard.terminal.press("enter");
    dashboard.terminal.wait_for_text("Save the filter ─");
    dashboard.terminal.send("system");
    dashboard.terminal.wait_for_text("> system");
    dashboard.terminal.press("enter");
    dashboard
        .terminal
        .wait_for_text("filter \"system\" stored in ");
    let text = config.text();
    assert_eq!(
        text,
        format!("{mine}\n[filters]\nsystem = \"ns=kube-system\"\n")
    );
    quit(dashboard);
    config.write(&format!(
        "{text}[default-filters]\nworkloads = \"system\"\n"
    ));
    let mut dashboard = config.start();
    dashboard.show("5", "Workloads");
    dashboard.terminal.wait_for_text("/ ns=kube-system");
    dashboard.show("3", "Pods");
    dashboard
        .terminal
        .wait_for("no filter", |text| !text.contains("/ ns=kube-system"));
    dashboard.terminal.send(":filter system\r");
    dashboard.terminal.wait_for_text("/ ns=kube-system");
}

/// The position of a heading in the view of pods.
fn heading(screen: &Screen, name: &str) -> Option<(u16, u16)> {
    let rows = rows(screen);
    let at = rows.iter().position(|row| row.contains(" STATUS "))?;
    let column = rows[at].find(name)?;
    let column = rows[at][..column].chars().count();
    Some((u16::try_from(column).ok()?, u16::try_from(at).ok()?))
}

fn wait_order(dashboard: &Dashboard, first: &str, second: &str) {
    let what = format!("{first} before {second}");
    dashboard.terminal.wait_until(&what, |screen, _| {
        (heading(screen, first)? < heading(screen, second)?).then_some(())
    });
}

#[test]
fn a_column_that_was_dragged_is_there_after_the_next_start() {
    let config = Config::new();
    let mut dashboard = config.start();
    dashboard.show("3", "Pods");
    wait_order(&dashboard, "STATUS", "AGE");
    let place = |name: &str| {
        dashboard
            .terminal
            .inspect(|screen| heading(screen, name))
            .unwrap()
    };
    let ((from, row), (to, _)) = (place("AGE"), place("STATUS"));
    dashboard.terminal.mouse(Mouse::Down, from + 1, row);
    dashboard.terminal.mouse(Mouse::Drag, to + 1, row);
    wait_order(&dashboard, "AGE", "STATUS");
    dashboard.terminal.mouse(Mouse::Up, to + 1, row);
    dashboard
        .terminal
        .wait_for_text("columns of Pods stored in ");
    let text = config.text();
    assert!(text.contains("\"age\", \"status\""), "{text}");
    quit(dashboard);
    let mut dashboard = config.start();
    dashboard.show("3", "Pods");
    wait_order(&dashboard, "AGE", "STATUS");
    dashboard.terminal.press("c");
    dashboard.terminal.wait_for_text("Columns of Pods");
    dashboard.terminal.press("ctrl-r");
    dashboard.terminal.press("esc");
    dashboard
        .terminal
        .wait_for_text("columns of Pods reset in ");
    wait_order(&dashboard, "STATUS", "AGE");
    assert!(!config.text().contains("\"age\""));
}

#[test]
fn a_theme_that_was_chosen_is_there_after_the_next_start() {
    let config = Config::new();
    let nord = |screen: &Screen| {
        let cell = screen.cell(20, 1)?;
        (cell.bgcolor() == Color::Idx(237) || cell.bgcolor() == Color::Rgb(0x2e, 0x34, 0x40))
            .then_some(())
    };
    let environment = [
        ("COLORTERM", Path::new("truecolor")),
        ("XDG_CONFIG_HOME", config.0.path()),
    ];
    let mut dashboard = start_in(&environment);
    dashboard.terminal.send(":theme nord\r");
    dashboard.terminal.wait_for_text("theme nord stored in ");
    assert!(
        config.text().contains("theme = \"nord\"\n"),
        "{}",
        config.text()
    );
    dashboard
        .terminal
        .wait_until("Nord", |screen, _| nord(screen));
    quit(dashboard);
    let dashboard = start_in(&environment);
    dashboard
        .terminal
        .wait_until("Nord", |screen, _| nord(screen));
}

#[test]
fn a_configuration_that_has_become_wrong_is_not_overwritten() {
    let config = Config::new();
    let mut dashboard = config.start();
    let wrong = "\nfps = 0\n";
    config.write(wrong);
    bookmark(&mut dashboard, "here");
    dashboard
        .terminal
        .wait_for_text("bookmark \"here\" stored until the dashboard ends: ");
    dashboard
        .terminal
        .wait_for_text("config.toml:2: fps is between 1 and 60, not 0");
    assert_eq!(config.text(), wrong);
    // What another program writes meanwhile stays.
    config.write("# other\nfps = 9\n");
    bookmark(&mut dashboard, "there");
    dashboard
        .terminal
        .wait_for_text("bookmark \"there\" stored in ");
    let text = config.text();
    assert!(
        text.starts_with("# other\nfps = 9\n\n[bookmarks]\nthere = "),
        "{text}"
    );
}

#[test]
fn a_hint_leads_to_the_tour_at_the_first_start_only() {
    let home = TempDir::new().unwrap();
    let nowhere = home.path().join("config");
    let folders = [
        ("XDG_STATE_HOME", home.path()),
        ("XDG_CONFIG_HOME", nowhere.as_path()),
    ];
    let mut dashboard = start_in(&folders);
    dashboard.terminal.wait_for_text("? new here? a tour");
    dashboard.terminal.press("?");
    dashboard.terminal.wait_for_text("Tour");
    dashboard.terminal.press("esc");
    dashboard.terminal.wait_for("no help and no hint", |text| {
        !text.contains("Help ─") && !text.contains("new here?")
    });
    quit(dashboard);
    let dashboard = start_in(&folders);
    let text = dashboard.terminal.wait_for_text("LIVE");
    assert!(!text.contains("new here?"), "{text}");
}
