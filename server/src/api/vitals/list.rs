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
use super::parameters::Asked;
use super::sort_by::SortBy;
use super::sought::Sought;
use crate::api::pieces::{CHUNK, Encode, STRIDE};
use crate::api::selection::Selection;
use crate::query::{Among, Moment, Pod, Query, Teller};

/// The JSON of the metadata of a list at this version; what is past has none.
pub(super) fn meta(version: &str) -> Vec<u8> {
    if version.is_empty() {
        return b"{}".to_vec();
    }
    format!(r#"{{"resourceVersion":"{version}"}}"#).into_bytes()
}

/// All objects of a kind, of now or of a time before it.
pub(super) struct All<K: Kind> {
    pub(super) objects: OrdMap<K::Key, Arc<K::Kept>>,
    /// Nothing of a time before now: that has no versions.
    pub(super) moment: Option<Arc<Moment>>,
    teller: Teller,
}

impl<K: Kind> All<K> {
    /// As it is asked for.
    ///
    /// # Errors
    /// 400 for a time that is not remembered, or of which nothing can be told.
    pub(super) fn of(query: &Query, asked: &Asked) -> Result<Self, Status> {
        let moment = query.changes().moment();
        let at = asked.time(query.wall(), query.history_remembers())?;
        let teller = at.map_or_else(|| query.teller(), |at| query.teller_at(at));
        let teller = match asked.trend {
            Some(steps) => teller.with_trend(steps),
            None => teller,
        };
        if at.is_none() {
            return Ok(Self {
                objects: K::all(&moment),
                moment: Some(moment),
                teller,
            });
        }
        let objects = K::all_then(&teller).ok_or_else(|| {
            Status::bad_request(format!("at: {} are told as they are now", K::RESOURCE))
        })?;
        Ok(Self {
            objects,
            moment: None,
            teller,
        })
    }

    /// An object, with its version.
    pub(super) fn told(&mut self, kept: &K::Kept) -> K::Told {
        let mut told = K::tell(&mut self.teller, kept);
        if let Some(moment) = &self.moment {
            told.meta_mut().resource_version = K::version(moment, kept).to_string();
        }
        told
    }

    /// The one of this name.
    pub(super) fn find(&self, namespace: &str, name: &str) -> Option<Arc<K::Kept>> {
        self.objects.get(&K::Key::of(namespace, name)).cloned()
    }

    /// Their version.
    pub(super) fn version(&self) -> String {
        let moment = self.moment.as_ref();
        moment
            .map(|moment| moment.version.to_string())
            .unwrap_or_default()
    }
}

/// A list under way.
pub(super) struct Listed<K: Kind> {
    all: All<K>,
    selection: Selection,
    sought: Sought,
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
    Sorted(std::vec::IntoIter<Arc<K::Kept>>),
}

impl<K: Kind> Listed<K> {
    /// # Errors
    /// 400 for a time that is not remembered.
    pub(super) fn new(
        query: &Query,
        selection: Selection,
        namespace: Option<Arc<str>>,
        asked: &Asked,
        shape: Shape,
        yaml: bool,
    ) -> Result<Self, Status> {
        let all = All::of(query, asked)?;
        let list_meta = meta(&all.version());
        let mut listed = Self {
            order: Order::Names(K::Key::first(namespace.as_deref())),
            list: form::List::new(K::Told::KIND, shape, yaml, list_meta),
            now: query.wall(),
            all,
            selection,
            sought: asked.sought.clone(),
            namespace,
        };
        if let Some(by) = asked.sort_by {
            let sorted = match listed.top(query, by, asked.limit) {
                Some(sorted) => sorted,
                None => listed.sorted(by, asked.limit),
            };
            listed.order = Order::Sorted(sorted.into_iter());
        }
        Ok(listed)
    }

    /// What is asked for in an order, the first so many.
    fn sorted(&mut self, by: SortBy, limit: Option<usize>) -> Vec<Arc<K::Kept>> {
        let mut keyed: Vec<(f64, Arc<K::Kept>)> = Vec::new();
        while let Some(kept) = self.next_name() {
            let rank = K::rank(&mut self.all.teller, &kept, by);
            // What has no value comes last.
            keyed.push((rank.unwrap_or(f64::NEG_INFINITY), kept));
        }
        // Of those that are equal the order of names stays.
        keyed.sort_by(|(a, _), (b, _)| b.total_cmp(a));
        keyed.truncate(limit.unwrap_or(usize::MAX));
        keyed.into_iter().map(|(_, kept)| kept).collect()
    }

    /// The same of now, where all need not be looked at for it. Where few of all are asked for they are found first, in
    /// one walk, and then sorted; to look up each pod that uses much would take longer.
    fn top(
        &mut self,
        query: &Query,
        by: SortBy,
        limit: Option<usize>,
    ) -> Option<Vec<Arc<K::Kept>>> {
        self.all.moment.as_ref()?;
        if by.is_of_usage() && (self.sought.is_any() || self.selection.is_any()) {
            return None;
        }
        let limit = limit.unwrap_or(usize::MAX).min(self.all.objects.len());
        let filter = |kept: &Pod| {
            Pods::admits(&self.selection, kept) && self.sought.has(&self.all.teller, kept)
        };
        let among = Among {
            namespace: self.namespace.as_deref(),
            filter: &filter,
        };
        let mut top = K::top(query, by, limit, &among)?;
        // Those that have no such value come last.
        let first: HashSet<*const K::Kept> = top.iter().map(Arc::as_ptr).collect();
        while top.len() < limit
            && let Some(kept) = self.next_name()
        {
            if !first.contains(&Arc::as_ptr(&kept)) {
                top.push(kept);
            }
        }
        Some(top)
    }

    /// The next object by name.
    fn next_name(&mut self) -> Option<Arc<K::Kept>> {
        self.next(usize::MAX).0
    }

    /// Looks for the next object that is asked for, among so many; whether there may be more.
    fn next(&mut self, budget: usize) -> (Option<Arc<K::Kept>>, bool) {
        let after = match &mut self.order {
            Order::Names(after) => after,
            Order::Sorted(sorted) => {
                let next = sorted.next();
                let more = next.is_some();
                return (next, more);
            }
        };
        let mut looked = 0;
        for (key, kept) in self.all.objects.range((after.clone(), Bound::Unbounded)) {
            if self
                .namespace
                .as_ref()
                .is_some_and(|namespace| !key.is_in(namespace))
            {
                break;
            }
            looked += 1;
            let wanted = K::admits(&self.selection, kept)
                && K::is_sought(&self.sought, &self.all.teller, kept);
            if wanted || looked >= budget {
                *after = Bound::Excluded(key.clone());
                return (wanted.then(|| Arc::clone(kept)), true);
            }
        }
        (None, false)
    }
}

impl<K: Kind> Encode for Listed<K> {
    fn advance(&mut self, out: &mut Vec<u8>) -> bool {
        for _ in 0..STRIDE {
            let (next, more) = self.next(STRIDE);
            if let Some(kept) = next {
                let told = self.all.told(&kept);
                self.list.item(out, &At(&told, self.now));
            }
            if !more {
                self.list.end(out);
                return false;
            }
            if out.len() >= CHUNK {
                return true;
            }
        }
        true
    }
}
