//! From a pod to its row: what follows from its spec and status about its containers and their restarts.

use std::sync::Arc;

use kubevitals_proto::labels::Labels;
use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::{Cause, Certainty, Role};

use super::super::status::summary;
use super::super::{count, read, seconds, told};
use super::probes::probe_status;
use super::{ContainerSpec, ContainerStatus, SlimPod, StateOf, Terminated};
use crate::model::row::{
    Bounds, Container, ContainerState, LastRestart, Phase, PodRow, Probes, Restarts, Workload,
    uid_hash,
};
use crate::model::{Amounts, Name, Names};

/// For how long a restart counts as lately, in seconds: what a vitals-server remembers too.
const LATELY_SECONDS: i64 = 3600;

impl SlimPod {
    /// The pod's row; nothing when it has no name, which no API server sends.
    pub(in crate::source) fn row(self, names: &Names, now: Timestamp) -> Option<PodRow> {
        let containers: Box<[Container]> = self
            .containers()
            .map(|(spec, role)| self.container(spec, role, names, now))
            .collect();
        let counted = || {
            containers
                .iter()
                .filter(|container| container.role != Role::Init)
        };
        let ready = self
            .status
            .conditions
            .iter()
            .any(|condition| condition.r#type == "Ready" && condition.status == "True");
        let line = summary(&self);
        let labels = self.metadata.labels.clone().unwrap_or_default();
        let (has, resize) = self.bounds(names);
        let mut row = PodRow {
            namespace: names.intern(self.metadata.namespace.as_deref()?),
            name: Name::from(self.metadata.name.as_deref()?),
            uid: uid_hash(self.metadata.uid.as_deref().unwrap_or_default()),
            node: names.intern(&self.spec.node_name),
            status: names.intern(&line.status),
            message: line.message.map(Into::into),
            phase: Phase::from_word(&self.status.phase),
            ready,
            ready_containers: u16::try_from(line.ready).unwrap_or(u16::MAX),
            total_containers: u16::try_from(counted().count()).unwrap_or(u16::MAX),
            workload: self.workload(names).map(Arc::new),
            labels: Labels::from_iter(
                labels
                    .iter()
                    .map(|(key, value)| (names.intern(key), names.intern(value))),
            ),
            created_seconds: seconds(told(self.metadata.creation_timestamp.as_ref())),
            requests: has.requests,
            limits: has.limits,
            resize,
            restarts: Restarts {
                count: line.restarts,
                ..Restarts::default()
            },
            probes: containers.iter().fold(Probes::default(), |all, container| {
                all.plus(container.probes)
            }),
            containers,
            ..PodRow::default()
        };
        row.sum_restarts();
        Some(row)
    }

    /// The Deployment behind a ReplicaSet, or what else controls the pod. Which CronJob made a Job, the Job says.
    fn workload(&self, names: &Names) -> Option<Workload> {
        let owners = self.metadata.owner_references.as_ref()?;
        let owner = owners.iter().find(|owner| owner.controller == Some(true))?;
        let labels = self.metadata.labels.as_ref();
        let (kind, name) = match owner.kind.as_str() {
            "ReplicaSet" => {
                // The Deployment's controller names a ReplicaSet after it and the hash of the template.
                let hash = labels.and_then(|labels| labels.get("pod-template-hash"));
                let deployment =
                    hash.and_then(|hash| owner.name.strip_suffix(hash.as_str())?.strip_suffix('-'));
                deployment.map_or(("ReplicaSet", owner.name.as_str()), |name| {
                    ("Deployment", name)
                })
            }
            kind => (kind, owner.name.as_str()),
        };
        Some(Workload {
            kind: names.intern(kind),
            name: names.intern(name),
        })
    }

    fn container(
        &self,
        spec: &ContainerSpec,
        role: Role,
        names: &Names,
        now: Timestamp,
    ) -> Container {
        let none = ContainerStatus::default();
        let status = self.status_of(&spec.name).unwrap_or(&none);
        let (state, reason, since) = match &status.state {
            StateOf {
                running: Some(running),
                ..
            } => (
                ContainerState::Running,
                "",
                read(running.started_at.as_ref()),
            ),
            StateOf {
                terminated: Some(ended),
                ..
            } => (
                ContainerState::Terminated,
                ended.reason.as_str(),
                read(ended.finished_at.as_ref()),
            ),
            StateOf {
                waiting: Some(waiting),
                ..
            } => (ContainerState::Waiting, waiting.reason.as_str(), None),
            _ => (ContainerState::Waiting, "", None),
        };
        let has = Bounds::from(self.in_force(spec));
        let mut probes = Probes::default();
        for (kind, _) in spec.probes() {
            probes.count(kind, probe_status(spec, status, kind));
        }
        Container {
            name: names.intern(&spec.name),
            role,
            state,
            reason: names.intern(reason),
            since_seconds: seconds(since),
            ready: status.ready,
            probes,
            usage: Amounts::default(),
            swap: crate::model::Memory::NONE,
            requests: has.requests,
            limits: has.limits,
            restarts: self.restarts(spec, status, names, now),
        }
    }

    /// Restarts of a container, as the kubelet counts them, and its last end: now, if it is to be started again.
    fn restarts(
        &self,
        spec: &ContainerSpec,
        status: &ContainerStatus,
        names: &Names,
        now: Timestamp,
    ) -> Restarts {
        let stays = self.spec.restart_policy == "Never" && spec.restart_policy != "Always";
        let is_going = self.metadata.deletion_timestamp.is_some()
            || Phase::from_word(&self.status.phase).is_over();
        let again = !is_going
            && match &status.state {
                StateOf {
                    running: Some(_), ..
                } => false,
                StateOf {
                    terminated: Some(ended),
                    ..
                } => ended.exit_code != 0 && !stays,
                _ => status.last_state.terminated.is_some(),
            };
        let count = count(Some(status.restart_count));
        let was_restarted = again || count > 0;
        let last = last_end(status, again)
            .filter(|_| was_restarted)
            .map(|ended| {
                let (cause, certainty) = if ended.reason == "OOMKilled" {
                    (Cause::OomKilled, Certainty::Direct)
                } else {
                    (Cause::Unknown, Certainty::Unknown)
                };
                Box::new(LastRestart {
                    container: names.intern(&status.name),
                    reason: names.intern(&ended.reason),
                    exit_code: ended.exit_code,
                    finished: read(ended.finished_at.as_ref()),
                    started: read(ended.started_at.as_ref()),
                    cause,
                    certainty,
                })
            });
        let finished = last.as_ref().and_then(|last| last.finished);
        let lately =
            finished.is_some_and(|finished| now.since(finished) < LATELY_SECONDS * 1_000_000_000);
        let created = told(self.metadata.creation_timestamp.as_ref());
        let is_young =
            created.is_some_and(|created| now.since(created) < LATELY_SECONDS * 1_000_000_000);
        Restarts {
            count,
            recent: match (lately, is_young) {
                (false, _) => 0,
                // All there were are of late.
                (true, true) => count.saturating_add(u32::from(again)),
                // At least this one; of those before it only the dashboard may have seen some.
                (true, false) => 1,
            },
            last,
        }
    }
}

/// How the container ended last, if it ended for something: now, if it is to be started `again`, or before.
fn last_end(status: &ContainerStatus, again: bool) -> Option<&Terminated> {
    let now = status.state.terminated.as_ref().filter(|_| again);
    now.or(status.last_state.terminated.as_ref())
}

#[cfg(test)]
mod tests {
    use super::super::testing::{FLAKY, pod};
    use super::*;

