//! What is pointed at, and the keys that do nothing.

use vt100::MouseProtocolMode;

use super::{Dashboard, rows};

/// Where a text is on the screen: its first column and its row.
fn place(dashboard: &Dashboard, text: &str) -> (u16, u16) {
    let said = format!("{text:?} on the screen");
    dashboard.terminal.wait_until(&said, |screen, _| {
        let rows = rows(screen);
        let (at, row) = rows
            .iter()
            .enumerate()
            .rfind(|(_, row)| row.contains(text))?;
        let before = row.split(text).next()?;
        Some((
            u16::try_from(before.chars().count()).ok()?,
            u16::try_from(at).ok()?,
        ))
    })
}

#[test]
fn two_clicks_open_a_row_and_hints_do_what_their_keys_do() {
    let mut dashboard = Dashboard::start(&[]);
    dashboard.show("3", "Pods");
    dashboard.wait_selected("usage", |row| row.contains('m') && row.contains("Mi"));
    dashboard.terminal.press("space");
    dashboard.terminal.wait_for_text("PAUSED");
    let (column, head) = place(&dashboard, "NAMESPACE");
    dashboard.terminal.click(column, head + 3);
    dashboard.wait_pointer("the third row", |below| below == 3);
    let (_, name) = dashboard.pod();
    // Two clicks that are sent at once arrive within half a second of each other.
    dashboard.terminal.click(column, head + 4);
    dashboard.terminal.click(column, head + 3);
    dashboard.terminal.click(column, head + 3);
    dashboard.terminal.wait_for("the page of the pod", |text| {
        // The last row is drawn last.
        !text.contains("NAMESPACE") && text.contains(&name) && text.contains("esc back  down")
    });
    // The last row is drawn last.
    dashboard.terminal.wait_for_text("end return to now");
    let (column, row) = place(&dashboard, "esc back");
    dashboard.terminal.click(column, row);
    dashboard.wait_selected("the same pod", |row| row.contains(&name));
    let (column, row) = place(&dashboard, "? help");
    dashboard.terminal.click(column + 3, row);
    dashboard.terminal.wait_for_text("Help ─");
    dashboard.terminal.press("esc");
    dashboard
        .terminal
        .wait_for("no help", |text| !text.contains("Help ─"));
    let (column, row) = place(&dashboard, "q quit");
    dashboard.terminal.click(column, row);
    assert_eq!(dashboard.terminal.wait_for_end(), 0);
}

#[test]
fn a_key_without_effect_shows_a_notice() {
    let mut dashboard = Dashboard::start(&[]);
    for key in ["i", "T", "ctrl-d"] {
        dashboard.terminal.press(key);
        dashboard
            .terminal
            .wait_for_text(&format!("{key} is not bound; ? lists the keys"));
    }
    dashboard.terminal.wait_for_text("enter open");
}

#[test]
fn every_movement_is_requested_only_while_something_shows_the_mouse() {
    let mut dashboard = Dashboard::start(&[]);
    let wait_for = |dashboard: &Dashboard, mode: MouseProtocolMode| {
        dashboard
            .terminal
            .wait_until(&format!("{mode:?}"), |screen, _| {
                (screen.mouse_protocol_mode() == mode).then_some(())
            });
    };
    // The charts of the header show the value at the mouse.
    wait_for(&dashboard, MouseProtocolMode::AnyMotion);
    // The help covers them: only clicks and drags are of use.
    dashboard.terminal.press("?");
    wait_for(&dashboard, MouseProtocolMode::ButtonMotion);
    dashboard.terminal.press("q");
    wait_for(&dashboard, MouseProtocolMode::AnyMotion);
}
