//! What happens next: a queue of actions, each at its time.

mod change;
mod container;
mod events;
mod node;
mod probes;
mod replace;
mod schedule;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::sync::atomic::Ordering;

use kubevitals_proto::time::Timestamp;

use super::fault::{Fault, Happening, InjectedFault};
use super::hash::{Dice, stream};
use super::node::Node;
use super::pod::Pod;
use super::probe::ProbeKind;
use super::workload::Workload;
use super::{SECOND, World};
use events::Recorder;

/// A place where a pod is, and which pod is meant: a step for one that is no longer there is forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct PodAt {
    pub(crate) node: usize,
    pub(crate) slot: usize,
    pub(crate) seed: u64,
}

/// Something to be done at its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Action {
    /// The next fault of the schedule.
    NextFault,
    /// A step in the life of a pod.
    Pod(PodAt, PodStep),
    /// A container of a pod, by its index and incarnation: as for pods, a step for an earlier one is forgotten.
    Container(PodAt, usize, u32, Step),
    /// A step in the life of a node.
    Node(usize, NodeStep),
    /// The kubelets renew their leases.
    Heartbeat,
    /// A rollout goes on to this pod of the workload.
    Rollout {
        workload: usize,
        ordinal: u32,
        episode: u64,
    },
    /// An event has been kept for as long as events are.
    Expire(u64),
}

/// Steps of a pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum PodStep {
    /// Its sandbox is there: the first container starts.
    Sandbox,
    /// Its containers have ended after it was deleted.
    Gone,
    /// Nothing more comes of the fault it suffered from.
    Calm,
}

/// Steps of a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Step {
    /// It is started.
    Start,
    /// It is up: its startup probe passes, it is ready.
    Up,
    /// It ends.
    Exit(Exit),
    /// The kubelet says that it waits before starting it again.
    BackOff,
    /// A probe fails, for the n-th time in a row.
    ProbeFails(ProbeKind, u32),
    /// A probe succeeds again.
    ProbeRecovers(ProbeKind),
    /// The image cannot be pulled, or the kubelet waits before it tries again.
    PullFails(u32),
}

/// How a container ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Exit {
    /// By itself, with this code.
    Code(u8),
    /// Killed at its memory limit.
    Oom,
    /// Killed for a failing probe.
    Probe(ProbeKind),
}

/// Steps of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum NodeStep {
    /// The node controller gives it up.
    Unknown,
    /// The kubelet answers again.
    Back,
    /// Memory is no longer short.
    Relieved,
}

/// What a container will suffer from when it runs: one round for each incarnation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Doom {
    pub(crate) fault: Fault,
    pub(crate) rounds: u32,
}

/// The queue, and what only actions change.
#[derive(Debug)]
pub(crate) struct Engine {
    queue: BinaryHeap<Reverse<(Timestamp, u64, Action)>>,
    pushed: u64,
    pub(crate) workloads: Vec<Workload>,
    /// Where each workload's pods are, by ordinal.
    pub(crate) places: Vec<Vec<(usize, usize)>>,
    recorder: Recorder,
    pub(crate) injected: Vec<InjectedFault>,
    dice: Dice,
    episodes: u64,
    /// Pods made since the beginning: part of their names and seeds.
    made: u64,
    /// The kinds of fault still to come before each has had its turn again.
    round: VecDeque<Fault>,
}

impl Engine {
    pub(crate) fn new(seed: u64, workloads: Vec<Workload>) -> Self {
        let places = workloads
            .iter()
            .map(|w| vec![(0, 0); w.replicas as usize])
            .collect();
        Self {
            queue: BinaryHeap::new(),
            pushed: 0,
            workloads,
            places,
            recorder: Recorder::default(),
            injected: Vec::new(),
            dice: Dice::new(seed, stream("engine")),
            episodes: 0,
            made: 0,
            round: VecDeque::new(),
        }
    }

    /// Puts an action into the queue.
    pub(crate) fn at(&mut self, at: Timestamp, action: Action) {
        self.pushed += 1;
        self.queue.push(Reverse((at, self.pushed, action)));
    }

