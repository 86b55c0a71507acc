//! The cache of one kind of objects, and the changes that a watch applies to it.

use std::hash::Hash;
use std::sync::Arc;

use imbl::OrdMap;
use imbl::ordmap::DiffItem;
use kube::runtime::watcher::Event;
use kubevitals_proto::objects::{Item, Pools, WireHpa, WireJob, WireMeta, WireNode, WirePod};

use super::follow::WatchState;
use crate::cluster::{Hpa, Job, Node, Pod, PodKey};
use crate::memory::Memory;

/// An object on the wire that is stored in a smaller form under a key.
pub(in crate::cluster) trait Watched: Item {
    type Key: Clone + Ord + Hash + Send + Sync + 'static;
    type Object: Eq + Send + Sync + 'static;

    /// The key of the stored form.
    fn key(&self) -> Self::Key;

    /// Converts to the stored form. None if the object has no name, which no API server sends, or is not needed.
    fn into_entry(self, pools: &Pools) -> Option<(Self::Key, Self::Object)>;

    /// Whether both are the same object. Else the second was created under the name of the first.
    fn same(one: &Self::Object, other: &Self::Object) -> bool;
}

impl Watched for WireNode {
    type Key = Arc<str>;
    type Object = Node;

    fn key(&self) -> Arc<str> {
        Arc::from(&*self.metadata().name)
    }

    fn into_entry(self, pools: &Pools) -> Option<(Arc<str>, Node)> {
        let node = self.convert(pools)?;
        Some((Arc::clone(&node.name), node))
    }

    fn same(one: &Node, other: &Node) -> bool {
        one.uid == other.uid
    }
}

impl Watched for WirePod {
    type Key = PodKey;
    type Object = Pod;

    fn key(&self) -> PodKey {
        pod_key(self.metadata())
    }

    fn into_entry(self, pools: &Pools) -> Option<(PodKey, Pod)> {
        let pod = self.convert(pools)?;
        Some((pod.key.clone(), pod))
    }

    fn same(one: &Pod, other: &Pod) -> bool {
        one.uid == other.uid
    }
}

impl Watched for WireJob {
    type Key = PodKey;
    type Object = Job;

    fn key(&self) -> PodKey {
        pod_key(self.metadata())
    }

    fn into_entry(self, pools: &Pools) -> Option<(PodKey, Job)> {
        let job = self.convert(pools)?;
        Some((job.key.clone(), job))
    }

    fn same(one: &Job, other: &Job) -> bool {
        one == other
    }
}

impl Watched for WireHpa {
    type Key = PodKey;
    type Object = Hpa;

    fn key(&self) -> PodKey {
        pod_key(self.metadata())
    }

    fn into_entry(self, pools: &Pools) -> Option<(PodKey, Hpa)> {
        let hpa = self.convert(pools)?;
        Some((hpa.key.clone(), hpa))
    }

    /// An autoscaler is no more than what it asks for.
    fn same(_: &Hpa, _: &Hpa) -> bool {
        true
    }
}

fn pod_key(metadata: &WireMeta) -> PodKey {
    PodKey::new(&*metadata.namespace, &*metadata.name)
}

/// Is notified of each change of one kind, and publishes the objects to readers.
pub(in crate::cluster) trait Publisher<K: Watched> {
    /// An object was added, changed or deleted.
    fn notify(&mut self, before: Option<&Arc<K::Object>>, after: Option<&Arc<K::Object>>);

    /// A list is complete: its differences follow.
    fn listing(&mut self) {}

    /// The differences of a list have been notified.
    fn listed(&mut self) {}

    /// Publishes all objects, after a burst of changes.
    fn publish(&mut self, objects: &OrdMap<K::Key, Arc<K::Object>>);
}

/// A list that is being read.
#[derive(Debug)]
struct Listing<K: Watched> {
    entries: Vec<(K::Key, Arc<K::Object>)>,
    left_out: u64,
}

impl<K: Watched> Default for Listing<K> {
    fn default() -> Self {
        Self {
            entries: Vec::new(),
            left_out: 0,
        }
    }
}

