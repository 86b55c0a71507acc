//! What is known of one kind, and how a stream of changes changes it.

use std::hash::Hash;
use std::sync::Arc;

use imbl::OrdMap;
use imbl::ordmap::DiffItem;
use kube::runtime::watcher::Event;
use kubevitals_proto::objects::{Item, Pools, SlimJob, SlimNode, SlimPod};

use crate::cluster::{Job, Node, Pod, PodKey};

/// An object on the wire that is kept in some slimmer form under a key.
pub(in crate::cluster) trait Watched: Item {
    type Key: Clone + Ord + Hash + Send + Sync + 'static;
    type Kept: Eq + Send + Sync + 'static;

    /// The object as it is kept; nothing when it has no name, which no API server sends, or is of no use.
    fn keep(self, pools: &Pools) -> Option<(Self::Key, Self::Kept)>;

    /// Whether both are one object; else the second was made anew under the first one's name.
    fn same(one: &Self::Kept, other: &Self::Kept) -> bool;
}

impl Watched for SlimNode {
    type Key = Arc<str>;
    type Kept = Node;

    fn keep(self, pools: &Pools) -> Option<(Arc<str>, Node)> {
        let node = self.convert(pools)?;
        Some((Arc::clone(&node.name), node))
    }

    fn same(one: &Node, other: &Node) -> bool {
        one.uid == other.uid
    }
}

impl Watched for SlimPod {
    type Key = PodKey;
    type Kept = Pod;

    fn keep(self, pools: &Pools) -> Option<(PodKey, Pod)> {
        let pod = self.convert(pools)?;
        Some((pod.key.clone(), pod))
    }

    fn same(one: &Pod, other: &Pod) -> bool {
        one.uid == other.uid
    }
}

impl Watched for SlimJob {
    type Key = PodKey;
    type Kept = Job;

    fn keep(self, pools: &Pools) -> Option<(PodKey, Job)> {
        let job = self.convert(pools)?;
        Some((job.key.clone(), job))
    }

    fn same(one: &Job, other: &Job) -> bool {
        one == other
    }
}

/// Who is told of each change of one kind, and publishes what has become of it.
pub(in crate::cluster) trait Listener<K: Watched> {
    /// An object is new, changed, or gone.
    fn told(&mut self, before: Option<&Arc<K::Kept>>, after: Option<&Arc<K::Kept>>);

    /// All that is known, after a burst of changes.
    fn publish(&mut self, known: &OrdMap<K::Key, Arc<K::Kept>>);
}

/// An object under its key.
type Entry<K> = (<K as Watched>::Key, Arc<<K as Watched>::Kept>);

/// What is known of one kind, and the list under way, if one is.
#[derive(Debug)]
pub(in crate::cluster) struct Table<K: Watched, L> {
    known: OrdMap<K::Key, Arc<K::Kept>>,
    listing: Option<Vec<Entry<K>>>,
    listener: L,
}

impl<K: Watched, L: Listener<K>> Table<K, L> {
    pub(in crate::cluster) fn new(listener: L) -> Self {
        Self {
            known: OrdMap::new(),
            listing: None,
            listener,
        }
    }

    /// What is known.
    #[cfg(test)]
    pub(in crate::cluster) fn known(&self) -> &OrdMap<K::Key, Arc<K::Kept>> {
        &self.known
    }

    /// Who is told.
    #[cfg(test)]
    pub(super) fn listener(&self) -> &L {
        &self.listener
    }

    pub(super) fn publish(&mut self) {
        self.listener.publish(&self.known);
    }

