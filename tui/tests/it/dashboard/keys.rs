//! Every key in the table of bindings does what the help says. A binding without a check here fails.

use kubevitals::input::{BINDINGS, Binding};
use kubevitals::model::Mode;

use super::{Dashboard, current_view};

/// How a binding is checked: from the view of pods, live, unfiltered, sorted by CPU, and back to there.
pub(super) type Check = fn(&mut Dashboard, &str);

/// The check of each binding, but for those that end the program or leave it: they are in `life`.
fn check(id: &str) -> Option<Check> {
    Some(match id {
        "down" | "up" | "page-down" | "page-up" | "first" | "last" => moves,
        "enter" | "back" => enters_and_comes_back,
        "next-view" | "previous-view" => goes_to_the_next_view,
        "overview" => |dashboard, key| goes_to(dashboard, key, "Overview"),
        "nodes" => |dashboard, key| goes_to(dashboard, key, "Nodes"),
        "pods" => |dashboard, key| goes_to(dashboard, key, "Pods"),
        "containers" => |dashboard, key| goes_to(dashboard, key, "Containers"),
        "workloads" => |dashboard, key| goes_to(dashboard, key, "Workloads"),
        "namespaces" => |dashboard, key| goes_to(dashboard, key, "Namespaces"),
        "hpas" => |dashboard, key| goes_to(dashboard, key, "HPAs"),
        "incidents" => |dashboard, key| goes_to(dashboard, key, "Incidents"),
        "clusters" => says_that_there_is_one_cluster,
        "map" => |dashboard, key| goes_to(dashboard, key, "Map"),
        "map-left" | "map-right" | "map-step-back" | "map-step-forward" => |dashboard, key| {
            on_the_map(dashboard, key, "enter open");
        },
        "map-group" => |dashboard, key| on_the_map(dashboard, key, "by namespace"),
        "map-size" => |dashboard, key| on_the_map(dashboard, key, "a cell: "),
        "map-zoom-in" | "map-zoom-out" => |dashboard, key| on_the_map(dashboard, key, "by n"),
        "volumes" => |dashboard, key| goes_to(dashboard, key, "Volumes"),
        "probes" => |dashboard, key| goes_to(dashboard, key, "Probes"),
        "acknowledge" => acknowledges,
        "pause" => pauses,
        "step-back" | "leap-back" | "hour-back" | "day-back" | "oldest" => goes_back_in_time,
        "step-forward" | "leap-forward" | "hour-forward" | "day-forward" | "live" => {
            comes_back_in_time
        }
        "shorter-span" => |dashboard, key| changes_the_span(dashboard, key, "]"),
        "longer-span" => |dashboard, key| changes_the_span(dashboard, key, "["),
        "filter" => filters,
        "clear-filter" => clears_the_filter,
        "next-sort" | "previous-sort" => sorts_by_another_column,
        "reverse" => sorts_the_other_way_round,
        "sort-cpu" => |dashboard, key| sorts_by(dashboard, key, "CPU"),
        "sort-memory" => |dashboard, key| sorts_by(dashboard, key, "MEM"),
        "sort-name" => |dashboard, key| sorts_by(dashboard, key, "NAME"),
        "sort-restarts" => |dashboard, key| sorts_by(dashboard, key, "RESTARTS"),
        "sort-age" => |dashboard, key| sorts_by(dashboard, key, "AGE"),
        "columns" => |dashboard, key| opens(dashboard, key, "Columns of Pods"),
        "bookmark" => |dashboard, key| opens(dashboard, key, "Bookmark ─"),
        "bookmarks" => |dashboard, key| says(dashboard, key, "there are no bookmarks"),
        "filters" => |dashboard, key| says(dashboard, key, "there are no saved filters"),
        "namespace" => |dashboard, key| opens(dashboard, key, "Namespaces ─"),
        "context" => |dashboard, key| opens(dashboard, key, "Contexts ─"),
        "help" => |dashboard, key| opens(dashboard, key, "Help ─"),
        "messages" => |dashboard, key| opens(dashboard, key, "Messages ─"),
        "time-zone" => changes_the_time_zone,
        "only-this-namespace" => shows_one_namespace,
        "copy" => copies,
        "mouse" => leaves_the_mouse_and_takes_it,
        "export-table" => |dashboard, key| exports(dashboard, key, "txt"),
        "export-csv" => |dashboard, key| exports(dashboard, key, "csv"),
        "export-json" => |dashboard, key| exports(dashboard, key, "json"),
        "redraw" => draws_anew,
        "lay-over" => lays_over,
        "undo-filter" => undoes_the_last_change_of_the_filter,
        "command" => |dashboard, key| opens(dashboard, key, "Commands ─"),
        "help-close" => closes_the_help,
        "help-next" => |dashboard, key| turns_the_page(dashboard, key, "web cpu>500m"),
        "help-previous" => |dashboard, key| turns_the_page(dashboard, key, "source "),
        "help-down" | "help-up" | "help-page-down" | "help-page-up" => scrolls_the_help,
        _ => {
            let others = [
                super::line_keys::check,
                super::list_keys::check,
                super::text_keys::check,
            ];
            return others.iter().find_map(|check| check(id));
        }
    })
}

