//! Lists the probes of a pod, with their status and their check.

use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::{Probe, ProbeStatus};

use super::text::heading_at;
use crate::model::{State, Time, format};
use crate::text;
use crate::view::canvas::{Line, Segment, paragraph, segments_width};
use crate::view::theme::Ink;

pub(super) fn lines(lines: &mut Vec<Line>, probes: &[Probe], state: &State, width: u16) {
    let now = state.status_time();
    // The probe status of a past time is not stored.
    let is_past = matches!(state.time, Time::Past { .. }) && now == state.shown_time();
    if probes.is_empty() {
        let text = if is_past {
            " Probe status at this time is not stored; incidents are stored"
        } else {
            " No container has a probe"
        };
        lines.push(vec![Segment::muted(text)]);
        return;
    }
    let mut head = heading_at("PROBES", state);
    if is_past {
        head.push(Segment::muted(
            ": status at this time is not stored; incidents are stored",
        ));
    }
    lines.push(head);
    for probe in probes {
        let kind = probe.kind.word();
        let head = format!("   {kind:<9} {:<12} ", probe.container);
        let mut line = vec![Segment::plain(head)];
        if !is_past {
            line.push(status(probe, now));
        }
        let space = usize::from(width.saturating_sub(segments_width(&line) + 2));
        if text::width(&probe.asks) <= space {
            line.push(Segment::muted(format!("  {}", probe.asks)));
            lines.push(line);
        } else {
            lines.push(line);
            lines.extend(paragraph(&probe.asks, width, 5, Ink::Muted));
        }
        if !is_past && !probe.message.is_empty() && probe.status != ProbeStatus::Passing {
            lines.extend(paragraph(&probe.message, width, 5, Ink::Warn));
        }
    }
}

/// Renders the status of a probe: `failing 2/3 for 5m`.
fn status(probe: &Probe, now: Timestamp) -> Segment {
    let (word, ink) = match probe.status {
        ProbeStatus::Failing => ("failing", Ink::Bad),
        ProbeStatus::Pending => ("pending", Ink::Warn),
        ProbeStatus::Held => ("waiting for startup", Ink::Muted),
        ProbeStatus::Waiting => ("waiting", Ink::Muted),
        ProbeStatus::Passing => ("passing", Ink::Good),
        ProbeStatus::Passed => ("passed", Ink::Good),
        ProbeStatus::NotRunning => ("not running", Ink::Muted),
        ProbeStatus::Unknown => ("unknown", Ink::Warn),
    };
    let failures = if probe.failures > 0 {
        format!(" {}/{}", probe.failures, probe.threshold)
    } else {
        String::new()
    };
    let since = probe
        .since
        .map(|since| format!(" for {}", format::age(since, now)))
        .unwrap_or_default();
    Segment::new(format!("{word}{failures}{since}"), ink)
}
