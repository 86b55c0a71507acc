//! Logs, commands of kubectl and changes of the cluster, from the dashboard to the simulated API server.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use kubevitals_sim::Fault;
use kubevitals_sim::identity::{Rule, Subject};
use kubevitals_sim::objects::Resource;
use serde_json::Value;

use super::clusters::Lab;
use super::selected;
use crate::terminal::Terminal;

/// Opens the dashboard of a lab with `environment`.
fn open(lab: &Lab, arguments: &[&str], environment: &[(&str, &str)]) -> Terminal {
    let path = lab.folder.path().join("kubeconfig");
    std::fs::write(&path, lab.cluster.kubeconfig()).unwrap();
    let path = path.display().to_string();
    let arguments = [&["--kubeconfig", &path, "--view", "pods"], arguments].concat();
    let place = lab.folder.path().display().to_string();
    let terminal = Terminal::start(&arguments, &place, 160, 40, environment);
    terminal.wait_for("pods", |text| {
        text.contains("Running") && text.contains("LIVE")
    });
    terminal
}

/// Shows only the rows that match a filter, and waits for the first one.
fn filter(terminal: &mut Terminal, filter: &str, row: &str) {
    terminal.press("/");
    terminal.send(filter);
    terminal.wait_for_text(&format!(" / {filter}"));
    terminal.press("enter");
    terminal.press("g");
    terminal.wait_until(row, |screen, _| {
        selected(screen).filter(|it| it.contains(row))
    });
}

/// Chooses an entry of the list of actions.
fn choose(terminal: &mut Terminal, name: &str) {
    terminal.press(".");
    terminal.wait_for_text("The selected row");
    terminal.send(name);
    terminal.wait_for_text(&format!("> {name}"));
    terminal.press("enter");
}

#[test]
fn a_crash_is_read_in_the_previous_log_and_esc_goes_back() {
    let lab = Lab::start();
    assert!(lab.cluster.inject(Fault::CrashLoop));
    let mut terminal = open(&lab, &[], &[]);
    terminal.press("/");
    terminal.send("restarts>0");
    terminal.press("enter");
    let row = terminal.wait_until("the restarted pod", |screen, _| {
        selected(screen).filter(|row| row.contains("exit 7"))
    });
    let name = row.split_whitespace().nth(1).unwrap().to_owned();
    terminal.press("p");
    let text = terminal.wait_for("the last words", |text| text.contains("exit status 7"));
    assert!(
        text.contains(&name) && text.contains("before the last restart"),
        "{text}"
    );
    assert!(text.contains("!!"), "{text}");
    terminal.press("l");
    terminal.wait_for("the live log", |text| text.contains("following"));
    terminal.press("esc");
    terminal.wait_until("the same row", |screen, _| {
        selected(screen).filter(|row| row.contains(&name))
    });
}

#[test]
fn what_is_not_allowed_is_one_line() {
    let lab = Lab::start();
    let subject = Subject::service_account("shop", "jane");
    let see = |group: &str, resources: &[&str]| {
        Rule::resources(&["get", "list", "watch"], group, resources)
    };
    lab.cluster
        .identities()
        .grant(subject.clone(), see("", &["pods", "nodes"]));
    lab.cluster.identities().grant(
        subject,
        see(
            "kubevitals.io",
            &["podvitals", "nodevitals", "clustervitals"],
        ),
    );
    let kubeconfig = lab.cluster.api().service_account_kubeconfig("shop", "jane");
    let mut terminal = lab.dashboard(&kubeconfig, &["--view", "pods", "--allow-actions"]);
    terminal.wait_for("pods", |text| text.contains("Running"));
    filter(&mut terminal, "name=postgres-0", "postgres-0");
    terminal.press("l");
    terminal.wait_for_text(
        "forbidden: User \"system:serviceaccount:shop:jane\" cannot get pods/log in namespace shop",
    );
    terminal.press("d");
    terminal.wait_for_text("Controlled By:");
    terminal.press("G");
    terminal.wait_for_text("cannot be read: forbidden");
    terminal.press("esc");
    choose(&mut terminal, "Delete");
    terminal.press("enter");
    terminal.wait_for_text("cannot delete Pod shop/postgres-0: forbidden: User");
    assert!(
        lab.cluster
            .store()
            .get(Resource::Pods, Some("shop"), "postgres-0")
            .is_some()
    );
}

