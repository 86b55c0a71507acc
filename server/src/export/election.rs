//! Chooses the replica that writes: the holder of a Lease, as the controllers of Kubernetes do it.
//!
//! A holder renews the Lease every two seconds, and stops to write when it could not for ten. Another replica takes the
//! Lease when nobody has renewed it for fifteen seconds by its own clock. The Lease also says up to when the holder has
//! written, so that its successor continues there.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use k8s_openapi::jiff;
use kube::api::{ObjectMeta, PostParams};
use kube::{Api, Client};
use kubevitals_proto::time::Timestamp;
use parking_lot::Mutex;
use tokio::sync::{OwnedRwLockReadGuard, RwLock, watch};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::clock::{Age, Clock};
use crate::telemetry::{LogThrottle, chain};

/// The name of the Lease, in the Service's namespace.
pub(crate) const LEASE: &str = "vitals-server";

/// The annotation with the time up to which the holder has written.
const WRITTEN: &str = "kubevitals.io/written-until";

/// The annotation with the identity of the holder that gave the Lease back.
const LAST: &str = "kubevitals.io/last-holder";

/// As in Kubernetes' own controllers.
const LEASE_DURATION: Duration = Duration::from_secs(15);
const RENEW_DEADLINE: Duration = Duration::from_secs(10);
const RETRY_PERIOD: Duration = Duration::from_secs(2);

/// The longest time in which the Lease is given back.
const RELEASE_TIMEOUT: Duration = Duration::from_secs(3);

/// The longest wait for the requests under way, before the Lease is given back.
const WRITING_TIMEOUT: Duration = Duration::from_secs(2);

/// The shortest time between two log lines about the Lease.
const LOG_INTERVAL: Duration = Duration::from_secs(600);

/// Whether this replica writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Leadership {
    /// Another replica writes, or nobody does.
    Follower,
    /// This replica writes.
    Leader(Previous),
}

/// Who wrote before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Previous {
    /// Nobody.
    Nobody,
    /// This replica, also in an earlier process with the same folder.
    Itself,
    /// Another one, up to this time.
    Other(Timestamp),
}

/// The election as the other parts see it.
#[derive(Debug, Clone)]
pub(crate) struct Election {
    leadership: watch::Receiver<Leadership>,
    notifies: watch::Receiver<bool>,
    written: Arc<Mutex<Option<Timestamp>>>,
    writing: Arc<RwLock<()>>,
}

impl Election {
    /// Without a Lease: each replica writes.
    pub(crate) fn off() -> Self {
        // The last value of a channel stays readable without its sender.
        let (_, leadership) = watch::channel(Leadership::Leader(Previous::Itself));
        let (_, notifies) = watch::channel(true);
        Self {
            leadership,
            notifies,
            written: Arc::default(),
            writing: Arc::default(),
        }
    }

    /// Whether this replica writes now.
    pub(crate) fn is_won(&self) -> bool {
        matches!(*self.leadership.borrow(), Leadership::Leader(_))
    }

    /// Waits until this replica writes. Returns who did before.
    pub(crate) async fn won(&mut self) -> Previous {
        let won = |it: &Leadership| matches!(it, Leadership::Leader(_));
        match self.leadership.wait_for(won).await.map(|it| *it) {
            Ok(Leadership::Leader(previous)) => previous,
            // The task of the election has ended, with the server.
            _ => std::future::pending().await,
        }
    }

    /// Waits until this replica no longer writes.
    pub(crate) async fn lost(&mut self) {
        let lost = |it: &Leadership| *it == Leadership::Follower;
        if self.leadership.wait_for(lost).await.is_err() {
            std::future::pending().await
        }
    }

    /// Whether this replica sends notices of incidents: the holder of the Lease, and every replica that cannot use Leases.
    /// A receiver recognizes a notice that it gets twice, so twice is better than never.
    pub(crate) fn notifies(&self) -> watch::Receiver<bool> {
        self.notifies.clone()
    }

    /// Marks this replica as writing. While it is marked, the Lease is not given back, for a limited time.
    pub(crate) async fn writing(&self) -> OwnedRwLockReadGuard<()> {
        Arc::clone(&self.writing).read_owned().await
    }

    /// Waits until the task of the election has ended.
    pub(crate) async fn ended(&mut self) {
        while self.leadership.changed().await.is_ok() {}
    }