    fn row(json: &str) -> PodRow {
        let now = "2026-11-21T05:10:00Z".parse().unwrap();
        pod(json).row(&Names::default(), now).unwrap()
    }

    #[test]
    fn a_pod_is_read_into_its_row() {
        let row = row(FLAKY);
        assert_eq!(
            (&*row.status, row.ready_containers, row.total_containers),
            ("Running", 1, 2)
        );
        let workload = row.workload.as_deref().unwrap();
        assert_eq!((&*workload.kind, &*workload.name), ("Deployment", "web"));
        assert_eq!((row.restarts.count, row.restarts.recent), (3, 1));
        let now = "2026-11-21T05:10:00Z".parse().unwrap();
        assert_eq!(row.restarts.text(now), "3 (OOMKilled 2m ago)");
        assert_eq!((row.probes.failing, row.probes.unknown), (1, 1));
    }

    #[test]
    fn requests_are_the_schedulers_and_limits_those_of_all() {
        let row = row(FLAKY);
        assert_eq!(
            row.requests.cpu.get().map(|cpu| cpu.millicores_ceil()),
            Some(2_000)
        );
        assert!(
            !row.limits.cpu.is_known(),
            "the sidecar has no limit of CPU"
        );
        assert_eq!(
            row.limits
                .memory
                .get()
                .map(|memory| memory.mebibytes_floor()),
            Some(60)
        );
    }

