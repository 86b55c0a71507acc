//! `vitals rightsize` on simulated clusters whose demand is known, with simulated time.

use std::collections::BTreeMap;
use std::process::Command;
use std::time::Duration;

use kubevitals::batch::{Streams, rightsize};
use kubevitals::cli;
use kubevitals_proto::time::Timestamp;
use kubevitals_sim::objects::Resource;
use kubevitals_sim::{Config, Fault, Faults, Happening, SimClock};
use serde_json::Value;

use crate::running::Running;
use crate::schemas;

const SECOND: i64 = 1_000_000_000;

/// The start of the simulation.
const BEGAN: Timestamp = Timestamp::from_secs(1_800_000_000);

async fn cluster() -> Running {
    Running::simulated(Config {
        nodes: 2,
        pods_per_node: 14,
        seed: 3,
        faults: Faults::None,
        clock: Some(SimClock::manual(BEGAN)),
        ..Config::default()
    })
    .await
}

/// What the command prints.
async fn printed(running: &Running, flags: &str) -> String {
    let kubeconfig = running.kubeconfig();
    let words = [
        "vitals",
        "rightsize",
        "--kubeconfig",
        kubeconfig.to_str().unwrap(),
    ];
    let words = words.into_iter().chain(flags.split_whitespace());
    let parsed = cli::parse(words.map(Into::into)).unwrap();
    let Some(cli::Command::Rightsize(args)) = parsed.command else {
        panic!("{flags}");
    };
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut streams = Streams {
        out: &mut out,
        err: &mut err,
    };
    let done = rightsize::run(&parsed.connection, &args, &mut streams).await;
    done.unwrap_or_else(|error| panic!("{flags}: {error}"));
    assert_eq!(String::from_utf8(err).unwrap(), "");
    String::from_utf8(out).unwrap()
}

async fn items(running: &Running, flags: &str) -> Vec<Value> {
    let text = printed(running, &format!("-A -o json {flags}")).await;
    let document: Value = serde_json::from_str(&text).unwrap();
    schemas::fits("rightsize", &document);
    document["items"].as_array().unwrap().clone()
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap()
}

/// A container of a workload: its namespace, the name of the workload, and its own.
type Key = (String, String, String);

fn key(item: &Value) -> Key {
    let text = |key| text(item, key).to_owned();
    (text("namespace"), text("workload"), text("container"))
}

/// The containers that stay of each pod: its namespace and name, the name of its workload, and the container.
fn containers(running: &Running) -> Vec<(String, String, Key)> {
    let pods = running.cluster.store().snapshot(Resource::Pods);
    let mut all = Vec::new();
    for (_, object) in pods.range(None, None) {
        let pod = object.to_value(Resource::Pods);
        let (namespace, name) = (
            text(&pod["metadata"], "namespace"),
            text(&pod["metadata"], "name"),
        );
        let workload = text(&pod["metadata"]["labels"], "app");
        let list = |key: &str| pod["spec"][key].as_array().cloned().unwrap_or_default();
        let sidecars = list("initContainers").into_iter();
        let sidecars = sidecars.filter(|it| it["restartPolicy"] == "Always");
        for container in sidecars.chain(list("containers")) {
            let key = (
                namespace.to_owned(),
                workload.to_owned(),
                text(&container, "name").to_owned(),
            );
            all.push((namespace.to_owned(), name.to_owned(), key));
        }
    }
    all
}

