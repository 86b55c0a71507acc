//! The keys of open lists.

use super::Dashboard;
use super::keys::Check;

/// The check of a binding.
pub(super) fn check(id: &str) -> Option<Check> {
    Some(match id {
        "list-accept" => takes_from_the_list,
        "list-cancel" => closes_the_list,
        "list-toggle" | "list-complete" => turns_in_the_list,
        "list-down" | "list-up" | "list-page-down" | "list-page-up" => moves_in_the_list,
        "list-reset" => resets_the_columns,
        "list-backspace" => |dashboard, key| searches_the_list(dashboard, "shopp", key, "> shop"),
        "list-delete-word" | "list-delete-to-start" => {
            |dashboard, key| searches_the_list(dashboard, "zzz", key, ">")
        }
        _ => return None,
    })
}

fn open_list(dashboard: &mut Dashboard) {
    dashboard.terminal.press("n");
    dashboard.terminal.wait_for_text("(all namespaces)");
}

fn list_closed(dashboard: &Dashboard) {
    dashboard
        .terminal
        .wait_for("no list", |text| !text.contains("Namespaces ─"));
}

fn takes_from_the_list(dashboard: &mut Dashboard, key: &str) {
    open_list(dashboard);
    dashboard.terminal.send("kube-system");
    dashboard.terminal.wait_for_text("> kube-system");
    dashboard.terminal.press(key);
    dashboard.terminal.wait_for_text("ns kube-system");
    dashboard.terminal.press("o");
    dashboard
        .terminal
        .wait_for("all namespaces", |text| !text.contains("ns kube-system"));
}

fn closes_the_list(dashboard: &mut Dashboard, key: &str) {
    open_list(dashboard);
    dashboard.terminal.press(key);
    list_closed(dashboard);
}

fn turns_in_the_list(dashboard: &mut Dashboard, key: &str) {
    open_list(dashboard);
    dashboard.terminal.send("kube-system");
    dashboard.terminal.wait_for_text("> kube-system");
    dashboard.terminal.press(key);
    dashboard.terminal.wait_for_text("* kube-system");
    dashboard.terminal.press(key);
    dashboard
        .terminal
        .wait_for("it is off again", |text| !text.contains("* kube-system"));
    dashboard.terminal.press("esc");
    list_closed(dashboard);
}

fn resets_the_columns(dashboard: &mut Dashboard, key: &str) {
    dashboard.terminal.press("c");
    dashboard.terminal.wait_for_text("Columns of Pods");
    // NAMESPACE comes first.
    dashboard.terminal.press("space");
    dashboard.terminal.wait_for_text("[ ] NAMESPACE");
    dashboard.terminal.press(key);
    dashboard.terminal.wait_for_text("[x] NAMESPACE");
    dashboard.terminal.press("esc");
    list_closed(dashboard);
}

fn moves_in_the_list(dashboard: &mut Dashboard, key: &str) {
    open_list(dashboard);
    let up = matches!(key, "up" | "ctrl-p" | "pgup");
    if up {
        dashboard.terminal.press("pgdn");
    }
    // Where one is in a list is told by what Enter takes.
    dashboard.terminal.press(key);
    dashboard.terminal.press("enter");
    list_closed(dashboard);
    let moved_off_the_first = !up || key != "pgup";
    if moved_off_the_first {
        dashboard.terminal.wait_for_text(" ns ");
        dashboard.terminal.press("o");
        dashboard
            .terminal
            .wait_for("all namespaces", |text| !text.contains(" ns "));
    }
}

fn searches_the_list(dashboard: &mut Dashboard, typed: &str, key: &str, left: &str) {
    open_list(dashboard);
    dashboard.terminal.send(typed);
    dashboard.terminal.wait_for_text(&format!("> {typed}"));
    dashboard.terminal.press(key);
    dashboard.terminal.wait_for("what is left of it", |text| {
        !text.contains(&format!("> {typed}")) && text.contains(left)
    });
    dashboard.terminal.press("esc");
    list_closed(dashboard);
}
