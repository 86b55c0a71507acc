//! Manifests and commands that change the requests and limits of workloads to the advised ones.

use std::fmt::Write as _;

use kubevitals_proto::quantity::Quantity;
use kubevitals_proto::units::{Bytes, Nanocores};
use kubevitals_proto::wire::object;
use serde_json::{Map, Value, json};

use super::evidence::{ContainerKey, Evidence};
use super::rules::Advice;
use crate::text::clean;

/// The requests and limits of a container that the advice changes, by resource.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Resources {
    /// Requests.
    pub requests: Vec<(&'static str, String)>,
    /// Limits.
    pub limits: Vec<(&'static str, String)>,
}

impl Resources {
    /// What changes; none if nothing does.
    pub fn of(evidence: &Evidence, advice: &Advice) -> Option<Self> {
        let spec = &evidence.spec;
        let mut changed = Self::default();
        if let Ok(cpu) = &advice.cpu {
            let text = |cpu: Nanocores| Quantity::from_nanocores(cpu).to_string();
            if spec.cpu_request != Some(cpu.request) {
                changed.requests.push(("cpu", text(cpu.request)));
            }
            if let Some(limit) = cpu.limit.filter(|limit| spec.cpu_limit != Some(*limit)) {
                changed.limits.push(("cpu", text(limit)));
            }
        }
        if let Ok(memory) = &advice.memory {
            let text = |memory: Bytes| Quantity::from_bytes(memory).to_string();
            if spec.memory_request != Some(memory.request) {
                changed.requests.push(("memory", text(memory.request)));
            }
            if let Some(limit) = memory
                .limit
                .filter(|limit| spec.memory_limit != Some(*limit))
            {
                changed.limits.push(("memory", text(limit)));
            }
        }
        (changed != Self::default()).then_some(changed)
    }

    fn to_json(&self) -> Value {
        let mut resources = Map::new();
        for (key, amounts) in [("requests", &self.requests), ("limits", &self.limits)] {
            if !amounts.is_empty() {
                let amounts = amounts.iter();
                let amounts = amounts.map(|(name, text)| ((*name).to_owned(), text.clone().into()));
                resources.insert(key.to_owned(), amounts.collect::<Map<_, _>>().into());
            }
        }
        resources.into()
    }
}

/// A workload with the containers that change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkloadChange<'a> {
    key: &'a ContainerKey,
    /// The name, whether it is a sidecar, and what changes.
    containers: Vec<(&'a str, bool, Resources)>,
}

impl<'a> WorkloadChange<'a> {
    /// The changes of each workload. `containers` are in the order of their keys.
    pub fn all(
        containers: impl Iterator<Item = (&'a ContainerKey, &'a Evidence, &'a Advice)>,
    ) -> Vec<Self> {
        let mut all: Vec<Self> = Vec::new();
        for (key, evidence, advice) in containers {
            let Some(resources) = Resources::of(evidence, advice) else {
                continue;
            };
            let container = (&*key.container, evidence.is_sidecar, resources);
            match all.last_mut() {
                Some(last) if last.is_of(key) => last.containers.push(container),
                _ => all.push(Self {
                    key,
                    containers: vec![container],
                }),
            }
        }
        all
    }

    fn is_of(&self, key: &ContainerKey) -> bool {
        (&self.key.namespace, &self.key.kind, &self.key.workload)
            == (&key.namespace, &key.kind, &key.workload)
    }

    /// The API version of the workload's kind; none for a kind that is not of Kubernetes' own, or whose template cannot
    /// be changed.
    fn api_version(&self) -> Option<&'static str> {
        match &*self.key.kind {
            "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" => Some("apps/v1"),
            "CronJob" => Some("batch/v1"),
            "ReplicationController" => Some("v1"),
            _ => None,
        }
    }

    /// Why no manifest or command changes the workload.
    fn unsupported(&self) -> String {
        let ContainerKey {
            namespace,
            kind,
            workload,
            ..
        } = self.key;
        let why = match &**kind {
            "Job" => "the template of a Job cannot be changed",
            "Pod" => "a pod without a workload must be created again",
            "Node" => "static pods are files on their node",
            _ => "only the owner of this kind can change it",
        };
        let text = format!("{namespace}: {kind}/{workload} is left out: {why}");
        clean(&text).into_owned()
    }

    /// A strategic-merge patch.
    fn patch(&self, api_version: &str) -> Value {
        let list = |is_sidecar: bool| {
            let of_list = self.containers.iter().filter(|it| it.1 == is_sidecar);
            let containers = of_list.map(
                |(name, _, resources)| json!({"name": name, "resources": resources.to_json()}),
            );
            containers.collect::<Vec<Value>>()
        };
        let mut spec = Map::new();
        for (key, containers) in [("initContainers", list(true)), ("containers", list(false))] {
            if !containers.is_empty() {
                spec.insert(key.to_owned(), containers.into());
            }
        }
        let template = json!({"template": {"spec": spec}});
        json!({
            "apiVersion": api_version,
            "kind": self.key.kind,
            "metadata": {"name": self.key.workload, "namespace": self.key.namespace},
            "spec": match &*self.key.kind {
                "CronJob" => json!({"jobTemplate": {"spec": template}}),
                _ => template,
            },
        })
    }

    /// A line for each container.
    fn commands(&self, connection: &[String], out: &mut String) {
        let workload = format!("{}/{}", self.key.kind.to_lowercase(), self.key.workload);
        for (container, _, resources) in &self.containers {
            out.push_str("kubectl");
            for flag in connection {
                let _ = write!(out, " {}", quoted(flag));
            }
            let namespace = format!("--namespace={}", self.key.namespace);
            let containers = format!("--containers={container}");
            let _ = write!(
                out,
                " set resources {} {} {}",
                quoted(&namespace),
                quoted(&workload),
                quoted(&containers)
            );
            for (flag, amounts) in [
                ("requests", &resources.requests),
                ("limits", &resources.limits),
            ] {
                if !amounts.is_empty() {
                    let amounts = amounts.iter().map(|(name, text)| format!("{name}={text}"));
                    let amounts: Vec<String> = amounts.collect();
                    let flag = format!("--{flag}={}", amounts.join(","));
                    let _ = write!(out, " {}", quoted(&flag));
                }
            }
            out.push('\n');
        }
    }
}

/// Strategic-merge patches as YAML documents, for the `patches` of a kustomization. `head` is a comment.
///
/// # Errors
/// Never: the patches are JSON.
pub fn kustomize(head: &[String], changes: &[WorkloadChange<'_>]) -> serde_json::Result<String> {
    let mut text = comment(head);
    let mut is_first = true;
    for change in changes {
        let Some(api_version) = change.api_version() else {
            text.push_str(&comment(&[change.unsupported()]));
            continue;
        };
        if !std::mem::take(&mut is_first) {
            text.push_str("---\n");
        }
        let yaml = object::text(&change.patch(api_version), true)?;
        text.push_str(&String::from_utf8_lossy(&yaml));
        if !text.ends_with('\n') {
            text.push('\n');
        }
    }
    Ok(text)
}

/// A shell script of `kubectl set resources`. `head` is a comment, and `connection` has the flags that choose the
/// cluster.
pub fn script(head: &[String], connection: &[String], changes: &[WorkloadChange<'_>]) -> String {
    let mut text = format!("#!/bin/sh\n{}set -eu\n", comment(head));
    for change in changes {
        match change.api_version() {
            Some(_) => change.commands(connection, &mut text),
            None => text.push_str(&comment(&[change.unsupported()])),
        }
    }
    text
}

/// Lines of a comment in a shell script or in YAML. A line feed in a line does not end the comment.
fn comment(lines: &[String]) -> String {
    let lines = lines.iter().map(|line| format!("# {}\n", clean(line)));
    lines.collect()
}

/// A word that a POSIX shell reads as this text.
fn quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@%+".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use proptest::prelude::*;

    use super::super::evidence::Spec;
    use super::super::rules::{Advised, Refusal};
    use super::*;

    fn container(kind: &str, container: &str) -> ContainerKey {
        ContainerKey {
            namespace: "shop".to_owned(),
            kind: kind.to_owned(),
            workload: "web".to_owned(),
            container: container.to_owned(),
        }
    }

    fn evidence(is_sidecar: bool) -> Evidence {
        Evidence {
            is_sidecar,
            replicas: 1,
            spec: Spec {
                cpu_request: Some(Nanocores(500_000_000)),
                cpu_limit: Some(Nanocores(1_000_000_000)),
                memory_request: Some(Bytes(64 << 20)),
                memory_limit: Some(Bytes(128 << 20)),
            },
            ..Evidence::default()
        }
    }

    fn advice() -> Advice {
        Advice {
            cpu: Ok(Advised {
                request: Nanocores(115_000_000),
                limit: Some(Nanocores(1_000_000_000)),
                at_least: false,
            }),
            memory: Ok(Advised {
                request: Bytes(200 << 20),
                limit: Some(Bytes(200 << 20)),
                at_least: false,
            }),
        }
    }

    /// The changes of containers of these kinds and names, with a container that is not advised.
    fn with<T>(names: &[(&str, &str, bool)], check: impl FnOnce(&[WorkloadChange<'_>]) -> T) -> T {
        let containers: Vec<(ContainerKey, Evidence, Advice)> = names
            .iter()
            .map(|(kind, name, is_sidecar)| {
                (container(kind, name), evidence(*is_sidecar), advice())
            })
            .collect();
        let refused = Advice {
            cpu: Err(Refusal::NoSamples),
            memory: Err(Refusal::NoSamples),
        };
        let other = (container("Deployment", "other"), evidence(false), refused);
        let all = containers.iter().chain([&other]);
        check(&WorkloadChange::all(
            all.map(|(key, evidence, advice)| (key, evidence, advice)),
        ))
    }

    #[test]
    fn a_patch_has_only_what_changes() {
        let names = [
            ("Deployment", "proxy", true),
            ("Deployment", "web", false),
            ("CronJob", "web", false),
        ];
        let text = with(&names, |changes| kustomize(&["head".to_owned()], changes)).unwrap();
        assert_eq!(
            text,
            "# head\n\
             apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\n  namespace: shop\nspec:\n  template:\n    spec:\n\
             \x20     containers:\n      - name: web\n        resources:\n          limits:\n            memory: 200Mi\n\
             \x20         requests:\n            cpu: 115m\n            memory: 200Mi\n\
             \x20     initContainers:\n      - name: proxy\n        resources:\n          limits:\n            memory: 200Mi\n\
             \x20         requests:\n            cpu: 115m\n            memory: 200Mi\n\
             ---\n\
             apiVersion: batch/v1\nkind: CronJob\nmetadata:\n  name: web\n  namespace: shop\nspec:\n  jobTemplate:\n    spec:\n\
             \x20     template:\n        spec:\n          containers:\n          - name: web\n            resources:\n\
             \x20             limits:\n                memory: 200Mi\n\
             \x20             requests:\n                cpu: 115m\n                memory: 200Mi\n"
        );
    }

    #[test]
    fn a_script_has_a_line_for_each_container() {
        let names = [
            ("Deployment", "proxy", true),
            ("Deployment", "web", false),
            ("Job", "web", false),
            ("Rollout", "web", false),
        ];
        let connection = ["--context=my cluster".to_owned()];
        let text = with(&names, |changes| {
            script(&["a\nb".to_owned()], &connection, changes)
        });
        assert_eq!(
            text,
            "#!/bin/sh\n# a b\nset -eu\n\
             kubectl '--context=my cluster' set resources --namespace=shop deployment/web --containers=proxy \
             --requests=cpu=115m,memory=200Mi --limits=memory=200Mi\n\
             kubectl '--context=my cluster' set resources --namespace=shop deployment/web --containers=web \
             --requests=cpu=115m,memory=200Mi --limits=memory=200Mi\n\
             # shop: Job/web is left out: the template of a Job cannot be changed\n\
             # shop: Rollout/web is left out: only the owner of this kind can change it\n"
        );
    }

    #[test]
    fn what_is_as_advised_is_not_changed() {
        let mut evidence = evidence(false);
        evidence.spec.cpu_request = Some(Nanocores(115_000_000));
        evidence.spec.memory_request = Some(Bytes(200 << 20));
        evidence.spec.memory_limit = Some(Bytes(200 << 20));
        assert_eq!(Resources::of(&evidence, &advice()), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn a_shell_reads_a_quoted_word_as_it_was(text in "[^\\x00]{0,20}") {
            let line = format!("printf %s {}", quoted(&text));
            let said = Command::new("sh").args(["-c", &line]).output().unwrap();
            prop_assert_eq!(said.stdout, text.as_bytes());
        }
    }
}
