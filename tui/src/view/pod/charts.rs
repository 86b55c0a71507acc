//! Draws the CPU and memory usage of a pod or of its selected container, with request, limit, restarts, rollouts and
//! changes of replicas.

use ratatui::layout::Rect;

use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::Quantiles;

use crate::model::row::{Container, PodRow, Row as _};
use crate::model::{LaidOver, Resource, State, Subject, format};
use crate::text::cut_middle;
use crate::view::canvas::{Canvas, Segment};
use crate::view::chart::MarkKind;
use crate::view::theme::Ink;
use crate::view::usage::{self, Level, Part, Usage, UsageChart};
use crate::view::{amounts, trends};

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
    let ellipsis = canvas.theme.signs.ellipsis;
    let charts = [Resource::Cpu, Resource::Memory].map(|resource| {
        let of = Subjects { pod, container };
        chart(state, of, resource, area.width / 2, ellipsis)
    });
    let usage = Usage {
        subject: Subject::Pod(pod.key()),
        own_key: trends::own_key(pod, container),
        charts,
        marks: marks(state, pod, container),
    };
    usage::draw(canvas, area, state, &usage);
}

/// A pod, or one of its containers.
#[derive(Clone, Copy)]
struct Subjects<'a> {
    pod: &'a PodRow,
    container: Option<&'a Container>,
}

fn chart(
    state: &State,
    Subjects { pod, container }: Subjects<'_>,
    resource: Resource,
    width: u16,
    ellipsis: &str,
) -> UsageChart {
    let all = match container {
        Some(it) => [it.usage, it.requests, it.limits],
        None => [pod.usage, pod.requests, pod.limits],
    };
    let [now, request, limit] = all.map(|amounts| amounts.get(resource));
    let steps = trends::of_pod(state, pod, container, resource, width);
    // The current usage may be newer than the history.
    let quantiles = trends::quantiles(state, pod, container, resource).map(|it| Quantiles {
        max: now.map_or(it.max, |now| it.max.max(now)),
        ..it
    });
    let peak = quantiles.map(|it| it.max).or(now);
    // All amounts are in the unit of the largest, as on the axis.
    let largest = [request, limit, peak]
        .into_iter()
        .chain(steps.iter().copied());
    let largest = largest.flatten().max().unwrap_or(0);
    let write = |value: u64| amounts::amount(resource, value, largest);
    // If only one fits, it is the limit.
    let lines = [
        ("limit", limit, Ink::Limit),
        ("request", request, Ink::Request),
    ];
    let lines = lines.into_iter().filter_map(|(word, value, ink)| {
        Some(Level {
            value: value?,
            label: format!("{word} {}", write(value?)),
            ink,
            is_in_heading: true,
        })
    });
    let pointed = trends::value_at(state, &steps);
    let used = pointed.unwrap_or(now);
    let mut heading = vec![Segment::new(
        format!(" {} ", amounts::name(resource)),
        Ink::Heading,
    )];
    if let Some(container) = container {
        let name = cut_middle(&container.name, NAME, ellipsis);
        heading.push(Segment::new(format!("{name} "), Ink::Accent));
    }
    let ink = pointed.map_or(Ink::Plain, |_| Ink::Accent);
    heading.push(Segment::new(
        used.map_or(format::UNKNOWN.to_owned(), write),
        ink,
    ));
    let spread = quantiles.into_iter();
    let spread = spread.flat_map(|it| [("p50", it.p50), ("p95", it.p95), ("max", it.max)]);
    UsageChart {
        resource,
        peak,
        used,
        whole: (limit.map(|limit| (limit, "limit")))
            .or(request.map(|request| (request, "request"))),
        heading,
        more: spread
            .map(|(word, value)| Segment::muted(format!("  {word} {}", write(value))))
            .collect(),
        lines: lines.collect(),
        parts: match (state.laid_over, container) {
            (LaidOver::Containers, None) => containers(state, pod, resource, width),
            _ => Vec::new(),
        },
        steps,
    }
}

/// Returns the usage of each container that has some.
fn containers(state: &State, pod: &PodRow, resource: Resource, width: u16) -> Vec<Part> {
    let parts = pod.containers.iter().map(|container| {
        let steps = trends::of_pod(state, pod, Some(container), resource, width);
        let name = container.name.to_string();
        (container.usage.get(resource), Part { name, steps })
    });
    let known = parts.filter(|(_, part)| part.steps.iter().any(Option::is_some));
    usage::largest(known.collect(), width)
}

/// Returns the restarts of the container, or of the pod's containers, and the changes of its workload.
fn marks(state: &State, pod: &PodRow, container: Option<&Container>) -> Vec<(Timestamp, MarkKind)> {
    let name = container.map(|container| &*container.name);
    let is_visible = |container: &str| name.is_none_or(|name| name == container);
    let restarts: Vec<Timestamp> = match state.histories.get(&Subject::Pod(pod.key())) {
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
    let changes = &state.marked_changes;
    let workload = pod.workload.as_deref().into_iter();
    let replicas = workload.flat_map(|workload| {
        let hpas = &state.world().hpas;
        changes.replicas(&pod.namespace, workload, hpas)
    });
    let of = |kind| move |time| (time, kind);
    let restarts = restarts.into_iter().map(of(MarkKind::Restart));
    let rollouts = changes.rollouts().map(of(MarkKind::Rollout));
    let replicas = replicas.map(of(MarkKind::Replicas));
    restarts.chain(rollouts).chain(replicas).collect()
}
