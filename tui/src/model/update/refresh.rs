//! Updates the list of the current view.

use std::cmp::Reverse;

use super::panes;
use crate::model::acknowledge::Acknowledgements;
use crate::model::any_table::ListQuery;
use crate::model::attention::{Attention, attention};
use crate::model::distinguishing::distinguishing;
use crate::model::field::Field;
use crate::model::list::Basis;
use crate::model::pages;
use crate::model::row::{IncidentRow, PodRow};
use crate::model::scope::Limits;
use crate::model::state::State;
use crate::model::table::Table;
use crate::model::time::Time;
use crate::model::tone::Thresholds;
use crate::model::view::View;

/// Updates the list of the current view. Called before each drawing. Nothing is sorted again if its inputs are
/// unchanged.
pub fn refresh(state: &mut State) {
    // The height of the table depends on the lines above it.
    let lines = pages::lines(state, state.size.width);
    state.screen_mut().fact_lines = lines;
    refresh_list(state);
    if state.screen().view == View::Overview {
        // The height of the list depends on its content.
        let height = state.list_height();
        state.screen_mut().list.settle(height);
        panes::refresh(state);
    }
}

fn refresh_list(state: &mut State) {
    let height = state.list_height();
    let context = state.context();
    let sums = state.has_separate_usage();
    let view = state.screen().view;
    let world = state.frozen.as_mut().unwrap_or(&mut state.live);
    world.derive(view, sums);
    let Some(screen) = state.stack.last_mut() else {
        return;
    };
    let depends_on_time = matches!(view, View::Overview | View::Incidents)
        || screen.list.sort.field.changes_with_time()
        || screen.list.filter.changes_with_time();
    // Acknowledgements only apply to the current time.
    let acknowledgements =
        (!matches!(state.time, Time::Past { .. })).then_some(&state.acknowledgements);
    let basis = Basis {
        rows: world.table(view).version(),
        sort: screen.list.sort,
        filter: screen.list.filter.clone(),
        scope: screen.scope.clone(),
        namespaces: state.namespaces.clone(),
        thresholds: context.thresholds,
        now: depends_on_time.then_some(context.now),
        acknowledgements: acknowledgements
            .filter(|_| matches!(view, View::Overview | View::Incidents))
            .map(Acknowledgements::version),
    };
    let before = screen.list.basis.as_ref();
    if before == Some(&basis) {
        screen.list.settle(height);
        return;
    }
    let lists_part = before.is_some_and(|before| basis.lists_part_of(before));
    let among = lists_part.then_some(screen.list.order.as_slice());
    let query = ListQuery {
        limits: Limits {
            scope: &basis.scope,
            namespaces: &basis.namespaces,
            now: context.now,
            names_probe: basis.filter.names(Field::Probe),
        },
        filter: &basis.filter,
        sort: basis.sort,
    };
    let table = world.table(view);
    let (order, first_group) = match view {
        View::Overview => {
            let listed = attention_list(&world.pods, &query, basis.thresholds, acknowledgements);
            screen.panes.acknowledged = listed.acknowledged;
            (listed.order, Some(listed.now))
        }
        View::Incidents if basis.sort.field == Field::LastSeen => {
            let mut order = table.order(&query, among);
            open_first(&mut order, &world.incidents, acknowledgements);
            (order, None)
        }
        _ => (table.order(&query, among), None),
    };
    let list = &mut screen.list;
    // The same rows need the same columns, and a part of rows that need none needs none.
    let columns_stay = order.len() == list.order.len() || list.distinguishing.is_empty();
    if !(lists_part && columns_stay) {
        list.distinguishing = distinguishing(table, &order, context.now);
    }
    list.reorder(order, table, height);
    list.first_group = first_group;
    list.basis = Some(basis);
}

/// The pods that need attention.
struct AttentionList {
    /// Their indexes, in order.
    order: Vec<u32>,
    /// The number of pods with a current problem. The others only restarted recently.
    now: usize,
    /// The number of acknowledged pods, which are left out.
    acknowledged: usize,
}

