//! The rules, each with a story of a workload.

use super::*;

/// What happens at a second.
enum Happening {
    See(Spec),
    Gone(&'static str),
}
use Happening::{Gone, See};

/// Tells a story, and returns the seconds in each state after ten minutes, and the outages.
fn told(story: impl IntoIterator<Item = (i64, Happening)>) -> ([u64; 6], u64) {
    let mut cluster = TestCluster::new();
    for (at, happening) in story {
        match happening {
            See(pod) => cluster.see(at, &pod),
            Gone(name) => cluster.gone(at, name),
        }
    }
    cluster.sums(600)
}

/// A pod that is created at the second 10 and ready 10 s later.
fn first() -> [(i64, Happening); 2] {
    let pod = Spec::new("a", 10);
    [(10, See(pod.clone())), (20, See(pod.ready(20)))]
}

fn a() -> Spec {
    Spec::new("a", 10).ready(20)
}

fn after_first(rest: impl IntoIterator<Item = (i64, Happening)>) -> ([u64; 6], u64) {
    told(first().into_iter().chain(rest))
}

#[test]
fn the_time_before_a_workload_is_first_ready_does_not_count() {
    assert_eq!(after_first([]), ([580, 0, 0, 0, 0, 0], 0));
}

#[test]
fn an_outage_has_the_times_of_the_condition_and_not_those_of_its_report() {
    let story = [(105, See(a().unready(100))), (207, See(a().ready(200)))];
    assert_eq!(after_first(story), ([480, 0, 100, 0, 0, 0], 1));
}

#[test]
fn a_workload_is_degraded_while_one_of_its_pods_has_lapsed() {
    let b = Spec::new("b", 10).ready(20);
    let story = [
        (20, See(b.clone())),
        (100, See(b.clone().unready(100))),
        (160, See(b.ready(160))),
    ];
    assert_eq!(after_first(story), ([520, 60, 0, 0, 0, 0], 0));
}

#[test]
fn reports_in_another_order_than_the_losses_move_no_outage() {
    let b = Spec::new("b", 10).ready(20);
    let story = [
        (20, See(b.clone())),
        // b was lost last, and is reported first.
        (108, See(b.unready(107))),
        (109, See(a().unready(105))),
        (200, See(a().ready(200))),
    ];
    let (seconds, outages) = after_first(story);
    assert_eq!((seconds[State::Down as usize], outages), (93, 1));
}

#[test]
fn a_pod_that_was_ready_before_the_last_one_was_lost_leaves_no_outage() {
    let story = [
        (30, See(Spec::new("b", 30))),
        (106, See(a().unready(105))),
        (107, See(Spec::new("b", 30).ready(104))),
    ];
    let (seconds, outages) = after_first(story);
    assert_eq!((seconds[State::Down as usize], outages), (0, 0));
}

#[test]
fn a_rolling_update_with_surge_is_no_outage() {
    let b = Spec::new("b", 100).revision("2");
    let story = [
        (100, See(b.clone())),
        (110, See(b.ready(110))),
        (111, See(a().deleted(111))),
        (115, See(a().deleted(111).unready(115))),
        (116, Gone("a")),
    ];
    assert_eq!(after_first(story), ([580, 0, 0, 0, 0, 0], 0));
}

#[test]
fn a_recreate_rollout_is_deliberate() {
    let b = Spec::new("b", 131).revision("2");
    let story = [
        (101, See(a().deleted(100))),
        (131, Gone("a")),
        (131, See(b.clone())),
        (145, See(b.ready(145))),
    ];
    assert_eq!(after_first(story), ([535, 0, 0, 45, 0, 0], 0));
}

#[test]
fn a_rollout_that_does_not_end_becomes_an_outage() {
    let mut cluster = TestCluster::new();
    let b = Spec::new("b", 131).revision("2");
    cluster.see(20, &a());
    cluster.see(100, &a().deleted(100));
    cluster.gone(131, "a");
    cluster.see(131, &b);
    assert_eq!(cluster.web(699, 699).state, Some(State::Deliberate));
    let late = cluster.web(1_000, 1_000);
    assert_eq!(
        (late.state, down(&late.totals[0])),
        (Some(State::Down), 300)
    );
    assert_eq!(
        late.since.timestamp(),
        Some(Timestamp::from_secs(START + 700))
    );
}

#[test]
fn a_deleted_pod_that_is_replaced_by_its_like_is_an_outage() {
    for created in [101, 131] {
        let b = Spec::new("b", created);
        let mut story = vec![
            (100, See(a().deleted(100))),
            (created, See(b.clone())),
            (150, See(b.ready(150))),
        ];
        // A ReplicaSet replaces the pod at once, a StatefulSet when it is gone.
        let at = if created < 131 { 2 } else { 1 };
        story.insert(at, (130, Gone("a")));
        assert_eq!(after_first(story), ([530, 0, 50, 0, 0, 0], 1), "{created}");
    }
}

#[test]
fn scaled_to_zero_is_no_downtime_and_scaling_up_is_deliberate() {
    let b = Spec::new("b", 400);
    let story = [
        (100, See(a().deleted(100))),
        (131, Gone("a")),
        (400, See(b.clone())),
        (420, See(b.ready(420))),
    ];
    assert_eq!(after_first(story), ([260, 0, 0, 20, 300, 0], 0));
}

#[test]
fn a_scale_down_may_delete_the_only_ready_pod_first() {
    let b = Spec::new("b", 10).ready(20);
    let story = [
        (20, See(b.clone())),
        (50, See(b.clone().unready(50))),
        (100, See(a().deleted(100))),
        (101, See(b.unready(50).deleted(101))),
        (131, Gone("a")),
        (131, Gone("b")),
    ];
    assert_eq!(after_first(story), ([30, 50, 0, 0, 500, 0], 0));
}

#[test]
fn an_eviction_is_an_outage_until_its_replacement_is_ready() {
    let evicted = Spec {
        failed: true,
        ..a().unready(100)
    };
    let b = Spec::new("b", 101);
    let story = [
        (100, See(evicted)),
        (101, See(b.clone())),
        (130, See(b.ready(130))),
        (140, Gone("a")),
    ];
    assert_eq!(after_first(story), ([550, 0, 30, 0, 0, 0], 1));
}

#[test]
fn a_deletion_in_an_outage_does_not_end_it() {
    let b = Spec::new("b", 201);
    let story = [
        (100, See(a().unready(100))),
        (200, See(a().unready(100).deleted(200))),
        (201, See(b.clone())),
        (230, Gone("a")),
        (300, See(b.ready(300))),
    ];
    assert_eq!(after_first(story), ([380, 0, 200, 0, 0, 0], 1));
}

#[test]
fn an_outage_ends_when_the_workload_is_scaled_to_zero() {
    let story = [
        (100, See(a().unready(100))),
        (200, See(a().unready(100).deleted(200))),
        (231, Gone("a")),
    ];
    assert_eq!(after_first(story), ([80, 0, 100, 0, 400, 0], 1));
}

#[test]
fn a_restart_between_two_reports_is_an_outage_from_its_termination() {
    let again = Spec {
        restarts: 1,
        terminated: Some(100),
        ..a().ready(112)
    };
    assert_eq!(after_first([(112, See(again))]), ([568, 0, 12, 0, 0, 0], 1));
}

#[test]
fn pods_that_are_meant_to_end_and_static_pods_are_no_workload() {
    let mut cluster = TestCluster::new();
    for owner in ["Job", "Node"] {
        let mut pod = a();
        pod.owner = owner;
        cluster.see(20, &pod);
    }
    assert!(cluster.availability.workloads(None, &[]).is_empty());
}

#[test]
fn times_in_the_future_count_as_now_and_a_clock_that_is_set_back_moves_nothing() {
    let mut cluster = TestCluster::new();
    cluster.see(20, &a());
    cluster.see(100, &a().unready(5_000));
    cluster.see(200, &a().ready(9_000));
    assert_eq!(cluster.sums(300).0[State::Down as usize], 100);
    // The clock is set back by two minutes.
    let web = cluster.web(80, 80);
    assert_eq!(down(&web.totals[0]), 0);
    cluster.see(90, &a().unready(250));
    assert_eq!(cluster.web(260, 260).state, Some(State::Down));
    assert_eq!(cluster.sums(400).0.iter().sum::<u64>(), 380);
}

#[test]
fn the_series_tell_up_down_and_neither() {
    let mut cluster = TestCluster::new();
    let series = |cluster: &TestCluster| {
        let series = cluster.availability.series();
        assert_eq!(series[0].key, web());
        (series[0].up, series[0].downtime_seconds)
    };
    cluster.see(10, &Spec::new("a", 10));
    assert_eq!(series(&cluster), (None, 0));
    cluster.see(20, &a());
    assert_eq!(series(&cluster), (Some(true), 0));
    cluster.see(100, &a().unready(100));
    cluster.quiet(130);
    assert_eq!(series(&cluster), (Some(false), 30));
    // A later report shortens the outage: the counter does not decrease.
    cluster.see(131, &a().ready(110));
    assert_eq!(series(&cluster), (Some(true), 30));
    cluster.see(200, &a().ready(110).deleted(200));
    cluster.gone(231, "a");
    assert_eq!(series(&cluster), (None, 30));
}

#[test]
fn mean_times_follow_from_the_outages() {
    let mut cluster = TestCluster::new();
    cluster.see(0, &Spec::new("a", -20).ready(0));
    for (begin, end) in [(1_000, 1_060), (2_000, 2_180)] {
        cluster.see(begin, &Spec::new("a", -20).unready(begin));
        cluster.see(end, &Spec::new("a", -20).ready(end));
    }
    let totals = cluster.web(HOUR, HOUR).totals[0];
    assert_eq!((totals.outages, down(&totals)), (2, 240));
    assert_eq!(totals.to_repair_seconds(), Some(120));
    assert_eq!(totals.between_failures_seconds(), Some((3_600 - 240) / 2));
    assert_eq!(totals.longest_seconds, 180);
    let availability = totals.availability().unwrap();
    assert!((availability - 3_360.0 / 3_600.0).abs() < 1e-12);
}
