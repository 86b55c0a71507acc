//! The state of a pod and its containers, as the kubelet has it.

use std::net::Ipv4Addr;
use std::sync::Arc;

use kubevitals_proto::time::Timestamp;

use super::catalog::{Container as Spec, Role, is_init};
use super::epoch::Epoch;
use super::fault::{Fault, PendingFault};
use super::hash::{hash, stream, uid};
use super::load::{Load, pages};
use super::probe::{ProbeKind, Probes};
use super::sampling::{Pace, Reading, last_sample};
use super::service::Served;
use super::workload::Revision;

/// Nanocores the sandbox and the cgroup's own bookkeeping use.
const SANDBOX_CPU: f64 = 12_000.0;
/// Bytes the sandbox uses.
const SANDBOX_MEMORY: u64 = 294_912;
const MI: u64 = 1 << 20;

/// How a container came to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ended {
    pub(crate) started: Timestamp,
    pub(crate) finished: Timestamp,
    pub(crate) exit_code: u8,
    pub(crate) reason: &'static str,
    /// Which incarnation it was: its container id is made of it.
    pub(crate) incarnation: u32,
}

/// What a container is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Waiting {
        reason: &'static str,
        message: Option<String>,
    },
    Running {
        since: Timestamp,
    },
    Ended(Ended),
}

/// Memory that leaks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Leak {
    pub(crate) since: Timestamp,
    /// Bytes a second.
    pub(crate) rate: f64,
}

/// A container of a pod.
#[derive(Debug)]
pub(crate) struct Container {
    pub(crate) spec: &'static Spec,
    pub(crate) state: State,
    pub(crate) last: Option<Ended>,
    pub(crate) restarts: u32,
    /// Failures in a row, which decide the back-off.
    pub(crate) failures: u32,
    pub(crate) ready: bool,
    pub(crate) started: bool,
    pub(crate) leak: Option<Leak>,
    /// What it will suffer from once it runs.
    pub(crate) pending_fault: Option<PendingFault>,
    pub(crate) probes: Probes,
    pub(crate) load: Load,
    pub(crate) seed: u64,
    /// `{container="…",namespace="…",pod="…"} `, as every series of it has.
    pub(crate) labels: Box<str>,
}

impl Container {
    fn new(spec: &'static Spec, revision: &Revision, pod: &str, pod_seed: u64) -> Self {
        let seed = hash(pod_seed, stream(spec.name));
        let labels = format!(
            "{{container=\"{}\",namespace=\"{}\",pod=\"{pod}\"}} ",
            spec.name, revision.namespace
        );
        Self {
            spec,
            state: State::Waiting {
                reason: if spec.role == Role::Main && revision.app.containers.iter().any(is_init) {
                    "PodInitializing"
                } else {
                    "ContainerCreating"
                },
                message: None,
            },
            last: None,
            restarts: 0,
            failures: 0,
            ready: false,
            started: false,
            leak: None,
            pending_fault: None,
            probes: Probes::default(),
            load: Load::new(&spec.profile, seed, hash(revision.seed, stream(spec.name))),
            seed,
            labels: labels.into_boxed_str(),
        }
    }

    /// When it started, if it runs.
    pub(crate) fn running_since(&self) -> Option<Timestamp> {
        match self.state {
            State::Running { since } => Some(since),
            State::Waiting { .. } | State::Ended(_) => None,
        }
    }

    /// Ends the container, if it runs. Returns when it had started.
    pub(crate) fn end(
        &mut self,
        at: Timestamp,
        exit_code: u8,
        reason: &'static str,
    ) -> Option<Timestamp> {
        let since = self.running_since()?;
        self.probes.stop(self.spec, at);
        self.state = State::Ended(Ended {
            started: since,
            finished: at,
            exit_code,
            reason,
            incarnation: self.incarnation(),
        });
        (self.started, self.ready) = (false, false);
        Some(since)
    }

    /// Counts the probes of a container that is up: one successful startup probe, then liveness and readiness probes.
    pub(crate) fn probe_from(&mut self, at: Timestamp) {
        self.probes.passed_once(ProbeKind::Startup, self.spec, at);
        self.probes.set(ProbeKind::Liveness, self.spec, at, false);
        self.probes.set(ProbeKind::Readiness, self.spec, at, false);
    }