/// The cached objects of one kind, and the list that is being read, if there is one. While memory is full, the cache leaves
/// out new objects. It still changes and deletes those that it has.
#[derive(Debug)]
pub(in crate::cluster) struct ObjectCache<K: Watched, L> {
    pub(in crate::cluster) objects: OrdMap<K::Key, Arc<K::Object>>,
    listing: Option<Listing<K>>,
    left_out: u64,
    memory: Arc<Memory>,
    pub(super) publisher: L,
}

impl<K: Watched, L> ObjectCache<K, L> {
    pub(in crate::cluster) fn new(publisher: L, memory: Arc<Memory>) -> Self {
        Self {
            objects: OrdMap::new(),
            listing: None,
            left_out: 0,
            memory,
            publisher,
        }
    }

    /// Whether to leave out an object. It is not even converted, because a conversion interns names.
    fn leaves_out(&self, object: &K) -> bool {
        self.memory.is_full() && !self.objects.contains_key(&object.key())
    }
}

impl<K: Watched, L: Publisher<K>> WatchState<K> for ObjectCache<K, L> {
    fn publish(&mut self) {
        self.publisher.publish(&self.objects);
    }

    fn left_out(&self) -> u64 {
        self.left_out
    }

    /// An object in the same stored form is no change: most updates of a pod change only fields that are not stored.
    fn apply(&mut self, event: Event<K>, pools: &Pools) -> bool {
        match event {
            Event::Init => {
                self.listing = Some(Listing::default());
                false
            }
            Event::InitApply(object) => {
                let left_out = self.leaves_out(&object);
                let listing = self.listing.get_or_insert_default();
                if left_out {
                    listing.left_out += 1;
                } else if let Some((key, object)) = object.into_entry(pools) {
                    let object = match self.objects.get(&key) {
                        Some(before) if **before == object => Arc::clone(before),
                        _ => Arc::new(object),
                    };
                    listing.entries.push((key, object));
                }
                false
            }
            Event::InitDone => {
                let Listing { entries, left_out } = self.listing.take().unwrap_or_default();
                self.left_out = left_out;
                let listed = filled(entries);
                let objects = std::mem::replace(&mut self.objects, listed);
                self.publisher.listing();
                for change in objects.diff(&self.objects) {
                    match change {
                        DiffItem::Add(_, after) => {
                            notify::<K>(&mut self.publisher, None, Some(after))
                        }
                        DiffItem::Remove(_, before) => {
                            notify::<K>(&mut self.publisher, Some(before), None);
                        }
                        DiffItem::Update { old, new } => {
                            notify::<K>(&mut self.publisher, Some(old.1), Some(new.1));
                        }
                    }
                }
                self.publisher.listed();
                true
            }
            // One object at least: its changes are not counted again, nor its deletion.
            Event::Apply(object) if self.leaves_out(&object) => {
                self.left_out = self.left_out.max(1);
                false
            }
            Event::Apply(object) => object
                .into_entry(pools)
                .is_some_and(|(key, object)| self.insert(key, object)),
            Event::Delete(object) => {
                let Some((key, object)) = object.into_entry(pools) else {
                    return false;
                };
                // The last form of a deleted object may be new, such as the terminations of its containers.
                if self.objects.contains_key(&key) {
                    self.insert(key.clone(), object);
                }
                let Some(gone) = self.objects.remove(&key) else {
                    return false;
                };
                notify::<K>(&mut self.publisher, Some(&gone), None);
                true
            }
        }
    }
}

impl<K: Watched, L: Publisher<K>> ObjectCache<K, L> {
    fn insert(&mut self, key: K::Key, object: K::Object) -> bool {
        let before = self.objects.get(&key);
        if before.is_some_and(|before| **before == object) {
            return false;
        }
        let after = Arc::new(object);
        notify::<K>(&mut self.publisher, before, Some(&after));
        self.objects.insert(key, after);
        true
    }
}

