//! The kinds of objects in kubevitals.io: how each is looked up, selected, sorted and converted.

use std::ops::Bound;
use std::sync::Arc;

use imbl::OrdMap;
use kubevitals_proto::vitals::table::Vitals;
use kubevitals_proto::vitals::{ClusterVitals, Incident, NodeVitals, PodVitals};

use super::pod_filter::PodFilter;
use super::sort_by::SortBy;
use crate::api::selection::Selection;
use crate::query::{
    ChangeList, ChangeReader, ClusterSingleton, Measure, Node, PastScope, Pod, PodChanges, PodKey,
    Query, TopScope, Version, VersionedSnapshot, VitalsBuilder,
};

/// A kind of objects.
pub(super) trait Kind: Sized + Send + Sync + 'static {
    /// The API object.
    type Object: Vitals + Default + Send;
    /// The record that the API object is made of.
    type Record: Send + Sync + 'static;
    /// The key that records are sorted by.
    type Key: Key;
    /// The changes of records.
    type Changes: ChangeReader<Of = Self::Record> + 'static;

    /// The resource name in paths.
    const RESOURCE: &'static str;
    /// The fields that objects can be selected by.
    const FIELDS: &'static [&'static str];

    /// All records.
    fn all(snapshot: &VersionedSnapshot) -> OrdMap<Self::Key, Arc<Self::Record>>;

    /// The version of the last change of a record.
    fn version(snapshot: &VersionedSnapshot, record: &Self::Record) -> Version;

    /// The changes since a version.
    fn changes(
        snapshot: &Arc<VersionedSnapshot>,
        from: Version,
        namespace: Option<&Arc<str>>,
    ) -> Self::Changes;

    /// Whether a record is selected.
    fn matches(selection: &Selection, record: &Self::Record) -> bool;

    /// Whether [`PodFilter`] applies to this kind.
    const SUPPORTS_POD_FILTER: bool = false;

    /// Whether objects of this kind have statistics of their usage.
    const HAS_STATS: bool = false;

    /// Whether a record passes a filter.
    fn passes_filter(
        _filter: &PodFilter,
        _builder: &VitalsBuilder,
        _record: &Self::Record,
    ) -> bool {
        true
    }

    /// Converts a record to an API object, without its version.
    fn to_api(builder: &mut VitalsBuilder, record: &Self::Record) -> Self::Object;

    /// The name of a record.
    fn name(record: &Self::Record) -> &str;

    /// Whether this kind can be sorted in this order.
    fn sorts_by(by: SortBy) -> bool {
        by == SortBy::Name
    }

    /// The value to sort by, the largest first. None if the record has no such value.
    fn rank(_builder: &mut VitalsBuilder, _record: &Self::Record, _by: Measure) -> Option<f64> {
        None
    }

    /// The first records in an order, if they can be found without visiting all.
    fn top(
        _query: &Query,
        _by: SortBy,
        _limit: usize,
        _scope: &TopScope<'_>,
    ) -> Option<Vec<Arc<Self::Record>>> {
        None
    }

    /// All records at the time that `builder` is for. None if this kind has no past.
    fn all_at(_builder: &VitalsBuilder) -> Option<OrdMap<Self::Key, Arc<Self::Record>>> {
        None
    }

    /// What the engine must be read for, for the past of these objects: all, or those of a namespace, or one. None if
    /// this kind has no past.
    fn past_scope<'a>(
        _namespace: Option<&'a str>,
        _name: Option<&'a str>,
    ) -> Option<PastScope<'a>> {
        None
    }

    /// Looks up a record by name.
    fn find(
        snapshot: &VersionedSnapshot,
        namespace: &str,
        name: &str,
    ) -> Option<Arc<Self::Record>> {
        Self::all(snapshot)
            .get(&Self::Key::of(namespace, name))
            .cloned()
    }
}

