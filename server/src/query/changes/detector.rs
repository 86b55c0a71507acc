//! Detects changes of objects, for lists and watches.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use kubevitals_proto::vitals::{Incident, Workload};
use parking_lot::Mutex;

use super::feed::Changes;
use super::snapshot::{Incidents, Observed};
use crate::cluster::{Jobs, PodKey, Watches};
use crate::query::sources::Sources;

/// The time between two runs of the detector.
const INTERVAL: Duration = Duration::from_secs(1);

/// Compares the state of the server with the last snapshot, and publishes changes.
#[derive(Debug)]
pub struct ChangeDetector {
    sources: Arc<Sources>,
    changes: Changes,
    state: Mutex<DetectorState>,
    /// All objects had been listed and reviewed at the last run.
    complete: AtomicBool,
}

/// What the last run has read.
#[derive(Debug, Default)]
struct DetectorState {
    /// All objects had been listed and reviewed: later differences are changes.
    started: bool,
    /// The version of health.
    health: u64,
    /// The Jobs, which name the CronJob of a pod.
    jobs: Arc<Jobs>,
}

impl ChangeDetector {
    pub(in crate::query) fn new(sources: &Arc<Sources>) -> Self {
        // A random number: another process will hardly have the same.
        let instance = uuid::Uuid::new_v4().as_u64_pair().0;
        Self {
            sources: Arc::clone(sources),
            changes: Changes::new(instance),
            state: Mutex::default(),
            complete: AtomicBool::new(false),
        }
    }

    /// The snapshots and their versions.
    pub fn changes(&self) -> &Changes {
        &self.changes
    }

    /// Detects changes once a second, forever.
    pub async fn run(&self) {
        loop {
            self.detect();
            tokio::time::sleep(INTERVAL).await;
        }
    }

    /// Detects changes once. Objects that are read before all lists are complete do not count as changes.
    pub fn detect(&self) {
        let health = &self.sources.health;
        let mut state = self.state.lock();
        // Before the snapshots are taken: a list that completes in between counts at the next run.
        let listed = state.started || self.listed();
        if listed && !state.started {
            health.tick(self.sources.wall());
        }
        let mut observed = self.observe();
        let jobs = self.sources.cluster.jobs();
        let jobs_changed = !Arc::ptr_eq(&jobs, &state.jobs);
        state.jobs = jobs;
        // What is read from health below is of this version or a later one.
        let changed = health.changed_since(state.health);
        match changed {
            Some(changed) if state.started && changed.version == state.health => {
                if jobs_changed {
                    observed.incidents = Some(self.incidents(&state.jobs));
                }
            }
            Some(changed) if state.started => {
                state.health = changed.version;
                observed.touched = changed.pods;
                if jobs_changed || !(changed.incidents.is_empty() && changed.dropped.is_empty()) {
                    observed.incidents = Some(self.incidents(&state.jobs));
                }
            }
            _ => {
                // Health no longer has all changes since that version, so any pod may have changed.
                state.health = *health.version().borrow();
                observed.incidents = Some(self.incidents(&state.jobs));
                if state.started {
                    observed.touched = observed.pods.keys().cloned().collect();
                }
            }
        }
        if state.started {
            self.changes.apply(&observed);
        } else {
            self.changes.reset(&observed);
            state.started = listed;
            self.complete.store(listed, Ordering::Release);
        }
    }

    /// Whether all nodes and pods have been listed and reviewed. A response before that lacks objects, and an informer
    /// would delete them from its cache. Once true, it stays true: a watch of the API server that fails later leaves
    /// the cached objects in place.
    pub fn is_complete(&self) -> bool {
        let complete = || self.complete.load(Ordering::Acquire);
        if !complete() && self.listed() {
            // Clients that have waited for the lists need not wait for the next run.
            self.detect();
        }
        complete()
    }

