//! Kubelets that answer from files: the k-th scrape with the k-th file.

mod recording;
mod scenarios;
mod script;

pub use script::ReplayError;

use std::path::Path;
use std::sync::Arc;

use kubevitals_proto::time::Timestamp;
use parking_lot::Mutex;
use serde_json::Value;

use self::script::{Script, Step};
use crate::kubelet::summary::Extent;
use crate::kubelet::{Answer, Page, Pages, pod_list};
use crate::members::Members;
use crate::objects::{Resource, Store};
use crate::world::hash::{hash, stream};
use crate::world::json::node;
use crate::world::json::workload::namespace;
use crate::world::node::Node;

/// What a folder says: nodes, and what they answer to one scrape after the other.
#[derive(Clone, Debug)]
pub struct Replay {
    nodes: Arc<Vec<Script>>,
}

impl Replay {
    /// Reads a folder: either one folder for each scenario with a file for each scrape (`01-steady/1.txt`, `4.500` for
    /// a scrape that fails), or files of one node (`01-metrics-resource.txt`, `01-pods.json`, …).
    ///
    /// # Errors
    /// When a file cannot be read, or the folder is neither.
    pub fn from_dir(path: impl AsRef<Path>) -> Result<Self, ReplayError> {
        let path = path.as_ref();
        let nodes = if path.join("01-metrics-resource.txt").exists() {
            vec![recording::read_all(path)?]
        } else {
            scenarios::read_all(path)?
        };
        if nodes.is_empty() {
            return Err(ReplayError::Unknown(path.to_owned()));
        }
        Ok(Self {
            nodes: Arc::new(nodes),
        })
    }

    /// The names of the nodes, in the order of their addresses.
    pub fn nodes(&self) -> impl Iterator<Item = &str> {
        self.nodes.iter().map(|n| n.node.as_str())
    }

    /// How many steps a node has; 0 for one that is not there.
    #[must_use]
    pub fn steps(&self, node: &str) -> usize {
        let script = self.nodes.iter().find(|n| n.node == node);
        script.map_or(0, |n| n.steps.len())
    }

    /// When the first step was recorded. `None` where nothing in it has a time.
    #[must_use]
    pub fn began(&self) -> Option<Timestamp> {
        let first = self.nodes.iter().filter_map(|n| n.steps.first());
        first.filter_map(Step::recorded).max()
    }

    /// When a step of a node, from 1, was recorded. `None` when there is no such step, or nothing in it has a time.
    #[must_use]
    pub fn recorded(&self, node: &str, step: usize) -> Option<Timestamp> {
        let script = self.nodes.iter().find(|n| n.node == node)?;
        script.steps.get(step.checked_sub(1)?)?.recorded()
    }
}

/// The kinds of objects that change from step to step.
const RECORDED: [Resource; 3] = [Resource::Pods, Resource::Events, Resource::Nodes];

