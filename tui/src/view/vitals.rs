//! Draws the header: the cluster's usage, requests and capacity, and counts of nodes, pods, probes, restarts and
//! incidents.

use ratatui::layout::Rect;

use super::amounts::{Totals, amounts};
use super::canvas::{Canvas, Segment, left_of, right_of, row_of, segments_width};
use super::theme::Ink;
use super::{header_charts, trends, usage};
use crate::model::row::Phase;
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
    let amounts_width = if area.width >= 60 { 32 } else { 23 };
    for (at, (resource, mut counts)) in
        (0..).zip([Resource::Cpu, Resource::Memory].into_iter().zip(counts))
    {
        let row = row_of(area, at);
        // The last counts are left out before the usage, and drawings before counts.
        while segments_width(&counts).saturating_add(amounts_width) > row.width
            && !counts.is_empty()
        {
            counts.truncate(counts.len().saturating_sub(2));
        }
        let taken = match canvas.segments_right(row, &counts) {
            0 => 0,
            taken => taken + 2,
        };
        let row = left_of(row, row.width.saturating_sub(taken));
        let pointed = state.pointed.and_then(|_| {
            let steps = trends::of_cluster(state, resource, row.width);
            trends::value_at(state, &steps)
        });
        let totals = Totals {
            name: "",
            pointed,
            of: cluster,
        };
        let used = canvas.segments(row, &amounts(&totals, resource, state, row.width));
        let mut rest = right_of(row, used + 1);
        if let Some(part) = cluster.used(resource)
            && rest.width >= 10
        {
            let gauge = left_of(rest, if rest.width >= 26 { 12 } else { 8 });
            canvas.gauge(gauge, part, tone_ink(state, part, resource));
            rest = right_of(rest, gauge.width + 1);
        }
        if rest.width >= 8 {
            let space = rest.width.min(60);
            let steps = trends::of_cluster(state, resource, space);
            let area = left_of(rest, space);
            let capacity = (resource, cluster.allocatable.get(resource));
            trends::draw(canvas, area, state, &steps, capacity);
            canvas.hit(area, trends::target(state));
        }
    }
}

/// Draws a chart of CPU and one of memory, with counts beside them.
fn large(canvas: &mut Canvas<'_>, area: Rect, state: &State) {
    let counts = counts(state, false);
    let wide = counts
        .iter()
        .map(|line| segments_width(line))
        .max()
        .unwrap_or(0)
        .min(area.width / 3)
        + 2;
    let charts = area.width.saturating_sub(wide);
    let shown = header_charts::of(state, charts / 2, canvas.theme.signs.ellipsis);
    usage::draw(canvas, left_of(area, charts), state, &shown);
    let right = right_of(area, charts + 1);
    let mut lines: Vec<Vec<Segment>> = Vec::new();
    for line in counts {
        // One count in a row, if they fit.
        let mut rest = line.as_slice();
        while let Some(end) = rest.iter().position(|segment| segment.text == SEPARATOR) {
            let (head, tail) = rest.split_at(end);
            lines.push(head.to_vec());
            rest = tail.get(1..).unwrap_or_default();
        }
        lines.push(rest.to_vec());
    }
    // If there are too few rows, two counts share one.
    while lines.len() > usize::from(right.height).max(1) {
        let together =
            |pair: &[Vec<Segment>]| pair.iter().map(|line| segments_width(line)).sum::<u16>();
        let pairs = lines.windows(2).enumerate();
        let Some((at, _)) = pairs.min_by_key(|(_, pair)| together(pair)) else {
            break;
        };
        let second = lines.remove(at + 1);
        if let Some(first) = lines.get_mut(at) {
            first.push(Segment::plain(SEPARATOR));
            first.extend(second);
        }
    }
    canvas.lines(right, &lines);
}

/// The separator between two counts.
const SEPARATOR: &str = "  ";

fn tone_ink(state: &State, part: f64, resource: Resource) -> Ink {
    match state.settings.thresholds.tone(part) {
        Tone::Plain => resource.into(),
        tone => tone.into(),
    }
}

/// Returns two rows of counts: nodes and pods; probes, restarts and incidents.
fn counts(state: &State, wide: bool) -> [Vec<Segment>; 2] {
    let has_answered = |part| state.has_answered(part);
    // Counts that have not arrived yet are not zero.
    let no_nodes = state.part(Part::Nodes).failure().is_some();
    if !(has_answered(Part::Cluster)
        || (has_answered(Part::Nodes) || no_nodes) && has_answered(Part::Pods))
    {
        return [Vec::new(), Vec::new()];
    }
    let cluster = &state.world().cluster;
    let alarm = |count: u32, text: String, ink: Ink| {
        let ink = if count > 0 { ink } else { Ink::Muted };
        Segment::new(text, ink)
    };
    let separator = || Segment::plain(SEPARATOR);
    let all_ready = cluster.nodes_ready == cluster.nodes;
    let nodes = Segment::new(
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
        first.extend([Segment::new(text, Ink::Warn), separator()]);
    }
    first.push(Segment::plain(format!("pods {}", cluster.pods())));
    for (phase, word, ink) in [
        (Phase::Running, "running", Ink::Plain),
        (Phase::Pending, "pending", Ink::Warn),
        (Phase::Failed, "failed", Ink::Bad),
        (Phase::Succeeded, "succeeded", Ink::Muted),
        (Phase::Unknown, "unknown", Ink::Warn),
    ] {
        let count = cluster.in_phase(phase);
        let always = matches!(phase, Phase::Running)
            || (wide && matches!(phase, Phase::Pending | Phase::Failed));
        if count > 0 || always {
            first.push(separator());
            first.push(alarm(count, format!("{count} {word}"), ink));
        }
    }
    let (failing, restarts) = (cluster.probes_failing, cluster.restarts);
    let mut second = vec![
        alarm(failing, format!("probes failing {failing}"), Ink::Bad),
        separator(),
        alarm(restarts, format!("restarts 1h {restarts}"), Ink::Warn),
    ];
    if let Some(open) = cluster.incidents_open {
        second.push(separator());
        second.push(alarm(open, format!("incidents {open}"), Ink::Bad));
    }
    [first, second]
}
