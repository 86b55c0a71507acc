//! One consistent view of a resource, at one version.

use std::ops::Bound;
use std::sync::Arc;

use imbl::OrdMap;

use super::Object;
use super::object::key;

/// All objects of one resource as they were at one version.
///
/// It is a persistent map: taking one is O(1) whatever the number of objects, writers go on undisturbed, and only
/// what changes afterwards exists twice. That is why paging keeps snapshots rather than rolling the event log back:
/// a page costs what it holds, and consistency is the data structure's, not an algorithm's.
#[derive(Clone, Debug)]
pub struct Snapshot {
    pub(super) resource_version: u64,
    pub(super) objects: OrdMap<Arc<str>, Arc<Object>>,
}

impl Snapshot {
    /// The version it shows.
    pub fn resource_version(&self) -> u64 {
        self.resource_version
    }

    /// How many objects there are.
    pub fn len(&self) -> usize {
        self.objects.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty()
    }

    /// One object.
    pub fn get(&self, namespace: Option<&str>, name: &str) -> Option<&Arc<Object>> {
        self.objects.get(&*key(namespace, name))
    }

    /// The objects of a namespace (or of all) in order, with their keys, starting after `after`.
    pub fn range<'a>(
        &'a self,
        namespace: Option<&str>,
        after: Option<&str>,
    ) -> impl Iterator<Item = (&'a Arc<str>, &'a Arc<Object>)> + use<'a> {
        let prefix = namespace.map(|ns| format!("{ns}/"));
        let start = match (after, prefix.as_deref()) {
            (Some(after), Some(prefix)) if after < prefix => Bound::Included(prefix),
            (Some(after), _) => Bound::Excluded(after),
            (None, Some(prefix)) => Bound::Included(prefix),
            (None, None) => Bound::Unbounded,
        };
        let range = self.objects.range::<_, str>((start, Bound::Unbounded));
        range.take_while(move |(key, _)| prefix.as_deref().is_none_or(|p| key.starts_with(p)))
    }
}