/// Makes a map of a list. Of two objects with one key the later counts.
///
/// Inserts every second object before the others. The map's tree splits a full leaf in the middle, so that inserting
/// in order would leave each leaf half empty, at a cost of 16 bytes a pod. In this order the leaves are filled.
fn filled<Key: Ord + Clone, Object: Clone>(mut listed: Vec<(Key, Object)>) -> OrdMap<Key, Object> {
    // The sort is stable.
    listed.sort_by(|(one, _), (other, _)| one.cmp(other));
    listed.dedup_by(|later, object| {
        let same = later.0 == object.0;
        if same {
            std::mem::swap(later, object);
        }
        same
    });
    let mut map = OrdMap::new();
    let (first, second) = (listed.iter(), listed.iter().skip(1));
    for (key, object) in first.step_by(2).chain(second.step_by(2)) {
        map.insert(key.clone(), object.clone());
    }
    map
}

fn notify<K: Watched>(
    publisher: &mut impl Publisher<K>,
    before: Option<&Arc<K::Object>>,
    after: Option<&Arc<K::Object>>,
) {
    match (before, after) {
        (Some(old), Some(new)) if !K::same(old, new) => {
            publisher.notify(before, None);
            publisher.notify(None, after);
        }
        _ => publisher.notify(before, after),
    }
}

/// Does nothing.
#[cfg(test)]
#[derive(Debug)]
pub(in crate::cluster) struct NullPublisher;

#[cfg(test)]
impl<K: Watched> Publisher<K> for NullPublisher {
    fn notify(&mut self, _: Option<&Arc<K::Object>>, _: Option<&Arc<K::Object>>) {}

    fn publish(&mut self, _: &OrdMap<K::Key, Arc<K::Object>>) {}
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering::Relaxed;

    use super::*;
    use crate::memory::tests::with_allocated;

    /// The notifications, one word each: `+a`, `a:Running→Failed`, `-a`.
    #[derive(Default)]
    struct Recorder(Vec<String>);

    impl Publisher<WirePod> for Recorder {
        fn notify(&mut self, before: Option<&Arc<Pod>>, after: Option<&Arc<Pod>>) {
            self.0.push(match (before, after) {
                (None, Some(pod)) => format!("+{}", pod.key.name),
                (Some(pod), None) => format!("-{}", pod.key.name),
                (Some(before), Some(after)) => {
                    let (from, to) = (before.phase.as_str(), after.phase.as_str());
                    format!("{}:{from}→{to}", after.key.name)
                }
                (None, None) => "nothing".to_owned(),
            });
        }

        fn publish(&mut self, _: &OrdMap<PodKey, Arc<Pod>>) {}
    }

    fn pod(name: &str, phase: &str) -> WirePod {
        pod_with(name, phase, "")
    }

    fn pod_with(name: &str, phase: &str, uid: &str) -> WirePod {
        serde_json::from_value(serde_json::json!({
            "metadata": {"namespace": "default", "name": name, "uid": uid}, "status": {"phase": phase},
        }))
        .unwrap()
    }

    fn names(cache: &ObjectCache<WirePod, Recorder>) -> Vec<String> {
        cache
            .objects
            .keys()
            .map(|key| key.name.to_string())
            .collect()
    }

    fn list(cache: &mut ObjectCache<WirePod, Recorder>, objects: Vec<WirePod>) -> Vec<String> {
        let pools = Pools::default();
        cache.publisher.0.clear();
        cache.apply(Event::Init, &pools);
        for object in objects {
            cache.apply(Event::InitApply(object), &pools);
        }
        cache.apply(Event::InitDone, &pools);
        std::mem::take(&mut cache.publisher.0)
    }

    fn listed(objects: &[&str]) -> ObjectCache<WirePod, Recorder> {
        let mut cache = ObjectCache::new(Recorder::default(), Arc::default());
        let objects = objects.iter().map(|object| pod(object, "Running"));
        list(&mut cache, objects.collect());
        cache
    }

    #[test]
    fn a_list_replaces_the_cache_only_when_complete() {
        let pools = Pools::default();
        let mut cache = listed(&["a", "b"]);
        cache.apply(Event::Init, &pools);
        cache.apply(Event::InitApply(pod("c", "Running")), &pools);
        assert_eq!(
            names(&cache),
            ["a", "b"],
            "an incomplete list must not hide the cached objects"
        );
        assert!(cache.publisher.0.is_empty());
        cache.apply(Event::InitDone, &pools);
        assert_eq!(
            names(&cache),
            ["c"],
            "objects that a new list lacks are gone"
        );
    }

