//! Draws the selected object of the map, or the one under the mouse.

use ratatui::layout::Rect;

use super::signs;
use super::titles::title;
use crate::model::map::{Group, GroupKind, Layout, MapObject, Mark};
use crate::model::row::{NodeRow, PodRow};
use crate::model::{Field, Resource, Row as _, State, format};
use crate::view::canvas::{Canvas, Line, Segment, below, paragraph, row_of, segments_width};
use crate::view::theme::Ink;

/// Draws the object: in one row, or below a heading.
pub(super) fn draw(canvas: &mut Canvas<'_>, area: Rect, state: &State, layout: &Layout<'_>) {
    let Some((name, lines)) = lines(state, layout, area.width) else {
        return;
    };
    if area.height > 1 {
        canvas.rule(row_of(area, 0), &name);
        canvas.lines(below(area, 1), &lines);
        return;
    }
    let mut line = vec![Segment::new(format!(" {name} "), Ink::Heading)];
    line.extend(lines.into_iter().next().unwrap_or_default());
    canvas.segments(area, &line);
}

/// The name of the object, and what is known about it.
fn lines(state: &State, layout: &Layout<'_>, width: u16) -> Option<(String, Vec<Line>)> {
    let map = &state.map;
    let pods = &state.world().pods;
    let at_cursor = || map.object(map.cursor?, pods);
    let object = map.pointed.clone().or_else(at_cursor)?;
    match object {
        MapObject::Pod(key) => {
            let pod = pods.get(&key)?;
            Some((
                format!("{}/{}", key.namespace, key.name),
                of_pod(state, pod, width),
            ))
        }
        MapObject::Group(..) => {
            let spot = map.find(&object, pods)?;
            let group = layout.group(spot.group)?;
            Some((title(group, &map.by), of_group(state, layout, group, width)))
        }
    }
}

/// Joins parts into lines of this width.
fn joined(parts: Vec<Line>, width: u16) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    for part in parts {
        let wide = segments_width(&part);
        match lines.last_mut() {
            Some(line) if segments_width(line) + wide + 2 <= width => {
                line.push(Segment::plain("  "));
                line.extend(part);
            }
            _ => {
                let mut line = vec![Segment::plain(" ")];
                line.extend(part);
                lines.push(line);
            }
        }
    }
    lines
}

fn labelled(label: &str, text: impl Into<String>) -> Line {
    vec![
        Segment::muted(format!("{label} ")),
        Segment::plain(text.into()),
    ]
}

/// State, node, usage, request, limit and restarts of a pod, and the reason of its state.
fn of_pod(state: &State, pod: &PodRow, width: u16) -> Vec<Line> {
    let now = state.status_time();
    let text = |field| pod.text(field, now).unwrap_or_default().into_owned();
    let mark = Mark::of_pod(pod, now, state.settings.thresholds);
    let status = match pod.tone() {
        crate::model::Tone::Plain => signs::ink(mark),
        tone => tone.into(),
    };
    let mut parts = vec![vec![Segment::new(text(Field::Status), status)]];
    if pod.probes.total() > 0 {
        parts.push(labelled("probes", text(Field::Probe)));
    }
    for (word, resource, fields) in [
        (
            "cpu",
            Resource::Cpu,
            [Field::Cpu, Field::CpuRequest, Field::CpuLimit],
        ),
        (
            "mem",
            Resource::Memory,
            [Field::Memory, Field::MemoryRequest, Field::MemoryLimit],
        ),
    ] {
        let [usage, request, limit] = fields.map(text);
        let mut part = labelled(word, usage);
        if let Some(fraction) = pod.usage.part_of(pod.limits, resource) {
            let tone = state.settings.thresholds.tone(fraction);
            part.push(Segment::new(
                format!(" {} of limit", format::percent(fraction)),
                tone.into(),
            ));
        }
        part.push(Segment::muted(format!(
            " (request {request}, limit {limit})"
        )));
        parts.push(part);
    }
    parts.push(labelled("restarts", text(Field::Restarts)));
    parts.push(labelled("ready", text(Field::Ready)));
    if !pod.node.is_empty() {
        parts.push(labelled("node", &*pod.node));
    }
    if let Some(workload) = pod.workload.as_deref() {
        parts.push(labelled(&workload.kind, &*workload.name));
    }
    let mut lines = joined(parts, width);
    let message = pod.message.as_deref().or(pod.absent.as_deref());
    if let Some(message) = message {
        let at = lines.len().min(2);
        let message: Vec<Line> = paragraph(message, width, 1, Ink::Warn).take(2).collect();
        lines.splice(at..at, message);
    }
    lines
}

