//! How the dashboard begins and ends, and what it leaves behind.

use super::Dashboard;
use crate::terminal::Terminal;

#[test]
fn quit_gives_the_terminal_back() {
    for key in ["q", "ctrl-c"] {
        let mut dashboard = Dashboard::start(&[]);
        dashboard.terminal.press(key);
        assert_eq!(dashboard.terminal.wait_for_end(), 0, "{key}");
        dashboard.terminal.assert_sane();
    }
}

#[test]
fn ctrl_c_ends_it_from_the_help_too() {
    let mut dashboard = Dashboard::start(&[]);
    dashboard.terminal.press("?");
    dashboard.terminal.wait_for_text("Help ─");
    dashboard.terminal.press("ctrl-c");
    assert_eq!(dashboard.terminal.wait_for_end(), 0);
    dashboard.terminal.assert_sane();
}

#[test]
fn told_to_end_it_gives_the_terminal_back() {
    for signal in ["TERM", "HUP", "INT"] {
        let mut dashboard = Dashboard::start(&[]);
        dashboard.terminal.signal(signal);
        dashboard.terminal.wait_for_end();
        dashboard.terminal.assert_sane();
    }
}

#[test]
fn a_suspended_dashboard_comes_back_whole() {
    // Only a shell that controls its jobs can be left and come back to.
    let mut shell = Terminal::run(
        "bash",
        &["--norc", "-i"],
        "/",
        160,
        40,
        &[("PS1", "prompt> ")],
    );
    shell.wait_for_text("prompt> ");
    let vitals = env!("CARGO_BIN_EXE_vitals");
    shell.send(&format!("{vitals} demo\r"));
    shell.wait_for_text("LIVE");
    shell.press("ctrl-z");
    shell.wait_for("the shell again", |text| {
        text.contains("Stopped") && !text.contains("LIVE")
    });
    shell.look(|screen| assert!(!screen.alternate_screen() && !screen.hide_cursor()));
    shell.send("fg\r");
    shell.wait_for_text("LIVE");
    shell.press("3");
    shell.wait_for_text("NAMESPACE");
    shell.press("q");
    shell.wait_for("the shell at last", |text| {
        text.contains("Stopped") && !text.contains("LIVE")
    });
    shell.send("exit\r");
    assert_eq!(shell.wait_for_end(), 0);
}

#[test]
fn storms_of_sizes_leave_no_trace() {
    let mut dashboard = Dashboard::start(&[]);
    dashboard.show("3", "Pods");
    let sizes = [
        (80, 24),
        (1, 1),
        (300, 100),
        (40, 12),
        (7, 3),
        (200, 2),
        (2, 60),
        (120, 40),
        (80, 24),
    ];
    for (columns, rows) in sizes.into_iter().cycle().take(60) {
        dashboard.terminal.resize(columns, rows);
    }
    dashboard.terminal.resize(160, 40);
    dashboard.terminal.wait_for("a whole screen", |text| {
        text.contains("NAMESPACE") && text.contains("LIVE") && text.lines().count() >= 39
    });
    // And the keys still work.
    dashboard.show("2", "Nodes");
}

#[test]
fn it_does_not_end_for_being_small() {
    let mut dashboard = Dashboard::start(&[]);
    dashboard.terminal.resize(40, 12);
    dashboard.terminal.wait_for("a small screen", |text| {
        text.contains("LIVE") && text.lines().count() <= 12
    });
    dashboard.terminal.resize(10, 2);
    dashboard.terminal.resize(160, 40);
    dashboard.terminal.wait_for_text("Overview");
}

#[test]
#[ignore = "the test below runs it in a terminal"]
fn panics_in_a_terminal() {
    let _screen = kubevitals::app::terminal::Screen::take(true).unwrap();
    panic!("on purpose");
}

#[test]
fn a_panic_gives_the_terminal_back_and_is_told_there() {
    let this = std::env::current_exe().unwrap().display().to_string();
    let arguments = [
        "--exact",
        "dashboard::life::panics_in_a_terminal",
        "--ignored",
        "--nocapture",
    ];
    let mut terminal = Terminal::run(&this, &arguments, "/", 120, 40, &[]);
    terminal.wait_for_end();
    terminal.assert_sane();
    let text = terminal.text();
    assert!(text.contains("on purpose"), "{text}");
}
