//! Brings the list that is looked at up to what is known.

use std::cmp::Reverse;

use kubevitals_proto::time::Timestamp;

use super::panes;
use crate::model::acknowledge::Acknowledgements;
use crate::model::apart::distinguishing;
use crate::model::attention::{Attention, attention};
use crate::model::column::Sort;
use crate::model::field::Field;
use crate::model::filter::Filter;
use crate::model::name::{Key, Name};
use crate::model::order::order;
use crate::model::row::{PodRow, Row};
use crate::model::scope::Scope;
use crate::model::screen::Basis;
use crate::model::state::State;
use crate::model::table::Table;
use crate::model::time::Time;
use crate::model::tone::Thresholds;
use crate::model::view::View;
use crate::model::world::World;

/// Brings the list that is looked at up to what is known. Called before each drawing, when something has changed. What
/// has not changed is not sorted again.
pub fn refresh(state: &mut State) {
    refresh_list(state);
    if state.screen().view == View::Overview {
        // How high it is depends on what is in it.
        let height = state.listed();
        state.screen_mut().list.settle(height);
        panes::refresh(state);
    }
}

fn refresh_list(state: &mut State) {
    let height = state.listed();
    let context = state.context();
    let sums = state.usage_apart();
    let view = state.screen().view;
    let world = match &mut state.frozen {
        Some(frozen) => frozen,
        None => &mut state.live,
    };
    world.derive(view, sums);
    let Some(screen) = state.stack.last_mut() else {
        return;
    };
    let timely = matches!(view, View::Overview | View::Incidents)
        || screen.list.sort.field.changes_with_time()
        || screen.list.filter.changes_with_time();
    // What was is shown as it was.
    let acknowledgements =
        (!matches!(state.time, Time::Past { .. })).then_some(&state.acknowledgements);
    let basis = Basis {
        rows: world.version(view),
        sort: screen.list.sort,
        scope: screen.scope.clone(),
        namespaces: state.namespaces.clone(),
        thresholds: context.thresholds,
        now: timely.then_some(context.now),
        acknowledgements: acknowledgements
            .filter(|_| matches!(view, View::Overview | View::Incidents))
            .map(Acknowledgements::version),
    };
    if screen.list.basis.as_ref() == Some(&basis) {
        screen.list.settle(height);
        return;
    }
    let asked = Asked {
        scope: &basis.scope,
        filter: &screen.list.filter,
        namespaces: &basis.namespaces,
        sort: basis.sort,
        now: context.now,
        thresholds: basis.thresholds,
        acknowledgements,
    };
    let (order, first_group) = match view {
        View::Overview => {
            let needed = asked.attention(&world.pods);
            screen.panes.acknowledged = needed.acknowledged;
            (needed.order, Some(needed.now))
        }
        _ => (asked.order(view, world), None),
    };
    let list = &mut screen.list;
    list.distinguishing = distinguishing_in(view, world, &order, context.now);
    let place_of = |key: &Key| world.place(view, key);
    list.reorder(order, place_of, |at| world.key_at(view, at), height);
    list.first_group = first_group;
    list.basis = Some(basis);
}

/// The columns that tell apart what a view shows.
fn distinguishing_in(view: View, world: &World, order: &[u32], now: Timestamp) -> Vec<Field> {
    match view {
        View::Overview | View::Pods | View::Pod => distinguishing(world.pods.rows(), order, now),
        View::Nodes => distinguishing(world.nodes.rows(), order, now),
        View::Containers => distinguishing(world.containers.rows(), order, now),
        View::Workloads => distinguishing(world.workloads.rows(), order, now),
        View::Namespaces => distinguishing(world.namespaces.rows(), order, now),
        View::Hpas => distinguishing(world.hpas.rows(), order, now),
        View::Incidents => distinguishing(world.incidents.rows(), order, now),
    }
}

/// The pods that need attention.
struct Needed {
    /// In their order.
    order: Vec<u32>,
    /// How many of them need it now; the others only did lately.
    now: usize,
    /// How many more have been acknowledged.
    acknowledged: usize,
}

/// What a list is to show.
struct Asked<'a> {
    scope: &'a Scope,
    filter: &'a Filter,
    namespaces: &'a [Name],
    sort: Sort,
    now: Timestamp,
    thresholds: Thresholds,
    acknowledgements: Option<&'a Acknowledgements>,
}

