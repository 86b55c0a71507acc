//! The interest: the pods that the source should send for the screen.

use std::sync::Arc;

use crate::model::field::Field;
use crate::model::filter::Selection;
use crate::model::interest::Interest;
use crate::model::name::Name;
use crate::model::scope::Scope;
use crate::model::screen::Screen;
use crate::model::state::State;
use crate::model::view::View;

/// The largest number of namespaces in a request. If there are more, pods of all namespaces are requested.
const NAMESPACES: usize = 32;

/// The pods that the source should send.
pub(super) fn interest(state: &State) -> Interest {
    // A pod's page needs the list below it, to which the user returns.
    let list = |screen: &&Screen| screen.view != View::Pod;
    let Some(screen) = state.stack.iter().rev().find(list) else {
        return Interest {
            pod: state.screen().pod().cloned(),
            ..Interest::default()
        };
    };
    let mut selection = match screen.view {
        View::Overview | View::Pods | View::Containers | View::Map => screen
            .list
            .filter
            .selection(screen.view == View::Containers),
        // Filters of other views are not about pods.
        _ => Selection::default(),
    };
    let namespaces = both(&state.namespaces, &mut selection.namespaces);
    let sorted = match screen.view {
        View::Pods | View::Containers => screen.list.sort.field,
        _ => Field::Cpu,
    };
    Interest {
        scope: match &screen.scope {
            // Unhealthy pods are sent in any case.
            Scope::Problem(_) => Scope::All,
            Scope::Hpa(hpa, workload) => {
                Scope::Workload(Name::clone(&hpa.namespace), Arc::clone(workload))
            }
            scope => scope.clone(),
        },
        namespaces,
        order: selection.least.map_or(sorted, |(field, ..)| field),
        selection,
        pod: state.screen().pod().cloned(),
    }
}

/// The namespaces that are both chosen and selected by the filter. Empty for all; if no namespace is both, no row is
/// shown anyway.
fn both(selected: &[Name], filtered: &mut Vec<String>) -> Vec<Name> {
    let filtered = std::mem::take(filtered);
    let both: Vec<Name> = if selected.is_empty() {
        filtered
            .iter()
            .map(|name| Name::from(name.as_str()))
            .collect()
    } else {
        let is_filtered =
            |name: &&Name| filtered.is_empty() || filtered.iter().any(|other| **other == ***name);
        selected.iter().filter(is_filtered).cloned().collect()
    };
    if both.len() > NAMESPACES {
        return Vec::new();
    }
    both
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::name::Key;
    use crate::model::{Action, Edit, act};

    fn filtered(filter: &str, view: View) -> State {
        let mut state = State::default();
        act(&mut state, Action::Show(view));
        act(&mut state, Action::Filter);
        act(&mut state, Action::Edit(Edit::Insert(filter.to_owned())));
        act(&mut state, Action::Enter);
        state
    }

    #[test]
    fn selected_and_filtered_namespaces_intersect() {
        let mut state = filtered("ns=shop, ns=payments", View::Pods);
        let namespaces = |state: &State| interest(state).namespaces.join(",");
        assert_eq!(namespaces(&state), "shop,payments");
        state.namespaces = vec!["payments".into(), "monitoring".into()];
        assert_eq!(namespaces(&state), "payments");
    }

    #[test]
    fn a_filtered_amount_sets_the_order() {
        let state = filtered("restarts>0", View::Pods);
        assert_eq!(interest(&state).order, Field::Restarts);
        assert_eq!(interest(&filtered("web", View::Pods)).order, Field::Cpu);
        // A filter on nodes is not about pods.
        assert_eq!(interest(&filtered("web", View::Nodes)), Interest::default());
    }

    #[test]
    fn a_pods_page_adds_its_pod_to_the_list_below() {
        let mut state = filtered("web", View::Pods);
        let below = interest(&state);
        let key = Key::new(&"shop".into(), &"web-1".into());
        state
            .stack
            .push(Screen::new(View::Pod, Scope::Pod(key.clone())));
        assert_eq!(
            interest(&state),
            Interest {
                pod: Some(key),
                ..below
            }
        );
    }
}
