//! The schedule of faults: which fault comes next, and which pod, node or deployment it concerns.

use kubevitals_proto::time::Timestamp;

use crate::world::World;
use crate::world::action::{Action, PodAt};
use crate::world::catalog::{Kind, Role};
use crate::world::epoch::SECOND;
use crate::world::fault::Fault;
use crate::world::hash::index;
use crate::world::node::NodeReady;
use crate::world::pod::{Container, Pod};
use crate::world::queue::Engine;

/// How many candidates are tried before a fault is skipped.
const TRIES: usize = 400;

impl World {
    /// Fills the queue with what happens by itself, faults only if they are wanted.
    pub(crate) fn schedule(&self, faults: bool) {
        let mut engine = self.engine.lock();
        if self.heartbeat_interval().is_some() {
            engine.at(self.started.plus_nanos(SECOND), Action::Heartbeat);
        }
        if faults {
            let first = engine.roll(20.0, 40.0);
            engine.at(self.started.plus_nanos(first), Action::NextFault);
        }
        self.wake(&engine);
    }

    /// Applies a fault now to a pod, node or deployment that is well. Returns whether there was one.
    pub(crate) fn inject(&self, fault: Fault) -> bool {
        self.catch_up();
        let mut engine = self.engine.lock();
        let struck = self.begin(&mut engine, self.clock.now(), fault);
        self.wake(&engine);
        struck
    }

    pub(super) fn next_fault(&self, engine: &mut Engine, at: Timestamp) {
        if engine.round.is_empty() {
            // Every kind has its turn before any has its second, in an order of its own each time.
            let mut left = Fault::ALL.to_vec();
            while !left.is_empty() {
                let n = index(engine.dice.roll(), left.len());
                engine.round.push_back(left.swap_remove(n));
            }
        }
        if let Some(fault) = engine.round.pop_front()
            && !self.begin(engine, at, fault)
        {
            tracing::debug!(?fault, "nobody to strike");
        }
        // The larger the cluster, the more goes wrong in it.
        let crowd = 1.0 + self.nodes.len() as f64 / 250.0;
        let wait = engine.roll(40.0 / crowd, 80.0 / crowd);
        engine.at(at.plus_nanos(wait), Action::NextFault);
    }

    fn begin(&self, engine: &mut Engine, at: Timestamp, fault: Fault) -> bool {
        engine.episodes += 1;
        let episode = engine.episodes;
        if fault == Fault::NodeNotReady {
            let Some(node) = self.calm_node(engine) else {
                return false;
            };
            self.lose_node(engine, at, node, episode);
            return true;
        }
        if fault == Fault::Rollout {
            let Some(workload) = self.calm_deployment(engine) else {
                return false;
            };
            self.begin_rollout(engine, at, workload, episode);
            return true;
        }
        let Some((place, c)) = self.victim(engine, fault) else {
            return false;
        };
        self.change(engine, place, |_, change| {
            change.pod.trouble = Some((episode, fault));
        });
        let rounds = u32::try_from(engine.dice.roll() % 3).unwrap_or(0);
        match fault {
            Fault::Eviction => self.evict(engine, at, place),
            Fault::StartupFailure | Fault::ImagePullFailure => {
                self.bequeath(engine, place, fault, 1 + rounds / 2);
                self.delete_pod(engine, at, place);
            }
            Fault::CrashLoop => self.strike_at(engine, at, place, c, fault, 3 + rounds),
            Fault::OomKill => self.strike_at(engine, at, place, c, fault, 1 + rounds / 2),
            _ => self.strike_at(engine, at, place, c, fault, 1),
        }
        true
    }

    fn strike_at(
        &self,
        engine: &mut Engine,
        at: Timestamp,
        place: PodAt,
        c: usize,
        fault: Fault,
        rounds: u32,
    ) {
        self.change(engine, place, |engine, change| {
            self.strike(engine, at, change, c, fault, rounds);
        });
    }

    /// A pod that is well and can suffer from this, and which of its containers does.
    fn victim(&self, engine: &mut Engine, fault: Fault) -> Option<(PodAt, usize)> {
        for _ in 0..TRIES {
            let node = self
                .nodes
                .get(index(engine.dice.roll(), self.nodes.len()))?;
            let roll = engine.dice.roll();
            let state = node.state.lock();
            if state.down.is_some() || state.ready.0 != NodeReady::Yes || state.pods.is_empty() {
                continue;
            }
            let slot = index(roll, state.pods.len());
            let Some(pod) = state.pod(slot).filter(|p| p.is_calm()) else {
                continue;
            };
            let rolling = engine.workloads.get(pod.workload).is_none_or(|w| w.rolling);
            if let Some(c) = pod.victim(fault).filter(|_| !rolling) {
                let place = PodAt {
                    node: node.index,
                    slot,
                    seed: pod.seed,
                };
                return Some((place, c));
            }
        }
        None
    }

    /// A node on which everything is well.
    fn calm_node(&self, engine: &mut Engine) -> Option<usize> {
        for _ in 0..TRIES {
            let n = index(engine.dice.roll(), self.nodes.len());
            let state = self.nodes.get(n)?.state.lock();
            let rolling = |w: usize| engine.workloads.get(w).is_none_or(|w| w.rolling);
            let mut pods = state.pods();
            let up = state.down.is_none() && state.ready.0 == NodeReady::Yes;
            if up && pods.all(|p| p.is_calm() && !rolling(p.workload)) {
                return Some(n);
            }
        }
        None
    }

    /// A deployment of which every pod is well, and not too large to see the end of its rollout.
    fn calm_deployment(&self, engine: &mut Engine) -> Option<usize> {
        for _ in 0..TRIES {
            let n = index(engine.dice.roll(), engine.workloads.len());
            if self.is_calm_deployment(engine, n) {
                return Some(n);
            }
        }
        None
    }

    fn is_calm_deployment(&self, engine: &Engine, workload: usize) -> bool {
        let Some(w) = engine.workloads.get(workload) else {
            return false;
        };
        let small = w.app.kind == Kind::Deployment && (1..=12).contains(&w.replicas);
        let calm = |ordinal| {
            let (node, slot) = engine.place(workload, ordinal)?;
            let state = self.nodes.get(node)?.state.lock();
            let pod = state.pod(slot)?;
            Some(state.down.is_none() && pod.is_calm())
        };
        small && !w.rolling && (0..w.replicas).all(|ordinal| calm(ordinal) == Some(true))
    }
}

impl Pod {
    /// The container that can suffer from a fault; for faults of the whole pod any.
    pub(crate) fn victim(&self, fault: Fault) -> Option<usize> {
        let daemon = self.revision.app.kind == Kind::DaemonSet;
        let fits = |c: &Container| match fault {
            Fault::CrashLoop => true,
            Fault::OomKill => c.memory_limit().is_some(),
            Fault::LivenessFailure => c.spec.liveness.is_some(),
            Fault::ReadinessFailure => c.spec.readiness.is_some(),
            Fault::StartupFailure => c.spec.startup.is_some() && !daemon,
            Fault::ImagePullFailure => !daemon,
            // The failed pod stays beside its replacement, which must then have another name.
            Fault::Eviction => self.revision.app.kind == Kind::Deployment,
            Fault::NodeNotReady | Fault::Rollout => false,
        };
        self.containers
            .iter()
            .rposition(|c| c.spec.role == Role::Main && fits(c))
    }
}
