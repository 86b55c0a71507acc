//! Jobs: of each, which CronJob made it.

use std::sync::Arc;

use serde::Deserialize;

use super::lenient::lenient;
use super::metadata::{self, SlimMeta};
use super::protobuf::message;
use super::text::named;
use super::{Owner, PodKey, Pools};

/// A Job that a CronJob made. Others are not kept: they are what made their pods.
#[derive(Debug, PartialEq, Eq)]
pub struct Job {
    /// Its namespace and name.
    pub key: PodKey,
    /// The CronJob's name.
    pub cron_job: Arc<str>,
}

/// A Job on the wire: its metadata is asked for, and nothing else is sent.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct SlimJob {
    /// Its metadata.
    #[serde(default, deserialize_with = "lenient")]
    pub metadata: SlimMeta,
}

message!(SlimJob { 1 => metadata });
metadata::item!(SlimJob, "/apis/batch/v1/jobs", metadata_only: true);

impl Job {
    /// The Job as it is kept; nothing for one that no schedule made.
    pub fn of(job: SlimJob, pools: &Pools) -> Option<Self> {
        let owner = Owner::of(&job.metadata, &pools.names)?;
        if &*owner.kind != "CronJob" {
            return None;
        }
        Some(Self {
            key: PodKey {
                namespace: pools.names.intern(named(&job.metadata.namespace)?),
                name: pools.names.intern(named(&job.metadata.name)?),
            },
            cron_job: owner.name,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_a_schedule_made_is_kept() {
        let job = |kind: &str, controller: bool| {
            let owner = json!({"apiVersion": "batch/v1", "kind": kind, "name": "nightly", "uid": "1", "controller": controller});
            let job = json!({"metadata": {"namespace": "shop", "name": "nightly-29", "ownerReferences": [owner]}});
            Job::of(serde_json::from_value(job).unwrap(), &Pools::default())
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
