//! How the dashboard begins and ends, and what it leaves behind.

use std::io::Read;

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
fn on_a_signal_the_terminal_is_restored() {
    for signal in ["TERM", "HUP", "INT"] {
        let mut dashboard = Dashboard::start(&[]);
        dashboard.terminal.signal(signal);
        dashboard.terminal.wait_for_end();
        dashboard.terminal.assert_sane();
    }
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
    let _screen = kubevitals::app::terminal::Screen::take(true, true).unwrap();
    panic!("on purpose");
}

#[test]
fn a_panic_restores_the_terminal_and_is_printed() {
    let this = std::env::current_exe().unwrap().display().to_string();
    let arguments = [
        "--exact",
        "dashboard::lifecycle::panics_in_a_terminal",
        "--ignored",
        "--nocapture",
    ];
    let mut terminal = Terminal::run(&this, &arguments, "/", 120, 40, &[]);
    terminal.wait_for_end();
    terminal.assert_sane();
    let text = terminal.text();
    assert!(text.contains("on purpose"), "{text}");
}

/// A terminal whose end nobody is told of, as behind `nohup`: the next write fails.
#[test]
fn a_closed_terminal_ends_the_program_without_a_panic() {
    for trap in ["trap '' HUP; ", ""] {
        let folder = tempfile::tempdir().unwrap();
        let code = folder.path().join("code");
        let size = portable_pty::PtySize::default();
        let pair = portable_pty::native_pty_system().openpty(size).unwrap();
        let mut command = portable_pty::CommandBuilder::new("sh");
        let script = format!(
            "{trap}{} demo; echo $? > {}",
            env!("CARGO_BIN_EXE_vitals"),
            code.display()
        );
        command.args(["-c", &format!("trap 'true' HUP; {script}")]);
        command.env("TERM", "xterm");
        let mut shell = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let mut reader = pair.master.try_clone_reader().unwrap();
        let mut written = Vec::new();
        while !String::from_utf8_lossy(&written).contains("LIVE") {
            let mut buffer = [0; 4096];
            let count = reader.read(&mut buffer).unwrap();
            written.extend_from_slice(&buffer[..count]);
        }
        drop((reader, pair.master));
        shell.wait().unwrap();
        let code = std::fs::read_to_string(code).unwrap();
        assert!(["0", "1"].contains(&code.trim()), "{trap}: {code}");
    }
}
