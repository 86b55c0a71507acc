//! Lists the containers of a pod: state, usage and restarts.

use kubevitals_proto::time::Timestamp;

use super::text::{heading, last_restart};
use crate::model::row::{Container, PodRow};
use crate::model::{State, format};
use crate::text::{self, Align, fit};
use crate::view::canvas::{Line, Segment, segments_width};
use crate::view::theme::Ink;

/// Adds the lines of the containers. Returns the line of each.
pub(super) fn lines(lines: &mut Vec<Line>, pod: &PodRow, state: &State, width: u16) -> Vec<usize> {
    let now = state.status_time();
    let name_width = pod
        .containers
        .iter()
        .map(|container| container.name.len())
        .max()
        .unwrap_or(0)
        .clamp(9, 24);
    let mut head = format!("{:<name_width$} ", "CONTAINER");
    for (title, widths, align) in COLUMNS {
        head.push_str(&fit(title, widths.of(width), align, ""));
    }
    head.push_str("  RESTARTS");
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

/// The columns between the name and the restarts: the title, the widths, and the alignment.
const COLUMNS: [(&str, Widths, Align); 8] = [
    ("ROLE", Widths { wide: 8, narrow: 0 }, Align::Left),
    (
        "STATE",
        Widths {
            wide: 20,
            narrow: 18,
        },
        Align::Left,
    ),
    ("CPU", Widths { wide: 7, narrow: 6 }, Align::Right),
    ("CPU %REQ", Widths { wide: 9, narrow: 0 }, Align::Right),
    ("CPU %LIM", Widths { wide: 9, narrow: 9 }, Align::Right),
    ("MEM", Widths { wide: 8, narrow: 7 }, Align::Right),
    ("MEM %REQ", Widths { wide: 9, narrow: 0 }, Align::Right),
    ("MEM %LIM", Widths { wide: 9, narrow: 9 }, Align::Right),
];

/// The width of a column if all columns fit, and if they do not. Zero leaves it out.
#[derive(Clone, Copy)]
struct Widths {
    wide: usize,
    narrow: usize,
}

impl Widths {
    const fn of(self, page_width: u16) -> usize {
        if page_width >= 100 {
            self.wide
        } else {
            self.narrow
        }
    }
}

fn container_line(
    container: &Container,
    state: &State,
    now: Timestamp,
    width: u16,
    name_width: usize,
) -> Line {
    let thresholds = state.settings.thresholds;
    let amount = |text: Option<String>| text.unwrap_or_else(|| format::UNKNOWN.to_owned());
    let of_request = |part: Option<f64>| Segment::muted(amount(part.map(format::percent)));
    let of_limit = |part: Option<f64>| {
        let ink = part.map_or(Ink::Muted, |part| thresholds.tone(part).into());
        Segment::new(amount(part.map(format::percent)), ink)
    };
    let (used, requests, limits) = (container.usage, container.requests, container.limits);
    let since = container
        .since()
        .map(|since| format!(" {}", format::age(since, now)))
        .unwrap_or_default();
    let status = format!("{}{since}", container.status());
    let cells = [
        Segment::muted(container.role_word()),
        Segment::new(status, container.tone().into()),
        Segment::plain(amount(used.cpu.get().map(format::cpu))),
        of_request(used.cpu.of(requests.cpu)),
        of_limit(used.cpu.of(limits.cpu)),
        Segment::plain(amount(used.memory.get().map(format::bytes))),
        of_request(used.memory.of(requests.memory)),
        of_limit(used.memory.of(limits.memory)),
    ];
    let name = fit(&container.name, name_width, Align::Left, "~");
    let mut line = vec![Segment::plain(format!(" {name} "))];
    for ((_, widths, align), cell) in COLUMNS.into_iter().zip(cells) {
        let text = match (align, widths.of(width)) {
            (Align::Left, space) if space > 0 => fit(&cell.text, space - 1, align, "~") + " ",
            (_, space) => fit(&cell.text, space, align, ""),
        };
        line.push(Segment { text, ..cell });
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
