//! The charts of the header: the cluster's usage, or that of the node whose pods are on the screen.

use std::sync::Arc;

use super::amounts::{Totals, amounts};
use super::theme::Ink;
use super::trends;
use super::usage::{self, Level, Part, Usage, UsageChart};
use crate::model::row::{ClusterRow, Row as _};
use crate::model::{Key, LaidOver, Name, Resource, Scope, State, Subject, View, cluster_key};
use crate::text::cut_middle;

/// The most cells for the name of a node.
const NAME: usize = 16;

/// Returns what the charts of the header show, for charts of this width.
pub(super) fn of(state: &State, width: u16, ellipsis: &str) -> Usage {
    if let Scope::Node(name) = &state.screen().scope
        && let Some(node) = state.world().nodes.get(&Key::named(name))
    {
        let totals = ClusterRow {
            requests: node.requests,
            ..ClusterRow::of([&**node].into_iter(), std::iter::empty(), false)
        };
        return of_node(state, name, &totals, width, ellipsis);
    }
    let cluster = &state.world().cluster;
    let steps = |resource| trends::of_cluster(state, resource, width * 2);
    Usage {
        subject: Subject::Cluster,
        own_key: cluster_key(),
        charts: [Resource::Cpu, Resource::Memory]
            .map(|resource| chart(state, cluster, resource, width, (steps(resource), ""))),
        marks: Vec::new(),
    }
}

fn chart(
    state: &State,
    totals: &ClusterRow,
    resource: Resource,
    width: u16,
    (steps, name): (Vec<Option<u64>>, &str),
) -> UsageChart {
    let capacity = totals.allocatable.get(resource);
    let pointed = trends::value_at(state, &steps);
    let totals_shown = Totals {
        name,
        pointed,
        of: totals,
    };
    UsageChart {
        resource,
        peak: totals.estimate().get(resource),
        used: pointed.unwrap_or(totals.usage.get(resource)),
        whole: capacity.map(|capacity| (capacity, "allocatable")),
        heading: amounts(&totals_shown, resource, state, width),
        more: Vec::new(),
        lines: Vec::from_iter(capacity.map(|value| Level {
            value,
            label: "allocatable".to_owned(),
            ink: Ink::Muted,
            // The heading has its amount.
            is_in_heading: false,
        })),
        parts: Vec::new(),
        steps,
    }
}

fn of_node(state: &State, name: &Name, totals: &ClusterRow, width: u16, ellipsis: &str) -> Usage {
    let shown = cut_middle(name, NAME, ellipsis);
    Usage {
        subject: Subject::Node(Arc::clone(name)),
        own_key: Key::named(name),
        charts: [Resource::Cpu, Resource::Memory].map(|resource| {
            let steps = trends::of_node(state, name, resource, width * 2);
            UsageChart {
                parts: match state.laid_over {
                    LaidOver::Nothing => pods(state, resource, width),
                    _ => Vec::new(),
                },
                ..chart(state, totals, resource, width, (steps, &shown))
            }
        }),
        marks: Vec::new(),
    }
}

/// Returns the usage of the listed pods: those with the largest usage, and the sum of the others.
fn pods(state: &State, resource: Resource, width: u16) -> Vec<Part> {
    let screen = state.screen();
    if screen.view != View::Pods {
        return Vec::new();
    }
    let rows = &state.world().pods;
    let pods = screen.list.order.iter().filter_map(|at| rows.row(*at));
    let parts = pods.map(|pod| {
        let steps = trends::of_row(state, &pod.key(), resource, width * 2);
        let name = pod.name.to_string();
        (pod.usage.get(resource), Part { name, steps })
    });
    let known = parts.filter(|(_, part)| part.steps.iter().any(Option::is_some));
    usage::largest(known.collect(), width)
}