    /// Sets the time up to which everything is written, for the successor.
    pub(crate) fn set_written(&self, until: Timestamp) {
        *self.written.lock() = Some(until);
    }
}

/// The task of the election.
pub(crate) struct Candidate {
    api: Api<Lease>,
    namespace: String,
    identity: String,
    clock: Arc<dyn Clock>,
    leadership: watch::Sender<Leadership>,
    notifies: watch::Sender<bool>,
    written: Arc<Mutex<Option<Timestamp>>>,
    writing: Arc<RwLock<()>>,
    problems: LogThrottle,
    /// The last version of the Lease that was seen, and when it was first seen.
    seen: Option<(String, Age)>,
    renewed: Option<Age>,
}

impl Candidate {
    /// A candidate for the Lease in this namespace. `folder` is that of the state: with it, a restarted process has the
    /// identity of the earlier one.
    pub(crate) fn new(
        client: &Client,
        namespace: &str,
        folder: Option<&Path>,
        clock: Arc<dyn Clock>,
    ) -> (Self, Election) {
        let (leadership, receiver) = watch::channel(Leadership::Follower);
        let (notifies, notifies_receiver) = watch::channel(false);
        let (written, writing) = (Arc::default(), Arc::default());
        let election = Election {
            leadership: receiver,
            notifies: notifies_receiver,
            written: Arc::clone(&written),
            writing: Arc::clone(&writing),
        };
        let candidate = Self {
            api: Api::namespaced(client.clone(), namespace),
            namespace: namespace.to_owned(),
            identity: identity(folder),
            clock,
            leadership,
            notifies,
            written,
            writing,
            problems: LogThrottle::new(LOG_INTERVAL),
            seen: None,
            renewed: None,
        };
        (candidate, election)
    }

