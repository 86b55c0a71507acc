//! The engine: does the queued actions when they are due.

mod change;
mod container;
mod node;
mod operate;
mod probes;
mod replace;
mod schedule;

use std::cmp::Reverse;
use std::sync::atomic::Ordering;

use kubevitals_proto::time::Timestamp;

use super::World;
use super::action::{Action, PodStep};
use super::epoch::SECOND;
use super::pod::Phase;
use super::queue::Engine;

impl World {
    /// Does every action that is due. Cheap when there is none.
    pub(crate) fn catch_up(&self) {
        if self.clock.now().as_nanos() < self.due.load(Ordering::Acquire) {
            return;
        }
        let mut engine = self.engine.lock();
        loop {
            let due = engine.due();
            // The clock may run during the actions, so it is read again after each.
            if due > self.clock.now() {
                self.due.store(due.as_nanos(), Ordering::Release);
                return;
            }
            if let Some(Reverse((at, _, action))) = engine.queue.pop() {
                engine.now = at;
                self.act(&mut engine, action);
            }
        }
    }

    /// Does every action when it is due. Never returns.
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

    fn act(&self, engine: &mut Engine, action: Action) {
        match action {
            Action::NextFault => self.next_fault(engine),
            Action::Pod(pod, PodStep::Gone) => self.gone(engine, pod),
            Action::Pod(pod, PodStep::Sandbox) => {
                self.change(engine, pod, |change| {
                    change.pod.phase = Phase::Running;
                    change.pod.sandbox = change.engine.now;
                    change.touched = true;
                    change.start_from(0);
                });
            }
            Action::Pod(pod, PodStep::Calm) => {
                self.change(engine, pod, |change| {
                    if change.pod.is_over_it() {
                        change.pod.trouble = None;
                    }
                });
            }
            Action::Container(pod, c, incarnation, step) => {
                self.container_step(engine, pod, (c, incarnation), step);
            }
            Action::Node(node, step) => self.node_step(engine, node, step),
            Action::Heartbeat => self.heartbeat(engine),
            Action::Swing => self.swing(engine),
            Action::Rollout {
                workload,
                ordinal,
                episode,
            } => self.roll_out(engine, workload, ordinal, episode),
            Action::Expire(event) => engine.expire(event),
        }
    }

    /// Brings the rate of requests of each workload to what it is now, every 15 seconds.
    fn swing(&self, engine: &mut Engine) {
        let now = engine.now;
        for service in engine
            .workloads
            .iter_mut()
            .filter_map(|w| w.service.as_mut())
        {
            service.turn(now, now.since(self.started) as f64 / 1e9);
        }
        engine.after(15 * SECOND, Action::Swing);
    }

    /// Nanoseconds between two renewals of the kubelets' leases. `None` in a large cluster, where renewals would be most
    /// of the changes.
    fn heartbeat_interval(&self) -> Option<i64> {
        match self.nodes.len() {
            0..=20 => Some(10 * SECOND),
            21..=1000 => Some(40 * SECOND),
            _ => None,
        }
    }
}