#[test]
fn changes_are_refused_without_the_flag_and_in_a_protected_context() {
    let lab = Lab::start();
    let config = lab.folder.path().join("config.toml");
    std::fs::write(
        &config,
        "allow-actions = true\nprotected = [\"kubevitals-*\"]\n",
    )
    .unwrap();
    let config = config.display().to_string();
    for (arguments, why) in [
        (&[][..], "needs --allow-actions"),
        (&["--config", &config], "is protected in the configuration"),
    ] {
        let mut terminal = open(&lab, arguments, &[]);
        filter(&mut terminal, "name=postgres-0", "postgres-0");
        terminal.press(".");
        terminal.wait_for("the reason", |text| {
            text.contains("not available: ") && text.contains(why)
        });
        terminal.press("esc");
        terminal.wait_for("no list", |text| !text.contains("The selected row"));
        choose(&mut terminal, "Delete");
        terminal.wait_for("the refusal", |text| {
            text.contains("not done: ") && text.contains(why)
        });
        assert!(
            lab.cluster
                .store()
                .get(Resource::Pods, Some("shop"), "postgres-0")
                .is_some()
        );
    }
}

#[test]
fn changes_are_confirmed_and_done() {
    let lab = Lab::start();
    let store = lab.cluster.store();
    let mut terminal = open(&lab, &["--allow-actions"], &[]);
    filter(&mut terminal, "name=postgres-0", "postgres-0");
    let uid = || {
        let pod = store.get(Resource::Pods, Some("shop"), "postgres-0")?;
        Some(pod.to_value(Resource::Pods)["metadata"]["uid"].clone())
    };
    let before = uid();
    choose(&mut terminal, "Delete");
    terminal.wait_for_text("delete Pod shop/postgres-0.");
    assert_eq!(uid(), before, "it was not confirmed yet");
    terminal.press("enter");
    terminal.wait_for_text("done: delete Pod shop/postgres-0");
    // Its workload creates another one.
    terminal.wait_until("another pod", |_, _| {
        (uid().is_some() && uid() != before).then_some(())
    });

    terminal.press("5");
    filter(&mut terminal, "web", "web");
    let replicas = || {
        let web = store
            .get(Resource::Deployments, Some("shop"), "web")
            .unwrap();
        web.to_value(Resource::Deployments)["spec"]["replicas"].clone()
    };
    choose(&mut terminal, "Scale");
    terminal.wait_for_text("The number of replicas of Deployment shop/web");
    terminal.send("0\r");
    terminal.wait_for_text("Type the name to confirm: web");
    assert_ne!(replicas(), 0);
    terminal.send("web\r");
    terminal.wait_for_text("done: scale Deployment shop/web to 0");
    assert_eq!(replicas(), 0);

    terminal.press("2");
    terminal.press("g");
    terminal.wait_until("a node", |screen, _| {
        selected(screen).filter(|row| row.contains("node-"))
    });
    choose(&mut terminal, "Cordon");
    terminal.press("enter");
    terminal.wait_for_text("SchedulingDisabled");
}

/// The pods on node-0001 that a drain evicts.
fn pods_to_evict(lab: &Lab) -> Vec<String> {
    let pods = lab.cluster.store().snapshot(Resource::Pods);
    let pods = pods
        .range(None, None)
        .map(|(_, pod)| pod.to_value(Resource::Pods));
    let is_evicted = |pod: &Value| {
        pod["spec"]["nodeName"] == "node-0001"
            && pod["metadata"]["deletionTimestamp"].is_null()
            && pod["metadata"]["ownerReferences"][0]["kind"] != "DaemonSet"
    };
    pods.filter(is_evicted)
        .map(|pod| pod["metadata"]["name"].to_string())
        .collect()
}

fn drain(terminal: &mut Terminal) {
    choose(terminal, "Drain");
    terminal.wait_for_text("Type the name to confirm: node-0001");
    terminal.send("node-0001\r");
}

#[test]
fn a_cancelled_drain_evicts_no_other_pod() {
    let lab = Lab::start();
    let before = pods_to_evict(&lab);
    let count = before.len();
    assert!(count > 3, "{before:?}");
    lab.cluster.api().protect_pods(true);
    let mut terminal = open(&lab, &["--allow-actions"], &[]);
    terminal.press("2");
    filter(&mut terminal, "name=node-0001", "node-0001");
    drain(&mut terminal);
    let progress = format!("0 of {count} pods evicted");
    terminal.wait_for("a protected pod", |text| {
        text.contains(&progress) && text.contains("disruption budget")
    });
    terminal.press("esc");
    terminal.wait_for_text(&format!(
        "cancelled the drain of Node node-0001: {progress}"
    ));
    // The drain has ended, so that it matters no more what the budgets allow.
    lab.cluster.api().protect_pods(false);
    assert_eq!(pods_to_evict(&lab), before);
    terminal.wait_for_text("SchedulingDisabled");

    drain(&mut terminal);
    terminal.wait_for_text(&format!("drained Node node-0001: {count} pods evicted"));
    assert_eq!(pods_to_evict(&lab), [""; 0]);
}

