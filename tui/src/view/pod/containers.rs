//! Lists the containers of a pod: state, usage and restarts.

use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::Role;

use super::text::{heading, last_restart};
use crate::model::row::{Container, PodRow};
use crate::model::{State, format};
use crate::text::{self, Align, fit};
use crate::view::canvas::{Line, Segment, segments_width};
use crate::view::theme::Ink;

/// Adds the lines of the containers. Returns the line of each.
pub(super) fn lines(lines: &mut Vec<Line>, pod: &PodRow, state: &State, width: u16) -> Vec<usize> {
    let now = state.status_time();
    let wide = is_wide(width);
    let name_width = pod
        .containers
        .iter()
        .map(|container| container.name.len())
        .max()
        .unwrap_or(0)
        .clamp(9, 24);
    let head = if wide {
        format!(
            "{:<name_width$} {:<8}{:<20}{:>7}{:>9}{:>9}{:>8}{:>9}{:>9}  RESTARTS",
            "CONTAINER",
            "ROLE",
            "STATE",
            "CPU",
            "CPU %REQ",
            "CPU %LIM",
            "MEM",
            "MEM %REQ",
            "MEM %LIM"
        )
    } else {
        format!(
            "{:<name_width$} {:<18}{:>6}{:>9}{:>7}{:>9}  RESTARTS",
            "CONTAINER", "STATE", "CPU", "CPU %LIM", "MEM", "MEM %LIM"
        )
    };
    lines.push(heading(&head));
    let mut at = Vec::with_capacity(pod.containers.len());
    for container in &pod.containers {
        at.push(lines.len());
        lines.push(container_line(container, state, now, width, name_width));
        let resize = pod.resize.as_deref();
        lines.extend(resize.and_then(|resize| super::resize::of_container(resize, container)));
    }
    at
}

/// Whether all columns fit.
fn is_wide(width: u16) -> bool {
    width >= 100
}

fn container_line(
    container: &Container,
    state: &State,
    now: Timestamp,
    width: u16,
    name_width: usize,
) -> Line {
    let wide = is_wide(width);
    let thresholds = state.settings.thresholds;
    let amount = |text: Option<String>| text.unwrap_or_else(|| format::UNKNOWN.to_owned());
    let part = |part: Option<f64>| {
        let ink = part.map_or(Ink::Muted, |part| thresholds.tone(part).into());
        Segment::new(format!("{:>9}", amount(part.map(format::percent))), ink)
    };
    let plain =
        |part: Option<f64>| Segment::muted(format!("{:>9}", amount(part.map(format::percent))));
    let role = match container.role {
        Role::Init => "init",
        Role::Sidecar => "sidecar",
        Role::App => "app",
    };
    let since = container
        .since()
        .map(|since| format!(" {}", format::age(since, now)))
        .unwrap_or_default();
    let status = format!("{}{since}", container.status());
    let cut = |text: &str, space: usize| fit(text, space, Align::Left, "~");
    let mut line = vec![Segment::plain(format!(
        " {} ",
        cut(&container.name, name_width)
    ))];
    let status_ink = container.tone().into();
    if wide {
        line.push(Segment::muted(format!("{role:<8}")));
        line.push(Segment::new(format!("{} ", cut(&status, 19)), status_ink));
    } else {
        line.push(Segment::new(format!("{} ", cut(&status, 17)), status_ink));
    }
    let cpu = amount(container.usage.cpu.get().map(format::cpu));
    let memory = amount(container.usage.memory.get().map(format::bytes));
    if wide {
        line.push(Segment::plain(format!("{cpu:>7}")));
        line.push(plain(container.usage.cpu.of(container.requests.cpu)));
        line.push(part(container.usage.cpu.of(container.limits.cpu)));
        line.push(Segment::plain(format!("{memory:>8}")));
        line.push(plain(container.usage.memory.of(container.requests.memory)));
        line.push(part(container.usage.memory.of(container.limits.memory)));
    } else {
        line.push(Segment::plain(format!("{cpu:>6}")));
        line.push(part(container.usage.cpu.of(container.limits.cpu)));
        line.push(Segment::plain(format!("{memory:>7}")));
        line.push(part(container.usage.memory.of(container.limits.memory)));
    }
    let count = container.restarts.count;
    let restarts = match container.restarts.last.as_deref() {
        Some(last) => {
            let all = format!("  {count} ({})", last_restart(last, now));
            let space = usize::from(width.saturating_sub(segments_width(&line)));
            // If the full text does not fit, without exit code and duration.
            if text::width(&all) <= space {
                all
            } else {
                format!("  {count} ({})", last.text(now))
            }
        }
        None => format!("  {count}"),
    };
    let ink = if container.restarts.count > 0 {
        Ink::Warn
    } else {
        Ink::Muted
    };
    line.push(Segment::new(restarts, ink));
    line
}
