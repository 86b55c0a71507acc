//! The messages between shards besides those of `store`.

use std::borrow::Cow;

use kubevitals_proto::kubelet::names::LONGEST_UID;
use kubevitals_proto::kubelet::names::{may_be_container, may_be_pod};
use kubevitals_proto::kubelet::probes::{ProbeCounts, ProbeKey, ProbeScrape};
use kubevitals_proto::vitals::ProbeKind;

/// The shard that answers, the first frame of each answer.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(super) struct Hello {
    /// Its index.
    #[prost(uint32, tag = "1")]
    pub(super) index: u32,
    /// The number of shards, as it knows it.
    #[prost(uint32, tag = "2")]
    pub(super) count: u32,
    /// When it started, by its wall clock, in nanoseconds since the epoch.
    #[prost(sfixed64, tag = "3")]
    pub(super) started: i64,
    /// The time since its start, in milliseconds. It never goes back.
    #[prost(uint64, tag = "4")]
    pub(super) running: u64,
    /// The id of the process.
    #[prost(string, tag = "5")]
    pub(super) process: String,
    /// The number of changes that it has reported with this answer.
    #[prost(uint64, tag = "6")]
    pub(super) sequence: u64,
}

/// The counters of a node's probes.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(super) struct NodeProbes {
    #[prost(string, tag = "1")]
    pub(super) node: String,
    /// When they were read, by the reader's wall clock, in nanoseconds since the epoch.
    #[prost(sfixed64, tag = "2")]
    pub(super) at: i64,
    #[prost(message, repeated, tag = "3")]
    pods: Vec<PodProbes>,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
struct PodProbes {
    #[prost(string, tag = "1")]
    namespace: String,
    #[prost(string, tag = "2")]
    name: String,
    #[prost(string, tag = "3")]
    uid: String,
    #[prost(message, repeated, tag = "4")]
    probes: Vec<Probe>,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
struct Probe {
    #[prost(string, tag = "1")]
    container: String,
    /// The index in [`KINDS`].
    #[prost(uint32, tag = "2")]
    kind: u32,
    #[prost(uint64, tag = "3")]
    successful: u64,
    #[prost(uint64, tag = "4")]
    failed: u64,
    #[prost(uint64, tag = "5")]
    unknown: u64,
}

const KINDS: [ProbeKind; 3] = [
    ProbeKind::Liveness,
    ProbeKind::Readiness,
    ProbeKind::Startup,
];

impl NodeProbes {
    /// The counters of a node that were read at `at`.
    pub(super) fn of(node: &str, scrape: &ProbeScrape<'_>, at: i64) -> Self {
        let mut pods: Vec<PodProbes> = Vec::new();
        for (key, counts) in &scrape.probes {
            let kind = KINDS.iter().position(|kind| *kind == key.probe);
            let probe = Probe {
                container: key.container.to_string(),
                kind: kind
                    .and_then(|kind| u32::try_from(kind).ok())
                    .unwrap_or(u32::MAX),
                successful: counts.successful,
                failed: counts.failed,
                unknown: counts.unknown,
            };
            let is_its = |pod: &&mut PodProbes| {
                (&*pod.namespace, &*pod.name, &*pod.uid)
                    == (&*key.namespace, &*key.pod, &*key.pod_uid)
            };
            match pods.last_mut().filter(is_its) {
                Some(pod) => pod.probes.push(probe),
                None => pods.push(PodProbes {
                    namespace: key.namespace.to_string(),
                    name: key.pod.to_string(),
                    uid: key.pod_uid.to_string(),
                    probes: vec![probe],
                }),
            }
        }
        Self {
            node: node.to_owned(),
            at,
            pods,
        }
    }

    /// As a page of the kubelet. Probes with impossible names are left out.
    pub(super) fn scrape(&self) -> ProbeScrape<'_> {
        let possible = |pod: &&PodProbes| {
            may_be_pod(&pod.namespace, &pod.name) && pod.uid.len() <= LONGEST_UID
        };
        let probes = self.pods.iter().filter(possible).flat_map(|pod| {
            pod.probes.iter().filter_map(|probe| {
                let kind = KINDS.get(usize::try_from(probe.kind).ok()?)?;
                may_be_container(&probe.container).then(|| {
                    let key = ProbeKey {
                        namespace: Cow::Borrowed(&*pod.namespace),
                        pod: Cow::Borrowed(&*pod.name),
                        pod_uid: Cow::Borrowed(&*pod.uid),
                        container: Cow::Borrowed(&*probe.container),
                        probe: *kind,
                    };
                    let counts = ProbeCounts {
                        successful: probe.successful,
                        failed: probe.failed,
                        unknown: probe.unknown,
                    };
                    (key, counts)
                })
            })
        });
        let mut probes: Vec<_> = probes.collect();
        probes.sort_by(|(a, _), (b, _)| a.cmp(b));
        probes.dedup_by(|(a, _), (b, _)| a == b);
        ProbeScrape {
            probes,
            ..ProbeScrape::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use kubevitals_proto::kubelet::probes::decode;
    use prost::Message as _;

    use super::*;

    #[test]
    fn probes_are_the_same_after_a_message() {
        let line = |pod, kind, result, count| {
            format!(
                "prober_probe_total{{container=\"web\",namespace=\"shop\",pod=\"{pod}\",pod_uid=\"u-{pod}\",\
                 probe_type=\"{kind}\",result=\"{result}\"}} {count}\n"
            )
        };
        let page = [
            line("a", "Liveness", "successful", 3),
            line("a", "Liveness", "failed", 2),
            line("a", "Readiness", "successful", 1),
            line("b", "Startup", "successful", 9),
        ]
        .concat();
        let scrape = decode(page.as_bytes());
        assert_eq!(scrape.probes.len(), 3);
        let message = NodeProbes::of("n", &scrape, 7).encode_to_vec();
        let message = NodeProbes::decode(&*message).unwrap();
        assert_eq!((&*message.node, message.at), ("n", 7));
        assert_eq!(message.scrape().probes, scrape.probes);
    }
}
