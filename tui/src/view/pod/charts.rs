//! Draws the CPU and memory usage of a pod or of its selected container, with request, limit and restarts.

use ratatui::layout::Rect;

use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::Quantiles;

use crate::model::row::{Container, PodRow, Row as _};
use crate::model::{Resource, State, Subject, format};
use crate::text::cut_middle;
use crate::view::canvas::{Canvas, Segment, below, row_of, segments_width};
use crate::view::chart::Line;
use crate::view::theme::Ink;
use crate::view::{trends, vitals};

/// The most cells for the name of a container.
const NAME: usize = 16;

pub(super) fn draw(
    canvas: &mut Canvas<'_>,
    area: Rect,
    state: &State,
    pod: &PodRow,
    container: Option<&Container>,
) {
    if area.height < 4 {
        return;
    }
    for (at, resource) in (0..).zip([Resource::Cpu, Resource::Memory]) {
        let half = area.width / 2;
        let part = Rect {
            x: area.x + half * at,
            width: half.saturating_sub(1),
            ..area
        };
        chart(canvas, part, state, (pod, container), resource);
    }
}

fn chart(
    canvas: &mut Canvas<'_>,
    area: Rect,
    state: &State,
    (pod, container): (&PodRow, Option<&Container>),
    resource: Resource,
) {
    let amounts = match container {
        Some(it) => [it.usage, it.requests, it.limits],
        None => [pod.usage, pod.requests, pod.limits],
    };
    let [used, request, limit] = amounts.map(|amounts| amounts.get(resource));
    let steps = trends::of_pod(state, pod, container, resource, area.width);
    // The current usage may be newer than the history.
    let quantiles = trends::quantiles(state, pod, container, resource).map(|it| Quantiles {
        max: used.map_or(it.max, |used| it.max.max(used)),
        ..it
    });
    // If only one fits, it is the limit.
    let bounds = [
        ("limit", limit, Ink::Limit),
        ("request", request, Ink::Request),
    ];
    let peak = quantiles.map(|it| it.max).or(used);
    // All amounts are in the unit of the largest, as on the axis.
    let largest = [request, limit, peak]
        .into_iter()
        .chain(steps.iter().copied());
    let largest = largest.flatten().max().unwrap_or(0);
    let write = |value: u64| vitals::amount(resource, value, largest);
    let labels =
        bounds.map(|(word, value, _)| value.map(|value| format!("{word} {}", write(value))));
    let lines: Vec<Line<'_>> = bounds
        .iter()
        .zip(&labels)
        .filter_map(|((_, value, ink), label)| {
            Some(Line {
                value: (*value)?,
                label: label.as_deref()?,
                ink: *ink,
            })
        })
        .collect();
    let marks = marks(state, pod, container, steps.len());
    let plot = below(area, 1);
    let labelled = trends::draw_chart(
        canvas,
        plot,
        state,
        &steps,
        (resource, peak),
        &lines,
        (&marks, trends::seam(state, &Subject::Pod(pod.key()))),
    );
    let name = match resource {
        Resource::Cpu => "CPU",
        Resource::Memory => "MEM",
    };
    let mut now = vec![Segment::new(format!(" {name} "), Ink::Heading)];
    if let Some(container) = container {
        let name = cut_middle(&container.name, NAME, canvas.theme.signs.ellipsis);
        now.push(Segment::new(format!("{name} "), Ink::Accent));
    }
    now.push(Segment::plain(
        used.map_or(format::UNKNOWN.to_owned(), write),
    ));
    let bounds: Vec<Segment> = lines
        .iter()
        .map(|line| Segment::new(format!("  {}", line.label), line.ink))
        .collect();
    let spread: Vec<Segment> = quantiles
        .into_iter()
        .flat_map(|it| [("p50", it.p50), ("p95", it.p95), ("max", it.max)])
        .map(|(word, value)| Segment::muted(format!("  {word} {}", write(value))))
        .collect();
    // The heading has what the chart has no label for.
    let [first, second] = if labelled {
        [spread, bounds]
    } else {
        [bounds, spread]
    };
    let mut head = now;
    for segment in first.into_iter().chain(second) {
        if segments_width(&head) + segment.width() <= area.width {
            head.push(segment);
        }
    }
    canvas.segments(row_of(area, 0), &head);
}

/// Returns the steps in which the container, or one of the pod's, was restarted.
fn marks(state: &State, pod: &PodRow, container: Option<&Container>, steps: usize) -> Vec<usize> {
    let name = container.map(|container| &*container.name);
    let is_visible = |container: &str| name.is_none_or(|name| name == container);
    let times: Vec<Timestamp> = match state.histories.get(&Subject::Pod(pod.key())) {
        Some(history) => {
            let marks = history.marks.iter();
            let marks = marks.filter(|mark| is_visible(&mark.container));
            marks.map(|mark| mark.time).collect()
        }
        None => {
            let containers = pod.containers.iter();
            let containers = containers.filter(|container| is_visible(&container.name));
            let last = containers.filter_map(|container| container.restarts.last.as_deref());
            last.filter_map(|last| last.finished).collect()
        }
    };
    times
        .into_iter()
        .filter_map(|time| trends::step_of(state, time, steps))
        .collect()
}
