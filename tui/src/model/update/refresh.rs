//! Brings the list that is looked at up to what is known.

use std::cmp::Reverse;
use std::sync::Arc;

use kubevitals_proto::time::Timestamp;

use super::attention::wants_attention;
use crate::filter::Filter;
use crate::model::name::Name;
use crate::model::order::order;
use crate::model::row::{PodRow, Row};
use crate::model::screen::Scope;
use crate::model::state::State;
use crate::model::table::Table;
use crate::model::tone::Thresholds;
use crate::model::view::{Sort, View};
use crate::model::world::World;

/// Brings the list that is looked at up to what is known. Called before each drawing, when something has changed.
pub fn refresh(state: &mut State) {
    let height = state.listed();
    let context = state.context();
    let sums = state.usage_apart();
    let view = state.screen().view;
    let namespaces = state.namespaces.clone();
    let world = match &mut state.frozen {
        Some(frozen) => frozen,
        None => &mut state.live,
    };
    world.derive(view, sums);
    let Some(screen) = state.stack.last_mut() else {
        return;
    };
    let asked = Asked {
        scope: &screen.scope,
        filter: &screen.list.filter,
        namespaces: &namespaces,
        sort: screen.list.sort,
        now: context.now,
        thresholds: context.thresholds,
    };
    let order = asked.order(view, world);
    screen
        .list
        .reorder(order, |at| world.key_at(view, at), height);
}

/// What a list is to show.
struct Asked<'a> {
    scope: &'a Scope,
    filter: &'a Filter,
    namespaces: &'a [Name],
    sort: Sort,
    now: Timestamp,
    thresholds: Thresholds,
}

impl Asked<'_> {
    fn order(&self, view: View, world: &World) -> Vec<u32> {
        match view {
            View::Overview => self.attention(&world.pods),
            View::Pods | View::Pod => self.rows(&world.pods, |pod| {
                self.has(&pod.namespace) && self.scope.has(pod)
            }),
            View::Nodes => self.rows(&world.nodes, |_| true),
            View::Containers => {
                let kept = |pod: &PodRow| self.has(&pod.namespace) && self.scope.has(pod);
                self.rows(&world.containers, |container| kept(&container.pod))
            }
            View::Workloads => self.rows(&world.workloads, |row| {
                self.has(&row.namespace) && self.is_in_scope(&row.namespace)
            }),
            View::Namespaces => self.rows(&world.namespaces, |row| self.has(&row.name)),
            View::Hpas => self.rows(&world.hpas, |row| {
                self.has(&row.namespace) && self.is_in_scope(&row.namespace)
            }),
            View::Incidents => self.rows(&world.incidents, |row| {
                row.incident.began <= self.now
                    && (row.is_of_node()
                        || self.has(&row.incident.involved.namespace.as_str().into()))
            }),
        }
    }

    fn has(&self, namespace: &Name) -> bool {
        self.namespaces.is_empty() || self.namespaces.contains(namespace)
    }

    fn is_in_scope(&self, namespace: &Name) -> bool {
        match self.scope {
            Scope::Namespace(only) => only == namespace,
            _ => true,
        }
    }

    fn rows<R: Row>(&self, table: &Table<R>, keep: impl Fn(&R) -> bool) -> Vec<u32> {
        order(table.rows(), self.sort, self.now, |row| {
            keep(row) && self.filter.matches(row, self.now)
        })
    }

    /// Pods that want to be looked at, the gravest first, and of equally grave ones the one that was restarted last.
    fn attention(&self, pods: &Table<PodRow>) -> Vec<u32> {
        let grave = |(at, pod): (u32, &Arc<PodRow>)| {
            let grave = wants_attention(pod, self.now, self.thresholds)?;
            let kept = self.has(&pod.namespace) && self.filter.matches(&**pod, self.now);
            let last = pod.restarts.last.as_deref().and_then(|last| last.finished);
            kept.then_some((Reverse(grave), Reverse(last), at))
        };
        let mut grave: Vec<_> = (0_u32..).zip(pods.rows()).filter_map(grave).collect();
        grave.sort_unstable();
        grave.into_iter().map(|(_, _, at)| at).collect()
    }
}
