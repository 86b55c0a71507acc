//! One pod: its charts, and all that is known of it below.

use ratatui::layout::Rect;

use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::{Probe, ProbeKind, ProbeStatus, Quantiles, Role};

use super::canvas::{Canvas, Piece, below, first_rows, row_of};
use super::chart::{Chart, Line};
use super::text::wrap;
use super::theme::Ink;
use super::trends;
use crate::input::Target;
use crate::model::row::{Container, LastRestart, PodRow};
use crate::model::{Detail, Key, Resource, State, Subject, Time, Tone, format};

/// A page's line.
type Text = Vec<Piece>;

pub(super) fn draw(canvas: &mut Canvas<'_>, area: Rect, state: &State) {
    let Some(key) = state.screen().pod() else {
        return;
    };
    let row = state.world().pods.get(key).cloned();
    let detail = state.screen().detail.as_deref();
    canvas.rule(row_of(area, 0), &format!("{}/{}", key.namespace, key.name));
    let body = below(area, 1);
    let Some(pod) = row else {
        let text = match (&state.frozen, detail) {
            (Some(_), _) => "this pod was not there at this time",
            (None, Some(_)) => "this pod is gone; step back in time to see it",
            (None, None) => "this pod is not there (any more); step back in time to see it",
        };
        canvas.text(row_of(body, 0), &format!(" {text}"), Ink::Muted);
        let text = incidents(state, key, body.width);
        for (at, line) in (0..body.height.saturating_sub(2)).zip(&text) {
            canvas.pieces(row_of(below(body, 2), at), line);
        }
        return;
    };
    let charts = match body.height {
        0..12 => 0,
        12..20 => 6,
        20..34 => 8,
        _ => 12,
    };
    let head = head(state, &pod, body.width);
    let head_rows = u16::try_from(head.len()).unwrap_or(0).min(body.height);
    for (at, line) in (0..head_rows).zip(&head) {
        canvas.pieces(row_of(body, at), line);
    }
    let body = below(body, head_rows);
    draw_charts(canvas, first_rows(body, charts), state, key, &pod);
    let body = below(body, charts);
    let text = page(state, key, &pod, detail, body.width);
    let most = u16::try_from(text.len())
        .unwrap_or(u16::MAX)
        .saturating_sub(body.height);
    let scroll = usize::from(state.screen().scroll.min(most));
    for (at, line) in (0..body.height).zip(text.iter().skip(scroll)) {
        canvas.pieces(row_of(body, at), line);
    }
}

/// Status, place and owner.
fn head(state: &State, pod: &PodRow, width: u16) -> Vec<Text> {
    let now = state.shown_time();
    let dim = |text: &str| Piece::muted(text);
    let mut line = vec![
        Piece::plain(" "),
        Piece::new(&*pod.status, pod.tone().into()),
        dim("  ready "),
        Piece::plain(format!("{}/{}", pod.ready_containers, pod.total_containers)),
        dim("  restarts "),
        Piece::plain(pod.restarts.count.to_string()),
        dim("  age "),
        Piece::plain(
            pod.created()
                .map_or(format::UNKNOWN.to_owned(), |made| format::age(made, now)),
        ),
    ];
    let mut second = vec![Piece::plain(" ")];
    for (word, text) in [
        ("node ", pod.node.to_string()),
        (
            "of ",
            pod.workload
                .as_ref()
                .map(|workload| format!("{} {}", workload.kind, workload.name))
                .unwrap_or_default(),
        ),
    ] {
        if !text.is_empty() {
            second.push(dim(word));
            second.push(Piece::plain(format!("{text}  ")));
        }
    }
    let mut lines = Vec::new();
    if let Some(last) = pod.restarts.last.as_deref() {
        line.push(dim("  last "));
        line.push(Piece::new(last_restart(last, now), Ink::Warn));
    }
    lines.push(line);
    lines.push(second);
    if let Some(message) = pod.message.as_deref().or(pod.absent.as_deref()) {
        for text in wrap(message, usize::from(width.saturating_sub(2)).max(1))
            .into_iter()
            .take(2)
        {
            lines.push(vec![Piece::new(format!(" {text}"), Ink::Warn)]);
        }
    }
    lines
}

