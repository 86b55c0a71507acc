//! Draws the selected volume: how full it is, what it is, and which pods mount it.

use ratatui::layout::Rect;

use super::canvas::{Canvas, Line, Segment, below, paragraph, row_of};
use crate::model::row::{Row as _, VolumeRow, VolumeUsage};
use crate::model::{Field, Memory, SourceKind, State, Tone, format};
use crate::text::wrap;

/// The width of the names of facts.
const HEAD: usize = 11;

pub(super) fn draw(canvas: &mut Canvas<'_>, area: Rect, state: &State) {
    if area.is_empty() {
        return;
    }
    let volumes = &state.world().volumes;
    let Some(row) = state.current().and_then(|key| volumes.get(&key).cloned()) else {
        canvas.rule(row_of(area, 0), "");
        return;
    };
    let dot = canvas.theme.signs.dot;
    canvas.rule(row_of(area, 0), &heading(&row, state, dot));
    let lines = lines(&row, state, area.width);
    canvas.lines(below(area, 1), &lines);
}

/// `shop data-postgres-0 · 85% used · full in 4h50m`.
fn heading(row: &VolumeRow, state: &State, dot: &str) -> String {
    let now = state.shown_time();
    let text = |field| row.text(field, now).unwrap_or_default().into_owned();
    let mut heading = format!("{} {}", row.namespace, row.name);
    let has = |text: &str| !text.is_empty() && text != format::UNKNOWN;
    let mut add = |text: String| heading.push_str(&format!(" {dot} {text}"));
    if row.tone() > Tone::Plain {
        add(text(Field::Status));
    }
    let used = text(Field::UsedPercent);
    if has(&used) {
        add(format!("{used} used"));
    }
    match text(Field::FullIn) {
        full if full == "now" => add("full".to_owned()),
        full if has(&full) => add(format!("full in {full}")),
        _ => {}
    }
    heading
}

/// The facts, a line or more each.
fn lines(row: &VolumeRow, state: &State, width: u16) -> Vec<Line> {
    let now = state.shown_time();
    let text = |field| row.text(field, now).unwrap_or_default().into_owned();
    let mut lines: Vec<Line> = Vec::new();
    let message = row.message();
    if !message.is_empty() {
        let why = match row.reason_text() {
            "" => message.to_owned(),
            reason => format!("{reason}: {message}"),
        };
        lines.extend(paragraph(&why, width, 1, row.tone().into()));
    }
    let mut fact = |name: &str, value: &str| {
        let space = usize::from(width).saturating_sub(HEAD + 2).max(1);
        for (at, line) in wrap(value, space).into_iter().enumerate() {
            let name = if at == 0 { name } else { "" };
            let head = Segment::muted(format!(" {name:<HEAD$}"));
            lines.push(vec![head, Segment::plain(line)]);
        }
    };
    match &row.usage {
        Some(usage) => {
            fact("used", &space(row, usage));
            fact("growth", &growth(row, &text(Field::Growth)));
            fact("inodes", &inodes(usage));
        }
        None => fact("used", &why_unknown(state)),
    }
    let claim = &row.claim;
    let requested = amount(claim.requested);
    let none = |text: &str| if text.is_empty() { "none" } else { text }.to_owned();
    fact(
        "claim",
        &format!(
            "{}, requests {requested}, class {}, mode {}",
            none(claim.phase.as_str()),
            none(&claim.class),
            none(&claim.modes)
        ),
    );
    if let Some(usage) = &row.usage {
        fact("mounted by", &mounted(usage));
        fact("measured", &format!("{} ago", text(Field::Measured)));
    }
    lines
}

/// `16Gi of 20Gi, 3.1Gi left`.
fn space(row: &VolumeRow, usage: &VolumeUsage) -> String {
    let (used, size) = (amount(usage.used), amount(row.capacity()));
    format!("{used} of {size}, {} left", amount(usage.available))
}

fn growth(row: &VolumeRow, per_hour: &str) -> String {
    match row.growth_text() {
        None => "unknown: it takes ten minutes of measurements".to_owned(),
        Some(_) if row.full_at().is_some() => format!("{per_hour} per hour"),
        Some(_) => format!("{per_hour} per hour, not steady enough or too slow for a forecast"),
    }
}

fn inodes(usage: &VolumeUsage) -> String {
    match usage.inodes {
        Some(part) => format!("{} used", format::percent(part)),
        None => "none, or not reported".to_owned(),
    }
}

/// `2 pods on 2 nodes: web-1, web-2`.
fn mounted(usage: &VolumeUsage) -> String {
    let names: Vec<&str> = usage.pods.iter().map(|name| &**name).collect();
    let pods = format::count(usage.pod_count, "pod");
    let nodes = match usage.node_count {
        1 => usage.node.to_string(),
        count => format::count(count, "node"),
    };
    let more = usize::try_from(usage.pod_count).unwrap_or(usize::MAX);
    let more = match more.saturating_sub(names.len()) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("{pods} on {nodes}: {}{more}", names.join(", "))
}

/// Why there is no usage.
fn why_unknown(state: &State) -> String {
    match &state.source {
        Some((SourceKind::Vitals, _)) => {
            "unknown: no running pod mounts it, or its kubelet does not report it".to_owned()
        }
        _ => "unknown: usage needs vitals-server in the cluster".to_owned(),
    }
}

fn amount(amount: Memory) -> String {
    amount
        .get()
        .map_or_else(|| format::UNKNOWN.to_owned(), format::bytes)
}
