//! The store: every resource's objects under one version counter.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use kubevitals_proto::time::Timestamp;
use serde_json::{Value, json};
use thiserror::Error;
use tokio::sync::watch;
use uuid::Uuid;

use super::collection::Collection;
use super::object::key;
use super::{Event, MetaLite, Now, Object, Precondition, Resource, Snapshot, WriteError};
use crate::members::Members;

/// How many changes of one resource are retained for watches that resume.
const WATCH_WINDOW: usize = 8_192;

/// The requested version is no longer retained: list again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("The resourceVersion for the provided watch is too old.")]
pub struct Expired;

/// Everything that exists in the simulated cluster.
///
/// The world writes, the API server reads; both hold the same `Arc`. Nothing here blocks on readers.
pub struct Store {
    now: Now,
    counter: Arc<AtomicU64>,
    collections: [Arc<Collection>; Resource::ALL.len()],
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store")
            .field("resource_version", &self.resource_version())
            .finish_non_exhaustive()
    }
}

impl Store {
    /// An empty store; `now` stamps objects that come without a creationTimestamp.
    pub fn new(now: Now) -> Arc<Self> {
        Self::with_watch_window(now, WATCH_WINDOW)
    }

    /// Like [`Store::new`], keeping the last `events` changes of each resource for watches.
    pub fn with_watch_window(now: Now, events: usize) -> Arc<Self> {
        let counter = Arc::new(AtomicU64::new(1));
        let collections = Resource::ALL.map(|_| Arc::new(Collection::new(counter.clone(), events)));
        Arc::new(Self {
            now,
            counter,
            collections,
        })
    }

    /// Creates or replaces an object by namespace and name, and returns its resourceVersion.
    ///
    /// `kind` and `apiVersion` may be absent; a missing uid or creationTimestamp is that of the object it replaces,
    /// else made up. An object without a name, or without the namespace it needs, is a mistake of the caller: it is
    /// logged and left out.
    pub fn apply(&self, resource: Resource, object: Value) -> u64 {
        self.put_value(resource, object, None)
            .unwrap_or_else(|error| {
                tracing::error!(kind = resource.info().kind, %error, "object is not stored");
                self.resource_version()
            })
    }

    /// Like [`Store::apply`], if `precondition` holds at the time of the write.
    ///
    /// # Errors
    /// When it does not hold, or the object lacks its name or namespace.
    pub fn apply_if(
        &self,
        resource: Resource,
        object: Value,
        precondition: Precondition,
    ) -> Result<u64, WriteError> {
        self.put_value(resource, object, Some(precondition))
    }

    fn put_value(
        &self,
        resource: Resource,
        mut object: Value,
        condition: Option<Precondition>,
    ) -> Result<u64, WriteError> {
        let meta = MetaLite::of(resource, &object).ok_or(WriteError::Invalid)?;
        let key = meta.key();
        self.complete(resource, &key, &mut object);
        self.collection(resource).put(&key, |present, version| {
            condition.map_or(Ok(()), |c| c.check(present))?;
            Object::from_value(meta, object, version).ok_or(WriteError::Invalid)
        })
    }

    /// Creates or replaces an object in JSON, and returns its resourceVersion.
    ///
    /// The fast path for many pods: the bytes are stored as they are, uncopied. They must begin `{"metadata":{"`, have
    /// no kind, apiVersion and metadata.resourceVersion, and agree with `meta`.
    pub fn apply_bytes(&self, resource: Resource, meta: MetaLite, json_without_rv: Bytes) -> u64 {
        let key = meta.key();
        let put = self.collection(resource).put(&key, |_, version| {
            Object::from_bytes(meta, json_without_rv, version).ok_or(WriteError::Invalid)
        });
        put.unwrap_or_else(|_| {
            tracing::error!(
                kind = resource.info().kind,
                key = &*key,
                "bytes that do not begin with metadata are not stored"
            );
            self.resource_version()
        })
    }

    /// Deletes an object; whether it was there.
    pub fn delete(&self, resource: Resource, namespace: Option<&str>, name: &str) -> bool {
        self.collection(resource).remove(&key(namespace, name))
    }

    /// One object as it is now.
    pub fn get(
        &self,
        resource: Resource,
        namespace: Option<&str>,
        name: &str,
    ) -> Option<Arc<Object>> {
        self.collection(resource).get(&key(namespace, name))
    }

    /// All objects of a resource as they are now, in O(1).
    pub fn snapshot(&self, resource: Resource) -> Snapshot {
        self.collection(resource).snapshot()
    }