/// `liveness probe, exit 137, in web, 2m ago, after 5m`.
fn last_restart(last: &LastRestart, now: Timestamp) -> String {
    let mut text = last.text(now);
    if last.exit_code != 0 && !text.contains("exit") {
        text.push_str(&format!(", exit {}", last.exit_code));
    }
    if let (Some(started), Some(finished)) = (last.started, last.finished) {
        text.push_str(&format!(", after {}", format::age(started, finished)));
    }
    text
}

fn draw_charts(canvas: &mut Canvas<'_>, area: Rect, state: &State, key: &Key, pod: &PodRow) {
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
        draw_chart(canvas, part, state, key, pod, resource);
    }
}

fn draw_chart(
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
    let write = super::vitals::value_format(resource);
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
    let mut head = vec![
        Piece::new(format!(" {name} "), Ink::Heading),
        Piece::plain(used.map_or(format::UNKNOWN.to_owned(), write)),
    ];
    for (word, value, ink) in [
        ("request", request, Ink::Request),
        ("limit", limit, Ink::Limit),
    ] {
        if let Some(value) = value {
            head.push(Piece::new(format!("  {word} {}", write(value)), ink));
        }
    }
    if let Some(quantiles) = quantiles(state, &subject, resource) {
        head.push(Piece::muted(format!(
            "  p50 {} p95 {} max {}",
            write(quantiles.p50),
            write(quantiles.p95),
            write(quantiles.max)
        )));
    }
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
        lines: &lines,
        marks: &marks,
        moment: None,
        ends: [
            &format!("-{}", format::duration(state.span_seconds().into())),
            &super::title::clock(until),
        ],
        format: write,
        ink: super::vitals::ink(resource),
    };
    let plot = below(area, 1);
    chart.render(plot, canvas.buffer, canvas.theme);
    canvas.hit(plot, Target::Time);
}

fn quantiles(state: &State, subject: &Subject, resource: Resource) -> Option<Quantiles> {
    let history = state.histories.get(subject)?;
    match resource {
        Resource::Cpu => history.total.cpu,
        Resource::Memory => history.total.memory,
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
        usize::try_from(at)
            .ok()
            .filter(|at| *at < steps && offset >= 0)
    };
    times.iter().filter_map(place).collect()
}

/// Everything below the charts.
fn page(state: &State, key: &Key, pod: &PodRow, detail: Option<&Detail>, width: u16) -> Vec<Text> {
    let now = state.shown_time();
    let mut lines = Vec::new();
    containers(&mut lines, pod, state, width);
    if let Some(detail) = detail {
        probes(
            &mut lines,
            &detail.pod.probes,
            now,
            width,
            state.time != Time::Live,
        );
    }
    let broken = incidents(state, key, width);
    lines.extend(broken);
    if let Some(detail) = detail {
        conditions(&mut lines, detail, now, width);
        events(&mut lines, detail, now, width);
    } else {
        lines.push(vec![Piece::muted(
            " asking for probes, conditions and events",
        )]);
    }
    lines
}

fn heading(text: &str) -> Text {
    vec![Piece::new(format!(" {text}"), Ink::Heading)]
}

