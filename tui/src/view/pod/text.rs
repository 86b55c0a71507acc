//! Lines of the page of a pod.

use kubevitals_proto::time::Timestamp;

use crate::model::row::LastRestart;
use crate::model::{State, Time, format};
use crate::view::canvas::{Line, Segment};
use crate::view::theme::Ink;

/// Renders the last restart: `liveness probe, exit 137, in web, 2m ago, after 5m`.
pub(super) fn last_restart(last: &LastRestart, now: Timestamp) -> String {
    let mut text = last.text(now);
    if last.exit_code != 0 && !text.contains("exit") {
        text.push_str(&format!(", exit {}", last.exit_code));
    }
    if let (Some(started), Some(finished)) = (last.started, last.finished) {
        text.push_str(&format!(", after {}", format::age(started, finished)));
    }
    text
}

/// Returns a heading.
pub(super) fn heading(text: &str) -> Line {
    vec![Segment::new(format!(" {text}"), Ink::Heading)]
}

/// Returns a heading; with the time of its lines, if that is not now.
pub(super) fn heading_at(text: &str, state: &State) -> Line {
    let mut heading = heading(text);
    if state.time != Time::Live {
        let at = state.clock_with_zone(state.status_time());
        heading.push(Segment::muted(format!("  at {at}")));
    }
    heading
}
