//! Drains: how far they are, and that they can be cancelled.

use super::rules::with_pods;
use crate::model::row::NodeRow;
use crate::model::{
    Action, Batch, ChangeAction, ClusterChange, DirectRequest, DrainProgress, Edit, Effect,
    Message, Mode, Name, Overlay, SourceKind, State, View, act, apply,
};

/// The view of nodes with the node `node-1`, which is being drained.
fn draining() -> State {
    let mut state = with_pods(SourceKind::Vitals);
    state.settings.allow_actions = true;
    let node = NodeRow {
        name: Name::from("node-1"),
        ..NodeRow::default()
    };
    apply(&mut state, Message::Nodes(Batch::All(vec![node])));
    act(&mut state, Action::Show(View::Nodes));
    act(&mut state, Action::Change(ChangeAction::Drain));
    act(&mut state, Action::Edit(Edit::Insert("node-1".to_owned())));
    let effects = act(&mut state, Action::Enter);
    let change = ClusterChange::Drain("node-1".into());
    assert_eq!(effects, [Effect::Direct(DirectRequest::Change(change))]);
    progress(&mut state, 0, None, None);
    state
}

fn progress(state: &mut State, evicted: usize, total: Option<usize>, waits_for: Option<&str>) {
    let progress = DrainProgress {
        evicted,
        total,
        waits_for: waits_for.map(str::to_owned),
    };
    apply(state, Message::Draining("node-1".into(), progress));
}

/// The texts of the window, if it is open.
fn window(state: &State) -> Vec<String> {
    match &state.overlay {
        Some(Overlay::Drain(node)) => state.drains[node].texts(node, "production"),
        _ => Vec::new(),
    }
}

fn notice(state: &State) -> &str {
    state.notice.as_ref().map_or("", |notice| &notice.text)
}

#[test]
fn a_drain_shows_how_far_it_is_until_it_ends() {
    let mut state = draining();
    assert_eq!(state.mode(), Mode::Confirm);
    let begun = "Node node-1 in context production: its pods are being read.";
    assert_eq!(window(&state), [begun]);
    progress(&mut state, 3, Some(12), Some("shop/web-1: its budget"));
    let further = [
        "Node node-1 in context production: 3 of 12 pods evicted.",
        "Waiting for shop/web-1: its budget.",
    ];
    assert_eq!(window(&state), further);
    let text = "drained Node node-1: 12 pods evicted".to_owned();
    apply(&mut state, Message::Drained("node-1".into(), text, false));
    assert!(state.overlay.is_none() && state.drains.is_empty());
    assert_eq!(notice(&state), "drained Node node-1: 12 pods evicted");
}

#[test]
fn esc_cancels_a_drain_once_and_says_what_stays() {
    let mut state = draining();
    progress(&mut state, 3, Some(12), Some("shop/web-1: its budget"));
    let request = DirectRequest::CancelDrain("node-1".into());
    assert_eq!(act(&mut state, Action::Back), [Effect::Direct(request)]);
    let texts = [
        "Node node-1 in context production: 3 of 12 pods evicted.",
        "It is being cancelled. Evicted pods stay evicted, and the node stays cordoned.",
    ];
    assert_eq!(window(&state), texts);
    // The request in flight may last, and the user need not wait for it.
    assert_eq!(act(&mut state, Action::Back), []);
    assert_eq!((window(&state), state.mode()), (vec![], Mode::Browse));
    assert_eq!(state.screen().view, View::Nodes);
}

#[test]
fn a_hidden_drain_is_in_the_last_row_and_can_be_shown_again() {
    let mut state = draining();
    assert_eq!(act(&mut state, Action::Enter), []);
    assert_eq!(state.mode(), Mode::Browse);
    let messages = state.messages.clone();
    progress(&mut state, 3, Some(12), Some("shop/web-1: its budget"));
    assert_eq!(
        notice(&state),
        "draining Node node-1: 3 of 12 pods evicted, waiting for shop/web-1: its budget"
    );
    assert_eq!(
        format!("{messages:?}"),
        format!("{:?}", state.messages),
        "the list of messages has its begin and its end"
    );
    // Neither a second drain nor a question: the progress.
    for open in [Action::Change(ChangeAction::Drain), Action::Menu] {
        act(&mut state, open.clone());
        if open == Action::Menu {
            let entry = Action::Edit(Edit::Insert("progress".to_owned()));
            act(&mut state, entry);
            act(&mut state, Action::Enter);
        }
        assert_eq!(window(&state).len(), 2, "{open:?}");
        act(&mut state, Action::Enter);
    }
    // Another overlay stays open.
    act(&mut state, Action::Help);
    progress(&mut state, 4, Some(12), None);
    assert_eq!(state.mode(), Mode::Help);
}
