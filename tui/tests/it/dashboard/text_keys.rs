//! The keys for the selected object, on text pages and in questions.

use super::Dashboard;
use super::keys::Check;

/// The check of a binding.
pub(super) fn check(id: &str) -> Option<Check> {
    Some(match id {
        "logs" => |dashboard, key| opens(dashboard, key, "Logs: Pod "),
        "previous-logs" => |dashboard, key| opens(dashboard, key, "before the last restart"),
        "describe" => |dashboard, key| opens(dashboard, key, "Controlled By:"),
        "yaml" => |dashboard, key| opens(dashboard, key, "apiVersion: v1"),
        "events" => |dashboard, key| opens(dashboard, key, "Events: Pod "),
        "menu" => |dashboard, key| opens(dashboard, key, "The selected row"),
        "shell" => |dashboard, key| closes(dashboard, "3", key, &["Shell", "Containers ─"]),
        "port-forward" => |dashboard, key| closes(dashboard, "3", key, &["Ports: choose"]),
        "text-close" => |dashboard, key| {
            dashboard.terminal.press("d");
            dashboard.terminal.wait_for_text("Controlled By:");
            dashboard.terminal.press(key);
        },
        "text-down" | "text-up" | "text-page-down" | "text-page-up" | "text-first"
        | "text-last" => scrolls,
        "text-left" | "text-right" => shifts,
        "text-search" | "text-next" | "text-previous" => searches,
        "text-wrap" => |dashboard, key| turns(dashboard, key, ", wrap"),
        "text-follow" => |dashboard, key| turns(dashboard, key, ", following"),
        "text-times" => times,
        "text-json" => |dashboard, key| on_logs(dashboard, key, "J", "Logs: "),
        "text-containers" => |dashboard, key| {
            open_logs(dashboard);
            dashboard.terminal.press(key);
            dashboard.terminal.wait_for_text("Containers ─");
            dashboard.terminal.press("esc");
            dashboard
                .terminal
                .wait_for("no list", |text| !text.contains("Containers ─"));
            dashboard.terminal.press("esc");
        },
        "text-unfold" => |dashboard, key| {
            dashboard.terminal.press("Y");
            dashboard.terminal.wait_for_text("folded: u");
            dashboard.terminal.press(key);
            dashboard
                .terminal
                .wait_for_text("manager: kube-controller-manager");
            dashboard.terminal.press("esc");
        },
        "text-again" => |dashboard, key| on_description(dashboard, key, "Controlled By:"),
        "text-copy" => |dashboard, key| on_description(dashboard, key, "copied the page"),
        "text-logs" => |dashboard, key| on_description(dashboard, key, "Logs: Pod "),
        "text-previous-logs" => {
            |dashboard, key| on_description(dashboard, key, "before the last restart")
        }
        "text-describe" => |dashboard, key| on_logs(dashboard, key, "d", "Controlled By:"),
        "text-yaml" => |dashboard, key| on_description(dashboard, key, "apiVersion: v1"),
        "text-events" => |dashboard, key| on_description(dashboard, key, "Events: Pod "),
        "text-time-zone" => |dashboard, key| {
            on_description(dashboard, key, "times are now in ");
            dashboard.terminal.press("z");
            dashboard.terminal.wait_for_text("times are now in UTC");
        },
        "text-messages" => |dashboard, key| on_description_closes(dashboard, key, "Messages ─"),
        "text-help" => |dashboard, key| on_description_closes(dashboard, key, "Help ─"),
        "text-redraw" => |dashboard, key| on_description(dashboard, key, "Controlled By:"),
        "confirm-accept" | "confirm-copy" | "confirm-cancel" => answers,
        _ => return None,
    })
}

/// Opens something that `esc` closes.
fn opens(dashboard: &mut Dashboard, key: &str, on_it: &str) {
    dashboard.terminal.press(key);
    dashboard.terminal.wait_for_text(on_it);
    dashboard.terminal.press("esc");
}

/// The same for one of several windows, from a view.
fn closes(dashboard: &mut Dashboard, view: &str, key: &str, windows: &[&str]) {
    dashboard.terminal.press(view);
    dashboard.terminal.press(key);
    let is_open = |text: &str| windows.iter().any(|window| text.contains(window));
    dashboard.terminal.wait_for("a window", is_open);
    dashboard.terminal.press("esc");
    dashboard
        .terminal
        .wait_for("no window", |text| !is_open(text));
}

fn open_logs(dashboard: &mut Dashboard) {
    dashboard.terminal.press("l");
    dashboard.terminal.wait_for("lines of a log", |text| {
        text.contains("Logs: Pod ") && text.lines().filter(|line| line.contains("Z ")).count() > 20
    });
}

fn on_logs(dashboard: &mut Dashboard, key: &str, _name: &str, on_it: &str) {
    open_logs(dashboard);
    dashboard.terminal.press(key);
    dashboard.terminal.wait_for_text(on_it);
    dashboard.terminal.press("esc");
}

