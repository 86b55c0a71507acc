//! Job control: stop and continue, by keys and by signals. It needs a shell with job control.

use crate::terminal::Terminal;

use super::Dashboard;

/// An interactive shell that runs the dashboard of a demo.
fn shell() -> Terminal {
    let mut shell = Terminal::run(
        "bash",
        &["--norc", "--noediting", "-i"],
        "/",
        160,
        40,
        &[("PS1", "prompt> ")],
    );
    shell.wait_for_text("prompt> ");
    shell.send(&format!("{} demo\r", env!("CARGO_BIN_EXE_vitals")));
    shell.wait_for_text("LIVE");
    shell
}

/// The process of the dashboard below a shell.
fn dashboard_of(shell: &Terminal) -> u32 {
    let children = std::process::Command::new("pgrep")
        .args(["-P", &shell.id().to_string(), "vitals"])
        .output()
        .unwrap();
    String::from_utf8(children.stdout)
        .unwrap()
        .trim()
        .parse()
        .unwrap()
}

fn kill(signal: &str, process: &str) {
    let sent = std::process::Command::new("kill")
        .args([signal, "--", process])
        .status()
        .unwrap();
    assert!(sent.success());
}

/// Waits until the shell has the terminal in its original state.
fn wait_for_shell(shell: &Terminal) {
    shell.wait_for_text("Stopped");
    shell.wait_for_prompt("prompt>");
    shell.assert_given_back();
}

/// Waits until the dashboard is drawn in its own modes and keys work.
fn wait_for_dashboard(shell: &mut Terminal) {
    shell.wait_until("the dashboard again", |screen, _| {
        let is_ours = screen.alternate_screen()
            && screen.bracketed_paste()
            && screen.hide_cursor()
            && screen.mouse_protocol_mode() != vt100::MouseProtocolMode::None;
        (is_ours && screen.contents().contains("LIVE")).then_some(())
    });
    for (key, title) in [("3", "Pods"), ("2", "Nodes"), ("8", "Incidents")] {
        shell.press(key);
        shell.wait_until(title, |screen, _| {
            (super::current_view(screen).as_deref() == Some(title)).then_some(())
        });
    }
    // The terminal does not echo.
    assert!(shell.is_raw());
}

fn end(mut shell: Terminal) {
    shell.press("q");
    shell.wait_for_prompt("prompt>");
    shell.send("exit\r");
    assert_eq!(shell.wait_for_end(), 0);
}

#[test]
fn after_a_stop_by_key_the_screen_is_complete() {
    let mut shell = shell();
    for _ in 0..3 {
        shell.press("ctrl-z");
        wait_for_shell(&shell);
        shell.send("clear; fg\r");
        wait_for_dashboard(&mut shell);
    }
    end(shell);
}

#[test]
fn a_stop_by_signal_restores_the_terminal() {
    let mut shell = shell();
    let process = dashboard_of(&shell);
    // The process, and its group.
    for target in [process.to_string(), format!("-{process}")] {
        kill("-TSTP", &target);
        wait_for_shell(&shell);
        shell.send("clear; fg\r");
        wait_for_dashboard(&mut shell);
    }
    end(shell);
}

#[test]
fn after_a_sudden_stop_it_takes_the_terminal_again() {
    let mut shell = shell();
    let process = dashboard_of(&shell).to_string();
    for _ in 0..2 {
        kill("-STOP", &process);
        shell.wait_for_text("Stopped");
        shell.send("fg\r");
        wait_for_dashboard(&mut shell);
    }
    end(shell);
}

#[test]
fn in_the_background_it_waits_for_the_terminal() {
    let mut shell = shell();
    let process = dashboard_of(&shell).to_string();
    shell.press("ctrl-z");
    wait_for_shell(&shell);
    // The shell's own command, a signal, and a signal while it is stopped: the dashboard does not take the shell's
    // terminal.
    shell.send("clear; bg; wait -f; echo bg is do''ne\r");
    shell.wait_for_text("bg is done");
    shell.assert_given_back();
    kill("-TSTP", &process);
    kill("-CONT", &process);
    shell.send("clear; wait -f; echo wait is do''ne\r");
    shell.wait_for_text("wait is done");
    shell.assert_given_back();
    shell.resize(160, 30);
    shell.send("clear; fg\r");
    wait_for_dashboard(&mut shell);
    shell.wait_for("all rows of the new size", |text| {
        text.lines().count() == 30
    });
    end(shell);
}

/// As under `docker run -it` and `ssh -t`: no shell could continue a stopped process.
#[test]
fn without_a_shell_it_does_not_stop() {
    let mut dashboard = Dashboard::start(&[]);
    dashboard.terminal.press("ctrl-z");
    dashboard.terminal.wait_for_text("there is no shell");
    dashboard.terminal.signal("TSTP");
    dashboard.show("3", "Pods");
    dashboard.terminal.press("q");
    assert_eq!(dashboard.terminal.wait_for_end(), 0);
    dashboard.terminal.assert_sane();
}
