//! The engine: does the queued actions when they are due.

mod change;
mod container;
mod node;
mod probes;
mod replace;
mod schedule;

use std::cmp::Reverse;
use std::sync::atomic::Ordering;

use kubevitals_proto::time::Timestamp;

use super::World;
use super::action::{Action, PodStep};
use super::epoch::SECOND;
use super::queue::Engine;

impl World {
    /// Does everything that is due. Cheap when there is nothing.
    pub(crate) fn catch_up(&self) {
        if self.clock.now().as_nanos() < self.due.load(Ordering::Acquire) {
            return;
        }
        let mut engine = self.engine.lock();
        loop {
            let due = engine.due();
            // The clock goes on while actions are done; the next reader sees a world up to date.
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

    /// Publishes the time of the next action and wakes [`World::run`].
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
