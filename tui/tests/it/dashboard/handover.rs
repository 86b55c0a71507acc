//! Shares the terminal between the dashboard and credential plugins.

use std::path::Path;
use std::time::{Duration, Instant};

use super::clusters::Lab;
use super::faults::{Plugin, assert_as_drawn, assert_clean, kubeconfig, use_it};
use crate::terminal::Terminal;

/// Logs its input and its terminal, prompts if it has a terminal, and changes the terminal as `wreck` says.
const SCRIPT: &str = r#"#!/bin/sh
folder=$(dirname "$0")
echo run >> "$folder/begun"
interactive=$(printf '%s' "$KUBERNETES_EXEC_INFO" | sed 's/.*"interactive":\([a-z]*\).*/\1/')
[ -t 0 ] && stdin=yes || stdin=no
(: < /dev/tty) 2> /dev/null && tty=yes || tty=no
echo "interactive $interactive, terminal $stdin, /dev/tty $tty" >> "$folder/seen"
if [ $stdin = yes ]; then
  stty -echo
  printf 'Password: ' > /dev/tty
  read -r answer
  echo "$answer" >> "$folder/typed"
  [ -e "$folder/wait" ] && while [ ! -e "$folder/go" ]; do sleep 0.05; done
  case $(cat "$folder/wreck" 2> /dev/null) in
    screen) printf '\033cNOISE\033[2J\033[3;5r\033[?6h\033[4h\033(0\016\033[?7l\033[31;7m\033[?1003h\033[?2004h' > /dev/tty ;;
    modes) stty raw -echo -opost; printf 'NOISE\033[?1049h\033[?25l' > /dev/tty ;;
    fails) printf 'NOISE\033[2J\nlog in with corp-sso\n' >&2; exit 7 ;;
    killed) kill -9 $$ ;;
  esac
  stty echo 2> /dev/null