    /// Returns whether `known` changed. An object that reads the same as before is no change: most updates of
    /// a pod touch nothing that we use.
    pub(in crate::cluster) fn apply(&mut self, event: Event<K>, pools: &Pools) -> bool {
        match event {
            Event::Init => {
                self.listing = Some(Vec::new());
                false
            }
            Event::InitApply(object) => {
                if let Some((key, kept)) = object.keep(pools) {
                    let kept = match self.known.get(&key) {
                        Some(before) if **before == kept => Arc::clone(before),
                        _ => Arc::new(kept),
                    };
                    self.listing.get_or_insert_default().push((key, kept));
                }
                false
            }
            Event::InitDone => {
                let listed = filled(self.listing.take().unwrap_or_default());
                let known = std::mem::replace(&mut self.known, listed);
                for change in known.diff(&self.known) {
                    match change {
                        DiffItem::Add(_, after) => tell::<K>(&mut self.listener, None, Some(after)),
                        DiffItem::Remove(_, before) => {
                            tell::<K>(&mut self.listener, Some(before), None);
                        }
                        DiffItem::Update { old, new } => {
                            tell::<K>(&mut self.listener, Some(old.1), Some(new.1));
                        }
                    }
                }
                true
            }
            Event::Apply(object) => object
                .keep(pools)
                .is_some_and(|(key, kept)| self.put(key, kept)),
            Event::Delete(object) => {
                let Some((key, kept)) = object.keep(pools) else {
                    return false;
                };
                // What is deleted is told as it was last, which may be news: how its containers ended.
                if self.known.contains_key(&key) {
                    self.put(key.clone(), kept);
                }
                let Some(gone) = self.known.remove(&key) else {
                    return false;
                };
                tell::<K>(&mut self.listener, Some(&gone), None);
                true
            }
        }
    }

    fn put(&mut self, key: K::Key, kept: K::Kept) -> bool {
        let before = self.known.get(&key);
        if before.is_some_and(|before| **before == kept) {
            return false;
        }
        let after = Arc::new(kept);
        tell::<K>(&mut self.listener, before, Some(&after));
        self.known.insert(key, after);
        true
    }
}

/// A map of a list, in which of two objects of one key the later holds.
///
/// Every second object goes in before the others. The map's tree splits a leaf that is full in the middle, so a list in
/// its order leaves each leaf half empty behind it: 40 bytes a pod. This way each is half full first, and then full.
fn filled<Key: Ord + Clone, Kept: Clone>(mut listed: Vec<(Key, Kept)>) -> OrdMap<Key, Kept> {
    // The sort is stable.
    listed.sort_by(|(one, _), (other, _)| one.cmp(other));
    listed.dedup_by(|later, kept| {
        let same = later.0 == kept.0;
        if same {
            std::mem::swap(later, kept);
        }
        same
    });
    let mut map = OrdMap::new();
    let (first, second) = (listed.iter(), listed.iter().skip(1));
    for (key, kept) in first.step_by(2).chain(second.step_by(2)) {
        map.insert(key.clone(), kept.clone());
    }
    map
}

fn tell<K: Watched>(
    listener: &mut impl Listener<K>,
    before: Option<&Arc<K::Kept>>,
    after: Option<&Arc<K::Kept>>,
) {
    match (before, after) {
        (Some(old), Some(new)) if !K::same(old, new) => {
            listener.told(before, None);
            listener.told(None, after);
        }
        _ => listener.told(before, after),
    }
}

/// Tells nobody.
#[cfg(test)]
#[derive(Debug)]
pub(in crate::cluster) struct Silent;

#[cfg(test)]
impl<K: Watched> Listener<K> for Silent {
    fn told(&mut self, _: Option<&Arc<K::Kept>>, _: Option<&Arc<K::Kept>>) {}

    fn publish(&mut self, _: &OrdMap<K::Key, Arc<K::Kept>>) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What was told, in a word each: `+a`, `a:Running→Failed`, `-a`.
    #[derive(Default)]
    struct Told(Vec<String>);