fn containers(lines: &mut Vec<Text>, pod: &PodRow, state: &State, width: u16) {
    let now = state.shown_time();
    let wide = usize::from(width) >= 100;
    let name_room = pod
        .containers
        .iter()
        .map(|container| container.name.len())
        .max()
        .unwrap_or(0)
        .clamp(9, 24);
    let head = if wide {
        format!(
            "{:<name_room$} {:<8}{:<20}{:>7}{:>6}{:>6}{:>9}{:>6}{:>6}  RESTARTS",
            "CONTAINER", "ROLE", "STATE", "CPU", "%REQ", "%LIM", "MEM", "%REQ", "%LIM"
        )
    } else {
        format!(
            "{:<name_room$} {:<18}{:>6}{:>6}{:>7}{:>6}  RESTARTS",
            "CONTAINER", "STATE", "CPU", "%LIM", "MEM", "%LIM"
        )
    };
    lines.push(heading(&head));
    for container in &pod.containers {
        lines.push(container_line(container, state, now, wide, name_room));
    }
}

fn container_line(
    container: &Container,
    state: &State,
    now: Timestamp,
    wide: bool,
    name_room: usize,
) -> Text {
    let thresholds = state.settings.thresholds;
    let amount = |text: Option<String>| text.unwrap_or_else(|| format::UNKNOWN.to_owned());
    let part = |part: Option<f64>| {
        let ink = part.map_or(Ink::Muted, |part| thresholds.tone(part).into());
        Piece::new(format!("{:>6}", amount(part.map(format::percent))), ink)
    };
    let plain =
        |part: Option<f64>| Piece::muted(format!("{:>6}", amount(part.map(format::percent))));
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
    let cut = |text: &str, room: usize| super::text::fit(text, room, super::text::Align::Left, "~");
    let mut line = vec![Piece::plain(format!(
        " {} ",
        cut(&container.name, name_room)
    ))];
    let status_ink = container.tone().into();
    if wide {
        line.push(Piece::muted(format!("{role:<8}")));
        line.push(Piece::new(format!("{} ", cut(&status, 19)), status_ink));
    } else {
        line.push(Piece::new(format!("{} ", cut(&status, 17)), status_ink));
    }
    let cpu = amount(container.usage.cpu.get().map(format::cpu));
    let memory = amount(container.usage.memory.get().map(format::bytes));
    if wide {
        line.push(Piece::plain(format!("{cpu:>7}")));
        line.push(plain(container.usage.cpu.of(container.requests.cpu)));
        line.push(part(container.usage.cpu.of(container.limits.cpu)));
        line.push(Piece::plain(format!("{memory:>9}")));
        line.push(plain(container.usage.memory.of(container.requests.memory)));
        line.push(part(container.usage.memory.of(container.limits.memory)));
    } else {
        line.push(Piece::plain(format!("{cpu:>6}")));
        line.push(part(container.usage.cpu.of(container.limits.cpu)));
        line.push(Piece::plain(format!("{memory:>7}")));
        line.push(part(container.usage.memory.of(container.limits.memory)));
    }
    let restarts = match container.restarts.last.as_deref() {
        Some(last) => format!(
            "  {} ({})",
            container.restarts.count,
            last_restart(last, now)
        ),
        None => format!("  {}", container.restarts.count),
    };
    let ink = if container.restarts.count > 0 {
        Ink::Warn
    } else {
        Ink::Muted
    };
    line.push(Piece::new(restarts, ink));
    line
}

fn probes(lines: &mut Vec<Text>, probes: &[Probe], now: Timestamp, width: u16, is_past: bool) {
    if probes.is_empty() {
        let text = if is_past {
            " how its probes were then is not remembered; its incidents are"
        } else {
            " no container has a probe"
        };
        lines.push(vec![Piece::muted(text)]);
        return;
    }
    lines.push(heading("PROBES"));
    for probe in probes {
        let kind = match probe.kind {
            ProbeKind::Liveness => "liveness",
            ProbeKind::Readiness => "readiness",
            ProbeKind::Startup => "startup",
        };
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
        lines.push(vec![
            Piece::plain(format!("   {:<9} {:<12} ", kind, probe.container)),
            Piece::new(format!("{word}{failures}{since}"), ink),
            Piece::muted(format!("  {}", probe.asks)),
        ]);
        if !probe.message.is_empty() && probe.status != ProbeStatus::Passing {
            for line in wrap(&probe.message, usize::from(width.saturating_sub(6)).max(1))
                .into_iter()
                .take(3)
            {
                lines.push(vec![Piece::new(format!("     {line}"), Ink::Warn)]);
            }
        }
    }
}

