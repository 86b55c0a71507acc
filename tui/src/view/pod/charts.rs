//! What a pod uses over the span: CPU and memory beside its requests and limits, with its restarts marked.

use ratatui::layout::Rect;

use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::Quantiles;

use crate::model::row::PodRow;
use crate::model::{Key, Resource, State, Subject, format};
use crate::view::canvas::{Canvas, Piece, below, pieces_width, row_of};
use crate::view::chart::{Chart, Line};
use crate::view::theme::Ink;
use crate::view::{title, trends, vitals};

pub(super) fn draw(canvas: &mut Canvas<'_>, area: Rect, state: &State, key: &Key, pod: &PodRow) {
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
        chart(canvas, part, state, key, pod, resource);
    }
}

fn chart(
    canvas: &mut Canvas<'_>,
    area: Rect,
    state: &State,
    key: &Key,
    pod: &PodRow,
    resource: Resource,
) {
    let subject = Subject::Pod(key.clone());
    let steps = trends::of_subject(state, &subject, resource)
        .unwrap_or_else(|| trends::of_row(state, key, resource, area.width));
    let write = vitals::value_format(resource);
    let (name, used, request, limit) = match resource {
        Resource::Cpu => (
            "CPU",
            pod.usage.cpu.get().map(|cpu| cpu.0),
            pod.requests.cpu.get().map(|cpu| cpu.0),
            pod.limits.cpu.get().map(|cpu| cpu.0),
        ),
        Resource::Memory => (
            "MEM",
            pod.usage.memory.get().map(|memory| memory.0),
            pod.requests.memory.get().map(|memory| memory.0),
            pod.limits.memory.get().map(|memory| memory.0),
        ),
    };
    let now = [
        Piece::new(format!(" {name} "), Ink::Heading),
        Piece::plain(used.map_or(format::UNKNOWN.to_owned(), write)),
    ];
    let mut bounds = Vec::new();
    for (word, value, ink) in [
        ("request", request, Ink::Request),
        ("limit", limit, Ink::Limit),
    ] {
        if let Some(value) = value {
            bounds.push(Piece::new(format!("  {word} {}", write(value)), ink));
        }
    }
    // What is used now may be newer than the history.
    let quantiles = trends::quantiles(state, &subject, resource).map(|it| Quantiles {
        max: used.map_or(it.max, |used| it.max.max(used)),
        ..it
    });
    let spread: Vec<Piece> = quantiles
        .into_iter()
        .flat_map(|it| [("p50", it.p50), ("p95", it.p95), ("max", it.max)])
        .map(|(word, value)| Piece::muted(format!("  {word} {}", write(value))))
        .collect();
    let all = [&now[..], &bounds, &spread].concat();
    // Request and limit are written into the chart too.
    let head = if pieces_width(&all) <= area.width || spread.is_empty() {
        all
    } else {
        [&now[..], &spread].concat()
    };
    canvas.pieces(row_of(area, 0), &head);
    let labels = [
        request.map(|value| format!("request {}", write(value))),
        limit.map(|value| format!("limit {}", write(value))),
    ];
    let lines: Vec<Line<'_>> = [(request, Ink::Request), (limit, Ink::Limit)]
        .into_iter()
        .zip(&labels)
        .filter_map(|((value, ink), label)| {
            Some(Line {
                value: value?,
                label: label.as_deref()?,
                ink,
            })
        })
        .collect();
    let marks = marks(state, &subject, pod, steps.len());
    let (_, until) = state.shown_span();
    let chart = Chart {
        points: &steps,
        peak: quantiles.map(|it| it.max).or(used),
        lines: &lines,
        marks: &marks,
        moment: None,
        ends: [
            &format!("-{}", format::duration(state.span_seconds().into())),
            &title::clock(until),
        ],
        format: write,
        ink: vitals::ink(resource),
    };
    let plot = below(area, 1);
    chart.render(plot, canvas.buffer, canvas.theme);
    if let Some(area) = chart.plot(plot) {
        canvas.hit(area, trends::target(state));
    }
}

/// In which steps a container was restarted.
fn marks(state: &State, subject: &Subject, pod: &PodRow, steps: usize) -> Vec<usize> {
    let (since, until) = state.shown_span();
    let span = i128::from(until.since(since)).max(1);
    let told = state.histories.get(subject).map(|history| {
        history
            .marks
            .iter()
            .map(|mark| mark.time)
            .collect::<Vec<_>>()
    });
    let known = || {
        let restarts = pod
            .containers
            .iter()
            .filter_map(|container| container.restarts.last.as_deref());
        restarts.filter_map(|last| last.finished).collect()
    };
    let times: Vec<Timestamp> = told.unwrap_or_else(known);
    let place = |time: &Timestamp| {
        let offset = i128::from(time.since(since));
        let at = offset * i128::try_from(steps).unwrap_or(0) / span;
        // What happened at the very end, such as the kill that was gone back to, is in the last step.
        let at = usize::try_from(at)
            .ok()
            .filter(|_| (0..=span).contains(&offset))?;
        steps.checked_sub(1).map(|last| at.min(last))
    };
    times.iter().filter_map(place).collect()
}
