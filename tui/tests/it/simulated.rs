//! Golden screens of a simulated and of a recorded cluster, from the kubelets' pages over the server and the source to
//! the screen.

use std::time::Duration;

use kubevitals::model::{Action, State, View};
use kubevitals::view::theme::{Depth, Ground, Theme};
use kubevitals_proto::time::Timestamp;
use kubevitals_sim::{Config, Fault, Faults, SimClock};

use crate::picture::{draw, text};
use crate::running::Running;
use crate::views::SIZES;

/// The start of the simulation.
const SIMULATION_BEGAN: i64 = 1_800_000_000;

/// The faults of the simulation, each with its delay in seconds after the one before.
const TROUBLES: [(u64, Fault); 7] = [
    (120, Fault::OomKill),
    (180, Fault::ReadinessFailure),
    (120, Fault::LivenessFailure),
    (150, Fault::OomKill),
    (240, Fault::ImagePullFailure),
    (55, Fault::CrashLoop),
    (15, Fault::LivenessFailure),
];

/// A simulated cluster without faults.
pub(crate) async fn calm(nodes: u32, seed: u64) -> Running {
    let config = Config {
        nodes,
        pods_per_node: 14,
        seed,
        faults: Faults::None,
        clock: Some(SimClock::manual(Timestamp::from_secs(SIMULATION_BEGAN))),
        ..Config::default()
    };
    Running::simulated(config).await
}

/// Runs fifteen minutes with one fault after the other, of which some remain.
pub(crate) async fn troubled() -> Running {
    let mut running = calm(4, 10).await;
    for (after, fault) in TROUBLES {
        running.pass_for(Duration::from_secs(after)).await;
        running.strike(fault).await;
    }
    running.pass_for(Duration::from_secs(32)).await;
    running
}

/// Compares the screen with snapshots, in the usual sizes.
fn shows(name: &str, state: &State) {
    shows_in(&[(120, 40), (80, 24)], name, state);
}

fn shows_in(sizes: &[(u16, u16)], name: &str, state: &State) {
    let theme = Theme::new(Depth::Sixteen, Ground::Dark, false);
    for (columns, rows) in sizes.iter().copied() {
        let screen_text = text(&draw(state, &theme, columns, rows));
        insta::assert_snapshot!(format!("{name}-{columns}x{rows}"), screen_text);
    }
}

/// Compares every table and the overview, in every size and theme.
async fn every_view_shows(running: &mut Running, what: &str) {
    for view in View::SWITCHABLE {
        running.show(view).await;
        let name = format!("{what}-{}", view.title().to_lowercase());
        shows_in(&SIZES, &name, &running.state);
        for (look, ascii) in [("no-colour", false), ("ascii", true)] {
            let theme = Theme::new(Depth::None, Ground::Dark, ascii);
            let screen_text = text(&draw(&running.state, &theme, 80, 24));
            insta::assert_snapshot!(format!("{name}-{look}"), screen_text);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_simulated_cluster_with_faults() {
    let mut running = troubled().await;
    running.open().await;
    every_view_shows(&mut running, "simulation").await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_simulated_cluster_without_faults() {
    let mut running = calm(3, 1).await;
    running.pass_for(Duration::from_secs(180)).await;
    running.open().await;
    shows("simulation-well", &running.state);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_recorded_cluster() {
    let mut running = Running::recorded().await;
    running.open().await;
    every_view_shows(&mut running, "recording").await;
    for pod in ["flaky", "leak", "oom", "crash", "notready"] {
        running.open_pod(pod).await;
        shows(&format!("recording-pod-{pod}"), &running.state);
    }
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_past_of_the_recorded_cluster() {
    let mut running = Running::recorded().await;
    running.open().await;
    running.open_pod("leak").await;
    running.press(Action::Pause);
    shows("recording-pod-leak-paused", &running.state);
    running.go_on().await;
    // Just before the OOM kill.
    running.go_back(3).await;
    shows("recording-pod-leak-past", &running.state);
    for view in [View::Overview, View::Pods, View::Incidents] {
        running.press(Action::Show(view));
        let name = format!("recording-{}-past", view.title().to_lowercase());
        shows(&name, &running.state);
    }
    running.stop().await;
}
