//! Logs without end, from the simulated API server to the terminal.

use vt100::Screen;

use super::clusters::Lab;
use super::selected;
use crate::terminal::Terminal;

/// Whoever reads a flood must have seen as many bytes, or lines of a hundred bytes.
const MUCH: u64 = 100 << 20;
const MANY: u64 = MUCH / 100;

/// The most memory in KiB that a flood may add to that of the dashboard: the page stores 8 MiB of text.
const MOST_MEMORY: u64 = 40 << 10;

/// Bytes that would own the terminal: another title, screen, clipboard, character set, a reset, a question.
const ESCAPES: &[u8] = b"\x1b]0;OWNED\x07 \x1b[?1049l \x1b]52;c;T1dORUQ=\x07 \x1b(0 \x1bc \x1b[6n \x1bP+q544e\x1b\\ \x9b2J \xc2\x9b31m \x1b[8;9;9t shown\n";

/// The dashboard with the logs of a container open that writes `bytes` over and over, and its memory before.
fn flooded(lab: &Lab, bytes: &[u8]) -> (Terminal, u64) {
    let whole = bytes.repeat((64 << 10) / bytes.len());
    lab.cluster.api().set_log(Some(whole.into()));
    let mut terminal = lab.dashboard(lab.cluster.kubeconfig(), &["--view", "pods"]);
    terminal.wait_until("a pod", |screen, _| {
        selected(screen).filter(|row| row.contains("Running"))
    });
    let before = peak(&terminal);
    terminal.press("l");
    terminal.wait_for_text("Logs: ");
    (terminal, before)
}

/// The number before ` unit` in the heading of the page.
fn counted(screen: &Screen, unit: &str) -> Option<u64> {
    let text = screen.contents();
    let heading = text.lines().find(|line| line.contains("Logs: "))?;
    let before = heading.split_once(unit)?.0.trim_end();
    let digits = before.rsplit(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok()
}

/// Whether keys still do what they say: the help opens and closes, lines wrap, the page closes.
fn keys_answer(terminal: &mut Terminal) {
    terminal.press("?");
    terminal.wait_for_text("Keys");
    terminal.press("esc");
    terminal.press("w");
    terminal.wait_for_text(", wrap");
    terminal.press("g");
    terminal.wait_for_text("not following");
    terminal.press("G");
    terminal.wait_for("the end", |text| {
        text.contains(" following") && !text.contains("not following")
    });
    terminal.press("esc");
    terminal.wait_until("the pods", selected_pod);
}

fn selected_pod(screen: &Screen, _: &[u8]) -> Option<String> {
    selected(screen).filter(|row| row.contains("Running"))
}

/// The largest memory of the process so far, in KiB.
fn peak(terminal: &Terminal) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", terminal.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.unwrap().split_whitespace().next().unwrap();
    number.parse().unwrap()
}

fn assert_bounded(terminal: &Terminal, before: u64) {
    let added = peak(terminal) - before;
    assert!(added < MOST_MEMORY, "the flood added {added} KiB");
}

#[test]
fn a_flood_of_lines_is_counted_and_keys_answer() {
    let lab = Lab::start();
    let line = format!("2026-11-21T05:00:00.000000000Z {}\n", "x".repeat(68));
    let (mut terminal, before) = flooded(&lab, line.as_bytes());
    terminal.wait_until("a hundred megabytes", |screen, _| {
        counted(screen, "older dropped").filter(|dropped| *dropped > MANY)
    });
    keys_answer(&mut terminal);
    assert_bounded(&terminal, before);
}

#[test]
fn empty_lines_without_a_time_are_counted_too() {
    let lab = Lab::start();
    let (mut terminal, before) = flooded(&lab, b"\n");
    terminal.wait_until("a hundred megabytes", |screen, _| {
        counted(screen, "older dropped").filter(|dropped| *dropped > MUCH)
    });
    keys_answer(&mut terminal);
    assert_bounded(&terminal, before);
}

#[test]
fn a_line_without_end_is_cut_and_the_rest_is_counted() {
    let lab = Lab::start();
    let (mut terminal, before) = flooded(&lab, b"x");
    terminal.wait_until("a hundred megabytes", |screen, _| {
        counted(screen, "Mi cut").filter(|cut| *cut > MUCH >> 20)
    });
    keys_answer(&mut terminal);
    assert_bounded(&terminal, before);
}

#[test]
fn binary_and_escapes_do_not_reach_the_terminal() {
    let lab = Lab::start();
    // Every byte, with line feeds.
    let binary: Vec<u8> = (0..=255).chain(b"\nshown\n".iter().copied()).collect();
    for bytes in [ESCAPES, &binary] {
        let (mut terminal, before) = flooded(&lab, bytes);
        terminal.wait_until("many lines", |screen, _| {
            let is_shown = screen.contents().contains("shown");
            counted(screen, "older dropped").filter(|dropped| is_shown && *dropped > MANY)
        });
        keys_answer(&mut terminal);
        assert_bounded(&terminal, before);
        terminal.with_written(|screen, written| {
            assert!(screen.alternate_screen());
            for owning in [
                &b"OWNED"[..],
                b"\x1b[?1049l",
                b"\x1b]52",
                b"\x1b(0",
                b"\x1bc",
                b"\x1b[6n",
                b"\x1bP",
                b"\x1b[8;9;9t",
                b"\x9b2J",
                "\u{9b}".as_bytes(),
            ] {
                let is_there = written.windows(owning.len()).any(|window| window == owning);
                assert!(
                    !is_there,
                    "{:?} was written",
                    owning.escape_ascii().to_string()
                );
            }
        });
    }
}
