//! Gaps: what is known of the time in which changes were missed.

use super::*;

fn a() -> Spec {
    Spec::new("a", 10).ready(20)
}

/// Up since the second 20, listed again at 500 after a silence since 200, and then ten minutes in total.
fn after_gap(listed: &[Spec]) -> ([u64; 6], u64) {
    let mut cluster = TestCluster::new();
    cluster.see(20, &a());
    cluster.quiet(200);
    let mut restarted = cluster.restart();
    cluster.list(500, listed);
    restarted.list(500, listed);
    let sums = cluster.sums(600);
    assert_eq!(sums, restarted.sums(600), "a restart is a gap as well");
    sums
}

#[test]
fn a_pod_that_is_ready_since_before_the_gap_was_up_throughout() {
    assert_eq!(after_gap(&[a()]), ([580, 0, 0, 0, 0, 0], 0));
}

#[test]
fn a_pod_that_is_not_ready_any_more_was_up_until_its_time() {
    assert_eq!(after_gap(&[a().unready(300)]), ([280, 0, 300, 0, 0, 0], 1));
}

#[test]
fn a_pod_that_is_ready_again_was_unready_for_an_unknown_time() {
    assert_eq!(after_gap(&[a().ready(450)]), ([330, 0, 0, 0, 0, 250], 0));
}

#[test]
fn a_termination_tells_the_begin_of_the_outage() {
    let again = Spec {
        restarts: 1,
        terminated: Some(400),
        ..a().ready(450)
    };
    assert_eq!(after_gap(&[again]), ([530, 0, 50, 0, 0, 0], 1));
}

#[test]
fn pods_that_were_replaced_leave_it_unknown() {
    let b = Spec::new("b", 300).ready(320);
    assert_eq!(after_gap(&[b]), ([460, 0, 0, 0, 0, 120], 0));
}

#[test]
fn a_workload_whose_pods_are_gone_is_off() {
    assert_eq!(after_gap(&[]), ([180, 0, 0, 0, 100, 300], 0));
}

#[test]
fn an_outage_that_ends_within_a_gap_is_known_until_the_gap() {
    let mut cluster = TestCluster::new();
    cluster.see(20, &a());
    cluster.see(100, &a().unready(100));
    cluster.quiet(200);
    let mut restarted = cluster.restart();
    for cluster in [&mut cluster, &mut restarted] {
        cluster.list(500, &[a().ready(300)]);
        assert_eq!(cluster.sums(600), ([380, 0, 100, 0, 0, 100], 1));
    }
}

#[tokio::test(start_paused = true)]
async fn a_silent_watch_makes_the_present_unknown_and_a_quiet_one_does_not() {
    let mut cluster = TestCluster::new();
    cluster.see(20, &a());
    cluster.set_time(150);
    tokio::time::advance(Duration::from_secs(130)).await;
    assert_eq!(cluster.web_as_it_is(150).state, Some(State::Up));
    cluster.set_time(400);
    tokio::time::advance(Duration::from_secs(250)).await;
    let web = cluster.web_as_it_is(400);
    assert_eq!(web.state, Some(State::Unknown));
    assert_eq!(web.totals[0].seconds(State::Unknown), 380);
    assert_eq!(cluster.web(400, 400).state, Some(State::Up));
}

#[test]
fn without_a_past_the_conditions_tell_what_they_can() {
    let old = Spec::new("a", -10 * HOUR);
    for (listed, expected) in [
        // Ready since its start: that is known, although nobody watched.
        (
            old.clone().ready(-10 * HOUR + 20),
            [36_600 - 20, 0, 0, 0, 0, 0],
        ),
        // Ready again since an hour ago: before that nobody knows.
        (old.clone().ready(-HOUR), [4_200, 0, 0, 0, 0, 9 * 3_600]),
        // Not ready any more since a minute ago.
        (old.unready(-60), [0, 0, 660, 0, 0, 36_000 - 60]),
    ] {
        let mut cluster = TestCluster::unlisted();
        cluster.list(0, std::slice::from_ref(&listed));
        let web = cluster.web(600, 20 * HOUR);
        let seconds = State::ALL.map(|state| web.totals[0].seconds(state));
        assert_eq!(seconds, expected, "{listed:?}");
    }
    // A pod that was never ready.
    let mut cluster = TestCluster::unlisted();
    cluster.list(0, &[Spec::new("a", -60)]);
    assert_eq!(cluster.web(600, HOUR).state, None);
}

#[test]
fn a_restart_without_state_starts_again_and_another_replica_completes_it() {
    let mut one = TestCluster::new();
    one.see(20, &a());
    one.see(100, &a().unready(100));
    one.see(160, &a().ready(160));
    one.quiet(300);
    let mut two = TestCluster::unlisted();
    two.list(400, &[a().ready(160)]);
    assert_eq!(two.sums(600).0, [440, 0, 0, 0, 0, 0]);
    for message in one.state() {
        two.availability.restore(&message).unwrap();
    }
    assert_eq!(two.sums(600), ([520, 0, 60, 0, 0, 0], 1));
}

#[test]
fn a_month_survives_many_restarts() {
    let mut cluster = TestCluster::new();
    let mut ready = 20;
    cluster.see(20, &a());
    for day in 1..=40 {
        let begin = day * 24 * HOUR;
        cluster.quiet(begin - 1);
        cluster = cluster.restart();
        cluster.list(begin, &[a().ready(ready)]);
        cluster.see(begin + 100, &a().unready(begin + 100));
        ready = begin + 160;
        cluster.see(ready, &a().ready(ready));
    }
    let now = 40 * 24 * HOUR + 200;
    let totals = cluster.web(now, 30 * 24 * HOUR).totals[0];
    assert_eq!((down(&totals), totals.outages), (30 * 60, 30));
    let downtime = cluster.availability.series()[0].downtime_seconds;
    assert_eq!(downtime, 40 * 60, "the counter keeps what is older");
}

#[test]
fn damaged_state_restores_nothing_and_forged_numbers_are_bounded() {
    let mut cluster = TestCluster::new();
    cluster.see(20, &a());
    let message = cluster.state().remove(0);
    for cut in 0..message.len() {
        let fresh = TestCluster::unlisted();
        let _refused = fresh.availability.restore(&message[..cut]);
    }
    for at in 0..message.len() {
        let mut spoilt = message.clone();
        spoilt[at] ^= 0x55;
        let mut fresh = TestCluster::unlisted();
        let _refused = fresh.availability.restore(&spoilt);
        fresh.list(100, &[a()]);
        for workload in fresh.availability.workloads(None, &[RETENTION]) {
            let seconds: u64 = State::ALL
                .map(|it| workload.totals[0].seconds(it))
                .iter()
                .sum();
            assert!(seconds <= RETENTION.as_secs(), "{seconds}");
        }
    }
}