fn on_description(dashboard: &mut Dashboard, key: &str, on_it: &str) {
    dashboard.terminal.press("d");
    dashboard.terminal.wait_for_text("Controlled By:");
    dashboard.terminal.press(key);
    dashboard.terminal.wait_for_text(on_it);
    dashboard.terminal.press("esc");
    // A key right after esc would be another key.
    dashboard.terminal.wait_for_text("1 Overview");
}

fn on_description_closes(dashboard: &mut Dashboard, key: &str, window: &str) {
    dashboard.terminal.press("d");
    dashboard.terminal.wait_for_text("Controlled By:");
    dashboard.terminal.press(key);
    dashboard.terminal.wait_for_text(window);
    dashboard.terminal.press("esc");
    dashboard
        .terminal
        .wait_for("no window", |text| !text.contains(window));
    dashboard.terminal.press("esc");
}

/// Turns something on a page of logs off and on.
fn turns(dashboard: &mut Dashboard, key: &str, word: &str) {
    open_logs(dashboard);
    let heading = |text: &str| text.lines().nth(1).unwrap_or_default().contains(word);
    dashboard.terminal.wait_for(word, heading);
    dashboard.terminal.press(key);
    dashboard
        .terminal
        .wait_for("it is off", |text| !heading(text));
    dashboard.terminal.press(key);
    dashboard.terminal.wait_for("it is on", heading);
    dashboard.terminal.press("esc");
}

fn times(dashboard: &mut Dashboard, key: &str) {
    open_logs(dashboard);
    let has_times = |text: &str| {
        let starts = |line: &str| line.trim_start().get(2..3) == Some(":");
        text.lines().skip(2).any(starts)
    };
    dashboard.terminal.wait_for("times", has_times);
    dashboard.terminal.press(key);
    dashboard
        .terminal
        .wait_for("no times", |text| !has_times(text));
    dashboard.terminal.press("esc");
}

fn scrolls(dashboard: &mut Dashboard, key: &str) {
    dashboard.terminal.press("d");
    dashboard.terminal.wait_for_text("Controlled By:");
    let up = matches!(key, "up" | "k" | "pgup" | "ctrl-b" | "g" | "home");
    if up {
        dashboard.terminal.press("G");
        dashboard
            .terminal
            .wait_for("the end", |text| !text.contains("Name:"));
    }
    let before = dashboard.terminal.text();
    dashboard.terminal.press(key);
    dashboard
        .terminal
        .wait_for("other lines", |text| text != before);
    dashboard.terminal.press("esc");
}

fn shifts(dashboard: &mut Dashboard, key: &str) {
    dashboard.terminal.press("d");
    dashboard.terminal.wait_for_text("Controlled By:");
    dashboard.terminal.press("right");
    dashboard.terminal.wait_for_text("from column 9");
    dashboard.terminal.press(key);
    let right = key == "right";
    dashboard.terminal.wait_for("another column", |text| {
        if right {
            text.contains("from column 17")
        } else {
            !text.contains("from column")
        }
    });
    dashboard.terminal.press("esc");
}

fn searches(dashboard: &mut Dashboard, key: &str) {
    dashboard.terminal.press("d");
    dashboard.terminal.wait_for_text("Controlled By:");
    dashboard.terminal.press("/");
    dashboard.terminal.send("nowhere-to-be-found");
    dashboard.terminal.wait_for_text(" / nowhere-to-be-found");
    dashboard.terminal.press("enter");
    dashboard.terminal.wait_for_text("is not on this page");
    dashboard.terminal.press(key);
    dashboard.terminal.wait_for_text("Controlled By:");
    if key == "/" {
        dashboard.terminal.wait_for_text("enter apply");
        // Two at once would be another key.
        dashboard.terminal.press("esc");
        dashboard
            .terminal
            .wait_for("no search", |text| !text.contains("enter apply"));
    }
    dashboard.terminal.press("esc");
}

/// Asks before a shell in the only container of a pod.
fn answers(dashboard: &mut Dashboard, key: &str) {
    dashboard.terminal.press("/");
    dashboard.terminal.send("name=redis-0");
    dashboard.terminal.press("enter");
    dashboard.wait_selected("the pod", |row| row.contains("redis-0"));
    dashboard.terminal.press("!");
    dashboard.terminal.wait_for_text("pod/redis-0");
    dashboard.terminal.press(key);
    match key {
        "enter" => drop(dashboard.terminal.wait_for_text("kubectl")),
        "y" => {
            dashboard.terminal.wait_for_text("copied the command");
            dashboard.terminal.press("esc");
        }
        _ => {}
    }
    dashboard.terminal.wait_for("the table", |text| {
        text.contains("NAMESPACE") && !text.contains("pod/redis-0")
    });
    dashboard.terminal.press("backspace");
}
