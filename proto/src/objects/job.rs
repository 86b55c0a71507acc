//! Jobs, with the CronJob that created each of them.

use std::sync::Arc;

use super::metadata::{self, WireMeta};
use super::protobuf::message;
use super::text::named;
use super::{Owner, PodKey, Pools};

/// A Job that a CronJob created. A Job without a CronJob is itself the workload of its pods.
#[derive(Debug, PartialEq, Eq)]
pub struct Job {
    /// The namespace and name.
    pub key: PodKey,
    /// The CronJob's name.
    pub cron_job: Arc<str>,
}

message! {
    /// A Job on the wire. Only its metadata is requested.
    pub struct WireJob {
        /// The metadata.
        pub metadata: WireMeta = 1,
    }
}
metadata::item!(WireJob, "/apis/batch/v1/jobs", metadata_only: true);

impl WireJob {
    /// Converts the Job. Returns `None` if no CronJob created it.
    pub fn convert(self, pools: &Pools) -> Option<Job> {
        let owner = Owner::of(&self.metadata, &pools.names)?;
        if &*owner.kind != "CronJob" {
            return None;
        }
        Some(Job {
            key: pools.names.key(
                named(&self.metadata.namespace)?,
                named(&self.metadata.name)?,
            ),
            cron_job: owner.name,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_the_job_of_a_cron_job_is_converted() {
        let job = |kind: &str, controller: bool| {
            let owner = json!({"apiVersion": "batch/v1", "kind": kind, "name": "nightly", "uid": "1", "controller": controller});
            let job = json!({"metadata": {"namespace": "shop", "name": "nightly-29", "ownerReferences": [owner]}});
            let job: WireJob = serde_json::from_value(job).unwrap();
            job.convert(&Pools::default())
        };
        let made = job("CronJob", true).unwrap();
        assert_eq!(
            (&*made.key.name, &*made.cron_job),
            ("nightly-29", "nightly")
        );
        assert_eq!(job("CronJob", false), None);
        assert_eq!(job("Workflow", true), None);
    }
}
