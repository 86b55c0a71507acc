//! What is announced, and when. Times are seconds.

use std::collections::HashSet;

use kubevitals_proto::vitals::Cause;

use super::super::tests::{BEGAN, incident};
use super::*;

/// A tracker with a delay of 30 s, its incidents and what was announced before.
struct Case {
    tracker: Tracker,
    incidents: Vec<Incident>,
    announced: Option<Announcement>,
    ids: Vec<String>,
}

impl Case {
    fn new() -> Self {
        Self {
            tracker: Tracker::new(Duration::from_secs(30)),
            incidents: vec![incident()],
            announced: None,
            ids: Vec::new(),
        }
    }

    fn announced(announcement: Announcement) -> Self {
        let announced = Some(announcement);
        Self {
            announced,
            ..Self::new()
        }
    }

    /// Runs a round. Returns the actions, each with the last part of the incident's name.
    fn at(&mut self, second: i64) -> Vec<&'static str> {
        let incidents = self.incidents.iter().cloned().map(Arc::new);
        let announced = self.announced;
        let decisions = self.tracker.round(incidents, |_| announced, now(second));
        self.ids.extend(decisions.iter().map(|it| it.id.clone()));
        decisions.iter().map(|it| it.action.as_str()).collect()
    }

    fn only(&mut self) -> &mut Incident {
        &mut self.incidents[0]
    }

    fn ended(&mut self, second: Option<i64>) {
        self.only().ended = second.map(time);
    }

    /// Of each alert, the second of its end.
    fn alerts(&self, second: i64) -> Vec<Option<i64>> {
        let alerts = self.tracker.alerts(now(second).age);
        let end = |ended: Timestamp| ended.as_secs() - BEGAN.as_secs();
        alerts.iter().map(|it| it.ended.map(end)).collect()
    }

    fn due(&self, second: i64) -> Option<i64> {
        let due = self.tracker.due(now(second).age);
        due.map(|it| it.millis() / 1000)
    }
}

fn time(second: i64) -> Timestamp {
    Timestamp::from_secs(BEGAN.as_secs() + second)
}

fn now(second: i64) -> Now {
    Now {
        age: Age::from_elapsed(Duration::from_secs(second.unsigned_abs())),
        wall: time(second),
    }
}

const NOTHING: [&str; 0] = [];

#[test]
fn an_incident_is_opened_after_the_delay_and_resolved_once() {
    let mut case = Case::new();
    assert_eq!(case.at(0), NOTHING);
    assert_eq!((case.due(0), case.alerts(0)), (Some(30), vec![]));
    assert_eq!(case.at(29), NOTHING);
    assert_eq!(case.at(30), ["opened"]);
    assert_eq!((case.at(31), case.alerts(31)), (vec![], vec![None]));
    case.ended(Some(900));
    assert_eq!(case.at(910), NOTHING);
    assert_eq!(case.due(910), Some(940));
    assert_eq!(case.at(940), ["resolved"]);
    assert_eq!(case.at(5000), NOTHING);
    case.incidents.clear();
    assert_eq!(case.at(6000), NOTHING);
    assert_eq!(case.tracker.tracked.len(), 0);
}

#[test]
fn an_incident_that_is_gone_within_the_delay_is_never_announced() {
    let mut case = Case::new();
    case.at(0);
    case.incidents.clear();
    assert_eq!(case.at(29), NOTHING);
    assert_eq!((case.due(29), case.tracker.tracked.len()), (None, 0));
}

#[test]
fn an_incident_that_another_one_includes_is_withdrawn_after_that_one_is_opened() {
    let mut case = Case::new();
    case.at(0);
    case.at(30);
    let mut joint = incident();
    joint.metadata.name = "web-joint".to_owned();
    case.incidents = vec![joint];
    assert_eq!(case.at(100), NOTHING);
    assert_eq!(case.at(130), ["opened", "withdrawn"]);
    // An alert fires for six minutes at least.
    assert_eq!(case.alerts(389), [None, None]);
    assert_eq!(case.alerts(390), [Some(130), None]);
    case.at(1289);
    assert_eq!(case.alerts(1290), [None]);
}

#[test]
fn a_short_problem_is_opened_and_resolved_and_fires_for_six_minutes() {
    let mut case = Case::new();
    // Such as an eviction.
    case.ended(Some(0));
    assert_eq!(case.at(5), NOTHING);
    assert_eq!(case.at(35), ["opened", "resolved"]);
    assert_eq!(case.due(35), Some(35 + 360));
    assert_eq!(case.alerts(394), [None]);
    assert_eq!(case.alerts(395), [Some(0)]);
    assert_eq!(case.due(395), Some(395 + 900));
    assert_eq!(case.alerts(395 + 900), []);
}

#[test]
fn a_probe_that_flaps_is_not_announced_each_time() {
    let mut case = Case::new();
    case.at(0);
    case.at(30);
    for second in (40..400).step_by(20) {
        let ended = (second % 40 == 0).then_some(second);
        case.ended(ended);
        assert_eq!(case.at(second), NOTHING, "{second}");
    }
    case.ended(Some(400));
    case.at(400);
    assert_eq!(case.at(430), ["resolved"]);
    case.ended(None);
    assert_eq!(case.at(440), NOTHING);
    assert_eq!(case.at(470), ["opened"]);
    // A receiver must not take it for a repetition.
    let ids: HashSet<&String> = case.ids.iter().collect();
    assert_eq!(ids.len(), case.ids.len());
}