/// Moves open incidents to the front, acknowledged ones behind the others.
fn open_first(
    order: &mut [u32],
    incidents: &Table<IncidentRow>,
    acknowledgements: Option<&Acknowledgements>,
) {
    order.sort_by_cached_key(|at| {
        incidents.row(*at).map(|row| {
            let is_acknowledged = acknowledgements.is_some_and(|all| all.has_incident(row));
            (!row.is_open(), is_acknowledged)
        })
    });
}

/// Selects the pods that need attention: most urgent first, then by their last restart.
fn attention_list(
    pods: &Table<PodRow>,
    query: &ListQuery<'_>,
    thresholds: Thresholds,
    acknowledgements: Option<&Acknowledgements>,
) -> AttentionList {
    let (limits, now) = (&query.limits, query.limits.now);
    let mut acknowledged = 0;
    let mut urgent = Vec::new();
    for (at, pod) in (0_u32..).zip(pods.rows()) {
        let Some(needs) = attention(pod, now, thresholds) else {
            continue;
        };
        if !limits.has_namespace(&pod.namespace) || !query.filter.matches(&**pod, now) {
            continue;
        }
        if acknowledgements.is_some_and(|all| all.has_pod(pod, Some(needs))) {
            acknowledged += 1;
            continue;
        }
        urgent.push((Reverse(needs), Reverse(pod.restarts.finished()), at));
    }
    urgent.sort_unstable();
    let now = urgent.partition_point(|(needs, _, _)| needs.0 > Attention::Recent);
    AttentionList {
        order: urgent.into_iter().map(|(_, _, at)| at).collect(),
        now,
        acknowledged,
    }
}

#[cfg(test)]
mod tests {
    use kubevitals_proto::units::Nanocores;

    use super::*;
    use crate::model::scope::Scope;
    use crate::model::update::{act, apply};
    use crate::model::world::World;
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

    /// Pods by CPU, then in an order that no sort produces: as long as it stays, nothing was sorted.
    fn state() -> State {
        let mut state = State::default();
        // The source sends usage with the pods.
        apply(
            &mut state,
            Message::Source(SourceKind::Vitals, String::new()),
        );
        act(&mut state, Action::Show(View::Pods));
        let pods = vec![pod("a", 3), pod("b", 2), pod("c", 1)];
        apply(&mut state, Message::Pods(Batch::All(pods)));
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
        apply(state, Message::Tick(now));
    }

    #[test]
    fn unchanged_lists_are_not_sorted_again() {
        let mut state = state();
        refresh(&mut state);
        later(&mut state);
        apply(&mut state, Message::Nodes(Batch::All(Vec::new())));
        refresh(&mut state);
        act(&mut state, Action::Move(1));
        act(&mut state, Action::Resize(100, 30));
        act(&mut state, Action::Help);
        assert_eq!(order(&state), [1, 2, 0]);
    }

    #[test]
    fn the_order_is_computed_again_when_its_inputs_change() {
        type Changing = (&'static str, fn(&mut State), &'static [u32]);
        let changing: [Changing; 7] = [
            (
                "a row",
                |state| {
                    let changes = vec![Change::Put(pod("c", 9))];
                    apply(state, Message::Pods(Batch::Some(changes)));
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
    fn a_narrower_filter_is_tested_on_the_listed_rows_only() {
        for (more, expected) in [(" ns=shop", &[][..]), (", b", &[0, 1])] {
            let mut state = state();
            act(&mut state, Action::Filter);
            act(&mut state, Action::Edit(Edit::Insert("cpu>2n".to_owned())));
            refresh(&mut state);
            assert_eq!(order(&state), [0]);
            state.screen_mut().list.order = vec![1];
            act(&mut state, Action::Edit(Edit::Insert(more.to_owned())));
            refresh(&mut state);
            assert_eq!(order(&state), expected, "{more}");
        }
    }

    #[test]
    fn filters_on_time_are_evaluated_again_as_time_passes() {
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
