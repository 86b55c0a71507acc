//! What the dashboard makes of the terminal that it is in: colours, the mouse, terminals that can do too little.

use vt100::{Color, MouseProtocolMode, Screen};

use super::{Dashboard, POINTER};
use crate::terminal::Terminal;

const SMALL: [&str; 4] = ["--nodes", "2", "--pods-per-node", "5"];

/// Whether the selected row is told apart without its pointer: by another ground or reversed, and how.
fn selection(screen: &Screen) -> Option<(bool, Color)> {
    let rows = super::rows(screen);
    let at = rows.iter().position(|row| row.starts_with(POINTER))?;
    let cell = screen.cell(u16::try_from(at).ok()?, 3)?;
    Some((cell.inverse(), cell.bgcolor()))
}

/// Colours of 24 bits and of 256 in what was written.
fn colours(written: &[u8]) -> (bool, bool) {
    let text = String::from_utf8_lossy(written);
    let has = |code: &str| text.contains(&format!("38;{code};"));
    (has("2"), has("5"))
}

#[test]
fn as_many_colours_as_the_terminal_has_and_the_flags_allow() {
    for (flags, environment, expected) in [
        (&[][..], &[("COLORTERM", "truecolor")][..], (true, false)),
        (&[], &[("COLORTERM", "")], (false, true)),
        // GNU screen, with what it inherited.
        (
            &[],
            &[("COLORTERM", "truecolor"), ("STY", "4242.pts-1.host")],
            (false, true),
        ),
        (
            &[],
            &[("COLORTERM", "truecolor"), ("TERM", "screen-256color")],
            (false, true),
        ),
        (
            &[],
            &[
                ("COLORTERM", "truecolor"),
                ("TERM", "screen-256color"),
                ("TMUX", "/tmp/tmux,1,0"),
            ],
            (true, false),
        ),
        (&[], &[("NO_COLOR", "1")], (false, false)),
        // A flag holds over it.
        (&["--colors", "true"], &[("NO_COLOR", "1")], (true, false)),
        (&["--colors", "256"], &[("NO_COLOR", "1")], (false, true)),
        (&["--colors", "none"], &[("NO_COLOR", "")], (false, false)),
        (
            &[],
            &[("NO_COLOR", "1"), ("VITALS_COLORS", "true")],
            (true, false),
        ),
    ] {
        let mut dashboard = Dashboard::in_environment(&[&SMALL, flags].concat(), environment);
        dashboard.show("3", "Pods");
        let what = format!("{flags:?} {environment:?}");
        let (inverse, ground) = dashboard.terminal.wait_until(&what, |screen, _| {
            selection(screen).filter(|(inverse, ground)| *inverse || *ground != Color::Default)
        });
        assert_eq!(colours(&dashboard.terminal.written()), expected, "{what}");
        assert_eq!(inverse, expected == (false, false), "{what}: {ground:?}");
    }
}

#[test]
fn on_a_limited_terminal_the_message_suggests_alternatives() {
    let vitals = env!("CARGO_BIN_EXE_vitals");
    for (command, term) in [
        (&[vitals, "demo"][..], "TERM=dumb"),
        (&[vitals], "TERM=vt100"),
        (&[vitals, "--kubeconfig", "/nowhere"], "TERM=unknown"),
        (&[vitals, "demo"], "TERM="),
        (&[vitals], "-uTERM"),
    ] {
        let arguments = [&[term], command].concat();
        let mut terminal = Terminal::run("env", &arguments, "/", 200, 24, &[]);
        assert_eq!(terminal.wait_for_end(), 2, "{term}");
        let written = String::from_utf8(terminal.written()).unwrap();
        assert!(written.starts_with("error: "), "{term}: {written:?}");
        assert!(written.contains("`vitals top"), "{term}: {written:?}");
        assert_eq!(written.lines().count(), 1, "{term}: {written:?}");
        assert!(!written.contains('\x1b'), "{term}: {written:?}");
    }
}

#[test]
fn the_mouse_is_left_to_the_terminal_and_used_again() {
    let mut dashboard = Dashboard::of_demo(&SMALL);
    let wait = |terminal: &Terminal, used: bool| {
        terminal.wait_until(&format!("the mouse used: {used}"), |screen, _| {
            let mode = screen.mouse_protocol_mode();
            ((mode != MouseProtocolMode::None) == used).then_some(())
        });
    };
    wait(&dashboard.terminal, true);
    dashboard.terminal.press("t");
    dashboard.terminal.wait_for_text("the mouse selects text");
    wait(&dashboard.terminal, false);
    // Neither drawing everything anew nor a plugin that comes and goes takes it again.
    dashboard.terminal.press("ctrl-l");
    dashboard.show("3", "Pods");
    wait(&dashboard.terminal, false);
    dashboard.terminal.press("t");
    dashboard.terminal.wait_for_text("the mouse is used here");
    wait(&dashboard.terminal, true);
    let mut without = Dashboard::of_demo(&[&SMALL[..], &["--no-mouse"]].concat());
    wait(&without.terminal, false);
    without.terminal.press("t");
    wait(&without.terminal, true);
    without.terminal.press("q");
    without.terminal.wait_for_end();
    without.terminal.assert_sane();
}
