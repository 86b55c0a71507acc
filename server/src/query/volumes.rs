//! The volumes of claims: what the kubelets of all nodes report of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use kubevitals_proto::quantity::Quantity;
use kubevitals_proto::time::{Timestamp, nanos};
use kubevitals_proto::units::Bytes;
use kubevitals_proto::vitals::forecast::{Growth, Sample};
use kubevitals_proto::vitals::{Inodes, Meta, VolumeGrowth, VolumeRatios, VolumeVitals};

use super::sources::Sources;
use super::vitals::amounts::part;
use crate::clock::Age;
use crate::cluster::{Cluster, PodKey, Pods};
use crate::store::{ClaimExtra, Measurement, NodeExtra, Store};

/// Answers how full volumes are.
#[derive(Debug, Clone, Copy)]
pub struct VolumesQuery<'a>(pub(super) &'a Sources);

/// A claim as the kubelets of its nodes report it, with the pods of the API server that mount it.
#[derive(Debug, Clone)]
pub struct Volume {
    /// The namespace and the name of the claim.
    pub key: PodKey,
    /// The reports, the newest first: pods of several nodes may mount the same volume.
    reports: Vec<Report>,
}

/// The report of one node.
#[derive(Debug, Clone)]
struct Report {
    node: Arc<str>,
    claim: ClaimExtra,
}

impl VolumesQuery<'_> {
    /// The claims of a namespace, or of all, in the order of namespace and name. A claim that is mounted by no pod of
    /// its node is left out: the pod is gone, or the kubelet is wrong.
    pub fn list(self, namespace: Option<&str>) -> Vec<Volume> {
        self.select(|key| namespace.is_none_or(|namespace| *key.namespace == *namespace))
    }

    /// The claim with this name, if a pod mounts it.
    pub fn get(self, namespace: &str, name: &str) -> Option<Volume> {
        let is_it = |key: &PodKey| *key.namespace == *namespace && *key.name == *name;
        self.select(is_it).pop()
    }

    fn select(self, selects: impl Fn(&PodKey) -> bool) -> Vec<Volume> {
        Volume::all(&self.0.cluster, &self.0.store, self.0.now(), selects)
    }
}

impl Volume {
    /// The selected claims at `now`, in the order of namespace and name.
    pub(crate) fn all(
        cluster: &Cluster,
        store: &Store,
        now: Age,
        selects: impl Fn(&PodKey) -> bool,
    ) -> Vec<Self> {
        let pods = cluster.pods();
        let mut reports: BTreeMap<PodKey, Vec<Report>> = BTreeMap::new();
        for (node, cell) in &*store.cells() {
            let extra = cell.extra(now);
            let claims = extra.as_deref().map_or(&[][..], NodeExtra::claims);
            for claim in claims.iter().filter(|claim| selects(&claim.key)) {
                let Some(claim) = mounted(claim, node, &pods) else {
                    continue;
                };
                let of_claim = reports.entry(claim.key.clone()).or_default();
                of_claim.push(Report {
                    node: Arc::clone(node),
                    claim,
                });
            }
        }
        reports.into_iter().map(Self::of).collect()
    }
}

/// The claim with those of its pods that the API server has bound to the node; none without any. A kubelet must not
/// report for pods of other nodes.
fn mounted(claim: &ClaimExtra, node: &str, pods: &Pods) -> Option<ClaimExtra> {
    let is_here = |key: &&PodKey| {
        let pod = pods.get(*key);
        pod.is_some_and(|pod| pod.node.as_deref() == Some(node))
    };
    let here: Box<[PodKey]> = claim.pods.iter().filter(is_here).cloned().collect();
    (!here.is_empty()).then(|| ClaimExtra {
        pods: here,
        ..claim.clone()
    })
}

impl Volume {
    fn of((key, mut reports): (PodKey, Vec<Report>)) -> Self {
        reports.sort_by(|a, b| {
            let newest_first = b.claim.last.at().cmp(&a.claim.last.at());
            newest_first.then_with(|| a.node.cmp(&b.node))
        });
        Self { key, reports }
    }

    /// The last measurement, and the node whose kubelet made it.
    pub fn last(&self) -> Option<(&Measurement, &str)> {
        let newest = self.reports.first()?;
        Some((&newest.claim.last, &newest.node))
    }

    /// Converts the volume to its API object.
    pub fn to_api(&self) -> VolumeVitals {
        let (last, _) = self.last().unzip();
        let last = last.copied().unwrap_or_default();
        let pods = self.reports.iter().flat_map(|report| &report.claim.pods);
        let mut pods: Vec<&PodKey> = pods.collect();
        pods.sort_unstable();
        pods.dedup();
        let pod_names = pods.iter().map(|pod| pod.name.to_string());
        let nodes = self.reports.iter().map(|report| report.node.to_string());
        let quantity = |bytes: Option<Bytes>| bytes.map(Quantity::from_bytes);
        VolumeVitals {
            metadata: Meta {
                name: self.key.name.to_string(),
                namespace: self.key.namespace.to_string(),
                ..Meta::default()
            },
            timestamp: last.at(),
            capacity: quantity(last.capacity()),
            used: quantity(last.used()),
            available: quantity(last.available()),
            inodes: last
                .inodes()
                .map(|(used, capacity)| Inodes { capacity, used }),
            ratios: ratios(&last),
            growth: self.growth(&last),
            pod_count: pods.len() as u64,
            pods: pod_names.take(VolumeVitals::MAX_NAMES).collect(),
            node_count: self.reports.len() as u64,
            nodes: nodes.take(VolumeVitals::MAX_NAMES).collect(),
            ..VolumeVitals::default()
        }
    }