    /// Whether the lists of nodes, pods and events have been read. Health needs events for the causes of incidents. If
    /// events are denied or their list fails, the server does not wait for them.
    fn listed(&self) -> bool {
        let Watches {
            nodes,
            pods,
            events,
            ..
        } = &self.sources.watches;
        let events = events.synced() || events.is_denied() || events.failures() > 0;
        nodes.synced() && pods.synced() && events
    }

    fn observe(&self) -> Observed {
        let Sources {
            cluster,
            store,
            retention,
            ..
        } = &*self.sources;
        Observed {
            pods: cluster.pods(),
            nodes: cluster.nodes(),
            cells: store.cells(),
            incidents: None,
            touched: BTreeSet::new(),
            retention: *retention,
            now: self.sources.now(),
            wall: self.sources.wall(),
        }
    }

    /// All incidents. An incident of a pod of a CronJob's Job has the CronJob as its workload.
    fn incidents(&self, jobs: &Jobs) -> Incidents {
        let (entries, _) = self.sources.health.incidents();
        let before = self.changes.snapshot();
        let keyed = |incident: Arc<Incident>| {
            let key = PodKey::new(&*incident.metadata.namespace, &*incident.metadata.name);
            let incident = with_cron_job(incident, jobs, before.incidents().get(&key));
            (key, incident)
        };
        let incidents = entries.into_iter().map(|entry| keyed(entry.incident));
        incidents.collect()
    }
}

/// Replaces a Job as the workload by its CronJob, as in the pod's vitals. Health reads only pods, and only the Job
/// names its CronJob. `before` is the incident in the last snapshot: its CronJob stays after the Job is deleted.
fn with_cron_job(
    incident: Arc<Incident>,
    jobs: &Jobs,
    before: Option<&Arc<Incident>>,
) -> Arc<Incident> {
    let involved = &incident.involved;
    let Some(job) = involved.workload.as_ref().filter(|it| it.kind == "Job") else {
        return incident;
    };
    let workload = match jobs.get(&PodKey::new(&*involved.namespace, &*job.name)) {
        Some(job) => Workload {
            kind: "CronJob".to_owned(),
            name: job.cron_job.to_string(),
        },
        None => match before.and_then(|before| before.involved.workload.clone()) {
            Some(workload) => workload,
            None => return incident,
        },
    };
    let mut incident = Arc::unwrap_or_clone(incident);
    incident.involved.workload = Some(workload);
    Arc::new(incident)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::Job;

    fn incident(kind: &str, name: &str) -> Arc<Incident> {
        let mut incident = Incident::default();
        incident.involved.namespace = "shop".to_owned();
        incident.involved.workload = Some(Workload {
            kind: kind.to_owned(),
            name: name.to_owned(),
        });
        Arc::new(incident)
    }

    #[test]
    fn incident_of_a_cron_jobs_pod_has_the_cron_job_as_workload() {
        let nightly = PodKey::new("shop", "nightly-29");
        let job = Job {
            key: nightly.clone(),
            cron_job: "nightly".into(),
        };
        let (none, jobs) = (Jobs::new(), Jobs::unit(nightly, Arc::new(job)));
        let (of_job, of_cron_job) = (
            incident("Job", "nightly-29"),
            incident("CronJob", "nightly"),
        );
        // A Deployment of this name, or a Job of this name in another namespace, is another workload.
        let other = incident("Deployment", "nightly-29");
        let mut elsewhere = Incident::clone(&of_job);
        elsewhere.involved.namespace = "bank".to_owned();
        let elsewhere = Arc::new(elsewhere);
        for (incident, jobs, before, expected) in [
            (&of_job, &jobs, None, &of_cron_job),
            (&of_job, &none, None, &of_job),
            // The CronJob stays when the Job is deleted.
            (&of_job, &none, Some(&of_cron_job), &of_cron_job),
            (&of_job, &none, Some(&of_job), &of_job),
            (&other, &jobs, None, &other),
            (&elsewhere, &jobs, None, &elsewhere),
        ] {
            let result = with_cron_job(Arc::clone(incident), jobs, before);
            assert_eq!(result, *expected);
        }
    }
}
