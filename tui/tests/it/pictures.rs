//! The pictures of README are what the program draws.
//!
//! They are made anew by `scripts/pictures.sh`, and compared here with what would be made now.

use std::path::PathBuf;

use kubevitals::model::{SourceKind, View};
use kubevitals::view::theme::{Depth, Ground, Theme};

use crate::picture::{draw, svg};
use crate::views::showing;

/// Set by the script: the pictures are written, not compared.
const WRITE: &str = "KUBEVITALS_WRITE_PICTURES";

#[test]
fn the_pictures_are_what_is_drawn() {
    let theme = Theme::new(Depth::True, Ground::Dark, false);
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/pictures");
    for (view, columns, rows, title) in [
        (
            View::Overview,
            120,
            32,
            "vitals: the overview of a cluster in which things go wrong",
        ),
        (View::Pods, 120, 32, "vitals: pods by CPU"),
        (
            View::Pod,
            120,
            40,
            "vitals: a pod that is killed for its memory, and the minutes before",
        ),
        (View::Incidents, 120, 24, "vitals: incidents"),
    ] {
        let picture = svg(
            &draw(&showing(view, SourceKind::Vitals), &theme, columns, rows),
            title,
        );
        let path = folder.join(format!("{}.svg", view.title().to_lowercase()));
        if std::env::var_os(WRITE).is_some() {
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(&path, picture).unwrap();
            continue;
        }
        let kept = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            kept == picture,
            "{} is no longer what is drawn: look at it, and run scripts/pictures.sh",
            path.display()
        );
    }
}
