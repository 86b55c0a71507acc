//! A page with all series, for a Prometheus that scrapes: in the text format or in OpenMetrics.
//!
//! The page is written family by family, because both formats want the samples of a family together. It reads snapshots,
//! so a page of any size takes the memory of one chunk.

use std::fmt::Write as _;
use std::ops::Bound;
use std::sync::Arc;
use std::time::Duration;

use kube::Client;
use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::Incident;
use tokio::sync::Mutex;

use super::hpas::Hpas;
use super::series::{
    CONTAINER_USAGE, Family, HPAS, Hpa, INCIDENTS, Kind, Label, NODE_USAGE, NODES, POD_HEALTH,
    PODS, PodHealth, PodSubject, Usages, VOLUMES, WORKLOADS, is_exported,
};
use crate::availability::{Availability, WorkloadSeries};
use crate::clock::{Age, Clock};
use crate::cluster::{Cluster, Jobs, Nodes, PodKey, Pods};
use crate::health::Health;
use crate::query::Volume;
use crate::store::{NodeCell, Store};

/// The time for which listed autoscalers are used again: several replicas of Prometheus scrape.
const HPA_AGE: Duration = Duration::from_secs(10);

/// What a page is made of.
pub(crate) struct PageSource {
    cluster: Arc<Cluster>,
    store: Arc<Store>,
    health: Arc<Health>,
    availability: Option<Arc<Availability>>,
    clock: Arc<dyn Clock>,
    hpas: Mutex<CachedHpas>,
}

struct CachedHpas {
    lister: Hpas,
    listed: Option<(Age, Arc<Vec<Hpa>>)>,
}

impl PageSource {
    pub(crate) fn new(
        cluster: &Arc<Cluster>,
        store: &Arc<Store>,
        health: &Arc<Health>,
        availability: Option<&Arc<Availability>>,
        clock: &Arc<dyn Clock>,
        client: Client,
    ) -> Self {
        Self {
            cluster: Arc::clone(cluster),
            store: Arc::clone(store),
            health: Arc::clone(health),
            availability: availability.cloned(),
            clock: Arc::clone(clock),
            hpas: Mutex::new(CachedHpas {
                lister: Hpas::new(client),
                listed: None,
            }),
        }
    }

    /// A page as of now.
    pub(crate) async fn page(&self, openmetrics: bool) -> Page {
        let hpas = self.hpas().await;
        let mut cells: Vec<_> = self
            .store
            .cells()
            .iter()
            .map(|(n, c)| (n.clone(), c.clone()))
            .collect();
        cells.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        let incidents = self.health.incidents().0.into_iter().map(|it| it.incident);
        Page {
            text: Text {
                openmetrics,
                out: String::new(),
            },
            nodes: self.cluster.nodes(),
            pods: self.cluster.pods(),
            jobs: self.cluster.jobs(),
            usages: Usages::of(&self.cluster),
            cells,
            incidents: incidents.filter(|it| is_exported(it)).collect(),
            hpas,
            workloads: self
                .availability
                .as_ref()
                .map_or_else(Vec::new, |it| it.series()),
            volumes: Volume::all(&self.cluster, &self.store, self.clock.elapsed(), |_| true),
            health: Arc::clone(&self.health),
            family: 0,
            position: Position::Begin,
        }
    }

    async fn hpas(&self) -> Arc<Vec<Hpa>> {
        let mut hpas = self.hpas.lock().await;
        let now = self.clock.elapsed();
        if let Some((at, listed)) = &hpas.listed
            && now.since(*at) < HPA_AGE
        {
            return Arc::clone(listed);
        }
        let listed = Arc::new(hpas.lister.list().await);
        hpas.listed = Some((now, Arc::clone(&listed)));
        listed
    }
}

/// A page that is being written.
pub(crate) struct Page {
    text: Text,
    nodes: Arc<Nodes>,
    pods: Arc<Pods>,
    jobs: Arc<Jobs>,
    usages: Usages,
    cells: Vec<(Arc<str>, Arc<NodeCell>)>,
    incidents: Vec<Arc<Incident>>,
    hpas: Arc<Vec<Hpa>>,
    workloads: Vec<WorkloadSeries>,
    volumes: Vec<Volume>,
    health: Arc<Health>,
    /// The current family: an index over the families of all subjects.
    family: usize,
    position: Position,
}

/// Up to which subject the current family is written.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Position {
    Begin,
    /// The index of the next node.
    Node(usize),
    /// The last pod.
    Pod(PodKey),
}

impl Page {
    /// Appends the samples of about `subjects` subjects. Returns whether there is more.
    pub(crate) fn advance(&mut self, subjects: usize, out: &mut Vec<u8>) -> bool {
        let more = self.step(subjects);
        if !more && self.text.openmetrics {
            self.text.out.push_str("# EOF\n");
        }
        out.extend_from_slice(self.text.out.as_bytes());
        self.text.out.clear();
        more
    }

