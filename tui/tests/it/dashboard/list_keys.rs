//! The keys of open lists.

use super::keys::Check;
use super::{Dashboard, rows};

/// The check of a binding.
pub(super) fn check(id: &str) -> Option<Check> {
    Some(match id {
        "list-accept" => takes_from_the_list,
        "list-cancel" => closes_the_list,
        "list-toggle" | "list-complete" => turns_in_the_list,
        "list-down" | "list-up" | "list-page-down" | "list-page-up" => moves_in_the_list,
        "list-reset" => resets_the_columns,
        "list-remove" => removes_a_saved_filter,
        "list-move-left" => |dashboard, key| moves_a_column(dashboard, &["down", key]),
        "list-move-right" => |dashboard, key| moves_a_column(dashboard, &[key]),
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

/// Moves NAMESPACE behind NAME, and restores the columns.
fn moves_a_column(dashboard: &mut Dashboard, keys: &[&str]) {
    dashboard.terminal.press("c");
    dashboard.terminal.wait_for_text("Columns of Pods");
    for key in keys {
        dashboard.terminal.press(key);
    }
    dashboard.terminal.press("esc");
    dashboard.terminal.wait_until("another order", |screen, _| {
        let rows = rows(screen);
        let row = rows.iter().find(|row| row.contains("NAMESPACE"))?;
        (row.find("NAME ")? < row.find("NAMESPACE")?).then_some(())
    });
    dashboard.terminal.press("c");
    dashboard.terminal.wait_for_text("Columns of Pods");
    dashboard.terminal.press("ctrl-r");
    dashboard.terminal.press("esc");
    dashboard
        .terminal
        .wait_until("the usual order", |screen, _| {
            let rows = rows(screen);
            let row = rows.iter().find(|row| row.contains("NAMESPACE"))?;
            (row.find("NAMESPACE")? < row.find("NAME ")?).then_some(())
        });
}

fn removes_a_saved_filter(dashboard: &mut Dashboard, key: &str) {
    dashboard.terminal.send("/web\rf\rmine\r");
    dashboard.terminal.wait_for_text("filter \"mine\" stored");
    dashboard.terminal.press("f");
    dashboard.terminal.wait_for_text("Saved filters ─");
    dashboard.terminal.press(key);
    dashboard.terminal.wait_for_text("filter \"mine\" removed");
    dashboard.terminal.press("esc");
    // Escape and a key right after it are one key.
    dashboard
        .terminal
        .wait_for("no list", |text| !text.contains("Saved filters ─"));
    dashboard.terminal.press("backspace");
}

fn moves_in_the_list(dashboard: &mut Dashboard, key: &str) {
    open_list(dashboard);
    let up = matches!(key, "up" | "ctrl-p" | "pgup");
    if up {
        dashboard.terminal.press("pgdn");
    }
    // Enter selects the entry under the cursor, so it shows where the cursor is.
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
