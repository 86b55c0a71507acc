//! The keys of the line in which a filter is typed.

use super::Dashboard;
use super::keys::Check;

/// The check of a binding.
pub(super) fn check(id: &str) -> Option<Check> {
    Some(match id {
        "line-accept" => keeps_the_line,
        "line-cancel" => gives_the_line_up,
        "line-backspace" => |dashboard, key| edits(dashboard, "web", &[key], "we_"),
        "line-delete" => |dashboard, key| edits(dashboard, "web", &["left", key], "we_"),
        "line-delete-word" => |dashboard, key| edits(dashboard, "web shop", &[key], "web _"),
        "line-delete-to-start" => |dashboard, key| edits(dashboard, "web", &["left", key], "_b"),
        "line-delete-to-end" => |dashboard, key| edits(dashboard, "web", &["left", key], "we_"),
        "line-left" => |dashboard, key| edits(dashboard, "web", &[key], "we_b"),
        "line-right" => |dashboard, key| edits(dashboard, "web", &["home", key], "w_eb"),
        "line-start" => |dashboard, key| edits(dashboard, "web", &[key], "_web"),
        "line-end" => |dashboard, key| edits(dashboard, "web", &["home", key], "web_"),
        _ => return None,
    })
}

/// The line that is written, with `_` where the cursor is.
fn line(screen: &vt100::Screen) -> Option<String> {
    let (row, column) = screen.cursor_position();
    let text = super::rows(screen).get(usize::from(row))?.clone();
    let written = text.strip_prefix(" / ")?;
    let at = usize::from(column).checked_sub(3)?;
    let padded = format!("{written:<at$}");
    let (before, after) = padded.split_at_checked(at)?;
    Some(format!("{before}_{}", after.trim_end()))
}

fn edits(dashboard: &mut Dashboard, text: &str, keys: &[&str], expected: &str) {
    dashboard.terminal.press("/");
    dashboard.terminal.send(text);
    let whole = format!("{text}_");
    dashboard
        .terminal
        .wait_until("what was typed", |screen, _| {
            (line(screen)? == whole).then_some(())
        });
    for key in keys {
        dashboard.terminal.press(key);
    }
    dashboard
        .terminal
        .wait_until(&format!("{expected} after {keys:?}"), |screen, _| {
            (line(screen)? == expected).then_some(())
        });
    dashboard.terminal.press("esc");
    dashboard
        .terminal
        .wait_for("no line", |text| !text.contains("\n / "));
    dashboard.terminal.press("backspace");
}

fn keeps_the_line(dashboard: &mut Dashboard, key: &str) {
    dashboard.terminal.send("/kube-system");
    dashboard.wait_selected("a pod of kube-system", |row| row.contains("kube-system"));
    dashboard.terminal.press(key);
    // Keys are keys again, and the filter holds.
    dashboard.terminal.press("space");
    let text = dashboard.terminal.wait_for_text("PAUSED");
    assert!(text.contains("/ kube-system"), "{text}");
    dashboard.terminal.press("space");
    dashboard.terminal.press("backspace");
}

fn gives_the_line_up(dashboard: &mut Dashboard, key: &str) {
    dashboard.terminal.send("/kube-system");
    dashboard.wait_selected("a pod of kube-system", |row| row.contains("kube-system"));
    dashboard.terminal.press(key);
    dashboard
        .terminal
        .wait_for("no filter", |text| !text.contains("/ kube-system"));
}