    /// The growth over the samples of all nodes: they mount the same file system.
    fn growth(&self, last: &Measurement) -> Option<VolumeGrowth> {
        let samples = self.reports.iter().flat_map(|report| &report.claim.samples);
        let mut samples: Vec<Sample> = samples.copied().collect();
        samples.sort_by_key(|sample| sample.at);
        samples.dedup_by_key(|sample| sample.at);
        let growth = Growth::of(&samples)?;
        let full_at = || {
            let (used, available) = (last.used()?, last.available()?);
            let time = growth.time_until(float(used), float(used + available))?;
            Some(last.at()?.plus_nanos(nanos(time)))
        };
        #[expect(clippy::cast_possible_truncation, reason = "a saturating conversion")]
        let bytes_per_hour = (growth.per_second * 3_600.0).round() as i64;
        Some(VolumeGrowth {
            bytes_per_hour,
            since: Timestamp::from_secs(samples.first()?.at.into()),
            full_at: full_at(),
        })
    }
}

fn ratios(last: &Measurement) -> VolumeRatios {
    let used = || {
        let (capacity, available) = (last.capacity()?.0, last.available()?.0);
        part(capacity.saturating_sub(available), capacity)
    };
    VolumeRatios {
        used: used(),
        inodes: last.inodes().and_then(|(used, all)| part(used, all)),
    }
}

#[expect(clippy::cast_precision_loss, reason = "a forecast")]
const fn float(bytes: Bytes) -> f64 {
    bytes.0 as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intern::Interner;
    use kubevitals_proto::kubelet::summary::Extras;
    use std::time::Duration;

    /// The report of a node about one claim with pods, measured at a time, with used and available bytes.
    fn report(node: &str, pods: usize, at: i64, used: u64, available: u64) -> Report {
        let time = Timestamp::from_secs(at).to_rfc3339_seconds();
        let pod = |number| {
            format!(
                r#"{{"podRef":{{"name":"{node}-{number:03}","namespace":"ns"}},"volume":[{{"time":"{time}",
                "capacityBytes":1000,"usedBytes":{used},"availableBytes":{available},"inodes":0,"inodesUsed":0,
                "pvcRef":{{"name":"data","namespace":"ns"}}}}]}}"#
            )
        };
        let pods: Vec<String> = (0..pods).map(pod).collect();
        let body = format!(r#"{{"pods":[{}]}}"#, pods.join(","));
        let extras = Extras::parse(body.as_bytes()).unwrap();
        let (now, minute) = (Age::default(), Duration::from_secs(60));
        let extra = NodeExtra::of(&extras, None, now, minute, &Interner::default());
        Report {
            node: node.into(),
            claim: extra.claims().first().unwrap().clone(),
        }
    }

    fn volume(reports: Vec<Report>) -> VolumeVitals {
        Volume::of((PodKey::new("ns", "data"), reports)).to_api()
    }

    #[test]
    fn the_newest_report_of_several_nodes_counts() {
        let volume = volume(vec![
            report("a", 1, 100, 10, 990),
            report("c", 2, 200, 20, 930),
            report("b", 1, 200, 20, 930),
        ]);
        assert_eq!(volume.used, "20".parse().ok());
        assert_eq!(volume.ratios.used, Some(0.07), "50 bytes are reserved");
        assert_eq!(volume.nodes, ["b", "c", "a"]);
        assert_eq!((volume.pod_count, volume.node_count), (4, 3));
        assert_eq!(volume.inodes, None);
        assert_eq!(volume.growth, None);
    }

    #[test]
    fn a_claim_of_very_many_pods_names_the_first() {
        let volume = volume(vec![report("a", 150, 100, 10, 990)]);
        assert_eq!((volume.pods.len(), volume.pod_count), (100, 150));
        assert_eq!(volume.pods.first().unwrap(), "a-000");
    }

    #[test]
    fn samples_of_all_nodes_make_one_growth() {
        // The pod moves to another node in the middle.
        let mut reports = [
            report("a", 1, 900, 460, 540),
            report("b", 1, 1_800, 910, 90),
        ];
        let [before, after] = &mut reports;
        let samples = |minutes: std::ops::Range<u32>| {
            let sample = |minute: u32| Sample {
                at: 600 + minute * 120,
                value: (minute * 60) as f32,
            };
            minutes.map(sample).collect()
        };
        (before.claim.samples, after.claim.samples) = (samples(0..3), samples(3..7));
        let growth = volume(reports.into()).growth.unwrap();
        assert_eq!(growth.bytes_per_hour, 1_800);
        assert_eq!(growth.since, Timestamp::from_secs(600));
        // Half a byte a second, 90 bytes left.
        assert_eq!(growth.full_at, Some(Timestamp::from_secs(1_980)));
    }
}
