//! Looking for changes, for lists and watches.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use kubevitals_proto::vitals::{Incident, Workload};

use super::{Changes, DETECT_INTERVAL, Incidents, Observed};
use crate::cluster::{Jobs, PodKey, Watches};
use crate::query::Query;

/// What this process calls itself in versions: anything that another will hardly call itself.
pub(in crate::query) fn instance() -> u64 {
    uuid::Uuid::new_v4().as_u64_pair().0
}

/// What was looked at so far.
#[derive(Debug, Default)]
pub(in crate::query) struct DetectorState {
    /// All had been listed and reviewed: what differs since has changed.
    begun: bool,
    /// The version of what health tells.
    health: u64,
    /// The Jobs by which it is told what made a pod.
    jobs: Arc<Jobs>,
}

impl Query {
    /// What changes, and when.
    pub fn changes(&self) -> &Changes {
        &self.changes
    }

    /// Looks for changes once a second. Runs for ever.
    pub async fn watch(self: Arc<Self>) {
        loop {
            self.detect();
            tokio::time::sleep(DETECT_INTERVAL).await;
        }
    }

    /// Looks for changes once. What is read before all has been listed is no change.
    pub fn detect(&self) {
        let mut looked = self.looked.lock();
        // Before the snapshots are taken: a list that ends in between counts the next time.
        let listed = looked.begun || self.listed();
        if listed && !looked.begun {
            self.health.tick(self.wall());
        }
        let mut seen = self.seen();
        let jobs = self.cluster.jobs();
        let others = !Arc::ptr_eq(&jobs, &looked.jobs);
        looked.jobs = jobs;
        // What is read of health is as new as this version, or newer.
        let changed = self.health.changed_since(looked.health);
        match changed {
            Some(changed) if looked.begun && changed.version == looked.health => {
                if others {
                    seen.incidents = Some(self.incidents(&looked.jobs));
                }
            }
            Some(changed) if looked.begun => {
                looked.health = changed.version;
                seen.touched = changed.pods;
                if others || !(changed.incidents.is_empty() && changed.forgotten.is_empty()) {
                    seen.incidents = Some(self.incidents(&looked.jobs));
                }
            }
            _ => {
                // So much has changed that it may be anything.
                looked.health = *self.health.version().borrow();
                seen.incidents = Some(self.incidents(&looked.jobs));
                if looked.begun {
                    seen.touched = seen.pods.keys().cloned().collect();
                }
            }
        }
        if looked.begun {
            self.changes.apply(&seen);
        } else {
            self.changes.begin(&seen);
            looked.begun = listed;
            self.complete.store(listed, Ordering::Release);
        }
    }

    /// Whether all nodes and pods are known and health has reviewed them. An answer before that lacks objects, and an
    /// informer would delete them from its copy. Once complete, always complete: a watch of the API server that fails
    /// later leaves the known objects in place.
    pub fn complete(&self) -> bool {
        let complete = || self.complete.load(Ordering::Acquire);
        if !complete() && self.listed() {
            // Clients that have waited for the lists need not wait for the next second too.
            self.detect();
        }
        complete()
    }

    /// Whether the lists of nodes, pods and events have been read. Health needs events for the causes of incidents; where
    /// they are not granted or the list fails, there is no waiting for them.
    fn listed(&self) -> bool {
        let Watches {
            nodes,
            pods,
            events,
            ..
        } = &self.watches;
        let events = events.synced() || events.refused() || events.failures() > 0;
        nodes.synced() && pods.synced() && events
    }

    fn seen(&self) -> Observed {
        Observed {
            pods: self.cluster.pods(),
            nodes: self.cluster.nodes(),
            cells: self.store.cells(),
            incidents: None,
            touched: BTreeSet::new(),
            retention: self.retention,
            now: self.now(),
            wall: self.wall(),
        }
    }

    /// All that health tells, each of a pod that a CronJob's Job made as the CronJob's.
    fn incidents(&self, jobs: &Jobs) -> Incidents {
        let (told, _) = self.health.incidents();
        let before = self.changes.moment();
        let keyed = |incident: Arc<Incident>| {
            let of = key(&incident.metadata.namespace, &incident.metadata.name);
            let scheduled = scheduled(incident, jobs, before.incidents().get(&of));
            (of, scheduled)
        };
        told.into_iter().map(|told| keyed(told.incident)).collect()
    }
}

fn key(namespace: &str, name: &str) -> PodKey {
    PodKey {
        namespace: Arc::from(namespace),
        name: Arc::from(name),
    }
}

/// The incident as its pod's vitals name the workload: health sees pods alone, and who made a Job only the Job tells.
/// That a CronJob did stays said when the Job is forgotten before the incident is.
fn scheduled(
    incident: Arc<Incident>,
    jobs: &Jobs,
    before: Option<&Arc<Incident>>,
) -> Arc<Incident> {
    let involved = &incident.involved;
    let Some(job) = involved.workload.as_ref().filter(|made| made.kind == "Job") else {
        return incident;
    };
    let made = match jobs.get(&key(&involved.namespace, &job.name)) {
        Some(job) => Workload {
            kind: "CronJob".to_owned(),
            name: job.cron_job.to_string(),
        },
        None => match before.and_then(|before| before.involved.workload.clone()) {
            Some(made) => made,
            None => return incident,
        },
    };
    let mut incident = Arc::unwrap_or_clone(incident);
    incident.involved.workload = Some(made);
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
    fn what_befalls_a_cron_jobs_pod_is_told_of_the_cron_job() {
        let nightly = key("shop", "nightly-29");
        let job = Job {
            key: nightly.clone(),
            cron_job: "nightly".into(),
        };
        let (none, jobs) = (Jobs::new(), Jobs::unit(nightly, Arc::new(job)));
        let (of_job, of_cron_job) = (
            incident("Job", "nightly-29"),
            incident("CronJob", "nightly"),
        );
        assert_eq!(scheduled(Arc::clone(&of_job), &jobs, None), of_cron_job);
        assert_eq!(scheduled(Arc::clone(&of_job), &none, None), of_job);
        // What was once known is not forgotten with the Job.
        let after = scheduled(Arc::clone(&of_job), &none, Some(&of_cron_job));
        assert_eq!(after, of_cron_job);
        let after = scheduled(Arc::clone(&of_job), &none, Some(&of_job));
        assert_eq!(after, of_job);
        // A Deployment or a Job of this name elsewhere is another.
        let other = incident("Deployment", "nightly-29");
        assert_eq!(scheduled(Arc::clone(&other), &jobs, None), other);
        let mut elsewhere = Incident::clone(&of_job);
        elsewhere.involved.namespace = "bank".to_owned();
        let elsewhere = Arc::new(elsewhere);
        assert_eq!(scheduled(Arc::clone(&elsewhere), &jobs, None), elsewhere);
    }
}