    /// Retains a snapshot for the next pages of a list; the oldest ones are dropped.
    pub fn retain_for_paging(&self, resource: Resource, snapshot: &Snapshot) {
        self.collection(resource).retain(snapshot);
    }

    /// The objects as they were at `resource_version`: retained for paging, or still current.
    ///
    /// # Errors
    /// [`Expired`] when that version is neither.
    pub fn snapshot_at(
        &self,
        resource: Resource,
        resource_version: u64,
    ) -> Result<Snapshot, Expired> {
        let snapshot = self.collection(resource).snapshot_at(resource_version);
        snapshot.ok_or(Expired)
    }

    /// Follows the changes of a resource after `resource_version`.
    ///
    /// # Errors
    /// [`Expired`] when changes since then are forgotten.
    pub fn watch(
        &self,
        resource: Resource,
        resource_version: u64,
    ) -> Result<Subscription, Expired> {
        let collection = self.collection(resource);
        collection.read(resource_version, 0).ok_or(Expired)?;
        Ok(Subscription::new(collection, resource_version))
    }

    /// All objects of a resource as they are now, and the changes from then on.
    pub fn snapshot_and_watch(&self, resource: Resource) -> (Snapshot, Subscription) {
        let snapshot = self.snapshot(resource);
        let version = snapshot.resource_version();
        let subscription = Subscription::new(self.collection(resource), version);
        (snapshot, subscription)
    }

    /// Makes every version handed out so far too old, as etcd's compaction does: open watches end with an ERROR event
    /// of code 410, resumed ones and continue tokens are answered 410.
    pub fn expire_watches(&self) {
        for collection in &self.collections {
            collection.expire();
        }
    }

    /// The newest version there is.
    pub fn resource_version(&self) -> u64 {
        self.counter.load(Ordering::SeqCst)
    }

    /// Now, by the store's clock.
    pub fn now(&self) -> Timestamp {
        (self.now)()
    }

    #[expect(
        clippy::indexing_slicing,
        reason = "the index is the enum's discriminant, and ALL has every variant"
    )]
    fn collection(&self, resource: Resource) -> &Arc<Collection> {
        &self.collections[resource as usize]
    }

    /// Fills in uid and creationTimestamp where the caller left them out.
    fn complete(&self, resource: Resource, key: &str, object: &mut Value) {
        let metadata = object.get_mut("metadata").and_then(Value::as_object_mut);
        let Some(metadata) = metadata else { return };
        let mut replaced = None;
        for member in ["uid", "creationTimestamp"] {
            let value = metadata.entry(member).or_insert(Value::Null);
            if !value.is_null() {
                continue;
            }
            let replaced = replaced.get_or_insert_with(|| {
                let present = self.collection(resource).get(key);
                present.map_or(Value::Null, |it| it.to_value(resource))
            });
            let inherited = replaced.at(&format!("/metadata/{member}"));
            *value = inherited.cloned().unwrap_or_else(|| match member {
                "uid" => json!(made_up_uid(resource, key, self.resource_version())),
                _ => json!(self.now()),
            });
        }
    }
}

/// A reader of the changes of one resource.
#[derive(Debug)]
pub struct Subscription {
    collection: Arc<Collection>,
    changed: watch::Receiver<()>,
    /// The reader has every change up to this one.
    version: u64,
}

impl Subscription {
    fn new(collection: &Arc<Collection>, version: u64) -> Self {
        Self {
            collection: collection.clone(),
            changed: collection.changes(),
            version,
        }
    }

    /// The next changes, at most `max`, and the version the reader is at after them. No change: an empty vector.
    ///
    /// # Errors
    /// [`Expired`] when the reader was too slow, or the versions were expired.
    pub fn next(&mut self, max: usize) -> Result<(Vec<Arc<Event>>, u64), Expired> {
        self.changed.mark_unchanged();
        let (events, version) = self.collection.read(self.version, max).ok_or(Expired)?;
        self.version = version;
        Ok((events, version))
    }

    /// Waits until there may be a change that [`Subscription::next`] has not returned.
    pub async fn changed(&mut self) {
        if self.changed.changed().await.is_err() {
            // `self` owns the collection, so its sender lives; were it gone, nothing would ever change.
            std::future::pending::<()>().await;
        }
    }
}

/// A uid that differs by resource, name and time of creation, and is the same in every run.
fn made_up_uid(resource: Resource, key: &str, version: u64) -> String {
    let name = format!("{}/{key}/{version}", resource.info().plural);
    Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes()).to_string()
}
