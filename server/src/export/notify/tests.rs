//! Replicas, and objects that the tests of several targets use.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::{
    Cause, Certainty, Evidence, Incident, IncidentKind, Involved, Meta, Source, Workload,
};
use tokio::sync::{broadcast, watch};

use super::metrics::NotifyMetrics;
use super::notice::{Action, ExtraLabels, Notice, Receipt};
use super::notifier::Notifier;
use super::shared::{QUEUE, Shared};
use super::tracker::{Decision, Tracker};
use crate::clock::{Age, SystemClock};
use crate::health::{Announcement, Health};

/// The begin of [`incident`].
pub(super) const BEGAN: Timestamp = Timestamp::from_secs(1_800_000_000);

/// A container that was killed three times.
pub(super) fn incident() -> Incident {
    Incident {
        type_kind: "Incident".to_owned(),
        api_version: "kubevitals.io/v1alpha1".to_owned(),
        metadata: Meta {
            name: "web-1-00".to_owned(),
            namespace: "shop".to_owned(),
            ..Meta::default()
        },
        reason: IncidentKind::Restart,
        cause: Cause::OomKilled,
        certainty: Certainty::Direct,
        message: "container web was killed: out of memory".to_owned(),
        involved: Involved {
            kind: "Pod".to_owned(),
            namespace: "shop".to_owned(),
            name: "web-1".to_owned(),
            uid: "u1".to_owned(),
            container: "web".to_owned(),
            node: "n1".to_owned(),
            workload: Some(Workload {
                kind: "Deployment".to_owned(),
                name: "web".to_owned(),
            }),
        },
        began: BEGAN,
        last_seen: BEGAN,
        count: 3,
        evidence: vec![Evidence {
            time: BEGAN,
            source: Source::History,
            text: "memory rose to 64Mi of 64Mi".to_owned(),
        }],
        ..Incident::default()
    }
}

/// A notice about it.
pub(super) fn notice(action: Action) -> Notice {
    let labels = BTreeMap::from([("cluster".to_owned(), "prod".to_owned())]);
    let incident = incident();
    Notice {
        id: "5b2b2c0c-4ab1-5a3f-8a57-0a4a8b6d7f10".to_owned(),
        action,
        time: Timestamp::from_secs(1_800_000_030),
        severity: incident.severity(),
        labels: Arc::new(labels),
        incident: Arc::new(incident),
        receipt: Receipt::default(),
    }
}

/// A notifier with one target, and whether it is the writer.
fn notifier() -> (
    Notifier,
    broadcast::Receiver<Arc<Notice>>,
    watch::Sender<bool>,
) {
    let (queue, target) = broadcast::channel(QUEUE);
    let (is_writer, writer) = watch::channel(false);
    let notifier = Notifier {
        shared: Arc::new(Shared {
            health: Health::unfed(),
            clock: Arc::new(SystemClock::default()),
            metrics: NotifyMetrics::default(),
        }),
        tracker: Tracker::new(Duration::ZERO),
        labels: ExtraLabels::default(),
        targets: 1,
        queue,
        alerts: watch::Sender::default(),
        writer: Some(writer),
        standby: VecDeque::new(),
    };
    (notifier, target, is_writer)
}

impl Notifier {
    /// A decision at this second.
    fn decides(&mut self, id: &str, second: u64) {
        let age = Age::from_elapsed(Duration::from_secs(second));
        let decision = Decision {
            id: id.to_owned(),
            action: Action::Opened,
            incident: Arc::new(incident()),
            announcement: Some(Announcement::Opened),
        };
        let notice = self.notice(decision, BEGAN);
        self.standby.push_back((age, notice));
        self.flush(age);
    }

    fn announced(&self) -> Option<Announcement> {
        self.shared.health.announced(&incident().metadata)
    }
}

fn sent(target: &mut broadcast::Receiver<Arc<Notice>>) -> Vec<String> {
    std::iter::from_fn(|| target.try_recv().ok().map(|it| it.id.clone())).collect()
}

#[test]
fn only_the_writer_sends_and_the_next_one_sends_what_the_last_one_may_have_lost() {
    let (mut notifier, mut target, is_writer) = notifier();
    notifier.decides("early", 0);
    assert_eq!((sent(&mut target), notifier.announced()), (vec![], None));
    notifier.decides("late", 110);
    notifier.decides("last", 120);
    // The writer has sent the first one long ago.
    assert_eq!(notifier.announced(), Some(Announcement::Opened));
    is_writer.send_replace(true);
    notifier.flush(Age::from_elapsed(Duration::from_secs(130)));
    assert_eq!(sent(&mut target), ["late", "last"]);
    notifier.decides("own", 140);
    assert_eq!(sent(&mut target), ["own"]);
    is_writer.send_replace(false);
    notifier.decides("other", 150);
    assert_eq!(sent(&mut target), Vec::<String>::new());
}

#[test]
fn notices_of_a_replica_that_never_writes_are_bounded() {
    let (mut notifier, mut target, _is_writer) = notifier();
    for _ in 0..=QUEUE + 1 {
        notifier.decides("one", 0);
    }
    assert_eq!(notifier.standby.len(), QUEUE);
    assert_eq!(sent(&mut target), Vec::<String>::new());
}

#[test]
fn an_announcement_is_stored_when_all_targets_have_handled_it() {
    let (mut notifier, mut target, is_writer) = notifier();
    notifier.targets = 2;
    is_writer.send_replace(true);
    notifier.decides("one", 0);
    let notice = target.try_recv().unwrap();
    notice.handled(&notifier.shared.health);
    assert_eq!(notifier.announced(), None);
    notice.handled(&notifier.shared.health);
    assert_eq!(notifier.announced(), Some(Announcement::Opened));
}