/// The key that records are sorted by: the name within the namespace.
pub(super) trait Key: Ord + Clone + Send + Sync + 'static {
    /// Makes the key of an object.
    fn of(namespace: &str, name: &str) -> Self;

    /// Whether the key is in this namespace.
    fn is_in(&self, namespace: &str) -> bool;

    /// The start of a namespace, or of all namespaces.
    fn first(namespace: Option<&str>) -> Bound<Self>;
}

impl Key for PodKey {
    fn of(namespace: &str, name: &str) -> Self {
        Self::new(namespace, name)
    }

    fn is_in(&self, namespace: &str) -> bool {
        *self.namespace == *namespace
    }

    fn first(namespace: Option<&str>) -> Bound<Self> {
        namespace.map_or(Bound::Unbounded, |namespace| {
            Bound::Included(Self::of(namespace, ""))
        })
    }
}

impl Key for Arc<str> {
    fn of(_namespace: &str, name: &str) -> Self {
        Self::from(name)
    }

    fn is_in(&self, _namespace: &str) -> bool {
        true
    }

    fn first(_namespace: Option<&str>) -> Bound<Self> {
        Bound::Unbounded
    }
}

#[expect(clippy::cast_precision_loss, reason = "it is only compared")]
const fn to_f64(count: u64) -> f64 {
    count as f64
}

const fn bool_text(truth: bool) -> &'static str {
    if truth { "true" } else { "false" }
}

/// PodVitals.
pub(super) struct Pods;

impl Kind for Pods {
    type Object = PodVitals;
    type Record = Pod;
    type Key = PodKey;
    type Changes = PodChanges;

    const RESOURCE: &'static str = "podvitals";
    const FIELDS: &'static [&'static str] = &[
        "metadata.name",
        "metadata.namespace",
        "spec.nodeName",
        "status.phase",
        "status.ready",
    ];

    fn all(snapshot: &VersionedSnapshot) -> OrdMap<PodKey, Arc<Pod>> {
        snapshot.pods().clone()
    }

    fn all_at(builder: &VitalsBuilder) -> Option<OrdMap<PodKey, Arc<Pod>>> {
        Some(OrdMap::clone(builder.pods()))
    }

    fn past_scope<'a>(namespace: Option<&'a str>, pod: Option<&'a str>) -> Option<PastScope<'a>> {
        Some(PastScope {
            namespace,
            pod,
            nodes: false,
        })
    }

    fn version(snapshot: &VersionedSnapshot, pod: &Pod) -> Version {
        snapshot.pod_version(pod)
    }

    fn changes(
        snapshot: &Arc<VersionedSnapshot>,
        from: Version,
        namespace: Option<&Arc<str>>,
    ) -> PodChanges {
        snapshot.pod_changes(from, namespace)
    }

    fn matches(selection: &Selection, pod: &Pod) -> bool {
        selection.matches(&pod.labels, |field| match field {
            "metadata.name" => Some(&*pod.key.name),
            "metadata.namespace" => Some(&*pod.key.namespace),
            "spec.nodeName" => pod.node.as_deref(),
            "status.phase" => Some(pod.phase.as_str()),
            "status.ready" => Some(bool_text(pod.ready.status)),
            _ => None,
        })
    }

    const SUPPORTS_POD_FILTER: bool = true;
    const HAS_STATS: bool = true;

    fn passes_filter(filter: &PodFilter, builder: &VitalsBuilder, pod: &Pod) -> bool {
        filter.matches(builder, pod)
    }

    fn name(pod: &Pod) -> &str {
        &pod.key.name
    }

    fn to_api(builder: &mut VitalsBuilder, pod: &Pod) -> PodVitals {
        builder.pod(pod)
    }

    fn sorts_by(_: SortBy) -> bool {
        true
    }

    fn top(query: &Query, by: SortBy, limit: usize, scope: &TopScope<'_>) -> Option<Vec<Arc<Pod>>> {
        let SortBy::Value(measure) = by else {
            return None;
        };
        let top = query.top().pods(measure, limit, scope).into_iter();
        Some(top.map(|ranked| ranked.pod).collect())
    }

    fn rank(builder: &mut VitalsBuilder, pod: &Pod, by: Measure) -> Option<f64> {
        match by {
            // Building the whole object of each pod would take too long.
            Measure::Cpu => return Some(to_f64(builder.usage(pod)?.0.0)),
            Measure::Memory => return Some(to_f64(builder.usage(pod)?.1.0)),
            Measure::Restarts => return Some(f64::from(pod.summary().restarts)),
            Measure::CpuGrowth(_) | Measure::MemoryGrowth(_) => return None,
            _ => {}
        }
        let ratios = builder.pod(pod).ratios;
        match by {
            Measure::CpuOfLimit => ratios.cpu_of_limit,
            Measure::MemoryOfLimit => ratios.memory_of_limit,
            Measure::CpuOfRequest => ratios.cpu_of_request,
            Measure::MemoryOfRequest => ratios.memory_of_request,
            _ => None,
        }
    }
}

