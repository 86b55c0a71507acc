//! Objects and lists of objects, for get and list.

use std::collections::HashSet;
use std::ops::Bound;
use std::sync::Arc;

use imbl::OrdMap;
use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::table::{At, Vitals as _};
use kubevitals_proto::wire::form::{self, Shape};
use kubevitals_proto::wire::status::Status;

use super::kind::{Key as _, Kind, Pods};
use super::parameters::{ListOptions, Reach};
use super::pod_filter::PodFilter;
use super::sort_by::SortBy;
use crate::api::selection::Selection;
use crate::api::streaming::{CHUNK, ChunkEncoder, STRIDE};
use crate::query::{
    EnginePast, EngineStatistics, Pod, Query, TopScope, VersionedSnapshot, VitalsBuilder,
};
use crate::work::Cancel;

/// The metadata of a list as JSON. A list of a past time has no version.
pub(super) fn meta(version: &str) -> Vec<u8> {
    if version.is_empty() {
        return b"{}".to_vec();
    }
    format!(r#"{{"resourceVersion":"{version}"}}"#).into_bytes()
}

/// All records of a kind, of now or of a past time.
pub(super) struct ObjectSet<K: Kind> {
    pub(super) objects: OrdMap<K::Key, Arc<K::Record>>,
    /// The snapshot of now; none for a past time and with deleted pods, which have no versions.
    pub(super) snapshot: Option<Arc<VersionedSnapshot>>,
    builder: VitalsBuilder,
}

impl<K: Kind> ObjectSet<K> {
    /// Reads the records that `options` select; what is before the history in memory comes from
    /// `from_engine`.
    ///
    /// # Errors
    /// 400 for a time outside of the history, or for a kind without a past. 504 for a version that this server has
    /// not reached. 410 for an exact version that has passed.
    pub(super) fn of(
        query: &Query,
        options: &ListOptions,
        from_engine: FromEngine,
        cancel: &Cancel,
    ) -> Result<Self, Status> {
        let snapshot = query.changes().snapshot();
        options.requirement.check(query.changes(), &snapshot)?;
        let at = time(query, options)?;
        let builder = match at {
            Some(at) => match from_engine.past {
                Some(past) => query.vitals().of_past(past),
                None => query.vitals().at(at, cancel),
            },
            None if options.deleted => query.vitals().with_deleted(),
            None => query.vitals().now(),
        };
        let builder = match options.trend {
            Some(steps) => builder.with_trend(steps),
            None => builder,
        };
        let builder = match options.stats {
            Some(span) => {
                Reach::of(query).check()?;
                builder.with_stats(span, from_engine.stats)
            }
            None => builder,
        };
        if at.is_none() && !options.deleted {
            return Ok(Self {
                objects: K::all(&snapshot),
                snapshot: Some(snapshot),
                builder,
            });
        }
        let objects = K::all_at(&builder)
            .ok_or_else(|| Status::bad_request(format!("at: {} have no history", K::RESOURCE)))?;
        Ok(Self {
            objects,
            snapshot: None,
            builder,
        })
    }

    /// Converts a record to an API object, with its version.
    pub(super) fn convert(&mut self, record: &K::Record) -> K::Object {
        let mut object = K::to_api(&mut self.builder, record);
        if let Some(snapshot) = &self.snapshot {
            object.meta_mut().resource_version = K::version(snapshot, record).to_string();
        }
        object
    }

    /// Looks up a record by name.
    pub(super) fn find(&self, namespace: &str, name: &str) -> Option<Arc<K::Record>> {
        self.objects.get(&K::Key::of(namespace, name)).cloned()
    }

    /// The version of the list; empty for a past time.
    pub(super) fn version(&self) -> String {
        let snapshot = self.snapshot.as_ref();
        snapshot
            .map(|snapshot| snapshot.version.to_string())
            .unwrap_or_default()
    }
}

/// The time that objects are to be of; none for now.
fn time(query: &Query, options: &ListOptions) -> Result<Option<Timestamp>, Status> {
    let retention = query.history().store().retention();
    options.time(query.wall(), retention, query.history().has_engine())
}

/// What the engine has of the time before the history in memory, for a list or an object.
#[derive(Debug, Default)]
pub(super) struct FromEngine {
    /// The objects of a past time.
    past: Option<EnginePast>,
    /// Statistics.
    stats: EngineStatistics,
    /// Why there are no statistics, although the engine was queried.
    pub(super) warning: Option<String>,
}

impl FromEngine {
    /// Reads what the options ask for.
    ///
    /// # Errors
    /// 503 if the engine does not answer for a past time. 400 for a time outside of the history.
    pub(super) async fn read<K: Kind>(
        query: &Query,
        options: &ListOptions,
        namespace: Option<&str>,
        name: Option<&str>,
    ) -> Result<Self, Status> {
        let at = time(query, options)?;
        let mut read = Self::default();
        let Some(scope) = K::past_scope(namespace, name) else {
            return Ok(read);
        };
        let vitals = query.vitals();
        if let Some(at) = at.filter(|at| vitals.is_of_engine(*at)) {
            let past = vitals.read_past(at, scope).await;
            read.past = past.map_err(|error| Status::service_unavailable(error.message()))?;
        }
        if let Some(span) = options.stats {
            match vitals.read_statistics(at, span, scope).await {
                Ok(stats) => read.stats = stats.unwrap_or_default(),
                Err(error) => read.warning = Some(error.message()),
            }
        }
        Ok(read)
    }
}

/// Encodes a list.
pub(super) struct ListEncoder<K: Kind> {
    all: ObjectSet<K>,
    selection: Selection,
    filter: PodFilter,
    namespace: Option<Arc<str>>,
    order: Order<K>,
    list: form::List,
    now: Timestamp,
}

/// The order of a list.
enum Order<K: Kind> {
    /// By namespace and name; the position after which the list continues.
    Names(Bound<K::Key>),
    /// Sorted by another value.
    Sorted(std::vec::IntoIter<Arc<K::Record>>),
}

impl<K: Kind> ListEncoder<K> {
    /// Selects and sorts the records of a list.
    ///
    /// # Errors
    /// 400 for a time outside of the history.
    pub(super) fn new(
        query: &Query,
        selection: Selection,
        namespace: Option<Arc<str>>,
        (options, from_engine): (&ListOptions, FromEngine),
        shape: Shape,
        yaml: bool,
        cancel: &Cancel,
    ) -> Result<Self, Status> {
        let all = ObjectSet::of(query, options, from_engine, cancel)?;
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
        let selected = match options.sort_by {
            Some(by) => Some(match encoder.top(query, by, options.limit, cancel) {
                Some(sorted) => sorted,
                None => encoder.sorted(by, options.limit, cancel),
            }),
            // A selective filter visits many records, so it runs here, on the pool.
            None if options.filter.is_set() => Some(encoder.matching(cancel).cloned().collect()),
            None => None,
        };
        if let Some(selected) = selected {
            encoder.order = Order::Sorted(selected.into_iter());
        }
        Ok(encoder)
    }

    /// The selected records by name, until the work is cancelled.
    fn matching<'s>(&'s self, cancel: &'s Cancel) -> impl Iterator<Item = &'s Arc<K::Record>> {
        let first = K::Key::first(self.namespace.as_deref());
        let records = self.all.objects.range((first, Bound::Unbounded));
        records
            .take_while(|(key, _)| self.has_namespace(key) && !cancel.is_set())
            .map(|(_, record)| record)
            .filter(|record| self.selects(record))
    }

    fn has_namespace(&self, key: &K::Key) -> bool {
        let namespace = self.namespace.as_ref();
        namespace.is_none_or(|namespace| key.is_in(namespace))
    }

    fn selects(&self, record: &K::Record) -> bool {
        K::matches(&self.selection, record)
            && K::passes_filter(&self.filter, &self.all.builder, record)
    }

    /// The first `limit` of the selected records in an order.
    fn sorted(&mut self, by: SortBy, limit: Option<usize>, cancel: &Cancel) -> Vec<Arc<K::Record>> {
        let mut matching: Vec<_> = self.matching(cancel).cloned().collect();
        let SortBy::Value(measure) = by else {
            if by == SortBy::Name {
                // The sort is stable: records of one name stay sorted by namespace.
                matching.sort_by(|a, b| K::name(a).cmp(K::name(b)));
            }
            matching.truncate(limit.unwrap_or(usize::MAX));
            return matching;
        };
        let mut keyed: Vec<(f64, Arc<K::Record>)> = Vec::with_capacity(matching.len());
        for record in matching {
            if cancel.is_set() {
                break;
            }
            let rank = K::rank(&mut self.all.builder, &record, measure);
            // Records without the value come last.
            keyed.push((rank.unwrap_or(f64::NEG_INFINITY), record));
        }
        // The sort is stable: equal records stay sorted by name.
        keyed.sort_by(|(a, _), (b, _)| b.total_cmp(a));
        keyed.truncate(limit.unwrap_or(usize::MAX));
        keyed.into_iter().map(|(_, record)| record).collect()
    }

    /// The first records in an order as of now, without visiting all. Not for usage with a filter or selector: it is
    /// faster to select first, in one pass, than to look up each pod with a high usage.
    fn top(
        &self,
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
        // Records without the value come last.
        let first: HashSet<*const K::Record> = top.iter().map(Arc::as_ptr).collect();
        let missing = limit.saturating_sub(top.len());
        let others = self
            .matching(cancel)
            .filter(|record| !first.contains(&Arc::as_ptr(record)));
        top.extend(others.take(missing).cloned());
        Some(top)
    }

    fn item(&mut self, out: &mut Vec<u8>, record: &K::Record) {
        let object = self.all.convert(record);
        self.list.item(out, &At(&object, self.now));
    }

    /// Appends the next records of `order`. Returns whether there are more.
    fn items(&mut self, out: &mut Vec<u8>, order: &mut Order<K>) -> bool {
        match order {
            Order::Names(after) => {
                let all = self.all.objects.clone();
                let mut records = all.range((after.clone(), Bound::Unbounded));
                for _ in 0..STRIDE {
                    let next = records.next();
                    let Some((key, record)) = next.filter(|(key, _)| self.has_namespace(key))
                    else {
                        return false;
                    };
                    if self.selects(record) {
                        self.item(out, record);
                    }
                    *after = Bound::Excluded(key.clone());
                    if out.len() >= CHUNK {
                        break;
                    }
                }
            }
            Order::Sorted(sorted) => {
                for _ in 0..STRIDE {
                    let Some(record) = sorted.next() else {
                        return false;
                    };
                    self.item(out, &record);
                    if out.len() >= CHUNK {
                        break;
                    }
                }
            }
        }
        true
    }
}

impl<K: Kind> ChunkEncoder for ListEncoder<K> {
    fn advance(&mut self, out: &mut Vec<u8>) -> bool {
        let nothing = Order::Sorted(Vec::new().into_iter());
        let mut order = std::mem::replace(&mut self.order, nothing);
        let more = self.items(out, &mut order);
        self.order = order;
        if !more {
            self.list.end(out);
        }
        more
    }
}
