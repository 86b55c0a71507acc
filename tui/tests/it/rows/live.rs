//! On a simulated cluster with a vitals-server: every table in every form, the past, and changes.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use super::schema::SCHEMAS;
use super::{json_of, printed, run};
use crate::ask::At;
use crate::demo::Demo;
use crate::schemas::fits;

/// A demo whose pods all have usage.
fn demo(flags: &[&str]) -> Demo {
    let demo = Demo::start(&[&["--nodes", "2", "--pods-per-node", "6"], flags].concat());
    demo.wait_until("usage of all pods", |demo| {
        demo.kubeconfig().exists() && {
            let said = run(demo, "get pods -A -o json --filter cpu>0");
            let document = serde_json::from_str::<Value>(&said.out).unwrap_or_default();
            document["items"].as_array().map(Vec::len) >= Some(10)
        }
    });
    demo
}

#[test]
fn every_table_fits_its_schema_and_every_form_has_the_same_rows() {
    let demo = demo(&[]);
    for (name, kind) in SCHEMAS {
        let table = match name {
            "groups" => "pods --by workload".to_owned(),
            // All may pass.
            "probes" => "probes --filter !probe=none".to_owned(),
            name => name.to_owned(),
        };
        let line = format!("get {table} -A --total");
        let document = json_of(&demo, &format!("{line} -o json"));
        assert_eq!(
            (&document["kind"], &document["source"]),
            (&json!(kind), &json!("vitals"))
        );
        fits(name, &document);
        let count = document["items"].as_array().unwrap().len();
        if !matches!(name, "incidents") {
            assert!(count > 0, "{name}");
        }
        let csv = printed(&demo, &format!("{line} -o csv"));
        let mut reader = csv::Reader::from_reader(csv.as_bytes());
        assert_eq!(
            reader.records().map(Result::unwrap).count(),
            count + 1,
            "{name}"
        );
        let yaml = printed(&demo, &format!("{line} -o yaml"));
        assert_eq!(
            yaml.lines().filter(|line| line.starts_with("- ")).count(),
            count,
            "{name}"
        );
    }
    let all = "get pods -A -o json --columns";
    let fields = super::schema::columns("Pods").join(",");
    fits("pods", &json_of(&demo, &format!("{all} {fields}")));
    fits(
        "pods",
        &json_of(&demo, "top pods -A -o json --requests --limits"),
    );
    fits(
        "groups",
        &json_of(&demo, "top containers -A --by label:app -o json"),
    );
    // The past, and a time before it.
    let past = json_of(&demo, "get pods -A --at -1s -o json");
    fits("pods", &past);
    assert!(past["items"].as_array().unwrap().len() >= 10);
    // Statistics of a span: no sample is larger than the largest one.
    for (name, table) in [("pods", "pods"), ("containers", "ctr"), ("nodes", "nodes")] {
        let of = |stat: &str| {
            let line = format!("get {table} -A --span 15m --stat {stat} -o json");
            let document = json_of(&demo, &line);
            fits(name, &document);
            assert_eq!(
                (&document["stat"], &document["span"]),
                (&json!(stat), &json!("15m0s"))
            );
            let items = document["items"].as_array().unwrap().iter();
            items
                .filter_map(|item| item["cpu"].as_f64())
                .collect::<Vec<_>>()
        };
        let (median, max) = (of("p50"), of("max"));
        assert!(!median.is_empty() && median.len() == max.len(), "{name}");
        assert!(
            median.iter().zip(&max).all(|(median, max)| median <= max),
            "{name}"
        );
    }
    let out = printed(&demo, "top pods -A --span 15m --limit 1");
    assert!(out.contains("CPU p95   MEM p95\n"), "{out}");
    let said = run(&demo, "get pods -A --at -10h");
    assert_eq!((said.out.as_str(), said.code), ("", Some(1)));
    assert!(
        said.err.starts_with("error: cannot read the history: ") && said.err.lines().count() == 1
    );
}

/// A command that watches until it is dropped.
struct Watch(Child);

impl Watch {
    fn start(demo: &Demo, line: &str) -> Self {
        let child = Command::new(env!("CARGO_BIN_EXE_vitals"))
            .args(line.split_whitespace())
            .env("KUBECONFIG", demo.kubeconfig())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        Self(child.unwrap())
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        // Already gone is as good.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_watch_prints_what_changes_and_ends_quietly() {
    // Time runs fast, so that usage changes soon.
    let demo = demo(&["--speed", "20"]);
    let mut watch = Watch::start(&demo, "get pods -A --watch -o json --columns name,cpu");
    let mut lines = BufReader::new(watch.0.stdout.take().unwrap()).lines();
    let mut next = || serde_json::from_str::<Value>(&lines.next().unwrap().unwrap()).unwrap();
    let (first, second) = (next(), next());
    for document in [&first, &second] {
        fits("pods", document);
    }
    assert_ne!(first["items"], second["items"]);
    let pid = Pid::from_raw(i32::try_from(watch.0.id()).unwrap()).unwrap();
    kill_process(pid, Signal::TERM).unwrap();
    // What it had written before comes first.
    assert!(lines.all(|line| line.is_ok()));
    assert_eq!(watch.0.wait().unwrap().code(), Some(0));
    let mut err = String::new();
    std::io::Read::read_to_string(&mut watch.0.stderr.take().unwrap(), &mut err).unwrap();
    assert_eq!(err, "");

    let mut watch = Watch::start(&demo, "top pods -n shop --watch");
    let mut lines = BufReader::new(watch.0.stdout.take().unwrap()).lines();
    let mut next = || lines.next().unwrap().unwrap();
    let heading = next();
    assert!(heading.starts_with("NAME  "), "{heading}");
    // Later rows have no headings, and are aligned with the first ones.
    for _ in 0..20 {
        let row = next();
        assert!(!row.starts_with("NAME"), "{row}");
        assert_eq!(row.len(), heading.len(), "{row}");
    }
    // Nobody reads any more: the next row ends it.
    drop(lines);
    assert_eq!(watch.0.wait().unwrap().code(), Some(0));
}
