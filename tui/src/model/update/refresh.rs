//! Updates the list of the current view.

use kubevitals_proto::time::Timestamp;

use super::interest::interest;
use super::{map, outlook, panes};
use crate::model::acknowledge::Acknowledgements;
use crate::model::any_table::{AnyTable as _, ListQuery};
use crate::model::distinguishing::distinguishing;
use crate::model::field::Field;
use crate::model::group_trends::{self, GroupTrends};
use crate::model::list::{Basis, List};
use crate::model::name::Key;
use crate::model::pages;
use crate::model::placement;
use crate::model::problems::{self, problems};
use crate::model::row::{IncidentRow, ProblemRow};
use crate::model::scope::Limits;
use crate::model::screen::Screen;
use crate::model::state::State;
use crate::model::table::{Table, Version};
use crate::model::time::Time;
use crate::model::view::View;
use crate::model::world::World;

/// Updates the list of the current view. Called before each drawing. Nothing is sorted again if its inputs are
/// unchanged.
pub fn refresh(state: &mut State) {
    if state.screen().view == View::Overview {
        outlook::refresh(state);
    }
    // The height of the table depends on the lines above it.
    let lines = pages::lines(state, state.size.width);
    state.screen_mut().fact_lines = lines;
    refresh_list(state);
    report_missing(state);
    refresh_group_trends(state);
    refresh_rollouts(state);
    map::refresh(state);
    if state.screen().view == View::Overview {
        // The height of the list depends on its content.
        let height = state.list_height();
        state.screen_mut().list.settle(height);
        panes::refresh(state);
    }
}

/// Reports that the object to which a command or a bookmark leads is not listed, once all rows have been read.
fn report_missing(state: &mut State) {
    let screen = state.screen();
    if !screen.list.is_sought {
        return;
    }
    let view = screen.view;
    let is_there = !matches!(state.time, Time::Past { here: false, .. });
    let is_read = is_there
        && state.has_answered(view.info().part)
        // Of all pods, no other interest sends others.
        && (state.world().extent.is_none()
            || !state.is_awaited() && interest(state) == state.interest);
    let Some(key) = screen.list.away.clone() else {
        state.screen_mut().list.is_sought = false;
        return;
    };
    if !is_read {
        return;
    }
    let world = state.world();
    let is_past = matches!(state.time, Time::Past { .. });
    let why = if world.table(view).index_of(&key).is_some() {
        "is not listed because of the filter or the namespaces"
    } else if world.extent.is_some() && view.info().is_of_pods() {
        "is not among the pods that the dashboard has read"
    } else if is_past {
        "did not exist at this time"
    } else {
        "does not exist"
    };
    let parts = [&key.namespace, &key.name, &key.part];
    let name: Vec<&str> = parts.iter().map(|part| &***part).collect();
    let name: Vec<&str> = name.into_iter().filter(|part| !part.is_empty()).collect();
    let first = match state.screen().list.order.is_empty() {
        true => "",
        false => "; the first row is selected",
    };
    state.screen_mut().list.is_sought = false;
    state.say(format!("{} {why}{first}", name.join("/")), false);
}

/// Updates the sums of the workloads or namespaces on the screen, if their sparklines are on it.
fn refresh_group_trends(state: &mut State) {
    let view = state.screen().view;
    if !matches!(view, View::Workloads | View::Namespaces) {
        state.group_trends = GroupTrends::default();
        return;
    }
    let list = &state.screen().list;
    let table = state.world().table(view);
    let on_screen = list.order.iter().skip(list.top).take(state.list_height());
    let rows: Vec<Key> = on_screen.filter_map(|at| table.key_at(*at)).collect();
    let basis = group_trends::Basis {
        view,
        time: state.time,
        pods: state.frozen.as_ref().map(|frozen| frozen.pods.version()),
        span: i64::from(state.span_seconds()),
        end: state.charts_end,
    };
    let is_current = {
        let mut outdated = state.group_trends.outdated(&basis, &rows, state.now);
        outdated.next().is_none()
    };
    if is_current {
        return;
    }
    let columns = placement::columns(state, state.size.width);
    if columns.iter().any(|placed| placed.column.is_trend()) {
        let (span, now) = (state.shown_span(), state.now);
        let world = state.frozen.as_ref().unwrap_or(&state.live);
        let trends = &state.trends;
        state
            .group_trends
            .update(basis, &rows, world, trends, span, now);
    }
}

/// Finds the versions of the workload of the pod whose page is open.
fn refresh_rollouts(state: &mut State) {
    let world = state.frozen.as_ref().unwrap_or(&state.live);
    let key = state.stack.last().and_then(Screen::pod);
    let pod = key.and_then(|key| world.pods.get(key));
    let pods = &world.pods;
    state
        .marked_changes
        .find_rollouts(pod.map(|pod| &**pod), pods);
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
    // Acknowledgements only apply to the current time.
    let acknowledgements =
        (!matches!(state.time, Time::Past { .. })).then_some(&state.acknowledgements);
    let basis = Basis {
        rows: match view {
            View::Overview => [
                world.pods.version(),
                world.incidents.version(),
                world.nodes.version(),
            ],
            _ => [
                world.table(view).version(),
                Version::default(),
                Version::default(),
            ],
        },
        sort: screen.list.sort,
        filter: screen.list.filter.clone(),
        scope: screen.scope.clone(),
        namespaces: state.namespaces.clone(),
        thresholds: context.thresholds,
        now: list_time(&screen.list, view, context.now),
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
    let (order, first_group) = match view {
        View::Overview => {
            let problems = problems(
                world,
                &problems::Basis {
                    now: context.now,
                    thresholds: basis.thresholds,
                    namespaces: &basis.namespaces,
                    filter: &basis.filter,
                    acknowledgements,
                },
            );
            screen.panes.acknowledged = problems.acknowledged;
            let (order, urgent) = list_problems(world, problems.rows);
            (order, Some(urgent))
        }
        View::Incidents if basis.sort.field == Field::LastSeen => {
            let mut order = world.incidents.order(&query, among);
            open_first(&mut order, &world.incidents, acknowledgements);
            (order, None)
        }
        _ => (world.table(view).order(&query, among), None),
    };
    let table = world.table(view);
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

/// The time on which the order of a list depends, if it does. What is urgent changes in minutes, so that the problems are
/// grouped every ten seconds, and at once when rows have changed.
fn list_time(list: &List, view: View, now: Timestamp) -> Option<Timestamp> {
    let of_filter = list.filter.changes_with_time();
    match view {
        View::Overview if !of_filter => Some(Timestamp::from_secs(now.as_secs() / 10 * 10)),
        View::Overview | View::Incidents => Some(now),
        _ => (of_filter || list.sort.field.changes_with_time()).then_some(now),
    }
}

/// Puts the problems into their table. Returns their order, and the number of those that are urgent.
fn list_problems(world: &mut World, rows: Vec<ProblemRow>) -> (Vec<u32>, usize) {
    let urgent = rows.partition_point(|row| row.urgency.is_urgent());
    let keys: Vec<Key> = rows.iter().map(|row| row.key.clone()).collect();
    world.problems = Table::of(rows);
    let order = keys.iter().filter_map(|key| world.problems.index_of(key));
    (order.collect(), urgent)
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

#[cfg(test)]
mod tests {
    use kubevitals_proto::units::Nanocores;

    use super::*;
    use crate::model::row::PodRow;
    use crate::model::scope::Scope;
    use crate::model::update::{act, apply};
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
