//! Sends incidents to other systems: a file, Kubernetes Events, webhooks, and Alertmanager.
//!
//! `tracker` decides what to announce. Its notices go through one bounded queue to the targets, each of which has a
//! task: a target that does not answer delays nobody else, and loses the oldest notices when it is too far behind.
//! Alertmanager receives the state of all announced incidents instead, as often as it needs it.
//!
//! Every notice is delivered at least once: when all targets have it, the announcement is stored with the incidents, so
//! that the next process does not repeat it. Its ID is the same in every process, so that a receiver can ignore a
//! repetition.

mod alertmanager;
mod events;
mod log;
mod metrics;
mod notice;
mod notifier;
mod settings;
mod shared;
mod signature;
mod target;
#[cfg(test)]
mod tests;
mod tracker;
mod webhook;

use std::collections::VecDeque;
use std::sync::Arc;

use kube::Client;
use tokio::sync::{broadcast, watch};

pub use settings::{IncidentFlags, Settings};

use self::alertmanager::Alertmanager;
use self::events::Events;
use self::log::IncidentLog;
use self::metrics::NotifyMetrics;
use self::notifier::Notifier;
use self::settings::Services;
use self::shared::{QUEUE, Shared};
use self::tracker::Tracker;
use self::webhook::Webhook;
use crate::clock::Clock;
use crate::health::Health;
use crate::tasks::Tasks;
use crate::telemetry::metrics::Registry;

/// The parts of the server that this one uses.
pub struct Parts {
    /// The client of the API server, for Events.
    pub client: Client,
    /// The URL of the API server, for links.
    pub cluster_url: String,
    /// The incidents.
    pub health: Arc<Health>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Whether this replica is the one that writes; without it, every replica does. Alerts are sent in any case.
    pub writer: Option<watch::Receiver<bool>>,
}

/// Starts the tasks for all targets of the settings, and registers their metrics.
pub fn start(settings: Settings, parts: Parts, registry: &mut Registry, tasks: &mut Tasks) {
    log_targets(&settings);
    let shared = Arc::new(Shared {
        health: parts.health,
        clock: parts.clock,
        metrics: NotifyMetrics::default(),
    });
    let (queue, _) = broadcast::channel(QUEUE);
    shared.metrics.register(registry, queue.clone());
    if let Some(log) = settings.log {
        let target = target::run(IncidentLog(log), queue.subscribe(), Arc::clone(&shared));
        tasks.spawn("incident log", target);
    }
    if settings.events {
        let events = Events::new(parts.client, Arc::clone(&shared));
        let target = target::run(events, queue.subscribe(), Arc::clone(&shared));
        tasks.spawn("incident events", target);
    }
    for (url, client) in settings.webhooks.iter().flat_map(Services::each) {
        let webhook = Webhook {
            url,
            client,
            keys: settings.webhook_keys.clone(),
            shared: Arc::clone(&shared),
        };
        let target = target::run(webhook, queue.subscribe(), Arc::clone(&shared));
        tasks.spawn("incident webhook", target);
    }
    let notifier = Notifier {
        tracker: Tracker::new(settings.delay),
        labels: settings.labels,
        targets: queue.receiver_count(),
        queue,
        alerts: watch::Sender::default(),
        writer: parts.writer,
        standby: VecDeque::new(),
        shared,
    };
    for (url, client) in settings.alertmanagers.iter().flat_map(Services::each) {
        let alertmanager = Alertmanager {
            url,
            client,
            cluster_url: parts.cluster_url.clone(),
            labels: Arc::clone(&notifier.labels),
            shared: Arc::clone(&notifier.shared),
        };
        let alerts = notifier.alerts.subscribe();
        tasks.spawn("alerts", alertmanager.run(alerts));
    }
    tasks.spawn("incident notices", notifier.run());
}

/// Logs where incidents are sent.
fn log_targets(settings: &Settings) {
    let count = |services: &Option<Services>| services.as_ref().map_or(0, |it| it.urls.len());
    let log = settings.log.as_ref();
    tracing::info!(
        log = log.map(|log| log.path.display().to_string()),
        events = settings.events,
        webhooks = count(&settings.webhooks),
        alertmanagers = count(&settings.alertmanagers),
        "incidents are sent to other systems"
    );
}
