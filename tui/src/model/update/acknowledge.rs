//! Acknowledges what needs attention.

use kubevitals_proto::time::Timestamp;

use crate::model::acknowledge::Acknowledgements;
use crate::model::attention::attention;
use crate::model::name::Key;
use crate::model::row::ProblemRow;
use crate::model::state::State;
use crate::model::tone::Thresholds;
use crate::model::view::View;
use crate::model::world::World;

/// Acknowledges the selected object, or withdraws the acknowledgement.
pub(super) fn toggle(state: &mut State) {
    let selected = match state.screen().pod() {
        Some(key) => Some((View::Pod, key.clone())),
        None => state.cursor(),
    };
    let (now, thresholds) = (state.status_time(), state.settings.thresholds);
    let world = &state.live;
    let shown = state.frozen.as_ref().unwrap_or(world);
    let acknowledgements = &mut state.acknowledgements;
    let text = match selected {
        Some((View::Overview, key)) => match shown.problems.get(&key) {
            Some(problem) => {
                acknowledge_problem(world, problem, acknowledgements, now, thresholds);
                format!("acknowledged until it happens again: {}", problem.object)
            }
            None => "this problem no longer exists".to_owned(),
        },
        Some((View::Pods | View::Pod, key)) => {
            let pod = world.pods.get(&key);
            let pod = pod.and_then(|pod| Some((pod, attention(pod, now, thresholds)?)));
            match pod {
                Some((pod, needs)) if acknowledgements.toggle_pod(pod, Some(needs)) => {
                    format!("acknowledged until it happens again: {}", key.name)
                }
                Some(_) => format!("{} needs attention again", key.name),
                None => format!("{} needs no attention", key.name),
            }
        }
        Some((View::Incidents, key)) => match world.incidents.get(&key) {
            Some(row) if acknowledgements.toggle_incident(row) => {
                format!("acknowledged until it happens again: {}", row.who())
            }
            Some(row) => format!("{} needs attention again", row.who()),
            None => "this incident no longer exists".to_owned(),
        },
        _ => "only problems, pods and incidents can be acknowledged".to_owned(),
    };
    state.say(text, false);
}

/// Acknowledges all members of a problem.
fn acknowledge_problem(
    world: &World,
    problem: &ProblemRow,
    acknowledgements: &mut Acknowledgements,
    now: Timestamp,
    thresholds: Thresholds,
) {
    for pod in problem.pods.iter().filter_map(|key| world.pods.get(key)) {
        acknowledgements.add_pod(pod, attention(pod, now, thresholds));
    }
    for row in problem
        .incidents
        .iter()
        .filter_map(|key| world.incidents.get(key))
    {
        acknowledgements.add_incident(row);
    }
    let node = problem.node.as_ref();
    if let Some(node) = node.and_then(|name| world.nodes.get(&Key::named(name))) {
        acknowledgements.add_node(node);
    }
}
