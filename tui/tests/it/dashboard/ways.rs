//! Ways through the dashboard that a person goes.

use kubevitals_proto::quantity::Quantity;

use super::{Dashboard, rows};
use crate::terminal::Mouse;

#[test]
fn from_a_node_to_its_pods_to_a_pod_and_back() {
    let mut dashboard = Dashboard::start(&[]);
    dashboard.show("2", "Nodes");
    let row = dashboard.wait_selected("a node", |row| row.trim_start().starts_with("node-"));
    let node = row.split_whitespace().next().unwrap().to_owned();
    dashboard.terminal.press("enter");
    dashboard.terminal.wait_for_text(&format!("Pods {node}"));
    // Pods of two namespaces can have one name.
    let (namespace, name) = dashboard.pod();
    dashboard.terminal.press("down");
    dashboard.wait_selected("another pod", |row| {
        let mut words = row.split_whitespace();
        (words.next(), words.next()) != (Some(&*namespace), Some(&*name))
    });
    let (_, pod) = dashboard.pod();
    dashboard.terminal.press("enter");
    dashboard.terminal.wait_for("the pod's page", |text| {
        !text.contains("NAMESPACE") && text.contains(&pod)
    });
    dashboard.terminal.press("esc");
    dashboard.terminal.wait_for_text(&format!("Pods {node}"));
    dashboard.wait_selected("the same pod", |row| row.contains(&pod));
    dashboard.terminal.press("esc");
    dashboard.wait_view("Nodes");
    dashboard.wait_selected("the same node", |row| row.contains(&node));
}

/// A slow connection delivers keys together, and the bytes of one key in parts.
#[test]
fn keys_that_arrive_together_or_in_parts_are_the_same_keys() {
    let mut dashboard = Dashboard::start(&[]);
    dashboard.show("3", "Pods");
    dashboard.pod();
    dashboard.terminal.press("enter");
    dashboard.terminal.wait_for("the pod's page", |text| {
        !text.contains("NAMESPACE") && text.contains("esc back")
    });
    // Esc and shift-left: back, and to the past.
    dashboard.terminal.send("\x1b\x1b[1;2D");
    dashboard.terminal.wait_for("pods in the past", |text| {
        text.contains("NAMESPACE") && text.contains("PAST")
    });
    dashboard.terminal.press("end");
    dashboard.terminal.wait_for_text("LIVE");
    // When the view is shown, the first part of the other key has been read.
    dashboard.terminal.send("2\x1b[1");
    dashboard.wait_view("Nodes");
    dashboard.terminal.send(";2D");
    dashboard.terminal.wait_for_text("PAST");
    dashboard.wait_view("Nodes");
}

/// The way that docs/dashboard.md tells: whoever changes one changes the other.
#[test]
fn five_keys_lead_to_why_a_liveness_probe_kills_a_pod_and_what_it_used_before() {
    let recording = kubevitals_sim::fixtures().join("recording");
    let recording = recording.display().to_string();
    // Six minutes were recorded; the faster they go by, the sooner the first kill.
    let mut dashboard = Dashboard::of_demo(&["--replay", &recording, "--speed", "20"]);
    dashboard.terminal.wait_for_text("Problems (");
    dashboard.show("8", "Incidents");
    dashboard
        .terminal
        .wait_for("who is killed by what", |text| {
            let explains = |pod, why| {
                text.lines()
                    .any(|row| row.contains(pod) && row.contains(why))
            };
            explains("flaky", "liveness probe") && explains("crash", "exit 7")
        });
    dashboard.terminal.press("N");
    dashboard.terminal.wait_for_text("OBJECT▲");
    dashboard.terminal.press("g");
    dashboard.wait_selected("the first by name", |row| row.contains("crash"));
    dashboard.terminal.press("down");
    dashboard.wait_selected("the one after", |row| row.contains("flaky"));
    dashboard.terminal.press("enter");
    // Why, what was asked, when, and what it used before.
    let said = [
        "default/flaky",
        "restarts liveness probe",
        "/bin/busybox test -f /tmp/ok",
        " ago",
        "MEM ",
        "p95 ",
        "Ki",
    ];
    dashboard.terminal.wait_for("the page of flaky", |text| {
        said.iter().all(|said| text.contains(said))
    });
}

#[test]
fn a_wrong_filter_is_reported_while_it_is_typed() {
    let mut dashboard = Dashboard::start(&[]);
    dashboard.show("3", "Pods");
    dashboard.terminal.send("/cpu>fast");
    let text = dashboard
        .terminal
        .wait_for_text("^ cpu is compared with CPU, like 500m or 1.5");
    let lines: Vec<&str> = text.lines().collect();
    let at = lines
        .iter()
        .position(|line| line.starts_with(" / cpu>fast"))
        .unwrap();
    // At its place: below what is wrong.
    assert_eq!(lines[at].find("fast"), lines[at + 1].find('^'), "{text}");
    dashboard.terminal.press("ctrl-u");
    dashboard.terminal.send("cpu>0");
    dashboard
        .terminal
        .wait_for("no complaint", |text| !text.contains('^'));
}