/// NodeVitals.
pub(super) struct Nodes;

impl Kind for Nodes {
    type Object = NodeVitals;
    type Record = Node;
    type Key = Arc<str>;
    type Changes = ChangeList<Node>;

    const RESOURCE: &'static str = "nodevitals";
    const FIELDS: &'static [&'static str] = &["metadata.name", "status.ready"];
    const HAS_STATS: bool = true;

    fn all(snapshot: &VersionedSnapshot) -> OrdMap<Arc<str>, Arc<Node>> {
        snapshot.nodes().clone()
    }

    fn all_at(builder: &VitalsBuilder) -> Option<OrdMap<Arc<str>, Arc<Node>>> {
        Some(OrdMap::clone(builder.nodes()))
    }

    fn past_scope<'a>(
        _namespace: Option<&'a str>,
        _name: Option<&'a str>,
    ) -> Option<PastScope<'a>> {
        Some(PastScope::CLUSTER)
    }

    fn version(snapshot: &VersionedSnapshot, node: &Node) -> Version {
        snapshot.node_version(node)
    }

    fn changes(
        snapshot: &Arc<VersionedSnapshot>,
        from: Version,
        _: Option<&Arc<str>>,
    ) -> ChangeList<Node> {
        snapshot.node_changes(from)
    }

    fn matches(selection: &Selection, node: &Node) -> bool {
        selection.matches(&node.labels, |field| match field {
            "metadata.name" => Some(&*node.name),
            "status.ready" => Some(bool_text(node.ready)),
            _ => None,
        })
    }

    fn name(node: &Node) -> &str {
        &node.name
    }

    fn to_api(builder: &mut VitalsBuilder, node: &Node) -> NodeVitals {
        builder.node(node)
    }

    fn sorts_by(by: SortBy) -> bool {
        use Measure::{Cpu, Memory, Restarts};
        matches!(by, SortBy::Name | SortBy::Value(Cpu | Memory | Restarts))
    }

    fn rank(builder: &mut VitalsBuilder, node: &Node, by: Measure) -> Option<f64> {
        let node = builder.node(node);
        let usage = node.usage.as_ref();
        match by {
            Measure::Cpu => Some(usage?.cpu.to_f64()),
            Measure::Memory => Some(usage?.memory.to_f64()),
            Measure::Restarts => Some(to_f64(node.restarts)),
            _ => None,
        }
    }
}

/// Incidents.
pub(super) struct Incidents;

impl Kind for Incidents {
    type Object = Incident;
    type Record = Incident;
    type Key = PodKey;
    type Changes = ChangeList<Incident>;

