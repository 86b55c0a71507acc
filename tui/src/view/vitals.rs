//! Draws the header: the cluster's usage, requests and capacity, and counts of nodes, pods, probes, restarts and
//! incidents.

use kubevitals_proto::units::{Bytes, Nanocores};
use ratatui::layout::Rect;

use super::canvas::{Canvas, Piece, below, pieces_width, right_of, row_of};
use super::chart::{Chart, Line, Moment};
use super::theme::Ink;
use super::trends;
use crate::model::row::{ClusterRow, Phase};
use crate::model::{Part, Resource, State, Tone, format};

pub(super) fn draw(canvas: &mut Canvas<'_>, area: Rect, state: &State) {
    if area.height >= 5 {
        large(canvas, area, state);
    } else {
        small(canvas, area, state);
    }
}

/// Draws one row for CPU and one for memory, with counts beside them.
fn small(canvas: &mut Canvas<'_>, area: Rect, state: &State) {
    let cluster = &state.world().cluster;
    let counts = counts(state, area.width >= 100);
    // The width of the usage, with the requests if they fit.
    let amounts_room = if area.width >= 60 { 32 } else { 23 };
    for (at, (resource, mut counts)) in
        (0..).zip([Resource::Cpu, Resource::Memory].into_iter().zip(counts))
    {
        let row = row_of(area, at);
        // The last counts are left out before the usage, and drawings before counts.
        while pieces_width(&counts).saturating_add(amounts_room) > row.width && !counts.is_empty() {
            counts.truncate(counts.len().saturating_sub(2));
        }
        let taken = match canvas.pieces_right(row, &counts) {
            0 => 0,
            taken => taken + 2,
        };
        let row = Rect {
            width: row.width - taken.min(row.width),
            ..row
        };
        let used = canvas.pieces(row, &amounts(cluster, resource, state, row.width));
        let mut rest = right_of(row, used + 1);
        if let Some(part) = part(cluster, resource)
            && rest.width >= 10
        {
            let gauge = Rect {
                width: if rest.width >= 26 {
                    12
                } else {
                    rest.width.min(8)
                },
                ..rest
            };
            canvas.gauge(gauge, part, tone_ink(state, part, resource));
            rest = right_of(rest, gauge.width + 1);
        }
        if rest.width >= 8 {
            let room = rest.width.min(60);
            let steps = trends::of_cluster(state, resource, room);
            let area = Rect {
                width: room,
                ..rest
            };
            let there = (resource, cluster.allocatable.get(resource));
            trends::draw(canvas, area, state, &steps, there);
            canvas.hit(area, trends::target(state));
        }
    }
}

/// Draws a chart of CPU and one of memory, with counts beside them.
fn large(canvas: &mut Canvas<'_>, area: Rect, state: &State) {
    let cluster = &state.world().cluster;
    let counts = counts(state, false);
    let wide = counts
        .iter()
        .map(|line| pieces_width(line))
        .max()
        .unwrap_or(0)
        .min(area.width / 3)
        + 2;
    let charts = area.width.saturating_sub(wide);
    for (at, resource) in (0..).zip([Resource::Cpu, Resource::Memory]) {
        let half = charts / 2;
        let part = Rect {
            x: area.x + half * at,
            width: half.saturating_sub(1),
            ..area
        };
        canvas.pieces(
            row_of(part, 0),
            &amounts(cluster, resource, state, part.width),
        );
        let steps = trends::of_cluster(state, resource, part.width * 2);
        let there = cluster.allocatable.get(resource);
        let lines: Vec<Line<'_>> = there
            .into_iter()
            .map(|value| Line {
                value,
                label: "allocatable",
                ink: Ink::Muted,
            })
            .collect();
        let ends = trends::ends(state);
        let moment = trends::moment(state, steps.len());
        let chart = Chart {
            resource,
            points: &steps,
            peak: cluster.estimate().get(resource),
            lines: &lines,
            marks: &[],
            moment: moment
                .as_ref()
                .map(|(step, label)| Moment { step: *step, label }),
            ends: [&ends[0], &ends[1]],
            ink: resource.into(),
        };
        let plot = below(part, 1);
        chart.render(plot, canvas.buffer, canvas.theme);
        if let Some(area) = chart.plot(plot) {
            canvas.hit(area, trends::target(state));
        }
    }
    let right = right_of(area, charts + 1);
    let mut lines: Vec<Vec<Piece>> = Vec::new();
    for line in counts {
        // One count in a row, if they fit.
        let mut rest = line.as_slice();
        while let Some(end) = rest.iter().position(|piece| piece.text == SEPARATOR) {
            let (head, tail) = rest.split_at(end);
            lines.push(head.to_vec());
            rest = tail.get(1..).unwrap_or_default();
        }
        lines.push(rest.to_vec());
    }
    // If there are too few rows, two counts share one.
    while lines.len() > usize::from(right.height).max(1) {
        let together =
            |pair: &[Vec<Piece>]| pair.iter().map(|line| pieces_width(line)).sum::<u16>();
        let pairs = lines.windows(2).enumerate();
        let Some((at, _)) = pairs.min_by_key(|(_, pair)| together(pair)) else {
            break;
        };
        let second = lines.remove(at + 1);
        if let Some(first) = lines.get_mut(at) {
            first.push(Piece::plain(SEPARATOR));
            first.extend(second);
        }
    }
    for (at, line) in (0..).zip(&lines) {
        canvas.pieces(row_of(right, at), line);
    }
}