    fn step(&mut self, subjects: usize) -> bool {
        let mut at = self.family;
        // Selects the list of families that contains the current one.
        macro_rules! families {
            ($($list:expr => $write:expr;)*) => {$(
                if let Some(family) = $list.get(at) {
                    if self.position == Position::Begin {
                        self.text.family(family.name, family.help, family.kind);
                    }
                    let next = $write(self, family);
                    self.family += usize::from(next.is_none());
                    self.position = next.unwrap_or(Position::Begin);
                    return true;
                }
                at -= $list.len();
            )*};
        }
        families! {
            CONTAINER_USAGE => |page: &mut Self, family| page.usage(subjects, |usages, node, cell, text| {
                let (_, containers) = usages.read(node, cell);
                for sample in &containers {
                    text.samples(family, sample, Some(sample.point.at));
                }
            });
            NODE_USAGE => |page: &mut Self, family| page.usage(subjects, |usages, node, cell, text| {
                if let (Some(sample), _) = usages.read(node, cell) {
                    text.samples(family, &sample, Some(sample.point.at));
                }
            });
            NODES => |page: &mut Self, family| {
                for node in page.nodes.values() {
                    page.text.samples(family, &**node, None);
                }
                None
            };
            PODS => |page: &mut Self, family| page.pods(subjects, family, false);
            POD_HEALTH => |page: &mut Self, family| page.pods(subjects, family, true);
            INCIDENTS => |page: &mut Self, family| {
                for incident in &page.incidents {
                    page.text.samples(family, &**incident, None);
                }
                None
            };
            HPAS => |page: &mut Self, family| {
                for hpa in page.hpas.iter() {
                    page.text.samples(family, hpa, None);
                }
                None
            };
            WORKLOADS => |page: &mut Self, family| {
                for workload in &page.workloads {
                    page.text.samples(family, workload, None);
                }
                None
            };
            VOLUMES => |page: &mut Self, family| {
                for volume in &page.volumes {
                    page.text.samples(family, volume, None);
                }
                None
            };
        }
        let _past_the_last = at;
        false
    }

    /// Writes the samples of some nodes' usage.
    fn usage(
        &mut self,
        subjects: usize,
        write: impl Fn(&Usages, &Arc<str>, &NodeCell, &mut Text),
    ) -> Option<Position> {
        let first = match self.position {
            Position::Node(next) => next,
            _ => 0,
        };
        // A node has some thirty pods.
        let end = first.saturating_add(subjects / 32 + 1);
        let end = end.min(self.cells.len());
        for (node, cell) in self.cells.get(first..end).unwrap_or_default() {
            write(&self.usages, node, cell, &mut self.text);
        }
        (end < self.cells.len()).then_some(Position::Node(end))
    }

    /// Writes the samples of some pods.
    fn pods(
        &mut self,
        subjects: usize,
        family: &Family<PodSubject>,
        with_health: bool,
    ) -> Option<Position> {
        let after = match &self.position {
            Position::Pod(last) => Bound::Excluded(last.clone()),
            _ => Bound::Unbounded,
        };
        let mut last = None;
        for (key, pod) in self.pods.range((after, Bound::Unbounded)).take(subjects) {
            let health = if with_health {
                PodHealth::of(&self.health, pod)
            } else {
                PodHealth::default()
            };
            let subject = PodSubject {
                pod: Arc::clone(pod),
                jobs: Arc::clone(&self.jobs),
                health,
            };
            self.text.samples(family, &subject, None);
            last = Some(key);
        }
        Some(Position::Pod(last?.clone()))
    }
}

/// Writes one of the two text formats.
struct Text {
    openmetrics: bool,
    out: String,
}

impl Text {
    /// The lines before the samples of a family. OpenMetrics names the family of a counter without `_total`.
    fn family(&mut self, name: &str, help: &str, kind: Kind) {
        let name = match name.strip_suffix("_total") {
            Some(short) if self.openmetrics => short,
            _ => name,
        };
        let kind = kind.as_str();
        // Writing to a String cannot fail.
        let _written = write!(self.out, "# HELP {name} {help}.\n# TYPE {name} {kind}\n");
    }

    fn samples<S: ?Sized>(&mut self, family: &Family<S>, subject: &S, at: Option<Timestamp>) {
        (family.write)(subject, &mut |labels, value| {
            self.sample(family.name, labels, value, at);
        });
    }

    fn sample(&mut self, name: &str, labels: &[Label<'_>], value: f64, at: Option<Timestamp>) {
        self.out.push_str(name);
        let mut separator = '{';
        for (name, value) in labels.iter().filter(|(_, value)| !value.is_empty()) {
            self.out.push(separator);
            separator = ',';
            self.out.push_str(name);
            self.out.push_str("=\"");
            self.escaped(value);
            self.out.push('"');
        }
        if separator == ',' {
            self.out.push('}');
        }
        // Values are finite: Rust writes them as both formats want them.
        let _written = write!(self.out, " {value}");
        if let Some(at) = at {
            let millis = at.as_millis();
            let _written = if self.openmetrics {
                let (seconds, rest) = (millis.div_euclid(1000), millis.rem_euclid(1000));
                write!(self.out, " {seconds}.{rest:03}")
            } else {
                write!(self.out, " {millis}")
            };
        }
        self.out.push('\n');
    }

    fn escaped(&mut self, value: &str) {
        for c in value.chars() {
            match c {
                '\\' => self.out.push_str("\\\\"),
                '"' => self.out.push_str("\\\""),
                '\n' => self.out.push_str("\\n"),
                other => self.out.push(other),
            }
        }
    }
}