    /// Makes the container run from `at` on.
    pub(crate) fn run(&mut self, at: Timestamp) {
        self.state = State::Running { since: at };
        self.leak = None;
        self.probes.started();
    }

    /// Whether it has yet to be started for the first time: a pod with such a container is pending.
    pub(crate) const fn never_ran(&self) -> bool {
        matches!(self.state, State::Waiting { .. }) && self.last.is_none()
    }

    /// Which incarnation it is: the first is 0.
    pub(crate) const fn incarnation(&self) -> u32 {
        self.restarts
    }

    /// CPU nanoseconds this incarnation has used at `t`.
    pub(crate) fn cpu_at(&self, epoch: Epoch, t: Timestamp) -> u64 {
        self.running_since().map_or(0, |since| {
            self.load.cpu_nanos(epoch.secs(since), epoch.secs(t))
        })
    }

    /// Its working set at `t`.
    pub(crate) fn memory_at(&self, epoch: Epoch, t: Timestamp) -> u64 {
        let Some(since) = self.running_since() else {
            return 0;
        };
        let usual = self.load.memory_bytes(epoch.secs(since), epoch.secs(t));
        let leaked = self.leak.map_or(0, |leak| {
            pages(leak.rate * t.since(leak.since).max(0) as f64 / 1e9)
        });
        match self.memory_limit() {
            Some(limit) => (usual + leaked).min(limit - 4096),
            None => usual + leaked,
        }
    }

    /// Its memory limit in bytes.
    pub(crate) fn memory_limit(&self) -> Option<u64> {
        (self.spec.limits.1 > 0).then(|| u64::from(self.spec.limits.1) * MI)
    }

    /// The last sample of cAdvisor, at `now`.
    pub(crate) fn reading(&self, epoch: Epoch, now: Timestamp) -> Option<Reading> {
        let since = self.running_since()?;
        let at = last_sample(self.pace(), self.seed, since, now)?;
        Some(Reading {
            at,
            cpu: self.cpu_at(epoch, at),
            memory: self.memory_at(epoch, at),
        })
    }

    /// How often cAdvisor samples it.
    pub(crate) fn pace(&self) -> Pace {
        if self.spec.is_idle() {
            Pace::IDLE
        } else {
            Pace::BUSY
        }
    }

    /// How many CPU nanoseconds a second it used between its last two samples.
    pub(crate) fn usage_nanocores(&self, epoch: Epoch, reading: &Reading) -> Option<u64> {
        let since = self.running_since()?;
        let before = Timestamp::from_nanos(reading.at.as_nanos() - 1);
        let previous = last_sample(self.pace(), self.seed, since, before)?;
        let nanos = reading.cpu.checked_sub(self.cpu_at(epoch, previous))?;
        let seconds = reading.at.since(previous) as f64 / 1e9;
        Some((nanos as f64 / seconds) as u64)
    }
}

/// What a pod is doing, as far as its owner cares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Pending,
    Running,
    /// Ended by the kubelet, for this reason and with this message.
    Evicted {
        message: String,
    },
}

/// A pod on a node.
#[derive(Debug)]
pub(crate) struct Pod {
    pub(crate) revision: Arc<Revision>,
    /// Index of its workload in the world.
    pub(crate) workload: usize,
    pub(crate) ordinal: u32,
    pub(crate) name: Arc<str>,
    pub(crate) uid: Box<str>,
    pub(crate) seed: u64,
    pub(crate) ip: Ipv4Addr,
    pub(crate) created: Timestamp,
    /// When its sandbox, and so its cgroup, came to be.
    pub(crate) sandbox: Timestamp,
    pub(crate) phase: Phase,
    pub(crate) containers: Vec<Container>,
    /// Whether it is ready, and since when that is so.
    pub(crate) ready: (bool, Timestamp),
    /// Whether the node controller has taken the Ready condition away.
    pub(crate) node_lost: bool,
    /// Whether it is being deleted, and since when.
    pub(crate) deleting: Option<Timestamp>,
    /// CPU of the containers' earlier incarnations.
    pub(crate) folded_cpu: u64,
    /// When its cgroup was last sampled because something changed in it.
    pub(crate) changed: Timestamp,
    /// The episode and fault it suffers from: one at a time, so that causes stay clear.
    pub(crate) trouble: Option<(u64, Fault)>,
    /// What the pod that takes its place will suffer from.
    pub(crate) legacy: Option<PendingFault>,
    /// The requests that it has counted.
    pub(crate) served: Served,
    /// Annotations beside, or instead of, those of its template.
    pub(crate) annotations: Vec<(String, String)>,
    /// `{namespace="…",pod="…"} `, as every series of it has.
    pub(crate) labels: Box<str>,
}