    impl Listener<SlimPod> for Told {
        fn told(&mut self, before: Option<&Arc<Pod>>, after: Option<&Arc<Pod>>) {
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

    fn pod(name: &str, phase: &str) -> SlimPod {
        pod_with(name, phase, "")
    }

    fn pod_with(name: &str, phase: &str, uid: &str) -> SlimPod {
        serde_json::from_value(serde_json::json!({
            "metadata": {"namespace": "default", "name": name, "uid": uid}, "status": {"phase": phase},
        }))
        .unwrap()
    }

    fn names(table: &Table<SlimPod, Told>) -> Vec<String> {
        table.known.keys().map(|key| key.name.to_string()).collect()
    }

    fn list(table: &mut Table<SlimPod, Told>, objects: Vec<SlimPod>) -> Vec<String> {
        let pools = Pools::default();
        table.listener.0.clear();
        table.apply(Event::Init, &pools);
        for object in objects {
            table.apply(Event::InitApply(object), &pools);
        }
        table.apply(Event::InitDone, &pools);
        std::mem::take(&mut table.listener.0)
    }

    fn listed(objects: &[&str]) -> Table<SlimPod, Told> {
        let mut table = Table::new(Told::default());
        let objects = objects.iter().map(|object| pod(object, "Running"));
        list(&mut table, objects.collect());
        table
    }

    #[test]
    fn a_list_counts_only_when_it_is_whole() {
        let pools = Pools::default();
        let mut table = listed(&["a", "b"]);
        table.apply(Event::Init, &pools);
        table.apply(Event::InitApply(pod("c", "Running")), &pools);
        assert_eq!(
            names(&table),
            ["a", "b"],
            "a list under way must not hide what is known"
        );
        assert!(table.listener.0.is_empty());
        table.apply(Event::InitDone, &pools);
        assert_eq!(names(&table), ["c"], "what a new list lacks is gone");
    }

    #[test]
    fn of_an_object_that_is_listed_twice_the_later_holds() {
        for odd in [0, 1] {
            let mut listed: Vec<(u32, char)> = (1..odd + 1).map(|key| (key, 'a')).collect();
            listed.extend([(9, 'b'), (5, 'a'), (5, 'b'), (7, 'b')]);
            let map = filled(listed);
            assert_eq!((map.len() as u32, map[&5]), (3 + odd, 'b'));
            assert!(map.keys().is_sorted());
        }
    }

    #[test]
    fn a_repeated_event_is_no_change() {
        let pools = Pools::default();
        let mut table = listed(&["a"]);
        assert!(!table.apply(Event::Apply(pod("a", "Running")), &pools));
        assert!(table.apply(Event::Apply(pod("a", "Failed")), &pools));
        assert!(table.apply(Event::Delete(pod("a", "Failed")), &pools));
        assert!(!table.apply(Event::Delete(pod("a", "Failed")), &pools));
        assert_eq!(table.listener.0, ["a:Running→Failed", "-a"]);
    }

    #[test]
    fn a_list_tells_what_it_changes_and_nothing_else() {
        let mut table = listed(&["a", "b", "c"]);
        let objects = vec![pod("b", "Running"), pod("c", "Failed"), pod("d", "Running")];
        assert_eq!(list(&mut table, objects), ["-a", "c:Running→Failed", "+d"]);
    }

    #[test]
    fn what_was_made_anew_under_its_name_is_another() {
        let pools = Pools::default();
        let mut table = Table::new(Told::default());
        list(&mut table, vec![pod_with("a", "Running", "1")]);
        table.apply(Event::Apply(pod_with("a", "Pending", "2")), &pools);
        assert_eq!(table.listener.0, ["-a", "+a"]);
        assert_eq!(
            list(&mut table, vec![pod_with("a", "Pending", "3")]),
            ["-a", "+a"]
        );
    }

    #[test]
    fn what_is_deleted_is_told_as_it_was_last() {
        let pools = Pools::default();
        let mut table = listed(&["a"]);
        table.apply(Event::Delete(pod("a", "Failed")), &pools);
        assert_eq!(table.listener.0, ["a:Running→Failed", "-a"]);
        assert!(!table.apply(Event::Delete(pod("never", "Failed")), &pools));
    }
}