    #[test]
    fn the_later_copy_of_an_object_wins() {
        for odd in [0, 1] {
            let mut listed: Vec<(u32, char)> = (1..odd + 1).map(|key| (key, 'a')).collect();
            listed.extend([(9, 'b'), (5, 'a'), (5, 'b'), (7, 'b')]);
            let map = filled(listed);
            assert_eq!((map.len() as u32, map[&5]), (3 + odd, 'b'));
            assert!(map.keys().is_sorted());
        }
    }

    #[test]
    fn while_memory_is_full_the_cache_changes_objects_but_adds_none() {
        let (memory, allocated) = with_allocated(1000);
        let memory = Arc::new(memory);
        let set = |bytes| {
            allocated.store(bytes, Relaxed);
            memory.measure(0);
        };
        let pools = Pools::default();
        let mut cache = ObjectCache::new(Recorder::default(), Arc::clone(&memory));
        list(&mut cache, vec![pod("a", "Running"), pod("b", "Running")]);
        assert_eq!(cache.left_out(), 0);
        set(900);
        assert!(!cache.apply(Event::Apply(pod("c", "Running")), &pools));
        assert!(!cache.apply(Event::Apply(pod("c", "Failed")), &pools));
        assert!(cache.apply(Event::Apply(pod("a", "Failed")), &pools));
        assert!(cache.apply(Event::Delete(pod("b", "Running")), &pools));
        assert!(!cache.apply(Event::Delete(pod("c", "Failed")), &pools));
        assert_eq!(cache.publisher.0, ["a:Running→Failed", "-b"]);
        assert_eq!((names(&cache), cache.left_out()), (vec!["a".to_owned()], 1));
        let all = || Vec::from(["a", "c", "d"].map(|name| pod(name, "Failed")));
        assert!(list(&mut cache, all()).is_empty());
        assert_eq!((names(&cache), cache.left_out()), (vec!["a".to_owned()], 2));
        set(100);
        assert_eq!(list(&mut cache, all()), ["+c", "+d"]);
        assert_eq!(cache.left_out(), 0);
    }

    #[test]
    fn a_repeated_event_is_no_change() {
        let pools = Pools::default();
        let mut cache = listed(&["a"]);
        assert!(!cache.apply(Event::Apply(pod("a", "Running")), &pools));
        assert!(cache.apply(Event::Apply(pod("a", "Failed")), &pools));
        assert!(cache.apply(Event::Delete(pod("a", "Failed")), &pools));
        assert!(!cache.apply(Event::Delete(pod("a", "Failed")), &pools));
        assert_eq!(cache.publisher.0, ["a:Running→Failed", "-a"]);
    }

    #[test]
    fn a_list_notifies_only_of_changes() {
        let mut cache = listed(&["a", "b", "c"]);
        let objects = vec![pod("b", "Running"), pod("c", "Failed"), pod("d", "Running")];
        assert_eq!(list(&mut cache, objects), ["-a", "c:Running→Failed", "+d"]);
    }

    #[test]
    fn a_recreated_object_is_another_one() {
        let pools = Pools::default();
        let mut cache = ObjectCache::new(Recorder::default(), Arc::default());
        list(&mut cache, vec![pod_with("a", "Running", "1")]);
        cache.apply(Event::Apply(pod_with("a", "Pending", "2")), &pools);
        assert_eq!(cache.publisher.0, ["-a", "+a"]);
        assert_eq!(
            list(&mut cache, vec![pod_with("a", "Pending", "3")]),
            ["-a", "+a"]
        );
    }

    #[test]
    fn a_deleted_object_is_sent_as_it_was_last() {
        let pools = Pools::default();
        let mut cache = listed(&["a"]);
        cache.apply(Event::Delete(pod("a", "Failed")), &pools);
        assert_eq!(cache.publisher.0, ["a:Running→Failed", "-a"]);
        assert!(!cache.apply(Event::Delete(pod("never", "Failed")), &pools));
    }
}