impl Asked<'_> {
    fn order(&self, view: View, world: &World) -> Vec<u32> {
        match view {
            View::Overview | View::Pods | View::Pod => self.rows(&world.pods, |pod| {
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
            View::Incidents => {
                let mut order = self.rows(&world.incidents, |row| {
                    let namespace = &row.incident.involved.namespace;
                    row.incident.began <= self.now
                        && (namespace.is_empty() || self.has(&namespace.as_str().into()))
                });
                if self.sort.field == Field::LastSeen {
                    // What goes on comes first, whenever it was last seen; what was acknowledged, last of that.
                    order.sort_by_cached_key(|at| {
                        let at = usize::try_from(*at).ok();
                        let row = at.and_then(|at| world.incidents.rows().get(at));
                        row.map(|row| {
                            let acknowledged = self.acknowledgements;
                            let known = acknowledged.is_some_and(|all| all.has_incident(row));
                            (!row.is_open(), known)
                        })
                    });
                }
                order
            }
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

    /// Pods that need attention now, the gravest first, then those that only did lately; of equally grave ones the one
    /// that was restarted last.
    fn attention(&self, pods: &Table<PodRow>) -> Needed {
        let mut acknowledged = 0;
        let mut grave = Vec::new();
        for (at, pod) in (0_u32..).zip(pods.rows()) {
            let Some(needs) = attention(pod, self.now, self.thresholds) else {
                continue;
            };
            if !self.has(&pod.namespace) || !self.filter.matches(&**pod, self.now) {
                continue;
            }
            let known = self.acknowledgements;
            if known.is_some_and(|known| known.has_pod(pod, Some(needs))) {
                acknowledged += 1;
                continue;
            }
            let last = pod.restarts.last.as_deref().and_then(|last| last.finished);
            grave.push((Reverse(needs), Reverse(last), at));
        }
        grave.sort_unstable();
        let now = grave.partition_point(|(needs, _, _)| needs.0 > Attention::Recent);
        Needed {
            order: grave.into_iter().map(|(_, _, at)| at).collect(),
            now,
            acknowledged,
        }
    }
}

#[cfg(test)]
mod tests {
    use kubevitals_proto::units::Nanocores;

    use super::*;
    use crate::model::update::{act, tell};
    use crate::model::{Action, Batch, Change, Edit, Message, SourceKind};

    fn pod(name: &str, cpu: u64) -> PodRow {
        let mut pod = PodRow {
            namespace: "shop".into(),
            name: name.into(),
            ..PodRow::default()
        };
        pod.usage.cpu = Nanocores(cpu).into();
        pod
    }

    /// Pods by CPU, and then in an order that is nobody's: as long as it stays, nothing was sorted.
    fn state() -> State {
        let mut state = State::default();
        // Usage comes with its pod.
        tell(
            &mut state,
            Message::Source(SourceKind::Vitals, String::new()),
        );
        act(&mut state, Action::Show(View::Pods));
        let pods = vec![pod("a", 3), pod("b", 2), pod("c", 1)];
        tell(&mut state, Message::Pods(Batch::All(pods)));
        refresh(&mut state);
        assert_eq!(order(&state), [0, 1, 2]);
        state.screen_mut().list.order = vec![1, 2, 0];
        state
    }

    fn order(state: &State) -> &[u32] {
        &state.screen().list.order
    }

    fn later(state: &mut State) {
        let now = state.now.plus_nanos(1_000_000_000);
        tell(state, Message::Tick(now));
    }

    #[test]
    fn what_has_not_changed_is_not_sorted_again() {
        let mut state = state();
        refresh(&mut state);
        later(&mut state);
        tell(&mut state, Message::Nodes(Batch::All(Vec::new())));
        refresh(&mut state);
        act(&mut state, Action::Move(1));
        act(&mut state, Action::Resize(100, 30));
        act(&mut state, Action::Help);
        assert_eq!(order(&state), [1, 2, 0]);
    }

    #[test]
    fn whatever_the_order_depends_on_makes_it_anew() {
        type Changing = (&'static str, fn(&mut State), &'static [u32]);
        let changing: [Changing; 7] = [
            (
                "a row",
                |state| {
                    let changes = vec![Change::Put(pod("c", 9))];
                    tell(state, Message::Pods(Batch::Some(changes)));
                },
                &[2, 0, 1],
            ),
            (
                "the sort",
                |state| drop(act(state, Action::SortBy(Field::Name))),
                &[0, 1, 2],
            ),
            (
                "its direction",
                |state| drop(act(state, Action::Reverse)),
                &[2, 1, 0],
            ),
            (
                "the filter",
                |state| {
                    act(state, Action::Filter);
                    act(state, Action::Edit(Edit::Insert("cpu>1n".to_owned())));
                },
                &[0, 1],
            ),
            (
                "the namespaces",
                |state| state.namespaces = vec!["other".into()],
                &[],
            ),
            (
                "the part that is looked at",
                |state| state.screen_mut().scope = Scope::Namespace("other".into()),
                &[],
            ),
            (
                "what is shown instead of now",
                |state| state.frozen = Some(World::default()),
                &[],
            ),
        ];
        for (what, change, expected) in changing {
            let mut state = state();
            change(&mut state);
            refresh(&mut state);
            assert_eq!(order(&state), expected, "{what}");
        }
    }

    #[test]
    fn a_filter_that_tells_of_time_is_asked_again_as_time_passes() {
        for (filter, again) in [
            ("age>1s", true),
            ("a", true),
            ("cpu>0", false),
            ("-l !x", false),
        ] {
            let mut state = state();
            act(&mut state, Action::Filter);
            act(&mut state, Action::Edit(Edit::Insert(filter.to_owned())));
            refresh(&mut state);
            state.screen_mut().list.order = vec![2];
            later(&mut state);
            refresh(&mut state);
            assert_eq!(order(&state) != [2], again, "{filter}");
        }
    }
}
