//! The schedule of faults: which fault comes next, and which pod, node or deployment it concerns.

use crate::world::World;
use crate::world::action::{Action, PodSlot};
use crate::world::catalog::{Kind, Role};
use crate::world::epoch::SECOND;
use crate::world::fault::{Fault, PendingFault};
use crate::world::hash::index;
use crate::world::node::Node;
use crate::world::pod::{Container, Pod};
use crate::world::queue::Engine;

/// How many candidates are tried before a fault is skipped.
const TRIES: usize = 400;

impl World {
    /// Queues the heartbeats and, if `faults` is set, the first fault.
    pub(crate) fn schedule(&self, faults: bool) {
        let mut engine = self.engine.lock();
        if self.heartbeat_interval().is_some() {
            engine.after(SECOND, Action::Heartbeat);
        }
        if self.scale.exposed.is_some_and(|it| it.swing > 0.0) {
            engine.after(SECOND, Action::Swing);
        }
        if faults {
            let first = engine.roll(20.0, 40.0);
            engine.after(first, Action::NextFault);
        }
        self.wake(&engine);
    }

    /// Applies a fault now to a pod, node or deployment that is well. Returns whether there was one.
    pub(crate) fn inject(&self, fault: Fault) -> bool {
        self.catch_up();
        let mut engine = self.engine.lock();
        engine.now = self.clock.now();
        let struck = self.begin(&mut engine, fault);
        self.wake(&engine);
        struck
    }

    pub(super) fn next_fault(&self, engine: &mut Engine) {
        if engine.round.is_empty() {
            // Every kind happens once, in random order, before any happens again.
            let mut left = Fault::ALL.to_vec();
            while !left.is_empty() {
                let n = index(engine.dice.roll(), left.len());
                engine.round.push_back(left.swap_remove(n));
            }
        }
        if let Some(fault) = engine.round.pop_front()
            && !self.begin(engine, fault)
        {
            tracing::debug!(?fault, "fault is skipped: nothing can suffer from it");
        }
        // A larger cluster has more faults.
        let crowd = 1.0 + self.nodes.len() as f64 / 250.0;
        let wait = engine.roll(40.0 / crowd, 80.0 / crowd);
        engine.after(wait, Action::NextFault);
    }

    fn begin(&self, engine: &mut Engine, fault: Fault) -> bool {
        engine.episodes += 1;
        let episode = engine.episodes;
        match fault {
            Fault::NodeNotReady => {
                let node = self.calm_node(engine);
                node.map(|node| self.lose_node(engine, node, episode))
            }
            Fault::Rollout => {
                let workload = self.calm_deployment(engine);
                workload.map(|workload| self.begin_rollout(engine, workload, episode))
            }
            _ => {
                let victim = self.victim(engine, fault);
                victim.map(|(slot, c)| self.strike_pod(engine, slot, c, fault))
            }
        }
        .is_some()
    }

    /// Applies a fault to a container of a pod.
    fn strike_pod(&self, engine: &mut Engine, slot: PodSlot, c: usize, fault: Fault) {
        let trouble = Some((engine.episodes, fault));
        self.change(engine, slot, |change| change.pod.trouble = trouble);
        let rounds = u32::try_from(engine.dice.roll() % 3).unwrap_or(0);
        let rounds = match fault {
            Fault::CrashLoop => 3 + rounds,
            Fault::OomKill | Fault::StartupFailure | Fault::ImagePullFailure => 1 + rounds / 2,
            _ => 1,
        };
        match fault {
            Fault::Eviction => self.evict(engine, slot),
            Fault::StartupFailure | Fault::ImagePullFailure => {
                let legacy = Some(PendingFault { fault, rounds });
                self.change(engine, slot, |change| change.pod.legacy = legacy);
                self.delete_pod(engine, slot);
            }
            _ => self.change(engine, slot, |change| change.strike(c, fault, rounds)),
        }
    }

    /// A calm pod that can suffer from this fault, and which of its containers does.
    fn victim(&self, engine: &mut Engine, fault: Fault) -> Option<(PodSlot, usize)> {
        (0..TRIES).find_map(|_| {
            let node = index(engine.dice.roll(), self.nodes.len());
            let (node, roll) = (self.nodes.get(node)?, engine.dice.roll());
            let state = node.state.lock();
            if !state.is_up() || state.pods.is_empty() {
                return None;
            }
            let slot = index(roll, state.pods.len());
            let pod = state.pod(slot).filter(|p| p.is_calm())?;
            let rolling = engine.workloads.get(pod.workload).is_none_or(|w| w.rolling);
            let c = pod.victim(fault).filter(|_| !rolling)?;
            Some((PodSlot::new(node, slot, pod), c))
        })
    }

    /// A node that is up and has calm pods only.
    fn calm_node(&self, engine: &mut Engine) -> Option<&Node> {
        (0..TRIES).find_map(|_| {
            let n = index(engine.dice.roll(), self.nodes.len());
            let node = self.nodes.get(n)?;
            let state = node.state.lock();
            let rolling = |w: usize| engine.workloads.get(w).is_none_or(|w| w.rolling);
            let mut pods = state.pods();
            let calm = pods.all(|p| p.is_calm() && !rolling(p.workload));
            (state.is_up() && calm).then_some(node)
        })
    }

    /// A deployment with calm pods only, small enough to complete its rollout soon.
    fn calm_deployment(&self, engine: &mut Engine) -> Option<usize> {
        (0..TRIES).find_map(|_| {
            let n = index(engine.dice.roll(), engine.workloads.len());
            self.is_calm_deployment(engine, n).then_some(n)
        })
    }

    fn is_calm_deployment(&self, engine: &Engine, workload: usize) -> bool {
        let w = engine.workloads.get(workload);
        let Some(w) = w else { return false };
        let small = w.app.kind == Kind::Deployment && (1..=12).contains(&w.replicas);
        let calm = |ordinal| {
            let (node, slot) = engine.slot(workload, ordinal)?;
            let state = self.nodes.get(node)?.state.lock();
            Some(state.down.is_none() && state.pod(slot)?.is_calm())
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