/// The separator between two counts.
const SEPARATOR: &str = "  ";

/// Renders usage and capacity: `CPU 12.4/64 cores 19% req 43%`.
fn amounts(cluster: &ClusterRow, resource: Resource, state: &State, room: u16) -> Vec<Piece> {
    let (name, requested) = match resource {
        Resource::Cpu => (" CPU ", cluster.requests.cpu.of(cluster.allocatable.cpu)),
        Resource::Memory => (
            " MEM ",
            cluster.requests.memory.of(cluster.allocatable.memory),
        ),
    };
    let (used, there) = (cluster.usage.get(resource), cluster.reporting.get(resource));
    let write = |value: Option<u64>| {
        let largest = used.max(there).unwrap_or(0);
        value.map_or(format::UNKNOWN.to_owned(), |value| {
            self::amount(resource, value, largest)
        })
    };
    let mut pieces = vec![
        Piece::new(name, Ink::Heading),
        Piece::plain(format!("{:>6}", write(used))),
        Piece::muted(format!("/{:<6}", write(there))),
    ];
    if room >= 44 {
        let in_cores = used
            .max(there)
            .is_some_and(|largest| format::in_cores(Nanocores(largest)));
        let unit = if resource == Resource::Cpu && in_cores {
            "cores"
        } else {
            ""
        };
        pieces.push(Piece::muted(format!("{unit:<5}")));
    }
    if let Some(part) = part(cluster, resource) {
        let ink = Ink::from(state.settings.thresholds.tone(part));
        pieces.push(Piece::new(format!("{:>4}", format::percent(part)), ink));
    }
    if let Some(requested) = requested.filter(|_| room >= 34) {
        pieces.push(Piece::muted(format!(
            " req {:>4}",
            format::percent(requested)
        )));
    }
    pieces
}

fn part(cluster: &ClusterRow, resource: Resource) -> Option<f64> {
    cluster.used(resource)
}

fn tone_ink(state: &State, part: f64, resource: Resource) -> Ink {
    match state.settings.thresholds.tone(part) {
        Tone::Plain => resource.into(),
        tone => tone.into(),
    }
}

/// Renders an amount in nanocores or bytes, in the unit of a larger one.
pub(super) fn amount(resource: Resource, value: u64, largest: u64) -> String {
    match resource {
        Resource::Cpu => format::cpu_beside(Nanocores(value), Nanocores(largest)),
        Resource::Memory => format::bytes(Bytes(value)),
    }
}

/// Returns two rows of counts: nodes and pods; probes, restarts and incidents.
fn counts(state: &State, wide: bool) -> [Vec<Piece>; 2] {
    let told = |part| state.has_answered(part);
    // Counts that have not arrived yet are not zero.
    let no_nodes = state.part(Part::Nodes).failure().is_some();
    if !(told(Part::Cluster) || (told(Part::Nodes) || no_nodes) && told(Part::Pods)) {
        return [Vec::new(), Vec::new()];
    }
    let cluster = &state.world().cluster;
    let alarm = |count: u32, word: &str, ink: Ink| {
        let ink = if count > 0 { ink } else { Ink::Muted };
        Piece::new(format!("{count} {word}"), ink)
    };
    let separator = || Piece::plain(SEPARATOR);
    let all_ready = cluster.nodes_ready == cluster.nodes;
    let nodes = Piece::new(
        match cluster.nodes {
            0 => format!("nodes {}", format::UNKNOWN),
            nodes => format!("nodes {}/{nodes}", cluster.nodes_ready),
        },
        if all_ready { Ink::Plain } else { Ink::Bad },
    );
    let mut first = vec![nodes, separator()];
    let reporting = cluster.nodes_reporting;
    if reporting > 0 && reporting < cluster.nodes {
        // Totals and ratios include only these.
        let text = format!("{reporting} of {} nodes report", cluster.nodes);
        first.extend([Piece::new(text, Ink::Warn), separator()]);
    }
    first.extend([Piece::plain(format!("pods {}", cluster.pods()))]);
    for (phase, word, ink) in [
        (Phase::Running, "running", Ink::Plain),
        (Phase::Pending, "pending", Ink::Warn),
        (Phase::Failed, "failed", Ink::Bad),
        (Phase::Succeeded, "done", Ink::Muted),
        (Phase::Unknown, "unknown", Ink::Warn),
    ] {
        let count = cluster.in_phase(phase);
        let always = matches!(phase, Phase::Running)
            || (wide && matches!(phase, Phase::Pending | Phase::Failed));
        if count > 0 || always {
            first.push(separator());
            first.push(alarm(count, word, ink));
        }
    }
    let mut second = vec![
        Piece::new(
            format!("probes failing {}", cluster.probes_failing),
            if cluster.probes_failing > 0 {
                Ink::Bad
            } else {
                Ink::Muted
            },
        ),
        separator(),
        Piece::new(
            format!("restarts 1h {}", cluster.restarts),
            if cluster.restarts > 0 {
                Ink::Warn
            } else {
                Ink::Muted
            },
        ),
    ];
    if let Some(open) = cluster.incidents_open {
        second.push(separator());
        second.push(Piece::new(
            format!("incidents {open}"),
            if open > 0 { Ink::Bad } else { Ink::Muted },
        ));
    }
    [first, second]
}