/// What befell the pod.
fn incidents(state: &State, key: &Key, width: u16) -> Vec<Text> {
    let now = state.shown_time();
    let mut rows: Vec<_> = state
        .world()
        .incidents
        .rows()
        .iter()
        .filter(|row| {
            let involved = &row.incident.involved;
            *involved.name == *key.name
                && *involved.namespace == *key.namespace
                && row.incident.began <= now
        })
        .collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row.incident.last_seen));
    if rows.is_empty() {
        return Vec::new();
    }
    let mut lines = vec![heading("INCIDENTS")];
    for row in rows.into_iter().take(8) {
        let incident = &row.incident;
        let tone = if row.is_open() { Tone::Bad } else { Tone::Dim };
        let ago = format::age(incident.last_seen, now);
        lines.push(vec![
            Piece::muted(format!("   {ago:>6} ago  ")),
            Piece::new(format!("{} {}", row.reason(), row.cause()), tone.into()),
            Piece::muted(if incident.count > 1 {
                format!("  {} times", incident.count)
            } else {
                String::new()
            }),
        ]);
        for line in wrap(
            &incident.message,
            usize::from(width.saturating_sub(6)).max(1),
        )
        .into_iter()
        .take(2)
        {
            lines.push(vec![Piece::plain(format!("     {line}"))]);
        }
    }
    lines
}

fn conditions(lines: &mut Vec<Text>, detail: &Detail, now: Timestamp, width: u16) {
    if detail.conditions.is_empty() {
        return;
    }
    lines.push(heading("CONDITIONS"));
    for condition in &detail.conditions {
        let good = condition.status == "True";
        let since = condition
            .since
            .map(|since| format!(" for {}", format::age(since, now)))
            .unwrap_or_default();
        lines.push(vec![
            Piece::plain(format!("   {:<28} ", condition.kind)),
            Piece::new(
                format!("{}{since}", condition.status),
                if good { Ink::Plain } else { Ink::Warn },
            ),
            Piece::muted(format!("  {}", condition.reason)),
        ]);
        if !condition.message.is_empty() && !good {
            for line in wrap(
                &condition.message,
                usize::from(width.saturating_sub(6)).max(1),
            )
            .into_iter()
            .take(2)
            {
                lines.push(vec![Piece::muted(format!("     {line}"))]);
            }
        }
    }
}

fn events(lines: &mut Vec<Text>, detail: &Detail, now: Timestamp, width: u16) {
    lines.push(heading("EVENTS"));
    if detail.events.is_empty() {
        lines.push(vec![Piece::muted("   none that are remembered")]);
    }
    for event in &detail.events {
        let ago = event
            .last
            .map_or(format::UNKNOWN.to_owned(), |last| format::age(last, now));
        let ink = if event.kind == "Warning" {
            Ink::Warn
        } else {
            Ink::Plain
        };
        let times = if event.count > 1 {
            format!(" x{}", event.count)
        } else {
            String::new()
        };
        let head = format!("   {ago:>6} ago{times} ");
        let reason = format!("{:<18} ", event.reason);
        let indent = head.len() + reason.len();
        let room = usize::from(width).saturating_sub(indent + 1).max(20);
        for (at, line) in wrap(&event.message, room).into_iter().take(3).enumerate() {
            if at == 0 {
                lines.push(vec![
                    Piece::muted(head.clone()),
                    Piece::new(reason.clone(), ink),
                    Piece::plain(line),
                ]);
            } else {
                lines.push(vec![Piece::plain(format!("{}{line}", " ".repeat(indent)))]);
            }
        }
    }
}