/// Bindings that end the program or leave it.
const CHECKED_ALONE: [&str; 5] = ["quit", "suspend", "help-quit", "text-suspend", "text-quit"];

fn at_home(dashboard: &Dashboard, after: &Binding, key: &str) {
    let said = format!(
        "{} ({key}) leads back to the live view of pods by CPU",
        after.id
    );
    dashboard.terminal.wait_until(&said, |screen, _| {
        let text = screen.contents();
        let home = current_view(screen).as_deref() == Some("Pods")
            && text.contains("LIVE")
            && text.contains("CPU▼")
            && text.contains("span 15m")
            && !text.contains("\n / ");
        home.then_some(())
    });
}

fn every_key_of(modes: &[Mode], arguments: &[&str]) {
    let mut dashboard = Dashboard::start(arguments);
    dashboard.show("3", "Pods");
    // Time to go back to.
    dashboard.wait_selected("usage", |row| row.contains('m') && row.contains("Mi"));
    let bindings = BINDINGS
        .iter()
        .filter(|binding| modes.contains(&binding.mode));
    for binding in bindings.filter(|binding| !CHECKED_ALONE.contains(&binding.id)) {
        let check =
            check(binding.id).unwrap_or_else(|| panic!("there is no check of {}", binding.id));
        for key in binding.keys {
            check(&mut dashboard, key);
            at_home(&dashboard, binding, key);
        }
    }
}

#[test]
fn every_binding_has_a_check() {
    for binding in BINDINGS.iter() {
        let checked = check(binding.id).is_some() || CHECKED_ALONE.contains(&binding.id);
        assert!(checked, "there is no check of {}", binding.id);
    }
}

#[test]
fn every_key_does_what_it_says_with_the_servers_own_api() {
    every_key_of(&[Mode::Browse], &[]);
}

#[test]
fn every_key_does_what_it_says_with_any_metrics_server() {
    every_key_of(&[Mode::Browse], &["--source", "metrics"]);
}

#[test]
fn every_key_does_what_it_says_on_text_pages_and_in_questions() {
    every_key_of(&[Mode::Text, Mode::Confirm], &[]);
}

#[test]
fn every_key_does_what_it_says_in_lines_lists_and_the_help() {
    every_key_of(&[Mode::Filter, Mode::Pick, Mode::Help, Mode::Map], &[]);
}

/// Stops the time, so that rows stay where they are. Press space to continue.
fn pause(dashboard: &mut Dashboard) {
    dashboard.terminal.press("space");
    dashboard.terminal.wait_for_text("PAUSED");
}

fn moves(dashboard: &mut Dashboard, key: &str) {
    pause(dashboard);
    dashboard.terminal.press("g");
    dashboard.wait_pointer("the first row", |below| below == 1);
    let down = matches!(key, "down" | "j" | "pgdn" | "ctrl-f" | "G");
    if !down {
        dashboard.terminal.press("G");
        dashboard.wait_pointer("the last row", |below| below > 1);
    }
    let before = dashboard.wait_selected("a row", |row| !row.is_empty());
    dashboard.terminal.press(key);
    dashboard.wait_selected("another row", |row| row != before);
    dashboard.terminal.press("g");
    dashboard.wait_pointer("the first row", |below| below == 1);
    dashboard.terminal.press("space");
}