    const RESOURCE: &'static str = "incidents";
    const FIELDS: &'static [&'static str] = &[
        "metadata.name",
        "metadata.namespace",
        "reason",
        "cause",
        "certainty",
        "involved.kind",
        "involved.namespace",
        "involved.name",
        "involved.container",
        "involved.node",
        "open",
    ];

    fn all(snapshot: &VersionedSnapshot) -> OrdMap<PodKey, Arc<Incident>> {
        snapshot.incidents().clone()
    }

    fn version(snapshot: &VersionedSnapshot, incident: &Incident) -> Version {
        let meta = &incident.metadata;
        snapshot.incident_version(&PodKey::of(&meta.namespace, &meta.name))
    }

    fn changes(
        snapshot: &Arc<VersionedSnapshot>,
        from: Version,
        namespace: Option<&Arc<str>>,
    ) -> ChangeList<Incident> {
        let of = |incident: &Incident| {
            namespace.is_none_or(|namespace| *incident.metadata.namespace == **namespace)
        };
        snapshot.incident_changes(from).of(of)
    }

    fn matches(selection: &Selection, incident: &Incident) -> bool {
        let (meta, involved) = (&incident.metadata, &incident.involved);
        selection.matches(&meta.labels, |field| {
            Some(match field {
                "metadata.name" => &meta.name,
                "metadata.namespace" => &meta.namespace,
                "reason" => incident.reason.as_str(),
                "cause" => incident.cause.as_str(),
                "certainty" => incident.certainty.as_str(),
                "involved.kind" => &involved.kind,
                "involved.namespace" => &involved.namespace,
                "involved.name" => &involved.name,
                "involved.container" => &involved.container,
                "involved.node" => &involved.node,
                "open" => bool_text(incident.ended.is_none()),
                _ => return None,
            })
        })
    }

    fn name(incident: &Incident) -> &str {
        &incident.metadata.name
    }

    fn to_api(_: &mut VitalsBuilder, incident: &Incident) -> Incident {
        VitalsBuilder::incident(incident)
    }
}

/// ClusterVitals, of which there is one object.
pub(super) struct Clusters;

impl Kind for Clusters {
    type Object = ClusterVitals;
    type Record = ClusterSingleton;
    type Key = Arc<str>;
    type Changes = ChangeList<ClusterSingleton>;

    const RESOURCE: &'static str = "clustervitals";
    const FIELDS: &'static [&'static str] = &["metadata.name"];

    fn all(_: &VersionedSnapshot) -> OrdMap<Arc<str>, Arc<ClusterSingleton>> {
        OrdMap::unit(
            Arc::from(ClusterSingleton::NAME),
            Arc::new(ClusterSingleton),
        )
    }

    fn all_at(_: &VitalsBuilder) -> Option<OrdMap<Arc<str>, Arc<ClusterSingleton>>> {
        Some(OrdMap::unit(
            Arc::from(ClusterSingleton::NAME),
            Arc::new(ClusterSingleton),
        ))
    }

    fn past_scope<'a>(
        _namespace: Option<&'a str>,
        _name: Option<&'a str>,
    ) -> Option<PastScope<'a>> {
        Some(PastScope::CLUSTER)
    }

    fn version(snapshot: &VersionedSnapshot, _: &ClusterSingleton) -> Version {
        snapshot.version
    }

    fn changes(
        snapshot: &Arc<VersionedSnapshot>,
        from: Version,
        _: Option<&Arc<str>>,
    ) -> ChangeList<ClusterSingleton> {
        snapshot.cluster_changes(from)
    }

    fn matches(selection: &Selection, _: &ClusterSingleton) -> bool {
        let labels = kubevitals_proto::labels::Labels::default();
        selection.matches(&labels, |field| {
            (field == "metadata.name").then_some(ClusterSingleton::NAME)
        })
    }

    fn name(_: &ClusterSingleton) -> &str {
        ClusterSingleton::NAME
    }

    fn to_api(builder: &mut VitalsBuilder, _: &ClusterSingleton) -> ClusterVitals {
        builder.cluster()
    }
}