#[test]
fn pasted_text_only_changes_the_filter() {
    let mut dashboard = Dashboard::start(&[]);
    dashboard.show("3", "Pods");
    // An end of line would be Enter, and q would end the program, if they were keys.
    dashboard.terminal.paste("ns=kube-system\nq\x1b[31m");
    dashboard.terminal.wait_for_text("/ ns=kube-system q");
    dashboard.terminal.press("ctrl-u");
    dashboard.terminal.paste("ns=kube-system");
    dashboard.wait_selected("a pod of kube-system", |row| {
        row.trim_start().starts_with("kube-system")
    });
}

#[test]
fn the_mouse_selects_sorts_scrolls_and_goes_back_in_time() {
    let mut dashboard = Dashboard::start(&[]);
    dashboard.show("3", "Pods");
    dashboard.wait_selected("a row", |row| !row.is_empty());
    dashboard.terminal.press("space");
    dashboard.terminal.wait_for_text("PAUSED");
    let (head, column) = dashboard.terminal.wait_until("the headings", |screen, _| {
        let rows = rows(screen);
        let head = rows.iter().position(|row| row.contains("NAMESPACE"))?;
        let column = rows[head].find("RESTARTS")?;
        Some((u16::try_from(head).unwrap(), u16::try_from(column).unwrap()))
    });
    let first = dashboard.wait_selected("a row", |row| !row.is_empty());
    dashboard.terminal.click(20, head + 3);
    dashboard.wait_selected("the third row", |row| row != first);
    dashboard.terminal.click(column + 1, head);
    dashboard.terminal.wait_for_text("RESTARTS▼");
    dashboard.terminal.click(column + 1, head);
    dashboard.terminal.wait_for_text("RESTARTS▲");
    let before = dashboard.terminal.text();
    dashboard.terminal.wheel_down(20, head + 3);
    dashboard
        .terminal
        .wait_for("other rows", |text| text != before);
    let nodes = dashboard.terminal.wait_until("the views", |screen, _| {
        let rows = rows(screen);
        let row = rows
            .iter()
            .position(|row| row.contains("Overview") && row.contains("Incidents"))?;
        let column = rows[row].find("Nodes")?;
        Some((u16::try_from(column).unwrap(), u16::try_from(row).unwrap()))
    });
    dashboard.terminal.click(nodes.0, nodes.1);
    dashboard.wait_view("Nodes");
}

#[test]
fn the_span_is_dragged_back_in_time_and_to_now() {
    let mut dashboard = Dashboard::start(&[]);
    // There is a past to go back to when its line has begun.
    let (row, right) = dashboard.terminal.wait_until("the span", |screen, _| {
        let rows = rows(screen);
        let axis = rows
            .iter()
            .position(|row| row.contains("-15m") && row.contains("now"))?;
        let now = rows[axis].find("now")? + 2;
        let above = rows.get(axis.checked_sub(1)?)?;
        let drawn = above.chars().nth(now.checked_sub(5)?)?;
        (drawn != ' ').then_some((u16::try_from(axis - 1).ok()?, u16::try_from(now).ok()?))
    });
    let title = |text: &str| text.lines().next().unwrap_or_default().to_owned();
    let past = |text: &str| {
        let title = title(text);
        title.contains(" PAST ")
    };
    let terminal = &mut dashboard.terminal;
    terminal.mouse(Mouse::Down, right, row);
    terminal.mouse(Mouse::Drag, right - 20, row);
    let first = terminal.wait_for("a time in the past", past);
    // A drag goes on beside the chart, as with any slider.
    terminal.mouse(Mouse::Drag, right - 30, row + 4);
    terminal.wait_for("an earlier time", |text| title(text) != title(&first));
    terminal.mouse(Mouse::Drag, right + 3, row);
    terminal.mouse(Mouse::Up, right + 3, row);
    terminal.wait_for("now", |text| title(text).contains("LIVE"));
    // Let go, it is not dragged on.
    terminal.mouse(Mouse::Drag, right - 20, row);
    terminal.press("space");
    terminal.wait_for_text("PAUSED");
}

