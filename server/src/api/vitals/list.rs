//! Objects as they are told, and lists of them.

use std::collections::HashSet;
use std::ops::Bound;
use std::sync::Arc;

use imbl::OrdMap;
use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::table::{At, Vitals as _};
use kubevitals_proto::wire::form::{self, Shape};
use kubevitals_proto::wire::status::Status;

use super::kind::{Key as _, Kind, Pods};
use super::parameters::ListOptions;
use super::pod_filter::PodFilter;
use super::sort_by::SortBy;
use crate::api::selection::Selection;
use crate::api::streaming::{CHUNK, ChunkEncoder, STRIDE};
use crate::query::{Pod, Query, TopScope, VersionedSnapshot, VitalsBuilder};
use crate::work::Cancel;

/// The JSON of the metadata of a list at this version; what is past has none.
pub(super) fn meta(version: &str) -> Vec<u8> {
    if version.is_empty() {
        return b"{}".to_vec();
    }
    format!(r#"{{"resourceVersion":"{version}"}}"#).into_bytes()
}

/// All objects of a kind, of now or of a time before it.
pub(super) struct ObjectSet<K: Kind> {
    pub(super) objects: OrdMap<K::Key, Arc<K::Record>>,
    /// Nothing of a time before now: that has no versions.
    pub(super) snapshot: Option<Arc<VersionedSnapshot>>,
    builder: VitalsBuilder,
}

impl<K: Kind> ObjectSet<K> {
    /// As it is asked for.
    ///
    /// # Errors
    /// 400 for a time that is not remembered, or of which nothing can be told; 504 for a version that is not known yet,
    /// 410 for one that is past where it is to be just that one.
    pub(super) fn of(
        query: &Query,
        options: &ListOptions,
        cancel: &Cancel,
    ) -> Result<Self, Status> {
        let snapshot = query.changes().snapshot();
        options.requirement.check(query.changes(), &snapshot)?;
        let at = options.time(query.wall(), query.history_remembers())?;
        let builder = at.map_or_else(|| query.vitals().now(), |at| query.vitals().at(at, cancel));
        let builder = match options.trend {
            Some(steps) => builder.with_trend(steps),
            None => builder,
        };
        if at.is_none() {
            return Ok(Self {
                objects: K::all(&snapshot),
                snapshot: Some(snapshot),
                builder,
            });
        }
        let objects = K::all_at(&builder).ok_or_else(|| {
            Status::bad_request(format!("at: {} are told as they are now", K::RESOURCE))
        })?;
        Ok(Self {
            objects,
            snapshot: None,
            builder,
        })
    }

    /// An object, with its version.
    pub(super) fn convert(&mut self, record: &K::Record) -> K::Object {
        let mut object = K::to_api(&mut self.builder, record);
        if let Some(snapshot) = &self.snapshot {
            object.meta_mut().resource_version = K::version(snapshot, record).to_string();
        }
        object
    }

    /// The one of this name.
    pub(super) fn find(&self, namespace: &str, name: &str) -> Option<Arc<K::Record>> {
        self.objects.get(&K::Key::of(namespace, name)).cloned()
    }

    /// Their version.
    pub(super) fn version(&self) -> String {
        let snapshot = self.snapshot.as_ref();
        snapshot
            .map(|snapshot| snapshot.version.to_string())
            .unwrap_or_default()
    }
}

/// A list under way.
pub(super) struct ListEncoder<K: Kind> {
    all: ObjectSet<K>,
    selection: Selection,
    filter: PodFilter,
    namespace: Option<Arc<str>>,
    order: Order<K>,
    list: form::List,
    now: Timestamp,
}

/// Which object comes next.
enum Order<K: Kind> {
    /// By namespace and name: the one behind this.
    Names(Bound<K::Key>),
    /// As sorted.
    Sorted(std::vec::IntoIter<Arc<K::Record>>),
}

impl<K: Kind> ListEncoder<K> {
    /// # Errors
    /// 400 for a time that is not remembered.
    pub(super) fn new(
        query: &Query,
        selection: Selection,
        namespace: Option<Arc<str>>,
        options: &ListOptions,
        shape: Shape,
        yaml: bool,
        cancel: &Cancel,
    ) -> Result<Self, Status> {
        let all = ObjectSet::of(query, options, cancel)?;
        let list_meta = meta(&all.version());
        let mut encoder = Self {
            order: Order::Names(K::Key::first(namespace.as_deref())),
            list: form::List::new(K::Object::KIND, shape, yaml, list_meta),
            now: query.wall(),
            all,
            selection,
            filter: options.filter.clone(),
            namespace,
        };
        let chosen = match options.sort_by {
            Some(by) => Some(match encoder.top(query, by, options.limit, cancel) {
                Some(sorted) => sorted,
                None => encoder.sorted(by, options.limit, cancel),
            }),
            // To find few scope very many takes long too.
            None if options.filter.is_set() => Some(encoder.matching(cancel).collect()),
            None => None,
        };
        if let Some(chosen) = chosen {
            encoder.order = Order::Sorted(chosen.into_iter());
        }
        Ok(encoder)
    }

    /// All that is asked for, by name, until it is cancelled.
    fn matching(&mut self, cancel: &Cancel) -> impl Iterator<Item = Arc<K::Record>> {
        std::iter::from_fn(|| {
            loop {
                if cancel.is_set() {
                    return None;
                }
                match self.next(STRIDE) {
                    (Some(record), _) => return Some(record),
                    (None, true) => {}
                    (None, false) => return None,
                }
            }
        })
    }

    /// What is asked for in an order, the first so many.
    fn sorted(&mut self, by: SortBy, limit: Option<usize>, cancel: &Cancel) -> Vec<Arc<K::Record>> {
        let mut matching: Vec<_> = self.matching(cancel).collect();
        if matches!(by, SortBy::Name | SortBy::Namespace) {
            if by == SortBy::Name {
                // Those of one name stay in the order of their namespaces.
                matching.sort_by(|a, b| K::name(a).cmp(K::name(b)));
            }
            matching.truncate(limit.unwrap_or(usize::MAX));
            return matching;
        }
        let mut keyed: Vec<(f64, Arc<K::Record>)> = Vec::with_capacity(matching.len());
        for record in matching {
            if cancel.is_set() {
                break;
            }
            let rank = K::rank(&mut self.all.builder, &record, by);
            // What has no value comes last.
            keyed.push((rank.unwrap_or(f64::NEG_INFINITY), record));
        }
        // Of those that are equal the order of names stays.
        keyed.sort_by(|(a, _), (b, _)| b.total_cmp(a));
        keyed.truncate(limit.unwrap_or(usize::MAX));
        keyed.into_iter().map(|(_, record)| record).collect()
    }

    /// The same of now, where all need not be looked at for it. Where few of all are asked for they are found first, in
    /// one walk, and then sorted; to look up each pod that uses much would take longer.
    fn top(
        &mut self,
        query: &Query,
        by: SortBy,
        limit: Option<usize>,
        cancel: &Cancel,
    ) -> Option<Vec<Arc<K::Record>>> {
        self.all.snapshot.as_ref()?;
        if by.is_of_usage() && (self.filter.is_set() || self.selection.is_set()) {
            return None;
        }
        let limit = limit.unwrap_or(usize::MAX).min(self.all.objects.len());
        let filter = |record: &Pod| {
            Pods::matches(&self.selection, record) && self.filter.matches(&self.all.builder, record)
        };
        let scope = TopScope {
            namespace: self.namespace.as_deref(),
            filter: &filter,
            cancel,
        };
        let mut top = K::top(query, by, limit, &scope)?;
        // Those that have no such value come last.
        let first: HashSet<*const K::Record> = top.iter().map(Arc::as_ptr).collect();
        let missing = limit.saturating_sub(top.len());
        let others = self
            .matching(cancel)
            .filter(|record| !first.contains(&Arc::as_ptr(record)));
        top.extend(others.take(missing));
        Some(top)
    }

    /// Looks for the next object that is asked for, scope so many; whether there may be more.
    fn next(&mut self, budget: usize) -> (Option<Arc<K::Record>>, bool) {
        let after = match &mut self.order {
            Order::Names(after) => after,
            Order::Sorted(sorted) => {
                let next = sorted.next();
                let more = next.is_some();
                return (next, more);
            }
        };
        let mut visited = 0;
        for (key, record) in self.all.objects.range((after.clone(), Bound::Unbounded)) {
            if self
                .namespace
                .as_ref()
                .is_some_and(|namespace| !key.is_in(namespace))
            {
                break;
            }
            visited += 1;
            let matched = K::matches(&self.selection, record)
                && K::passes_filter(&self.filter, &self.all.builder, record);
            if matched || visited >= budget {
                *after = Bound::Excluded(key.clone());
                return (matched.then(|| Arc::clone(record)), true);
            }
        }
        (None, false)
    }
}

impl<K: Kind> ChunkEncoder for ListEncoder<K> {
    fn advance(&mut self, out: &mut Vec<u8>) -> bool {
        for _ in 0..STRIDE {
            let (next, more) = self.next(STRIDE);
            let matching = next.is_some();
            if let Some(record) = next {
                let object = self.all.convert(&record);
                self.list.item(out, &At(&object, self.now));
            }
            if !more {
                self.list.end(out);
                return false;
            }
            // Without one it has looked at many.
            if !matching || out.len() >= CHUNK {
                return true;
            }
        }
        true
    }
}