/// The 95th percentile of CPU in cores, over all windows of a scrape interval, and the most memory in bytes: of the
/// replica with the highest, second by second.
fn demands(running: &Running) -> BTreeMap<Key, (f64, f64)> {
    const WINDOW: i64 = 15;
    let mut all: BTreeMap<Key, (f64, f64)> = BTreeMap::new();
    for (namespace, pod, key) in containers(running) {
        let of = |at| running.cluster.demand((&namespace, &pod, &key.2), at);
        let (mut rates, mut most) = (Vec::new(), 0);
        let mut at = BEGAN.plus_nanos(2 * WINDOW * SECOND);
        while at <= running.now() {
            let (before, now) = (
                of(at.plus_nanos(-WINDOW * SECOND)).unwrap(),
                of(at).unwrap(),
            );
            rates.push((now.cpu - before.cpu) as f64 / (WINDOW * SECOND) as f64);
            most = most.max(now.memory);
            at = at.plus_nanos(SECOND);
        }
        rates.sort_by(f64::total_cmp);
        let p95 = rates[(rates.len() * 95).div_ceil(100) - 1];
        let demand = all.entry(key).or_default();
        *demand = (demand.0.max(p95), demand.1.max(most as f64));
    }
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_known_demand_is_recovered_within_five_percent() {
    let mut running = cluster().await;
    running.pass_for(Duration::from_secs(40 * 60)).await;
    let demands = demands(&running);
    let items = items(&running, "--cpu-margin 0 --memory-margin 0").await;
    let mut found: Vec<Key> = items.iter().map(key).collect();
    found.sort();
    assert_eq!(found, demands.keys().cloned().collect::<Vec<_>>());
    let mut off = Vec::new();
    for item in &items {
        let (cpu, memory) = demands[&key(item)];
        let near =
            |found: f64, demand: f64, unit: f64| (found - demand).abs() <= demand * 0.05 + unit;
        let of = |resource: &str, pointer: &str| {
            let value = item[resource].pointer(pointer).and_then(Value::as_f64);
            value.unwrap_or_else(|| panic!("{resource}{pointer}: {item}"))
        };
        let [p95, most] = [of("cpu", "/usage/p95"), of("memory", "/usage/max")];
        if !near(p95, cpu, 0.0001) || !near(most, memory, 0.0) {
            off.push(format!(
                "{:?}: {p95} of {cpu}, {most} of {memory}",
                key(item)
            ));
        }
        // Whole millicores and mebibytes; what is requested already and hardly more stays.
        let request = of("cpu", "/advised/request");
        let seen = if item["guaranteed"] == true {
            of("cpu", "/usage/max")
        } else {
            p95
        };
        assert!(request >= seen && request <= seen * 1.05 + 0.001, "{item}");
        let request = of("memory", "/advised/request");
        assert!(request >= most, "{item}");
        assert!(
            request <= most.max(f64::from(7 << 20)) * 1.05 + f64::from(1 << 20),
            "{item}"
        );
    }
    assert_eq!(off, Vec::<String>::new());
    running.stop().await;
}

/// The containers for which this happened, with the names of their workloads.
fn struck(running: &Running, happening: &Happening) -> Vec<Key> {
    let faults = running.cluster.injected_faults();
    let its = faults.iter().filter(|fault| fault.what == *happening);
    let all = containers(running);
    let keys = its.map(|fault| {
        let mut its = all.iter().filter(|(namespace, pod, key)| {
            *namespace == fault.namespace && *pod == fault.name && key.2 == fault.container
        });
        its.next().unwrap().2.clone()
    });
    keys.collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leak_an_oom_kill_and_a_crash_loop_are_not_advised_on() {
    let mut running = cluster().await;
    let leaking = ("shop", "redis-0", "redis");
    assert!(running.cluster.leak(leaking, f64::from(48 << 10)));
    for fault in [Fault::CrashLoop, Fault::OomKill] {
        running.strike(fault).await;
        running.pass_for(Duration::from_secs(400)).await;
    }
    running.pass_for(Duration::from_secs(22 * 60)).await;
    let items = items(&running, "").await;
    let refused = |of: &Key, resource: &str| {
        let item = items.iter().find(|item| key(item) == *of).unwrap();
        let refused = &item[resource]["refused"];
        assert_eq!(
            refused.is_null(),
            !item[resource]["advised"].is_null(),
            "{item}"
        );
        let text = |key| refused[key].as_str().unwrap_or_default().to_owned();
        (text("reason"), text("message"))
    };
    let advised = (String::new(), String::new());
    let leak = (
        leaking.0.to_owned(),
        "redis".to_owned(),
        leaking.2.to_owned(),
    );
    let (reason, message) = refused(&leak, "memory");
    assert_eq!(reason, "MemoryGrows");
    assert!(
        message.starts_with("memory grows steadily (leak): at least "),
        "{message}"
    );
    assert_eq!(refused(&leak, "cpu"), advised);
    let killed = struck(&running, &Happening::OomKilled);
    assert!(!killed.is_empty());
    for of in &killed {
        let (reason, message) = refused(of, "memory");
        assert_eq!(reason, "OOMKilled", "{of:?}");
        assert!(
            message.contains("; raise the limit, then measure again"),
            "{message}"
        );
        assert_eq!(refused(of, "cpu"), advised);
    }
    let looping = struck(&running, &Happening::Exited { exit_code: 7 });
    assert!(looping.len() >= 3);
    for resource in ["cpu", "memory"] {
        let (reason, message) = refused(&looping[0], resource);
        assert_eq!(reason, "CrashLoop");
        assert!(message.starts_with("crash loop: "), "{message}");
    }
    // All others are advised.
    let mut not = vec![leak.clone(), looping[0].clone()];
    not.extend(killed);
    for item in items.iter().filter(|item| !not.contains(&key(item))) {
        assert!(
            item["memory"]["refused"].is_null() && item["cpu"]["refused"].is_null(),
            "{item}"
        );
    }
    forms_leave_out_what_is_not_advised(&running, &leak, &looping[0]).await;
    running.stop().await;
}

async fn forms_leave_out_what_is_not_advised(running: &Running, leak: &Key, looping: &Key) {
    let table = printed(running, "-A").await;
    let refusals = table.split_once("Cannot advise on:\n").unwrap().1;
    for (key, what) in [
        (leak, "memory: memory grows steadily"),
        (looping, "crash loop: "),
    ] {
        let line = refusals.lines().find(|line| {
            line.contains(&format!("/{}, container {}: ", key.1, key.2)) && line.contains(what)
        });
        assert!(line.is_some(), "{key:?}\n{table}");
    }
    let script = printed(running, "-A -o script").await;
    let commands: Vec<&str> = script
        .lines()
        .filter(|line| line.starts_with("kubectl "))
        .collect();
    let of = |key: &Key| {
        let container = format!("--containers={}", key.2);
        let namespace = format!("--namespace={}", key.0);
        let workload = format!("/{} ", key.1);
        commands.iter().find(move |line| {
            line.contains(&container) && line.contains(&namespace) && line.contains(&workload)
        })
    };
    assert!(of(looping).is_none(), "{script}");
    assert!(
        of(leak).is_none_or(|line| !line.contains("memory=")),
        "{script}"
    );
    // The shell accepts the script.
    let checked = Command::new("sh")
        .args(["-n", "-c", &script])
        .status()
        .unwrap();
    assert!(checked.success(), "{script}");
    // Too little history for any.
    let script = printed(running, "-A -o script --min-history 3h").await;
    assert!(!script.contains("\nkubectl "), "{script}");
    assert!(
        script.contains("less than 3h0m0s (--min-history)"),
        "{script}"
    );
}

/// The requests and limits of the containers of a workload, after kustomize has applied the patches to it.
fn patched(running: &Running, patches: &str, (namespace, name): (&str, &str)) -> Value {
    let store = running.cluster.store();
    let workload = store
        .get(Resource::Deployments, Some(namespace), name)
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let write = |file: &str, text: &str| std::fs::write(folder.path().join(file), text).unwrap();
    write(
        "workload.json",
        &workload.to_value(Resource::Deployments).to_string(),
    );
    write("patches.yaml", patches);
    write(
        "kustomization.yaml",
        "resources: [workload.json]\npatches: [{path: patches.yaml}]\n",
    );
    let built = Command::new("kubectl")
        .arg("kustomize")
        .arg(folder.path())
        .output()
        .unwrap();
    assert!(
        built.status.success(),
        "{}",
        String::from_utf8_lossy(&built.stderr)
    );
    // kubectl prints YAML; the converted object is compared as text.
    Value::String(String::from_utf8(built.stdout).unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn patches_and_commands_are_accepted_by_kubectl() {
    let mut running = cluster().await;
    running.pass_for(Duration::from_secs(6 * 60)).await;
    let flags = "-n shop --min-history 5m -l app=web";
    let all = items(&running, "--min-history 5m -l app=web").await;
    let item = all.iter().find(|item| item["container"] == "web").unwrap();
    let advised = item["cpu"]["advised"]["request"].as_f64().unwrap();
    let request = format!("cpu: {}m", (advised * 1000.0).round());
    let patches = printed(&running, &format!("{flags} -o kustomize")).await;
    let built = patched(&running, &patches, ("shop", "web"));
    assert!(
        built.as_str().unwrap().contains(&request),
        "{patches}\n{built}"
    );
    let script = printed(&running, &format!("{flags} -o script")).await;
    let script = script.replace(
        " set resources ",
        " set resources --dry-run=client -o yaml ",
    );
    let said = Command::new("sh").args(["-c", &script]).output().unwrap();
    let (out, err) = (
        String::from_utf8_lossy(&said.stdout),
        String::from_utf8_lossy(&said.stderr),
    );
    assert!(said.status.success(), "{script}\n{err}");
    assert!(out.contains(&request), "{script}\n{out}");
    // Workloads have one row, and money is per month.
    let table = printed(&running, &format!("{flags} --by workload --cpu-price 0.03")).await;
    let heading = table.lines().next().unwrap();
    let heading: Vec<&str> = heading.split_whitespace().collect();
    assert_eq!(
        heading[..5],
        ["WORKLOAD", "CONTAINERS", "PODS", "HISTORY", "CPU-REQ"]
    );
    assert_eq!(
        table
            .lines()
            .filter(|line| line.starts_with("Deployment/web"))
            .count(),
        1
    );
    assert!(table.contains(" a month."), "{table}");
    let csv = printed(&running, &format!("{flags} -o csv")).await;
    assert!(
        csv.starts_with(
            "namespace,kind,workload,container,pods,past-pods,history,samples,cpu-p50,"
        ),
        "{csv}"
    );
    running.stop().await;
}