    /// Tries to get the Lease, and renews it, until `stop`. Then it gives the Lease back, so that a successor need not wait.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        stop.run_until_cancelled(self.hold()).await;
        if self.renewed.is_none() {
            return;
        }
        // Before the Lease is given back, this replica must not write any more.
        self.lose();
        let _ended = timeout(WRITING_TIMEOUT, self.writing.write()).await;
        let released = timeout(RELEASE_TIMEOUT, self.release()).await;
        if !matches!(released, Ok(Ok(()))) {
            tracing::info!(
                "the Lease {}/{LEASE} was not given back: another replica writes when it has expired",
                self.namespace
            );
        }
    }

    async fn release(&self) -> kube::Result<()> {
        let Some(lease) = self.api.get_opt(LEASE).await? else {
            return Ok(());
        };
        let spec = lease.spec.clone().unwrap_or_default();
        if spec.holder_identity.as_ref() != Some(&self.identity) {
            return Ok(());
        }
        let mut lease = self.lease(lease, spec.lease_transitions.unwrap_or_default());
        let annotations = lease.metadata.annotations.get_or_insert_default();
        annotations.insert(LAST.to_owned(), self.identity.clone());
        if let Some(spec) = &mut lease.spec {
            spec.holder_identity = None;
        }
        self.api
            .replace(LEASE, &PostParams::default(), &lease)
            .await?;
        Ok(())
    }

    /// Does not return.
    async fn hold(&mut self) {
        let mut working = self.clock.elapsed();
        loop {
            let attempt = timeout(RENEW_DEADLINE, self.attempt()).await;
            let error = match attempt {
                Ok(Ok(())) => None,
                Ok(Err(kube::Error::Api(status))) if status.code == 409 => None,
                Ok(Err(error)) => {
                    if matches!(&error, kube::Error::Api(status) if status.code == 403) {
                        self.set_notifies(true);
                    }
                    Some(chain(&error))
                }
                Err(_) => Some("the API server does not respond".to_owned()),
            };
            let failed = error.is_some();
            if let Some(error) = error
                && let Some(unreported) = self.problems.allow()
            {
                tracing::warn!(
                    unreported,
                    "cannot use the Lease {}/{LEASE}, which chooses the replica that writes: {error}; remote write waits \
                     for it, and every replica sends incidents; grant this service account get, create and update on \
                     leases there, or set --leader-elect=false for a single replica",
                    self.namespace
                );
            }
            let now = self.clock.elapsed();
            if self
                .renewed
                .is_some_and(|at| now.since(at) >= RENEW_DEADLINE)
            {
                self.lose();
            }
            match failed {
                // Nobody knows which replica writes.
                true if now.since(working) >= LEASE_DURATION => self.set_notifies(true),
                true => {}
                false => working = now,
            }
            self.clock.sleep(RETRY_PERIOD).await;
        }
    }

    /// Gets the Lease if it is free, or renews it.
    async fn attempt(&mut self) -> kube::Result<()> {
        let now = self.clock.elapsed();
        let Some(lease) = self.api.get_opt(LEASE).await? else {
            let lease = self.lease(Lease::default(), 0);
            self.api.create(&PostParams::default(), &lease).await?;
            self.win(Previous::Nobody, now);
            return Ok(());
        };
        let spec = lease.spec.clone().unwrap_or_default();
        let holder = spec.holder_identity.clone().unwrap_or_default();
        let is_held = holder == self.identity;
        let version = lease.metadata.resource_version.clone().unwrap_or_default();
        let since = match &self.seen {
            Some((last, since)) if *last == version => *since,
            _ => {
                self.seen = Some((version, now));
                now
            }
        };
        let expired = holder.is_empty() || now.since(since) >= LEASE_DURATION;
        if !is_held && !expired {
            self.lose();
            return Ok(());
        }
        let previous = if is_held || was_last(&lease, &self.identity) {
            Previous::Itself
        } else {
            previous(&lease, holder.is_empty())
        };
        if !is_held {
            // A predecessor's time is not this replica's.
            *self.written.lock() = None;
        }
        let transitions = spec.lease_transitions.unwrap_or_default();
        let lease = self.lease(lease, transitions + i32::from(!is_held));
        self.api
            .replace(LEASE, &PostParams::default(), &lease)
            .await?;
        self.win(previous, now);
        Ok(())
    }

    fn win(&mut self, previous: Previous, now: Age) {
        self.renewed = Some(now);
        self.set_notifies(true);
        self.leadership.send_if_modified(|leadership| {
            let is_new = *leadership == Leadership::Follower;
            if is_new {
                *leadership = Leadership::Leader(previous);
                tracing::info!(identity = self.identity, "this replica writes from now on");
            }
            is_new
        });
    }

    fn lose(&mut self) {
        self.renewed = None;
        self.set_notifies(false);
        self.leadership.send_if_modified(|leadership| {
            let was = *leadership != Leadership::Follower;
            if was {
                *leadership = Leadership::Follower;
                tracing::info!(identity = self.identity, "this replica no longer writes");
            }
            was
        });
    }

    fn set_notifies(&self, new: bool) {
        self.notifies.send_if_modified(|current| {
            let differs = *current != new;
            *current = new;
            differs
        });
    }

    /// The Lease as held by this replica.
    fn lease(&self, before: Lease, transitions: i32) -> Lease {
        let now = micro_time(self.clock.wall());
        let spec = before.spec.unwrap_or_default();
        let is_new = spec.holder_identity.as_ref() != Some(&self.identity);
        let mut annotations = before.metadata.annotations.unwrap_or_default();
        if let Some(written) = *self.written.lock() {
            annotations.insert(WRITTEN.to_owned(), written.to_rfc3339_micros());
        }
        Lease {
            metadata: ObjectMeta {
                name: Some(LEASE.to_owned()),
                namespace: Some(self.namespace.clone()),
                annotations: Some(annotations),
                ..before.metadata
            },
            spec: Some(LeaseSpec {
                holder_identity: Some(self.identity.clone()),
                lease_duration_seconds: i32::try_from(LEASE_DURATION.as_secs()).ok(),
                acquire_time: if is_new {
                    now.clone()
                } else {
                    spec.acquire_time
                },
                renew_time: now,
                lease_transitions: Some(transitions),
                ..spec
            }),
        }
    }
}

/// Whether nobody holds the Lease, and this replica gave it back.
fn was_last(lease: &Lease, identity: &str) -> bool {
    let holder = lease
        .spec
        .as_ref()
        .and_then(|it| it.holder_identity.as_deref());
    let annotations = lease.metadata.annotations.as_ref();
    let last = annotations.and_then(|it| it.get(LAST));
    holder.unwrap_or_default().is_empty() && last.is_some_and(|it| it == identity)
}