fn enters_and_comes_back(dashboard: &mut Dashboard, key: &str) {
    pause(dashboard);
    let (namespace, name) = dashboard.pod();
    let enter = if key == "esc" { "enter" } else { key };
    dashboard.terminal.press(enter);
    dashboard
        .terminal
        .wait_for(&format!("the page of {namespace}/{name}"), |text| {
            !text.contains("NAMESPACE") && text.contains(&name)
        });
    dashboard.terminal.press("esc");
    dashboard.wait_selected("the same pod", |row| row.contains(&name));
    dashboard.terminal.press("space");
}

fn acknowledges(dashboard: &mut Dashboard, key: &str) {
    dashboard.terminal.press(key);
    // Whether the pod needs attention is for the cluster to say.
    dashboard
        .terminal
        .wait_for("what was acknowledged", |text| {
            text.contains("acknowledged") || text.contains("needs no attention")
        });
    dashboard.terminal.press(key);
    dashboard
        .terminal
        .wait_for("that it is taken back", |text| {
            text.contains("needs attention again") || text.contains("needs no attention")
        });
}

fn goes_to_the_next_view(dashboard: &mut Dashboard, key: &str) {
    dashboard.terminal.press(key);
    dashboard.wait_view(if key == "tab" { "Containers" } else { "Nodes" });
    dashboard.show("3", "Pods");
}

fn goes_to(dashboard: &mut Dashboard, key: &str, title: &str) {
    if title == "Pods" {
        dashboard.show("2", "Nodes");
    }
    dashboard.show(key, title);
    dashboard.show("3", "Pods");
}

/// Presses the key on the map, where this text then is. Ends what the key may have opened.
fn on_the_map(dashboard: &mut Dashboard, key: &str, text: &str) {
    dashboard.show("9", "Map");
    dashboard.terminal.press(key);
    dashboard.terminal.wait_for_text(text);
    dashboard.terminal.press("end");
    dashboard.terminal.wait_for_text("LIVE");
    dashboard.show("3", "Pods");
}

fn pauses(dashboard: &mut Dashboard, key: &str) {
    dashboard.terminal.press(key);
    dashboard.terminal.wait_for_text("PAUSED");
    dashboard.terminal.press(key);
    dashboard.terminal.wait_for_text("LIVE");
}

/// Whether a time in the past is shown, and what was then is there.
fn past(text: &str) -> bool {
    let title = text.lines().next().unwrap_or_default();
    title.contains(" PAST ") && !title.contains("loading")
}

fn goes_back_in_time(dashboard: &mut Dashboard, key: &str) {
    dashboard.terminal.press(key);
    dashboard.terminal.wait_for("a time in the past", past);
    dashboard.terminal.press("end");
    dashboard.terminal.wait_for_text("LIVE");
}

fn comes_back_in_time(dashboard: &mut Dashboard, key: &str) {
    dashboard.terminal.press("left");
    dashboard.terminal.wait_for("a time in the past", past);
    // It goes on meanwhile, so one step may not be enough.
    for _ in 0..60 {
        dashboard.terminal.press(key);
        let text = dashboard
            .terminal
            .wait_for("a time", |text| text.contains("LIVE") || past(text));
        if text.contains("LIVE") {
            break;
        }
    }
    dashboard.terminal.wait_for_text("LIVE");
}

fn changes_the_span(dashboard: &mut Dashboard, key: &str, back: &str) {
    dashboard.terminal.press(key);
    dashboard.terminal.wait_for("another span", |text| {
        text.contains("span ") && !text.contains("span 15m")
    });
    dashboard.terminal.press(back);
    dashboard.terminal.wait_for_text("span 15m");
}

fn filters(dashboard: &mut Dashboard, key: &str) {
    dashboard.terminal.press(key);
    dashboard.terminal.wait_for_text("\n /");
    dashboard.terminal.send("ns=kube-system");
    dashboard.wait_selected("a pod of kube-system", |row| {
        row.trim_start().starts_with("kube-system")
    });
    dashboard.terminal.press("enter");
    dashboard.terminal.press("backspace");
}

