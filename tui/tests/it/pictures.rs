//! The pictures of README are what the program draws of a real run: a simulated cluster, the server on it, and the
//! dashboard that asks the server.
//!
//! They are made anew by `scripts/pictures.sh`, and compared here with what would be made now.

use std::path::PathBuf;

use kubevitals::model::{Action, View};
use kubevitals::view::theme::{Depth, Ground, Theme};

use crate::picture::{draw, svg};
use crate::running::Running;
use crate::simulated::troubled;

/// Set by the script: the pictures are written, not compared.
pub(crate) const WRITE: &str = "KUBEVITALS_WRITE_PICTURES";

/// Compares what is shown with a picture.
fn pictured(running: &Running, name: &str, rows: u16, title: &str) {
    let theme = Theme::new(Depth::True, Ground::Dark, false);
    let picture = svg(&draw(&running.state, &theme, 120, rows), title);
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/pictures");
    let path = folder.join(format!("{name}.svg"));
    if std::env::var_os(WRITE).is_some() {
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(&path, picture).unwrap();
        return;
    }
    let stored = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        stored == picture,
        "{} is no longer what is drawn: look at it, and run scripts/pictures.sh",
        path.display()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_pictures_are_what_is_drawn() {
    let mut running = troubled().await;
    running.open().await;
    pictured(
        &running,
        "overview",
        32,
        "vitals: the overview of a cluster in which things go wrong",
    );
    running.press(Action::Show(View::Map));
    pictured(
        &running,
        "map",
        30,
        "vitals: the map, a box for each node and a cell for each pod",
    );
    running.press(Action::Show(View::Pods));
    pictured(&running, "pods", 30, "vitals: pods by CPU");
    running.press(Action::Show(View::Incidents));
    pictured(
        &running,
        "incidents",
        30,
        "vitals: incidents, and how one is known",
    );
    running.open_pod("coredns-m7ljp4sn9f-dhxqh").await;
    pictured(
        &running,
        "pod",
        34,
        "vitals: a pod that is killed for its memory, and the minutes before",
    );
    running.go_back(3).await;
    pictured(
        &running,
        "past",
        34,
        "vitals: the same pod just before it was killed",
    );
    running.stop().await;
}