/// State, usage, requests and pods of a group.
fn of_group(state: &State, layout: &Layout<'_>, group: &Group, width: u16) -> Vec<Line> {
    let nodes = &state.world().nodes;
    let node = group.node.and_then(|at| nodes.row(at));
    let mut parts = Vec::new();
    if let Some(node) = node {
        parts.push(vec![Segment::new(
            node.status_text().into_owned(),
            node.tone().into(),
        )]);
    }
    parts.push(pods_of(group, node.map(|node| &**node)));
    if group.kind != GroupKind::Unscheduled {
        for resource in [Resource::Cpu, Resource::Memory] {
            parts.push(amounts(state, group, resource));
        }
    }
    parts.extend(states(state, layout, group));
    let mut lines = joined(parts, width);
    if let Some(absent) = node.and_then(|node| node.absent.as_deref()) {
        lines.extend(paragraph(absent, width, 1, Ink::Warn));
    }
    if group.kind == GroupKind::Unscheduled {
        for (reason, count) in &layout.groups().reasons {
            lines.extend(paragraph(
                &format!("{count}: {reason}"),
                width,
                1,
                Ink::Warn,
            ));
        }
    }
    lines
}

/// `pods 12 of 110, 11 ready`.
fn pods_of(group: &Group, node: Option<&NodeRow>) -> Line {
    let text = match node {
        Some(node) if node.max_pods > 0 => format!("{} of {}", node.pods, node.max_pods),
        Some(node) => node.pods.to_string(),
        None => group.pods.len().to_string(),
    };
    let mut line = labelled("pods", text);
    line.push(Segment::muted(format!(", {} ready", group.ready)));
    line
}

/// Usage and requests of one resource.
fn amounts(state: &State, group: &Group, resource: Resource) -> Line {
    let text = |amount: Option<u64>| {
        use kubevitals_proto::units::{Bytes, Nanocores};
        amount.map_or(format::UNKNOWN.to_owned(), |amount| match resource {
            Resource::Cpu => format::cpu(Nanocores(amount)),
            Resource::Memory => format::bytes(Bytes(amount)),
        })
    };
    let word = match resource {
        Resource::Cpu => "cpu",
        Resource::Memory => "mem",
    };
    let mut line = labelled(word, text(group.usage.get(resource)));
    let part = group.usage.part_of(group.allocatable, resource);
    if let Some(part) = part {
        let tone = state.settings.thresholds.tone(part);
        line.push(Segment::new(
            format!(" {}", format::percent(part)),
            tone.into(),
        ));
        line.push(Segment::muted(format!(
            " of {}",
            text(group.allocatable.get(resource))
        )));
    }
    let requests = match group.requests.part_of(group.allocatable, resource) {
        Some(part) => format::percent(part),
        None => text(group.requests.get(resource)),
    };
    line.push(Segment::muted(format!(", requested {requests}")));
    line
}

/// The states of the pods of a group that are not well, the most urgent first.
fn states(state: &State, layout: &Layout<'_>, group: &Group) -> Vec<Line> {
    let cells = layout.groups().cells_of(group);
    let marks = Mark::ALL.into_iter().rev();
    let marks = marks.filter(|mark| !matches!(mark, Mark::Well | Mark::Finished));
    marks
        .filter_map(|mark| {
            let count = cells.iter().filter(|pod| pod.mark == mark).count();
            let words = signs::words(mark, state.settings.thresholds);
            (count > 0).then(|| vec![Segment::new(format!("{count} {words}"), signs::ink(mark))])
        })
        .collect()
}