fn clears_the_filter(dashboard: &mut Dashboard, key: &str) {
    dashboard.terminal.send("/cpu>1000m");
    dashboard.terminal.wait_for_text("No pods match the filter");
    dashboard.terminal.press("enter");
    dashboard.terminal.press(key);
    dashboard.terminal.wait_for("all pods", |text| {
        !text.contains("No pods match the filter")
    });
}

fn undoes_the_last_change_of_the_filter(dashboard: &mut Dashboard, key: &str) {
    clears_the_filter(dashboard, "backspace");
    dashboard.terminal.press(key);
    dashboard.terminal.wait_for_text("No pods match the filter");
    dashboard.terminal.press("backspace");
    dashboard.terminal.wait_for("all pods", |text| {
        !text.contains("No pods match the filter")
    });
}

fn sorts_by_another_column(dashboard: &mut Dashboard, key: &str) {
    dashboard.terminal.press(key);
    dashboard.terminal.wait_for("another column", |text| {
        !text.contains("CPU▼") && (text.contains('▼') || text.contains('▲'))
    });
    dashboard.terminal.press("P");
}

fn sorts_the_other_way_round(dashboard: &mut Dashboard, key: &str) {
    dashboard.terminal.press(key);
    dashboard.terminal.wait_for_text("CPU▲");
    dashboard.terminal.press(key);
    dashboard.terminal.wait_for_text("CPU▼");
}

fn sorts_by(dashboard: &mut Dashboard, key: &str, title: &str) {
    if title == "CPU" {
        dashboard.terminal.press("M");
        dashboard.terminal.wait_for_text("MEM▼");
    }
    dashboard.terminal.press(key);
    let signs = [format!("{title}▼"), format!("{title}▲")];
    dashboard
        .terminal
        .wait_for(&format!("sorted by {title}"), |text| {
            signs.iter().any(|sign| text.contains(sign.as_str()))
        });
    if title != "CPU" {
        dashboard.terminal.press("P");
    }
}

fn opens(dashboard: &mut Dashboard, key: &str, heading: &str) {
    dashboard.terminal.press(key);
    dashboard.terminal.wait_for_text(heading);
    dashboard.terminal.press("esc");
    dashboard
        .terminal
        .wait_for("it is closed", |text| !text.contains(heading));
}

fn shows_one_namespace(dashboard: &mut Dashboard, key: &str) {
    let (namespace, _) = dashboard.pod();
    dashboard.terminal.press(key);
    dashboard.terminal.wait_for_text(&format!("ns {namespace}"));
    dashboard.terminal.press(key);
    dashboard.terminal.wait_for("all namespaces", |text| {
        !text.contains(&format!("ns {namespace}"))
    });
}

fn lays_over(dashboard: &mut Dashboard, key: &str) {
    dashboard.terminal.press(key);
    dashboard.terminal.wait_for_text("CPU and memory");
    // Through all of them, back to the usual charts.
    dashboard.terminal.press(key);
    dashboard.terminal.wait_for_text("earlier");
    dashboard.terminal.press(key);
    dashboard.terminal.wait_for_text("charts show usage");
}

fn says_that_there_is_one_cluster(dashboard: &mut Dashboard, key: &str) {
    dashboard.terminal.press(key);
    dashboard.terminal.wait_for_text("there is one cluster");
}

fn leaves_the_mouse_and_takes_it(dashboard: &mut Dashboard, key: &str) {
    dashboard.terminal.press(key);
    dashboard.terminal.wait_for_text("the mouse selects text");
    dashboard.terminal.press(key);
    dashboard.terminal.wait_for_text("the mouse is used here");
}

fn copies(dashboard: &mut Dashboard, key: &str) {
    dashboard.terminal.press(key);
    dashboard.terminal.wait_for_written("\x1b]52;c;");
    dashboard.terminal.wait_for_text("copied");
}

fn exports(dashboard: &mut Dashboard, key: &str, ending: &str) {
    dashboard.terminal.press(key);
    let said = dashboard.terminal.wait_for("where it was written", |text| {
        text.contains("vitals-pods-") && text.contains(&format!(".{ending}"))
    });
    let word = said
        .split_whitespace()
        .find(|word| word.contains("vitals-pods-"))
        .unwrap();
    let file = word.rsplit('/').next().unwrap();
    let text = std::fs::read_to_string(dashboard.folder().join(file)).unwrap();
    assert!(text.lines().count() > 20, "{text}");
}