#[test]
fn changes_are_bounded() {
    let mut case = Case::new();
    case.at(0);
    case.at(30);
    case.only().cause = Cause::LivenessProbe;
    assert_eq!(case.at(40), ["changed"]);
    // Every restart of a crash loop counts, and the evidence changes.
    let mut changes = 0;
    for n in 0..1000 {
        case.only().count += 1;
        case.only().message = format!("{n} times");
        changes += case.at(50 + n).len();
    }
    assert_eq!(changes, 2, "at 340 and 640, when the count had doubled");
    case.only().cause = Cause::Exited;
    assert_eq!(case.at(1060), ["changed"]);
    // A change that waits is announced when it may.
    case.only().cause = Cause::LivenessProbe;
    assert_eq!((case.at(1070), case.due(1070)), (vec![], Some(1360)));
    assert_eq!(case.at(1360), ["changed"]);
}

#[test]
fn a_growing_count_is_no_change_right_after_the_opening() {
    let mut case = Case::new();
    case.at(0);
    case.at(30);
    case.only().count = 7;
    assert_eq!((case.at(40), case.due(40)), (vec![], Some(330)));
    assert_eq!(case.at(330), ["changed"]);
    case.only().count = 13;
    assert_eq!((case.at(1000), case.due(1000)), (vec![], None));
}

#[test]
fn what_another_process_has_announced_is_not_announced_again() {
    let mut case = Case::announced(Announcement::Opened);
    assert_eq!((case.at(0), case.at(30)), (vec![], vec![]));
    // Alertmanager ends alerts that nobody repeats.
    assert_eq!(case.alerts(0), [None]);
    case.ended(Some(40));
    assert_eq!((case.at(40), case.at(70)), (vec![], vec!["resolved"]));

    // It ended while no process ran.
    let mut case = Case::announced(Announcement::Opened);
    case.ended(Some(-500));
    assert_eq!((case.at(0), case.at(30)), (vec![], vec!["resolved"]));

    let mut case = Case::announced(Announcement::Resolved(time(-500)));
    case.ended(Some(-500));
    assert_eq!((case.at(0), case.at(30)), (vec![], vec![]));
    assert_eq!(case.alerts(30), []);
}

#[test]
fn a_state_that_is_merged_within_the_delay_counts() {
    let mut case = Case::new();
    assert_eq!(case.at(0), NOTHING);
    case.announced = Some(Announcement::Opened);
    assert_eq!((case.at(10), case.at(40)), (vec![], vec![]));
}

#[test]
fn an_incident_that_ended_long_ago_is_not_announced() {
    for (ended, expected) in [(-3601, vec![]), (-3599, vec!["opened", "resolved"])] {
        let mut case = Case::new();
        case.ended(Some(ended));
        assert_eq!((case.at(0), case.at(30)), (vec![], expected));
    }
    let mut case = Case::new();
    case.ended(Some(-3601));
    case.at(0);
    case.ended(None);
    assert_eq!((case.at(10), case.at(40)), (vec![], vec!["opened"]));
}

#[test]
fn ids_are_the_same_in_every_process() {
    let ids = || {
        let mut case = Case::new();
        case.at(0);
        case.at(30);
        case.only().cause = Cause::LivenessProbe;
        case.at(400);
        case.ended(Some(900));
        case.at(900);
        case.at(930);
        case.ids
    };
    let first = ids();
    assert_eq!((first.len(), &first), (3, &ids()));
    // A fixed value: it must not change between versions of the server.
    insta::assert_snapshot!(first[0], @"b5bfa3ca-52ea-5b1f-8c17-a3c58d1473f3");
}

#[test]
fn a_step_of_the_wall_clock_changes_no_delay() {
    let mut case = Case::new();
    case.at(0);
    let incidents = || [Arc::new(incident())];
    let stepped = |second: u64, wall: i64| Now {
        age: Age::from_elapsed(Duration::from_secs(second)),
        wall: time(wall),
    };
    for (second, wall) in [(10, 90_000), (20, -90_000)] {
        let decisions = case
            .tracker
            .round(incidents(), |_| None, stepped(second, wall));
        assert!(decisions.is_empty());
    }
    let decisions = case
        .tracker
        .round(incidents(), |_| None, stepped(30, -90_000));
    assert_eq!(decisions.len(), 1);
}

#[test]
fn what_was_announced_is_resolved_however_long_ago_it_ended() {
    let day = 24 * 3600;
    let mut case = Case::announced(Announcement::Opened);
    case.ended(Some(100));
    assert_eq!(case.at(day), NOTHING);
    assert_eq!(case.at(day + 30), ["resolved"]);
    // What was not announced ended too long ago.
    let mut case = Case::new();
    case.ended(Some(100));
    assert_eq!(case.at(day), NOTHING);
    assert_eq!(case.at(day + 30), NOTHING);
}