impl Pod {
    /// A pod whose containers wait to be created.
    pub(crate) fn new(
        revision: Arc<Revision>,
        (workload, ordinal): (usize, u32),
        name: String,
        seed: u64,
        ip: Ipv4Addr,
        created: Timestamp,
    ) -> Self {
        let labels = format!("{{namespace=\"{}\",pod=\"{name}\"}} ", revision.namespace);
        let containers = revision.app.containers.iter();
        let containers = containers
            .map(|spec| Container::new(spec, &revision, &name, seed))
            .collect();
        Self {
            workload,
            ordinal,
            name: Arc::from(name),
            uid: uid(hash(seed, 1)).into_boxed_str(),
            seed,
            ip,
            created,
            sandbox: created,
            phase: Phase::Pending,
            containers,
            ready: (false, created),
            node_lost: false,
            deleting: None,
            folded_cpu: 0,
            changed: created,
            trouble: None,
            legacy: None,
            served: Served::default(),
            annotations: Vec::new(),
            labels: labels.into_boxed_str(),
            revision,
        }
    }

    /// CPU nanoseconds used at `t` since its cgroup came to be.
    pub(crate) fn cpu_at(&self, epoch: Epoch, t: Timestamp) -> u64 {
        let own = (t.since(self.sandbox).max(0) as f64 / 1e9 * SANDBOX_CPU) as u64;
        let containers = self.containers.iter().map(|c| c.cpu_at(epoch, t));
        own + self.folded_cpu + containers.sum::<u64>()
    }

    /// Its working set at `t`.
    pub(crate) fn memory_at(&self, epoch: Epoch, t: Timestamp) -> u64 {
        let containers = self.containers.iter().map(|c| c.memory_at(epoch, t));
        SANDBOX_MEMORY + containers.sum::<u64>()
    }

    /// The last sample of cAdvisor of the pod's cgroup, at `now`; `None` when there is none.
    pub(crate) fn reading(&self, epoch: Epoch, now: Timestamp) -> Option<Reading> {
        if self.phase != Phase::Running {
            return None;
        }
        let at = Pace::BUSY.last(self.seed, now).max(self.changed);
        Some(Reading {
            at,
            cpu: self.cpu_at(epoch, at),
            memory: self.memory_at(epoch, at),
        })
    }

    /// Whether its workload counts it as ready.
    pub(crate) fn counts_as_ready(&self) -> bool {
        self.ready.0 && !self.node_lost
    }

    /// Since when the container that exposes metrics runs, if there is one and it does.
    pub(crate) fn serving_since(&self) -> Option<Timestamp> {
        let exposing = self.revision.app.exposing()?;
        let container = self
            .containers
            .iter()
            .find(|c| c.spec.name == exposing.name)?;
        container.running_since()
    }

    /// Whether every container that counts is ready.
    pub(crate) fn all_ready(&self) -> bool {
        let mut containers = self.containers.iter();
        self.phase == Phase::Running && containers.all(|c| c.spec.role == Role::Init || c.ready)
    }

    /// Whether it is well again after a fault, with nothing to come.
    pub(crate) fn is_over_it(&self) -> bool {
        let mut containers = self.containers.iter();
        self.all_ready() && containers.all(|c| c.pending_fault.is_none() && c.leak.is_none())
    }

    /// Whether nothing is wrong with it, nor about to be.
    pub(crate) fn is_calm(&self) -> bool {
        self.trouble.is_none() && !self.node_lost && self.deleting.is_none() && self.all_ready()
    }
}