fi
expires=$(($(date +%s%N) + $(cat "$folder/life")000000000))
printf '{"apiVersion":"%s","kind":"ExecCredential","status":{"token":"S3CR3T-good","expirationTimestamp":"%s"}}\n' \
  "$(printf '%s' "$KUBERNETES_EXEC_INFO" | sed 's/.*"apiVersion":"\([^"]*\)".*/\1/')" \
  "$(date -u -d "@${expires%?????????}" +%Y-%m-%dT%H:%M:%SZ)"
"#;

const MODES: [&str; 4] = ["", "Never", "IfAvailable", "Always"];

const LONG: &str = "3600";

fn read(folder: &Path, file: &str) -> Vec<String> {
    let text = std::fs::read_to_string(folder.join(file)).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

/// A lab whose plugin returns credentials with this lifetime.
fn lab(life: &str) -> (Lab, Plugin) {
    let (lab, plugin) = super::faults::lab(SCRIPT);
    plugin.set("life", life);
    (lab, plugin)
}

fn expected(interactive: bool) -> String {
    let has = if interactive { "yes" } else { "no" };
    format!("interactive {interactive}, terminal {has}, /dev/tty {has}")
}

/// Waits until a plugin prompts on the original screen, and types an answer.
fn answer(terminal: &mut Terminal, text: &str) {
    terminal.wait_for_prompt("Password:");
    terminal.send(&format!("{text}\r"));
}

/// Opens and closes a pod's page until the credential has expired and the plugin runs again. After that it presses no
/// key.
fn until_it_runs(terminal: &mut Terminal, plugin: &Plugin, times: usize) {
    let runs = || {
        let begin = Instant::now();
        while plugin.begun("run") < times && begin.elapsed() < Duration::from_millis(500) {
            std::thread::sleep(Duration::from_millis(10));
        }
        plugin.begun("run") >= times
    };
    while !runs() {
        terminal.press("enter");
        if runs() {
            return;
        }
        terminal.press("esc");
        // The dashboard also sends requests by itself, so the plugin may have the terminal by now.
        terminal.wait_until("the table, or the plugin", |screen, _| {
            let is_there = screen.contents().contains("NAMESPACE");
            (is_there || !screen.alternate_screen()).then_some(())
        });
    }
}

#[test]
fn before_drawing_a_plugin_has_the_terminal_as_in_kubectl() {
    for mode in MODES {
        let (lab, plugin) = lab(LONG);
        let folder = lab.folder.path();
        let config = folder.join("kubeconfig");
        std::fs::write(&config, kubeconfig(&lab, &plugin, mode, "")).unwrap();
        let config = config.display().to_string();
        let mut seen = Vec::new();
        for (program, what) in [("kubectl", "get"), (env!("CARGO_BIN_EXE_vitals"), "top")] {
            let arguments = ["--kubeconfig", &config, what, "nodes"];
            let place = folder.display().to_string();
            let mut terminal = Terminal::run(program, &arguments, &place, 100, 30, &[]);
            if mode != "Never" {
                answer(&mut terminal, "hunter2");
            }
            terminal.wait_for_end();
            terminal.assert_sane();
            let text = terminal.text();
            assert!(
                text.contains("node-0001") && !text.contains("hunter2"),
                "{program}: {text}"
            );
            seen.push((read(folder, "seen"), read(folder, "typed")));
            for file in ["seen", "typed", "begun"] {
                let _ = std::fs::remove_file(folder.join(file));
            }
        }
        // A plugin that may not prompt has no terminal, not even /dev/tty.
        let without_tty = |at: usize| {
            let first: &String = &seen[at].0[0];
            first.split(", /dev/tty").next().unwrap().to_owned()
        };
        assert_eq!(without_tty(0), without_tty(1), "{mode:?}");
        assert_eq!(seen[1].0, [expected(mode != "Never")], "{mode:?}");
    }
}

#[test]
fn while_drawing_only_mode_always_gets_the_terminal() {
    for mode in MODES {
        let (lab, plugin) = lab("4");
        let folder = lab.folder.path().to_owned();
        let mut terminal = lab.open(&kubeconfig(&lab, &plugin, mode, ""), &["--view", "pods"]);
        let asks = mode != "Never";
        if asks {
            answer(&mut terminal, "first");
        }
        terminal.wait_for("pods", |text| text.contains("Running"));
        plugin.set("life", LONG);
        if mode == "Always" {
            plugin.set("wait", "");
            until_it_runs(&mut terminal, &plugin, 2);
            answer(&mut terminal, "q second");
            // Unread input: it neither quits the dashboard nor opens anything.
            terminal.send("q\r8q");
            plugin.set("go", "");
            terminal.wait_until("the dashboard again", |screen, _| {
                (screen.alternate_screen() && screen.contents().contains("LIVE")).then_some(())
            });
            let typed = read(&folder, "typed");
            // An `esc` may have been in flight.
            assert!(
                typed.len() == 2 && typed[1].ends_with("q second"),
                "{typed:?}"
            );
            assert_eq!(read(&folder, "seen"), [expected(true), expected(true)]);
        } else {
            until_it_runs(&mut terminal, &plugin, 2);
            let typed: &[&str] = if asks { &["first"] } else { &[] };
            assert_eq!(read(&folder, "typed"), typed, "{mode:?}");
            let seen = read(&folder, "seen");
            assert_eq!(seen.first(), Some(&expected(asks)), "{mode:?}");
            assert!(
                seen[1..].iter().all(|line| *line == expected(false)),
                "{mode:?}: {seen:?}"
            );
            terminal.inspect(|screen| assert!(screen.alternate_screen()));
        }
        use_it(&mut terminal);
        assert_as_drawn(&terminal);
        assert!(terminal.is_raw());
        terminal.press("q");
        assert_eq!(terminal.wait_for_end(), 0);
        terminal.assert_sane();
        assert_clean(&terminal.written());
    }
}

/// Opens the dashboard with a plugin that always prompts, and lets its credential expire: the plugin has the terminal.
fn lent(lab: &Lab, plugin: &Plugin) -> Terminal {
    plugin.set("life", "4");
    let mut terminal = lab.open(&kubeconfig(lab, plugin, "Always", ""), &["--view", "pods"]);
    answer(&mut terminal, "first");
    terminal.wait_for("pods", |text| text.contains("Running"));
    plugin.set("life", LONG);
    until_it_runs(&mut terminal, plugin, 2);
    terminal
}

#[test]
fn the_dashboard_restores_the_terminal_after_a_plugin() {
    for wreck in ["screen", "modes"] {
        let (lab, plugin) = lab(LONG);
        let mut terminal = lent(&lab, &plugin);
        plugin.set("wreck", wreck);
        answer(&mut terminal, "second");
        terminal.wait_until("the dashboard again", |screen, _| {
            (screen.alternate_screen() && screen.contents().contains("Overview")).then_some(())
        });
        plugin.set("wreck", "");
        use_it(&mut terminal);
        assert_as_drawn(&terminal);
        assert!(terminal.is_raw(), "{wreck}");
        terminal.press("q");
        assert_eq!(terminal.wait_for_end(), 0);
        // The modes are those from before the dashboard, not those of the plugin.
        terminal.assert_sane();
        let text = String::from_utf8_lossy(&terminal.written()).into_owned();
        assert!(
            !text.contains("S3CR3T") && !text.contains("second"),
            "{wreck}: {text}"
        );
    }
}

#[test]
fn a_plugin_that_has_the_terminal_ends_with_the_dashboard() {
    for signal in ["TERM", "HUP", "INT"] {
        let (lab, plugin) = lab(LONG);
        let mut terminal = lent(&lab, &plugin);
        // The first prompt is on this screen too; the second one comes after the plugin has changed the modes.
        terminal.wait_until("the second prompt", |_, written| {
            let prompts = written.windows(9).filter(|part| *part == b"Password:");
            (prompts.count() >= 2).then_some(())
        });
        terminal.signal(signal);
        terminal.wait_for_end();
        terminal.assert_sane();
        plugin.wait_for_no_process(signal);
    }
}

/// The plugin is in the dashboard's job.
#[test]
fn a_job_at_a_password_prompt_can_be_stopped() {
    let (lab, plugin) = lab("4");
    let config = lab.folder.path().join("kubeconfig");
    std::fs::write(&config, kubeconfig(&lab, &plugin, "Always", "")).unwrap();
    let place = lab.folder.path().display().to_string();
    let mut shell = Terminal::run(
        "bash",
        &["--norc", "--noediting", "-i"],
        &place,
        160,
        40,
        &[("PS1", "prompt> ")],
    );
    shell.wait_for_text("prompt> ");
    shell.send(&format!(
        "{} --kubeconfig {} --view pods\r",
        env!("CARGO_BIN_EXE_vitals"),
        config.display()
    ));
    answer(&mut shell, "first");
    shell.wait_for("pods", |text| text.contains("Running"));
    plugin.set("life", LONG);
    until_it_runs(&mut shell, &plugin, 2);
    shell.wait_for_prompt("Password:");
    shell.press("ctrl-z");
    shell.wait_for_text("Stopped");
    shell.wait_for_prompt("prompt>");
    shell.send("clear; echo the shell is he''re\r");
    shell.wait_for_text("the shell is here");
    shell.send("fg\r");
    shell.wait_for_text("vitals --kubeconfig");
    shell.send("second\r");
    shell.wait_until("the dashboard again", |screen, _| {
        (screen.alternate_screen() && screen.contents().contains("LIVE")).then_some(())
    });
    let typed = read(lab.folder.path(), "typed");
    assert!(
        typed.len() == 2 && typed[1].ends_with("second"),
        "{typed:?}"
    );
    use_it(&mut shell);
    assert_as_drawn(&shell);
    shell.press("q");
    shell.wait_for_prompt("prompt>");
    shell.send("exit\r");
    assert_eq!(shell.wait_for_end(), 0);
}