/// The nodes of a replay, and how far each has got.
#[derive(Debug)]
pub(crate) struct Player {
    replay: Replay,
    places: Vec<Mutex<Place>>,
    store: Arc<Store>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Place {
    /// Steps taken: none before the first scrape.
    taken: usize,
    /// Whether steps are taken by [`Player::step`] and no longer by scrapes.
    by_hand: bool,
    /// The step whose objects of each of [`RECORDED`] are in the store; the first's are from the beginning.
    stored: [usize; RECORDED.len()],
}

impl Player {
    pub(crate) fn new(replay: Replay, store: Arc<Store>) -> Self {
        let places = replay.nodes.iter().map(|_| Mutex::default()).collect();
        Self {
            replay,
            places,
            store,
        }
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = String> {
        self.replay.nodes().map(str::to_owned)
    }

    /// Puts the nodes into the store, and what there is at the first step.
    pub(crate) fn populate(&self, port: u16, now: Timestamp) {
        for (index, script) in self.replay.nodes.iter().enumerate() {
            let seed = hash(1, stream(&script.node));
            let namespace = namespace(seed, &script.namespace, now);
            self.store.apply(Resource::Namespaces, namespace);
            let mut node = Node::new(seed, index, 30, now);
            node.name = script.node.as_str().into();
            if let Some(uid) = &script.uid {
                node.uid.clone_from(uid);
            }
            if let Some(memory) = script.memory {
                node.size.memory = memory;
            }
            let state = node.state.lock();
            self.store
                .apply(Resource::Nodes, node::node(&node, &state, port, now));
            self.store.apply(Resource::Leases, node::lease(&node, now));
            for (resource, object) in &script.objects {
                self.store.apply(*resource, object.clone());
            }
            if let Some(place) = self.places.get(index) {
                self.bring(script, &mut place.lock(), &RECORDED, 1);
            }
        }
    }

    /// Takes the next step of a node by hand, after which its scrapes repeat the step it is at. Returns the number
    /// of the step, from 1; `None` when there is no such node.
    pub(crate) fn step(&self, node: &str) -> Option<usize> {
        let (script, place) = self.find(node)?;
        let mut place = place.lock();
        place.by_hand = true;
        Some(self.advance(script, &mut place))
    }

    /// Has a node repeat the step it is at, until the next one is taken by hand; whether there is such a node.
    pub(crate) fn hold(&self, node: &str) -> bool {
        let place = self.find(node).map(|(_, place)| place);
        place.map(|place| place.lock().by_hand = true).is_some()
    }

    /// Brings the objects of one kind to the step that a node takes next; whether there is such a node.
    pub(crate) fn store_next(&self, node: &str, resource: Resource) -> bool {
        let Some((script, place)) = self.find(node) else {
            return false;
        };
        let mut place = place.lock();
        let next = place.taken + 1;
        self.bring(script, &mut place, &[resource], next);
        true
    }

    fn find(&self, node: &str) -> Option<(&Script, &Mutex<Place>)> {
        let mut nodes = self.replay.nodes.iter().zip(&self.places);
        nodes.find(|(script, _)| script.node == node)
    }

    fn advance(&self, script: &Script, place: &mut Place) -> usize {
        if place.taken < script.steps.len() {
            place.taken += 1;
            let to = place.taken;
            self.bring(script, place, &RECORDED, to);
        }
        place.taken
    }

    /// A node of the store with the conditions and taints that were recorded: its address is not the recorded one's.
    fn as_recorded(&self, recorded: &Value) -> Option<Value> {
        let (_, name) = key(recorded);
        let stored = self.store.get(Resource::Nodes, None, name)?;
        let mut node = stored.to_value(Resource::Nodes);
        for pointer in ["/status/conditions", "/spec/taints"] {
            let (parent, member) = pointer.rsplit_once('/')?;
            let value = recorded.pointer(pointer).cloned().unwrap_or_default();
            node.pointer_mut(parent)?.put(member, value);
        }
        Some(node)
    }

    /// Brings the store's objects of some kinds to a step: what is the same is left alone.
    fn bring(&self, script: &Script, place: &mut Place, resources: &[Resource], to: usize) {
        let objects = |step: usize, resource| {
            let step = script.steps.get(step.checked_sub(1)?)?;
            step.objects(resource)
        };
        for (resource, stored) in RECORDED.into_iter().zip(&mut place.stored) {
            if *stored >= to || !resources.contains(&resource) {
                continue;
            }
            let Some(new) = objects(to, resource) else {
                continue;
            };
            let before = objects(*stored, resource);
            if resource == Resource::Pods {
                let deployments = script.objects.iter();
                for (_, object) in deployments.filter(|(of, _)| *of == Resource::Deployments) {
                    let now = recording::deployment(object, new);
                    if before.map(|pods| recording::deployment(object, pods)) != Some(now.clone()) {
                        self.store.apply(Resource::Deployments, now);
                    }
                }
            }
            let old = before.unwrap_or_default();
            *stored = to;
            for object in old.iter().filter(|o| find(new, o).is_none()) {
                let (namespace, name) = key(object);
                self.store.delete(resource, Some(namespace), name);
            }
            for object in new.iter().filter(|o| find(old, o) != Some(o)) {
                let object = match resource {
                    Resource::Nodes => self.as_recorded(object),
                    _ => Some(object.clone()),
                };
                if let Some(object) = object {
                    self.store.apply(resource, object);
                }
            }
        }
    }
}

fn key(object: &Value) -> (&str, &str) {
    (
        object.text("/metadata/namespace"),
        object.text("/metadata/name"),
    )
}

fn find<'a>(objects: &'a [Value], like: &Value) -> Option<&'a Value> {
    objects.iter().find(|o| key(o) == key(like))
}

impl Pages for Player {
    fn write(&self, node: usize, page: Page, _clock_off: i64, out: &mut Vec<u8>) -> Answer {
        let (Some(script), Some(place)) = (self.replay.nodes.get(node), self.places.get(node))
        else {
            return Answer::NotFound;
        };
        let mut place = place.lock();
        if page == Page::Resource && !(place.by_hand && place.taken > 0) {
            self.advance(script, &mut place);
        }
        let Some(step) = script.steps.get(place.taken.saturating_sub(1)) else {
            return Answer::NotFound;
        };
        let bytes = match page {
            Page::Resource => match &step.resource {
                Ok(bytes) => Some(bytes),
                Err(status) => return Answer::Failed(*status),
            },
            Page::Probes => step.probes.as_ref(),
            Page::Summary(Extent::Full | Extent::CpuAndMemory) => step.summary.as_ref(),
            Page::Pods => {
                let pods = step.pods.as_deref().unwrap_or_default().iter();
                let names = pods.map(|p| {
                    let (namespace, name) = key(p);
                    (Arc::from(namespace), Arc::from(name))
                });
                pod_list(&self.store, names, out);
                return Answer::Written;
            }
        };
        let Some(bytes) = bytes else {
            return Answer::NotFound;
        };
        out.extend_from_slice(bytes);
        Answer::Written
    }
}