fn draws_anew(dashboard: &mut Dashboard, key: &str) {
    let cleared = |written: &[u8]| {
        written
            .windows(4)
            .filter(|bytes| *bytes == b"\x1b[2J")
            .count()
    };
    let before = cleared(&dashboard.terminal.written());
    dashboard.terminal.press(key);
    dashboard
        .terminal
        .wait_until("a cleared screen", |_, written| {
            (cleared(written) > before).then_some(())
        });
}

/// Presses a key and waits for a text.
fn says(dashboard: &mut Dashboard, key: &str, text: &str) {
    dashboard.terminal.press(key);
    dashboard.terminal.wait_for_text(text);
}

fn closes_the_help(dashboard: &mut Dashboard, key: &str) {
    dashboard.terminal.press("?");
    dashboard.terminal.wait_for_text("Help ─");
    dashboard.terminal.press(key);
    dashboard
        .terminal
        .wait_for("no help", |text| !text.contains("Help ─"));
}

fn turns_the_page(dashboard: &mut Dashboard, key: &str, on_it: &str) {
    dashboard.terminal.press("?");
    dashboard.terminal.wait_for_text("move one row down");
    dashboard.terminal.press(key);
    dashboard.terminal.wait_for_text(on_it);
    dashboard.terminal.press("esc");
    dashboard
        .terminal
        .wait_for("no help", |text| !text.contains("esc: close"));
}

fn changes_the_time_zone(dashboard: &mut Dashboard, key: &str) {
    dashboard.terminal.press(key);
    let text = dashboard.terminal.wait_for_text("times are now in ");
    let zone = text.split("times are now in ").nth(1);
    let zone = zone.and_then(|rest| rest.split_whitespace().next());
    let title = text.lines().next().unwrap_or_default();
    assert!(title.contains(zone.unwrap_or("a zone")), "{title}");
    dashboard.terminal.press(key);
    dashboard.terminal.wait_for_text("times are now in UTC");
}

fn scrolls_the_help(dashboard: &mut Dashboard, key: &str) {
    dashboard.terminal.press("?");
    let top = dashboard.terminal.wait_for_text("move one row down");
    let up = matches!(key, "up" | "k" | "pgup");
    if up {
        dashboard.terminal.press("pgdn");
        dashboard
            .terminal
            .wait_for("further down", |text| !text.contains("move one row down"));
        // Up to the top, in as many steps as it takes.
        for _ in 0..60 {
            dashboard.terminal.press(key);
        }
        dashboard.terminal.wait_for_text("move one row down");
    } else {
        dashboard.terminal.press(key);
        dashboard.terminal.wait_for("further down", |text| {
            text.contains("Help ─") && !text.contains("move one row down") || *text != *top
        });
    }
    dashboard.terminal.press("esc");
    dashboard
        .terminal
        .wait_for("no help", |text| !text.contains("Help ─"));
}

#[test]
fn commands_go_where_they_say_and_a_filter_is_undone() {
    let mut dashboard = Dashboard::start(&[]);
    dashboard.terminal.send(":no\r");
    dashboard.wait_view("Nodes");
    dashboard.terminal.send(":pods ns=kube-system\r");
    dashboard.wait_view("Pods");
    dashboard.terminal.wait_for_text("/ ns=kube-system");
    dashboard.terminal.press("u");
    dashboard
        .terminal
        .wait_for("no filter", |text| !text.contains("/ ns=kube-system"));
    dashboard.terminal.send(":podz\r");
    dashboard
        .terminal
        .wait_for_text("there is no command \"podz\"; the nearest is pods");
    dashboard.terminal.press("esc");
    // Escape and a key right after it are one key.
    dashboard
        .terminal
        .wait_for("no palette", |text| !text.contains("Commands ─"));
    dashboard.terminal.wait_for_written("\x1b[22;2t");
    dashboard.terminal.wait_for_written("\x1b]2;vitals ");
    dashboard.terminal.send(":q!\r");
    assert_eq!(dashboard.terminal.wait_for_end(), 0);
    dashboard.terminal.wait_for_written("\x1b[23;2t");
}
