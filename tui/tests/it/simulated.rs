//! What the dashboard shows of a simulated cluster: all the way from the kubelets' pages over the server and the source, with clocks that are moved by hand.

use std::time::Duration;

use kubevitals::model::{Action, State, View};
use kubevitals::view::theme::{Depth, Ground, Theme};
use kubevitals_proto::time::Timestamp;
use kubevitals_sim::{Config, Faults, SimClock};

use crate::picture::{draw, text};
use crate::running::Running;

/// When the simulation begins.
const SIMULATION_BEGAN: i64 = 1_800_000_000;

/// Compares what is shown with what was, in two sizes.
fn shows(name: &str, state: &State) {
    let theme = Theme::new(Depth::Sixteen, Ground::Dark, false);
    for (columns, rows) in [(120, 40), (80, 24)] {
        let shown = text(&draw(state, &theme, columns, rows));
        insta::assert_snapshot!(format!("{name}-{columns}x{rows}"), shown);
    }
}

/// All views that are tables, and the overview.
const VIEWS: [View; 8] = [
    View::Overview,
    View::Nodes,
    View::Pods,
    View::Containers,
    View::Workloads,
    View::Namespaces,
    View::Hpas,
    View::Incidents,
];

fn every_view(running: &mut Running, what: &str) {
    for view in VIEWS {
        running.press(Action::Show(view));
        let name = format!("{what}-{}", view.title().to_lowercase());
        shows(&name, &running.state);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_simulated_cluster_is_shown_as_its_seed_has_it() {
    let config = Config {
        nodes: 3,
        pods_per_node: 12,
        seed: 1,
        faults: Faults::None,
        clock: Some(SimClock::manual(Timestamp::from_secs(SIMULATION_BEGAN))),
        ..Config::default()
    };
    let mut running = Running::simulated(config, Duration::from_secs(180)).await;
    running.look().await;
    every_view(&mut running, "simulation");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_recording_is_shown_as_it_was_recorded() {
    let mut running = Running::recorded().await;
    running.look().await;
    every_view(&mut running, "recording");
    for pod in ["flaky", "leak", "oom", "crash", "notready"] {
        running.open_pod(pod).await;
        shows(&format!("recording-pod-{pod}"), &running.state);
    }
    running.stop().await;
}
