//! The map in a terminal.

use super::{Dashboard, rows};

/// The name in the rule above the details.
fn selected(dashboard: &Dashboard, what: &str, is_so: impl Fn(&str) -> bool) -> String {
    dashboard.terminal.wait_until(what, |screen, _| {
        let rows = rows(screen);
        let rule = rows.iter().rfind(|row| row.starts_with("─ "))?;
        let name = rule.trim_matches(|c: char| c == '─' || c == ' ');
        is_so(name).then(|| name.to_owned())
    })
}

#[test]
fn from_a_cell_to_the_pod_and_back_to_the_same_cell() {
    let mut dashboard = Dashboard::start(&[]);
    dashboard.show("9", "Map");
    let node = selected(&dashboard, "a node", |name| name.starts_with("node-"));
    dashboard.terminal.press("right");
    selected(&dashboard, "the next node", |name| {
        name.starts_with("node-") && name != node
    });
    // Down into its box, and to another pod.
    dashboard.terminal.press("down");
    let first = selected(&dashboard, "a pod", |name| name.contains('/'));
    dashboard.terminal.press("down");
    let pod = selected(&dashboard, "another pod", |name| {
        name.contains('/') && name != first
    });
    dashboard.terminal.press("enter");
    let heading = format!("─ {pod} ─");
    dashboard.terminal.wait_for("the page of the pod", |text| {
        text.contains(&heading) && text.contains("esc back  down")
    });
    dashboard.terminal.press("esc");
    dashboard
        .terminal
        .wait_for("the map", |text| text.contains("usage of allocatable"));
    selected(&dashboard, "the same pod", |name| name == pod);
    // The past is drawn as well.
    dashboard.terminal.press("shift-left");
    dashboard.terminal.wait_for_text("PAST");
    dashboard.terminal.press("end");
    dashboard.terminal.wait_for_text("LIVE");
    selected(&dashboard, "still the same pod", |name| name == pod);
    dashboard.terminal.press("w");
    dashboard.terminal.wait_for_text("by namespace");
    dashboard.terminal.press("-");
    dashboard.terminal.press("W");
    dashboard.terminal.wait_for_text("a cell: ");
}

#[test]
fn the_mouse_selects_opens_and_points() {
    let mut dashboard = Dashboard::start(&[]);
    dashboard.show("9", "Map");
    let place = dashboard.terminal.wait_until("a pod", |screen, _| {
        let rows = rows(screen);
        let (row, text) = rows
            .iter()
            .enumerate()
            .find(|(_, row)| row.starts_with("│ ■ "))?;
        let before = text.split("■ ").next()?.chars().count();
        Some((u16::try_from(before).ok()?, u16::try_from(row).ok()?))
    });
    // Only here the terminal reports movements.
    dashboard.terminal.wait_for_written("\u{1b}[?1003h");
    dashboard
        .terminal
        .send(&format!("\x1b[<35;{};{}M", place.0 + 1, place.1 + 1));
    let pointed = selected(&dashboard, "the pod under the mouse", |name| {
        name.contains('/')
    });
    dashboard.terminal.click(place.0, place.1);
    dashboard.terminal.click(place.0, place.1);
    let heading = format!("─ {pointed} ─");
    dashboard.terminal.wait_for("the page of the pod", |text| {
        text.contains(&heading) && text.contains("esc back  down")
    });
    dashboard.terminal.wait_for_written("\u{1b}[?1003l");
}