/// Up to when the holder before has written. One that has not given the Lease back may have written until it noticed that
/// it lost it, after the time in the annotation.
fn previous(lease: &Lease, released: bool) -> Previous {
    let annotations = lease.metadata.annotations.as_ref();
    let written = annotations.and_then(|it: &BTreeMap<_, _>| it.get(WRITTEN));
    let Some(written) = written.and_then(|it| it.parse::<Timestamp>().ok()) else {
        return Previous::Nobody;
    };
    let renewed = lease.spec.as_ref().and_then(|it| it.renew_time.as_ref());
    let renewed = renewed.and_then(|it| it.0.to_string().parse::<Timestamp>().ok());
    let (Some(renewed), false) = (renewed, released) else {
        return Previous::Other(written);
    };
    // While its receiver was away, it had not written what was new.
    let lag = Duration::from_nanos(u64::try_from(renewed.since(written)).unwrap_or_default());
    let until = if lag > LEASE_DURATION * 2 {
        written
    } else {
        let deadline = i64::try_from(RENEW_DEADLINE.as_nanos()).unwrap_or_default();
        renewed.plus_nanos(deadline)
    };
    Previous::Other(until)
}

fn micro_time(at: Timestamp) -> Option<MicroTime> {
    let at = jiff::Timestamp::from_nanosecond(i128::from(at.0)).ok()?;
    Some(MicroTime(at))
}

/// The name of this replica: the host's, which is the pod's, and an identifier that is new for each process without a
/// folder.
fn identity(folder: Option<&Path>) -> String {
    let id = folder.and_then(persisted_id);
    let id = id.unwrap_or_else(|| uuid::Uuid::new_v4().to_string());
    format!("{}_{id}", super::host_name())
}

/// The identifier in the folder, a new one if there is none; none if the folder cannot be used.
fn persisted_id(folder: &Path) -> Option<String> {
    let path = folder.join("replica-id");
    let known = std::fs::read_to_string(&path).unwrap_or_default();
    if let Ok(known) = uuid::Uuid::try_parse(known.trim()) {
        return Some(known.to_string());
    }
    let new = uuid::Uuid::new_v4().to_string();
    std::fs::create_dir_all(folder).ok()?;
    std::fs::write(path, &new).ok()?;
    Some(new)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_secs(seconds)
    }

    /// A Lease that was renewed at `renewed`, whose holder had written until `written`.
    fn lease(renewed: i64, written: Option<i64>) -> Lease {
        let annotation = written.map(|it| (WRITTEN.to_owned(), at(it).to_rfc3339_micros()));
        Lease {
            metadata: ObjectMeta {
                annotations: Some(annotation.into_iter().collect()),
                ..ObjectMeta::default()
            },
            spec: Some(LeaseSpec {
                renew_time: micro_time(at(renewed)),
                ..LeaseSpec::default()
            }),
        }
    }

    #[test]
    fn a_successor_continues_where_the_holder_cannot_have_written() {
        // Given back: exactly.
        assert_eq!(
            previous(&lease(1000, Some(990)), true),
            Previous::Other(at(990))
        );
        // Lost: the holder may have written for ten seconds after its last renewal.
        assert_eq!(
            previous(&lease(1000, Some(998)), false),
            Previous::Other(at(1010))
        );
        // Its receiver was away: nothing newer was written.
        assert_eq!(
            previous(&lease(1000, Some(400)), false),
            Previous::Other(at(400))
        );
        assert_eq!(previous(&lease(1000, None), false), Previous::Nobody);
        assert_eq!(previous(&Lease::default(), false), Previous::Nobody);
    }

    #[test]
    fn a_replica_that_gave_the_lease_back_continues_with_its_own_queue() {
        let mut lease = lease(1000, Some(990));
        let annotations = lease.metadata.annotations.get_or_insert_default();
        annotations.insert(LAST.to_owned(), "a".to_owned());
        assert!(was_last(&lease, "a") && !was_last(&lease, "b"));
        // Another one has held it since.
        lease.spec.get_or_insert_default().holder_identity = Some("b".to_owned());
        assert!(!was_last(&lease, "a"));
    }

    #[test]
    fn a_folder_keeps_the_identity_of_a_replica() {
        let folder = tempfile::tempdir().unwrap();
        let first = identity(Some(folder.path()));
        assert_eq!(identity(Some(folder.path())), first);
        assert_ne!(identity(None), identity(None));
        std::fs::write(folder.path().join("replica-id"), "garbage").unwrap();
        assert_ne!(identity(Some(folder.path())), first);
    }
}
