//! Changes of workloads that charts mark: of the desired replicas, and of the version.

use std::collections::VecDeque;
use std::sync::Arc;

use kubevitals_proto::time::Timestamp;

use super::name::{Key, Name, Workload};
use super::row::{HpaRow, PodRow};
use super::table::{Table, Version};

/// The number of changes of replicas that are stored. The oldest are dropped.
const MAX_CHANGES: usize = 1_000;

/// The labels that Kubernetes gives pods of one version of a Deployment, and of a StatefulSet or DaemonSet.
const VERSION_LABELS: [&str; 2] = ["pod-template-hash", "controller-revision-hash"];

/// Changes of workloads that charts mark.
#[derive(Debug, Clone, Default)]
pub struct MarkedChanges {
    replicas: VecDeque<ReplicaChange>,
    /// The versions of the workload whose pod is on the screen.
    rollouts: Option<Rollouts>,
}

/// A change of the desired replicas that the dashboard has seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplicaChange {
    /// The workload. The part is its kind.
    pub workload: Key,
    /// When the dashboard received it.
    pub at: Timestamp,
}

/// When the versions of a workload began, from a table of pods.
#[derive(Debug, Clone)]
struct Rollouts {
    workload: (Name, Arc<Workload>),
    pods: Version,
    times: Vec<Timestamp>,
}

impl MarkedChanges {
    /// Stores a change of the desired replicas.
    pub fn push(&mut self, workload: Key, at: Timestamp) {
        if self.replicas.len() >= MAX_CHANGES {
            self.replicas.pop_front();
        }
        self.replicas.push_back(ReplicaChange { workload, at });
    }

    /// When the desired replicas of a workload changed: what the dashboard has seen, and the last scaling of its HPA.
    pub fn replicas<'a>(
        &'a self,
        namespace: &'a Name,
        workload: &'a Workload,
        hpas: &'a Table<HpaRow>,
    ) -> impl Iterator<Item = Timestamp> + 'a {
        let is_of = move |change: &&ReplicaChange| {
            let key = &change.workload;
            (&key.namespace, &key.name, &key.part) == (namespace, &workload.name, &workload.kind)
        };
        let seen = self.replicas.iter().filter(is_of).map(|change| change.at);
        let hpas = hpas.rows().iter().filter(move |hpa| {
            (&hpa.namespace, &hpa.target, &hpa.target_kind)
                == (namespace, &workload.name, &workload.kind)
        });
        seen.chain(hpas.filter_map(|hpa| hpa.scaled()))
    }

    /// Finds the versions of a pod's workload, unless that is done for these pods. `None` forgets them.
    pub fn find_rollouts(&mut self, pod: Option<&PodRow>, pods: &Table<PodRow>) {
        let of = pod.and_then(|pod| Some((Arc::clone(&pod.namespace), pod.workload.clone()?)));
        let Some(workload) = of else {
            self.rollouts = None;
            return;
        };
        let is_found =
            |found: &Rollouts| found.workload == workload && found.pods == pods.version();
        if !self.rollouts.as_ref().is_some_and(is_found) {
            self.rollouts = Some(Rollouts {
                times: rollouts(&workload, pods),
                pods: pods.version(),
                workload,
            });
        }
    }

    /// When the versions of the workload on the screen began: the creation of the first pod of each that still exists.
    pub fn rollouts(&self) -> impl Iterator<Item = Timestamp> + '_ {
        let found = self.rollouts.iter();
        found.flat_map(|found| found.times.iter().copied())
    }
}

/// The creation time of the first pod of each version of a workload.
fn rollouts((namespace, workload): &(Name, Arc<Workload>), pods: &Table<PodRow>) -> Vec<Timestamp> {
    let mut versions: Vec<(&str, Timestamp)> = Vec::new();
    for pod in pods.rows() {
        if pod.workload.as_ref() != Some(workload) || pod.namespace != *namespace {
            continue;
        }
        let mut labels = VERSION_LABELS.iter();
        let version = labels.find_map(|label| pod.labels.get(label));
        let (Some(version), Some(created)) = (version, pod.created()) else {
            continue;
        };
        match versions.iter_mut().find(|(other, _)| *other == version) {
            Some((_, first)) => *first = created.min(*first),
            None => versions.push((version, created)),
        }
    }
    versions.into_iter().map(|(_, first)| first).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Row as _;
    use kubevitals_proto::labels::Labels;

    fn pod(name: &str, version: &str, created_seconds: u32) -> PodRow {
        let labels = [("pod-template-hash".to_owned(), version.to_owned())];
        PodRow {
            namespace: "shop".into(),
            name: name.into(),
            workload: Some(Workload::new("Deployment", "web")),
            labels: Labels::from_iter(labels),
            created_seconds,
            ..PodRow::default()
        }
    }

    fn found(changes: &MarkedChanges) -> Vec<i64> {
        changes.rollouts().map(Timestamp::as_secs).collect()
    }

    #[test]
    fn a_version_begins_with_its_first_pod() {
        let pods = vec![pod("a", "1", 100), pod("b", "2", 300), pod("c", "2", 200)];
        let table = Table::of(pods.clone());
        let mut changes = MarkedChanges::default();
        changes.find_rollouts(pods.first(), &table);
        assert_eq!(found(&changes), [100, 200]);
        let mut others = vec![
            pods[0].clone(),
            PodRow {
                namespace: "bank".into(),
                ..pods[1].clone()
            },
        ];
        others.push(PodRow {
            workload: None,
            ..pods[2].clone()
        });
        changes.find_rollouts(pods.first(), &Table::of(others));
        assert_eq!(found(&changes), [100]);
        changes.find_rollouts(None, &table);
        assert_eq!(found(&changes), [] as [i64; 0]);
    }

    #[test]
    fn changes_of_replicas_are_those_of_the_workload_and_bounded() {
        let mut changes = MarkedChanges::default();
        let web = Key::new(&"shop".into(), &"web".into()).part(&"Deployment".into());
        for second in 0..2_000 {
            changes.push(web.clone(), Timestamp::from_secs(second));
        }
        let seen = |name: &str| {
            let workload = Workload::new("Deployment", name);
            let namespace = "shop".into();
            changes
                .replicas(&namespace, &workload, &Table::default())
                .count()
        };
        assert_eq!((seen("web"), seen("api")), (MAX_CHANGES, 0));
        assert_eq!(pod("a", "1", 1).key().name, "a".into());
    }
}