/// Asks for a shell in the first container.
fn ask_for_a_shell(terminal: &mut Terminal) {
    terminal.press("!");
    terminal.wait_for_text("Containers ─");
    terminal.press("enter");
    terminal.wait_for_text("pod/postgres-0 -- sh -c");
}

/// A stand-in for kubectl, which writes down its arguments and leaves the terminal as no program should.
const KUBECTL: &str = r#"#!/bin/sh
folder=$(dirname "$0")
printf '%s\n' "$@" > "$folder/args"
[ -t 0 ] && [ -t 1 ] && echo terminal > "$folder/has"
printf 'password of the shell: '
read -r typed
printf '%s\n' "$typed" > "$folder/typed"
stty raw -echo -opost
printf '\033c\033[?1049h\033[?25l\033[?1003h\033[3;5r\033[?6h\033[4h\033(0NOISE\033[31;7m'
exit 3
"#;

fn stand_in(folder: &Path) {
    let path = folder.join("kubectl");
    std::fs::write(&path, KUBECTL).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn the_terminal_is_whole_after_a_shell() {
    let lab = Lab::start();
    let folder = lab.folder.path();
    stand_in(folder);
    let search = format!("{}:/usr/bin:/bin", folder.display());
    let mut terminal = open(&lab, &[], &[("PATH", &search)]);
    filter(&mut terminal, "name=postgres-0", "postgres-0");
    let before = terminal.text();
    ask_for_a_shell(&mut terminal);
    terminal.press("enter");
    terminal.wait_until("the prompt on the original screen", |screen, _| {
        (screen.contents().contains("password of the shell:") && !screen.alternate_screen())
            .then_some(())
    });
    terminal.assert_sane();
    terminal.send("hello\r");
    terminal.wait_for_text("kubectl ended with exit code 3");
    assert!(terminal.is_raw());
    terminal.inspect(|screen| {
        assert!(screen.alternate_screen() && screen.hide_cursor() && screen.bracketed_paste());
        assert!(!screen.contents().contains("NOISE"));
    });
    let heading = |text: &str| text.lines().nth(7).map(str::to_owned);
    assert_eq!(heading(&terminal.text()), heading(&before));
    let read = |file: &str| std::fs::read_to_string(folder.join(file)).unwrap_or_default();
    let args = read("args");
    let args: Vec<&str> = args.lines().collect();
    let kubeconfig = format!("--kubeconfig={}", folder.join("kubeconfig").display());
    assert_eq!(args[0], kubeconfig);
    assert!(
        args[1].starts_with("--context=") && args[2] == "--namespace=shop",
        "{args:?}"
    );
    assert_eq!(args[3..6], ["exec", "--stdin", "--tty"]);
    assert_eq!(args[7..10], ["pod/postgres-0", "--", "sh"]);
    assert_eq!(
        (read("typed").trim(), read("has").trim()),
        ("hello", "terminal")
    );
    // Keys still work, and the shell gets its terminal back.
    terminal.press("2");
    terminal.wait_for_text("node-0001");
    terminal.press("q");
    terminal.wait_for_end();
    terminal.assert_sane();
}

#[test]
fn without_kubectl_it_is_said_what_to_install() {
    let lab = Lab::start();
    let mut terminal = open(&lab, &[], &[("PATH", "/nonexistent")]);
    filter(&mut terminal, "name=postgres-0", "postgres-0");
    ask_for_a_shell(&mut terminal);
    terminal.press("enter");
    terminal.wait_for_text("cannot run kubectl: it is not in the PATH; install it from");
    terminal.press("q");
    terminal.wait_for_end();
    terminal.assert_sane();
}

#[test]
fn a_size_that_changes_during_a_shell_is_that_of_the_dashboard_afterwards() {
    let lab = Lab::start();
    let folder = lab.folder.path();
    stand_in(folder);
    let search = format!("{}:/usr/bin:/bin", folder.display());
    let mut terminal = open(&lab, &[], &[("PATH", &search)]);
    filter(&mut terminal, "name=postgres-0", "postgres-0");
    ask_for_a_shell(&mut terminal);
    terminal.press("enter");
    terminal.wait_for_text("password of the shell:");
    terminal.resize(100, 20);
    terminal.send("hello\r");
    terminal.wait_for_text("kubectl ended with exit code 3");
    terminal.press("3");
    terminal.wait_until("the keys in the last row", |screen, _| {
        let last = screen.rows(0, 100).last()?;
        last.trim_end().ends_with("q quit").then_some(())
    });
}
