//! The pod's probes: which, how each is, and what it asks.

use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::{Probe, ProbeKind, ProbeStatus};

use super::{Text, heading};
use crate::model::{State, Time, format};
use crate::view::canvas::Piece;
use crate::view::text::wrap;
use crate::view::theme::Ink;

pub(super) fn lines(lines: &mut Vec<Text>, probes: &[Probe], state: &State, width: u16) {
    let now = state.told_time();
    // Nobody remembers how probes were; their incidents are remembered.
    let is_past = matches!(state.time, Time::Past { .. }) && now == state.shown_time();
    if probes.is_empty() {
        let text = if is_past {
            " how its probes were then is not remembered; its incidents are"
        } else {
            " no container has a probe"
        };
        lines.push(vec![Piece::muted(text)]);
        return;
    }
    let mut head = heading("PROBES");
    if is_past {
        head.push(Piece::muted(
            "  how they were then is not remembered; their incidents are",
        ));
    }
    lines.push(head);
    for probe in probes {
        let kind = match probe.kind {
            ProbeKind::Liveness => "liveness",
            ProbeKind::Readiness => "readiness",
            ProbeKind::Startup => "startup",
        };
        let mut line = vec![Piece::plain(format!(
            "   {:<9} {:<12} ",
            kind, probe.container
        ))];
        if !is_past {
            line.push(status(probe, now));
        }
        line.push(Piece::muted(format!("  {}", probe.asks)));
        lines.push(line);
        if !is_past && !probe.message.is_empty() && probe.status != ProbeStatus::Passing {
            for line in wrap(&probe.message, usize::from(width.saturating_sub(6)).max(1))
                .into_iter()
                .take(3)
            {
                lines.push(vec![Piece::new(format!("     {line}"), Ink::Warn)]);
            }
        }
    }
}

/// `failing 2/3 for 5m`.
fn status(probe: &Probe, now: Timestamp) -> Piece {
    let (word, ink) = match probe.status {
        ProbeStatus::Failing => ("failing", Ink::Bad),
        ProbeStatus::Pending => ("pending", Ink::Warn),
        ProbeStatus::Held => ("held by startup", Ink::Muted),
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
    Piece::new(format!("{word}{failures}{since}"), ink)
}
