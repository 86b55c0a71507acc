//! The layout of `captures/scenarios/`: a folder for each scenario, a file for each scrape.

use std::path::Path;

use serde_json::{Value, json};

use super::script::{ReplayError, Script, Step, read};
use crate::objects::Resource;

const NAMESPACE: &str = "scn";

/// Reads every folder whose name begins with a number.
pub(super) fn read_all(path: &Path) -> Result<Vec<Script>, ReplayError> {
    let fail = |source| ReplayError::Read {
        path: path.to_owned(),
        source,
    };
    let mut folders = Vec::new();
    for entry in std::fs::read_dir(path).map_err(fail)? {
        let entry = entry.map_err(fail)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let number = name.split('-').next().unwrap_or_default().to_owned();
        if entry.path().is_dir() && number.len() == 2 && number.bytes().all(|b| b.is_ascii_digit())
        {
            folders.push((number, entry.path()));
        }
    }
    folders.sort();
    folders
        .iter()
        .map(|(number, folder)| script(number, folder))
        .collect()
}

fn script(number: &str, folder: &Path) -> Result<Script, ReplayError> {
    let mut steps = Vec::new();
    loop {
        let k = steps.len() + 1;
        let (page, failed) = (
            folder.join(format!("{k}.txt")),
            folder.join(format!("{k}.500")),
        );
        let resource = if page.exists() {
            Ok(read(&page)?)
        } else if failed.exists() {
            Err(500)
        } else {
            break;
        };
        steps.push(Step {
            resource,
            probes: None,
            summary: None,
            pods: None,
            events: None,
            nodes: None,
        });
    }
    let node = format!("scn-{number}");
    let mut names = vec![format!("p{number}")];
    if number == "05" {
        names.push(format!("q{number}"));
    }
    let objects = names
        .iter()
        .map(|name| (Resource::Pods, pod(name, &node)))
        .collect();
    Ok(Script {
        node,
        uid: None,
        memory: None,
        namespace: NAMESPACE.to_owned(),
        objects,
        steps,
    })
}

/// A pod with containers `a` and `b`: running, but for the one that the scenario is about.
fn pod(name: &str, node: &str) -> Value {
    let phase = if name == "p18" { "Pending" } else { "Running" };
    let container =
        |name: &str| json!({"name": name, "image": "registry.example/scn:1", "resources": {}});
    json!({
        "metadata": {"name": name, "namespace": NAMESPACE, "labels": {"app": name, "scenario": node}},
        "spec": {"containers": [container("a"), container("b")], "nodeName": node, "restartPolicy": "Always"},
        "status": {"phase": phase, "qosClass": "BestEffort"},
    })
}