    /// Seconds between `low` and `high`, in nanoseconds.
    fn roll(&mut self, low: f64, high: f64) -> i64 {
        (super::hash::between(self.dice.roll(), low, high) * 1e9) as i64
    }

    /// When the next action is due; the end of time when there is none.
    fn due(&self) -> Timestamp {
        let first = self.queue.peek();
        first.map_or(Timestamp(i64::MAX), |Reverse((at, ..))| *at)
    }

    /// Notes what happened to a pod that suffers from a fault.
    fn note(&mut self, at: Timestamp, node: &Node, pod: &Pod, container: &str, what: Happening) {
        let Some((episode, fault)) = pod.trouble else {
            return;
        };
        self.injected.push(InjectedFault {
            at,
            episode,
            fault,
            what,
            node: node.name.clone(),
            namespace: pod.revision.namespace.to_string(),
            name: pod.name.to_string(),
            container: container.to_owned(),
        });
    }

    /// Where the pod of this workload and ordinal is.
    fn place(&self, workload: usize, ordinal: u32) -> Option<(usize, usize)> {
        self.places.get(workload)?.get(ordinal as usize).copied()
    }

    pub(crate) fn set_place(&mut self, workload: usize, ordinal: u32, node: usize, slot: usize) {
        let places = self.places.get_mut(workload);
        if let Some(place) = places.and_then(|p| p.get_mut(ordinal as usize)) {
            *place = (node, slot);
        }
    }
}

impl World {
    /// Does everything that is due. Cheap when there is nothing.
    pub(crate) fn catch_up(&self) {
        if self.clock.now().as_nanos() < self.due.load(Ordering::Acquire) {
            return;
        }
        let mut engine = self.engine.lock();
        loop {
            let due = engine.due();
            // The clock goes on while actions are done; whoever is asked next sees a world up to date.
            if due > self.clock.now() {
                self.due.store(due.as_nanos(), Ordering::Release);
                return;
            }
            if let Some(Reverse((at, _, action))) = engine.queue.pop() {
                self.act(&mut engine, at, action);
            }
        }
    }

    /// Does what is due when it is due, for as long as the world lives.
    pub(crate) async fn run(self: std::sync::Arc<Self>) {
        loop {
            self.catch_up();
            let due = Timestamp(self.due.load(Ordering::Acquire));
            tokio::select! {
                () = self.clock.sleep_until(due) => {}
                () = self.woken.notified() => {}
            }
        }
    }

    /// Tells whoever waits that something is due earlier than thought.
    pub(crate) fn wake(&self, engine: &Engine) {
        self.due.store(engine.due().as_nanos(), Ordering::Release);
        self.woken.notify_one();
    }

    fn act(&self, engine: &mut Engine, at: Timestamp, action: Action) {
        match action {
            Action::NextFault => self.next_fault(engine, at),
            Action::Pod(pod, PodStep::Gone) => self.gone(engine, at, pod),
            Action::Pod(pod, PodStep::Sandbox) => self.sandbox(engine, at, pod),
            Action::Pod(pod, PodStep::Calm) => {
                self.change(engine, pod, |_, change| {
                    if change.pod.is_over_it() {
                        change.pod.trouble = None;
                    }
                });
            }
            Action::Container(pod, c, incarnation, step) => {
                self.container_step(engine, at, pod, (c, incarnation), step);
            }
            Action::Node(node, step) => self.node_step(engine, at, node, step),
            Action::Heartbeat => self.heartbeat(engine, at),
            Action::Rollout {
                workload,
                ordinal,
                episode,
            } => self.roll_out(engine, at, workload, ordinal, episode),
            Action::Expire(event) => engine.expire(&self.store, at, event),
        }
    }

    /// Seconds between two renewals of the kubelets' leases; none in a cluster so large that they would be most of
    /// what happens.
    fn heartbeat_interval(&self) -> Option<i64> {
        match self.nodes.len() {
            0..=20 => Some(10 * SECOND),
            21..=1000 => Some(40 * SECOND),
            _ => None,
        }
    }
}
