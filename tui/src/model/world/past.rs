//! The data of a past time.

use kubevitals_proto::time::Timestamp;

use super::World;
use crate::model::batch::Past;
use crate::model::name::Key;
use crate::model::row::{PodRow, Row, to_seconds};
use crate::model::table::Table;
use crate::model::trend::Trends;

impl World {
    /// The data of a past time, as the source sends it. HPAs, volumes, replicas and availability have no history: the
    /// current ones are shown.
    #[must_use]
    pub fn from_past(past: Past, live: &Self) -> Self {
        Self {
            pods: Table::of(past.pods),
            extent: past.extent,
            nodes: Table::of(past.nodes),
            hpas: live.hpas.clone(),
            members: live.members.clone(),
            volumes: live.volumes.clone(),
            volume_parts: live.volume_parts.clone(),
            replicas: live.replicas.clone(),
            availability: live.availability.clone(),
            incidents: match past.incidents {
                Some(incidents) => Table::of(incidents),
                None => live.incidents.clone(),
            },
            has_source_totals: past.cluster.is_some(),
            cluster: past.cluster.unwrap_or_default(),
            ..Self::default()
        }
    }

    /// The data of a past time from the collected trends: usage is of `at`, everything else of `now`.
    #[must_use]
    pub fn with_usage_at(
        &self,
        at: Timestamp,
        now: Timestamp,
        trends: &Trends,
        patience_seconds: u32,
    ) -> Self {
        let reading = |key: &Key| trends.get(key)?.at(at, patience_seconds);
        let mut then = self.clone();
        then.status_at = Some(now);
        for node in then.nodes.iter_mut() {
            let (usage_time, usage) = reading(&node.key()).unwrap_or_default();
            node.usage = usage;
            node.usage_seconds = to_seconds(Some(usage_time));
        }
        then.pods = Table::of(
            then.pods
                .rows()
                .iter()
                .filter(|pod| i64::from(pod.created_seconds) <= at.as_secs())
                .map(|pod| {
                    let mut pod = PodRow::clone(pod);
                    let key = pod.key();
                    let (usage_time, usage) = reading(&key).unwrap_or_default();
                    pod.usage = usage;
                    pod.usage_seconds = to_seconds(Some(usage_time));
                    let alone = pod.containers.len() == 1;
                    for container in &mut pod.containers {
                        let own = || reading(&key.clone().part(&container.name));
                        container.usage = if alone {
                            usage
                        } else {
                            own().unwrap_or_default().1
                        };
                    }
                    pod
                })
                .collect(),
        );
        then.has_source_totals = false;
        then.pods_changed();
        then.nodes_changed();
        then
    }
}
