//! Announces incidents: puts the tracker's decisions into the queue of all targets, and its alerts before Alertmanager.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use kubevitals_proto::time::Timestamp;
use tokio::sync::{broadcast, watch};

use super::notice::{ExtraLabels, Notice, Receipt};
use super::shared::{QUEUE, Shared};
use super::tracker::{AlertState, Decision, Now, Tracker};
use crate::clock::Age;

/// The shortest time between two reads of all incidents.
const ROUND_INTERVAL: Duration = Duration::from_secs(1);

/// The time for which a replica that is not the writer keeps notices, in case the writer was lost before it sent them:
/// longer than the election of another one takes.
const STANDBY: Duration = Duration::from_secs(120);

/// Announces incidents.
#[derive(Debug)]
pub(super) struct Notifier {
    pub(super) shared: Arc<Shared>,
    pub(super) tracker: Tracker,
    pub(super) labels: ExtraLabels,
    /// The number of targets that receive notices.
    pub(super) targets: usize,
    pub(super) queue: broadcast::Sender<Arc<Notice>>,
    pub(super) alerts: watch::Sender<Arc<Vec<AlertState>>>,
    pub(super) writer: Option<watch::Receiver<bool>>,
    /// The notices of the time before this replica is the writer.
    pub(super) standby: VecDeque<(Age, Arc<Notice>)>,
}

impl Notifier {
    /// Announces incidents whenever they have changed. Does not return.
    pub(super) async fn run(mut self) {
        let clock = Arc::clone(&self.shared.clock);
        let mut versions = self.shared.health.version();
        let mut writer = self.writer.clone();
        loop {
            versions.mark_unchanged();
            let due = self.round();
            clock.sleep(ROUND_INTERVAL).await;
            let due = async {
                match due {
                    Some(at) => clock.sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            let elected = async {
                let changed = match &mut writer {
                    Some(writer) => writer.changed().await.is_ok(),
                    None => false,
                };
                // Without an election, or after its end, nothing changes.
                if !changed {
                    std::future::pending().await
                }
            };
            tokio::select! {
                // The sender lives as long as `health`.
                _changed = versions.changed() => {}
                () = due => {}
                () = elected => {}
            }
        }
    }

    /// Compares all incidents with what was announced, and announces the difference. Returns when the next round has
    /// something to do even if no incident changes; it may be in the past by the time that the caller waits for it.
    fn round(&mut self) -> Option<Age> {
        let Shared { health, clock, .. } = &*self.shared;
        let (age, wall) = (clock.elapsed(), clock.wall());
        let (entries, _) = health.incidents();
        let incidents = entries.into_iter().map(|entry| entry.incident);
        let announced = |meta: &_| health.announced(meta);
        let decisions = self.tracker.round(incidents, announced, Now { age, wall });
        for decision in decisions {
            let notice = self.notice(decision, wall);
            self.standby.push_back((age, notice));
        }
        self.flush(age);
        if self.alerts.receiver_count() > 0 {
            self.publish_alerts(age);
        }
        self.tracker.due(age)
    }

    fn publish_alerts(&self, now: Age) {
        let alerts = self.tracker.alerts(now);
        self.shared.metrics.alerts.set(alerts.len() as u64);
        self.alerts.send_if_modified(|current| {
            let differs = **current != alerts;
            if differs {
                *current = Arc::new(alerts);
            }
            differs
        });
    }

    pub(super) fn notice(&self, decision: Decision, wall: Timestamp) -> Arc<Notice> {
        Arc::new(Notice {
            id: decision.id,
            action: decision.action,
            time: wall,
            severity: decision.incident.severity(),
            labels: Arc::clone(&self.labels),
            incident: decision.incident,
            receipt: Receipt::new(self.targets, decision.announcement),
        })
    }

    /// Sends the notices that have not been sent, if this replica is the writer. Otherwise the writer sends its own, and
    /// those of this replica stay for as long as an election may take.
    pub(super) fn flush(&mut self, now: Age) {
        let writes = self.writer.as_ref().is_none_or(|writer| *writer.borrow());
        while let Some((at, notice)) = self.standby.pop_front() {
            let full = !writes && self.standby.len() >= QUEUE;
            if now.since(at) >= STANDBY || full || (writes && self.targets == 0) {
                notice.announced(&self.shared.health);
            } else if !writes {
                self.standby.push_front((at, notice));
                return;
            } else if self.queue.send(notice).is_err() {
                // The targets' tasks have ended by a defect, which ends the server.
                return;
            }
        }
    }
}