    #[test]
    fn a_restart_counts_when_it_has_come_and_its_reason_is_told_before() {
        let of = |state: &str, count: u32| {
            let json = format!(
                r#"{{"metadata":{{"namespace":"a","name":"p"}},"spec":{{"containers":[{{"name":"c"}}]}},
                    "status":{{"phase":"Running","containerStatuses":[{{"name":"c","restartCount":{count},{state}}}]}}}}"#
            );
            let now = "2026-11-21T05:10:00Z".parse().unwrap();
            row(&json).restarts.text(now).into_owned()
        };
        let ended = r#"{"terminated":{"exitCode":7,"finishedAt":"2026-11-21T05:09:00Z"}}"#;
        let before = r#"{"terminated":{"exitCode":9,"finishedAt":"2026-11-21T05:00:00Z"}}"#;
        for (state, count, text) in [
            (
                format!(r#""state":{ended},"lastState":{before}"#),
                1,
                "1 (exit 7 60s ago)",
            ),
            (
                format!(
                    r#""state":{{"waiting":{{"reason":"CrashLoopBackOff"}}}},"lastState":{ended}"#
                ),
                1,
                "1 (exit 7 60s ago)",
            ),
            (
                format!(r#""state":{{"running":{{}}}},"lastState":{ended}"#),
                2,
                "2 (exit 7 60s ago)",
            ),
            (
                r#""state":{"waiting":{"reason":"ContainerCreating"}}"#.to_owned(),
                0,
                "0",
            ),
        ] {
            assert_eq!(of(&state, count), text, "{state}");
        }
    }

    #[test]
    fn a_pod_of_a_job_is_the_jobs_whatever_it_is_called() {
        for name in ["backup-29393760", "backup-20261129", "once", "a-1-2"] {
            let json = format!(
                r#"{{"metadata":{{"namespace":"a","name":"p","ownerReferences":[{{"apiVersion":"batch/v1","kind":"Job","name":"{name}","uid":"x","controller":true}}]}}}}"#
            );
            let workload = row(&json).workload.unwrap();
            assert_eq!((&*workload.kind, &*workload.name), ("Job", name));
        }
    }

    #[test]
    fn restarts_and_readiness_are_kubectls() {
        // Init containers count only until they are done; sidecars always do.
        let done = r#""state":{"terminated":{"exitCode":0}}"#;
        let runs = r#""state":{"running":{}}"#;
        for (init, conditions, expected) in [
            (
                done,
                r#"[{"type":"Initialized","status":"True"}]"#,
                (7, 2, 2),
            ),
            (done, "[]", (7, 2, 2)),
            (runs, "[]", (3, 0, 2)),
            (
                runs,
                r#"[{"type":"Initialized","status":"True"}]"#,
                (7, 1, 2),
            ),
        ] {
            let json = format!(
                r#"{{"metadata":{{"namespace":"a","name":"p"}},
                "spec":{{"initContainers":[{{"name":"i"}},{{"name":"s","restartPolicy":"Always"}}],"containers":[{{"name":"c"}}]}},
                "status":{{"phase":"Running","conditions":{conditions},
                    "initContainerStatuses":[{{"name":"i","restartCount":3,{init}}},
                        {{"name":"s","restartCount":2,"ready":true,"started":true,{runs}}}],
                    "containerStatuses":[{{"name":"c","restartCount":5,"ready":true,{runs}}}]}}}}"#
            );
            let row = row(&json);
            let found = (
                row.restarts.count,
                row.ready_containers,
                row.total_containers,
            );
            assert_eq!(found, expected, "{init} {conditions}");
        }
    }
}