#[test]
fn the_mouse_chooses_columns_and_namespaces() {
    let mut dashboard = Dashboard::start(&[]);
    dashboard.show("3", "Pods");
    dashboard.wait_selected("a row", |row| !row.is_empty());
    dashboard.terminal.press("c");
    let place = |dashboard: &Dashboard, what: &str| {
        dashboard.terminal.wait_until(what, |screen, _| {
            let rows = rows(screen);
            let row = rows.iter().position(|row| row.contains(what))?;
            let column = rows[row].split(what).next()?.chars().count();
            Some((u16::try_from(column).ok()?, u16::try_from(row).ok()?))
        })
    };
    let (column, row) = place(&dashboard, "[x] READY");
    dashboard.terminal.click(column + 1, row);
    dashboard.terminal.wait_for_text("[ ] READY");
    // A click beside it closes it.
    dashboard.terminal.click(2, 38);
    dashboard.terminal.wait_for("no chooser", |text| {
        !text.contains("Columns of Pods") && !text.contains(" READY")
    });
    dashboard.terminal.press("n");
    dashboard.terminal.wait_for_text("(all namespaces)");
    let (column, row) = place(&dashboard, "  kube-system");
    dashboard.terminal.wheel_down(column + 2, row);
    dashboard.terminal.click(column + 2, row);
    dashboard.terminal.click(column + 2, row);
    dashboard.terminal.wait_for_text("ns kube-system");
}

#[test]
fn without_colour_and_unicode_neither_is_drawn() {
    let mut dashboard = Dashboard::start(&["--ascii", "--colors", "none"]);
    for key in ["1", "2", "3", "5", "8"] {
        dashboard.terminal.press(key);
        dashboard.terminal.wait_for_text("LIVE");
    }
    dashboard.terminal.press("q");
    dashboard.terminal.wait_for_end();
    let written = String::from_utf8(dashboard.terminal.written()).unwrap();
    assert!(written.is_ascii());
    let mut sequences = written.split("\x1b[").skip(1);
    assert!(!sequences.any(sets_a_colour), "a colour");
}

/// Whether a control sequence, without its introducer, chooses a colour other than the terminal's own.
fn sets_a_colour(sequence: &str) -> bool {
    let end = sequence.find(|c: char| c.is_ascii_alphabetic());
    let Some((parameters, rest)) = end.map(|end| sequence.split_at(end)) else {
        return false;
    };
    let is_colour = |parameter: &str| {
        let code = parameter.parse().unwrap_or(0);
        matches!(code, 30..=38 | 40..=48 | 90..=107)
    };
    rest.starts_with('m') && parameters.split(';').any(is_colour)
}

/// Which time is shown on the page of a pod, and what memory it used then, if that is known.
fn past_memory(text: &str) -> Option<(String, Option<f64>)> {
    let title = text.lines().next()?;
    let time = title
        .split_whitespace()
        .find(|word| word.ends_with('Z') && word.contains(':'))
        .filter(|_| !title.contains("loading"))?;
    let line = text
        .lines()
        .find(|line| line.contains("request") && line.contains(" MEM "));
    let memory = line.and_then(|line| line.rsplit(" MEM ").next()?.split_whitespace().next());
    let bytes = memory.and_then(|memory| Some(memory.parse::<Quantity>().ok()?.to_f64()));
    Some((time.to_owned(), bytes))
}

#[test]
fn the_chart_has_the_rise_before_an_oom_kill() {
    sees_memory_rise("vitals");
}

#[test]
fn the_chart_has_the_rise_before_an_oom_kill_with_any_metrics_server() {
    sees_memory_rise("metrics");
}

fn sees_memory_rise(source: &str) {
    // Time runs fast, and of some hundred pods soon one is killed for its memory.
    let mut dashboard = Dashboard::of_demo(&[
        "--source",
        source,
        "--nodes",
        "3",
        "--pods-per-node",
        "30",
        "--speed",
        "10",
        "--seed",
        "3",
        "--view",
        "pods",
    ]);
    dashboard.terminal.send("/last~OOM");
    dashboard.wait_selected("a pod that was killed for its memory", |row| {
        row.contains("OOMKilled")
    });
    dashboard.terminal.press("enter");
    dashboard.terminal.press("space");
    dashboard.terminal.wait_for_text("PAUSED");
    dashboard.terminal.press("enter");
    dashboard.terminal.wait_for("its page", |text| {
        text.contains("OOMKilled") && text.contains(" MEM ")
    });
    // Step by step back through its life.
    let mut used: Vec<f64> = Vec::new();
    let mut time = String::new();
    for _ in 0..24 {
        dashboard.terminal.press("left");
        let (now, memory) = dashboard
            .terminal
            .wait_until("an earlier time", |screen, _| {
                past_memory(&screen.contents()).filter(|(now, _)| *now != time)
            });
        time = now;
        used.extend(memory);
    }
    // The newest comes first: the most it ever used, and what it used some steps before.
    let peak = used.iter().copied().fold(0.0, f64::max);
    let at = used
        .iter()
        .position(|memory| *memory >= peak * 0.97)
        .unwrap_or(0);
    let before = used
        .get(at..)
        .unwrap_or_default()
        .iter()
        .copied()
        .fold(peak, f64::min);
    assert!(
        before < peak * 0.8,
        "it did not rise before the kill: {used:?}"
    );
}
