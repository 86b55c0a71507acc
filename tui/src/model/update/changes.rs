//! The list of what can be done with the selected row, and questions before a change of the cluster.

use super::{drains, overlay};
use crate::model::action::{Action, ChangeAction};
use crate::model::dialog::Dialog;
use crate::model::direct::{ClusterChange, Topic};
use crate::model::name::Name;
use crate::model::object::Selected;
use crate::model::object::{Kind, Object};
use crate::model::picker::{Choice, Note};
use crate::model::state::{Choosing, Overlay, State};
use crate::model::time::Time;

/// An entry of the list: its text, its action, and the id of the binding that does the same.
type Entry = (&'static str, Action, Option<&'static str>);

/// The entry that drains a node, and the one in its place while it is drained.
const DRAIN: &str = "Drain";
const DRAIN_PROGRESS: &str = "Show the progress of the drain, or cancel it";

/// Opens the list of what can be done with an object.
pub(super) fn open_menu(state: &mut State, selected: Selected) {
    let refusal = refusal(state);
    let is_draining = state.drains.contains_key(&selected.object.name);
    let (names, notes) = entries(&selected)
        .into_iter()
        .filter(|(text, ..)| *text != if is_draining { DRAIN } else { DRAIN_PROGRESS })
        .map(|(text, action, id)| {
            let note = match (&action, &refusal, id) {
                _ if text == DRAIN_PROGRESS => Note::Remark(String::new()),
                (Action::Change(_), Some(why), _) => Note::Unavailable(why.clone()),
                (_, _, Some(id)) => Note::Key(id),
                _ => Note::Remark(String::new()),
            };
            (Name::from(text), note)
        })
        .unzip();
    overlay::open_noted(state, Choice::Menu, names, notes);
    // The selected row may be another one by the time of the choice.
    state.choosing = Some(Choosing::Menu(selected));
}

/// The action of an entry of the list.
pub(super) fn action_of(selected: &Selected, name: &str) -> Option<Action> {
    let entries = entries(selected);
    let mut found = entries.into_iter().filter(|(text, ..)| *text == name);
    found.next().map(|(_, action, _)| action)
}

fn entries(selected: &Selected) -> Vec<Entry> {
    let kind = selected.object.kind;
    let has_pods = kind == Kind::Pod || kind.is_workload();
    let runs_pods = has_pods && kind != Kind::CronJob;
    let change = |applies, text, action| (applies, text, Action::Change(action), None);
    #[rustfmt::skip] // one line each: a table
    let all: [(bool, &'static str, Action, Option<&'static str>); 14] = [
        (has_pods, "Logs", Action::Logs(false), Some("logs")),
        (has_pods, "Logs before the last restart", Action::Logs(true), Some("previous-logs")),
        (true, "Describe", Action::Read(Topic::Describe), Some("describe")),
        (true, "YAML", Action::Read(Topic::Yaml), Some("yaml")),
        (true, "Events", Action::Read(Topic::Events), Some("events")),
        (runs_pods, "Shell", Action::Shell, Some("shell")),
        (runs_pods, "Forward a port", Action::Forward, Some("port-forward")),
        change(kind.can_restart(), "Restart the rollout", ChangeAction::Restart),
        change(kind.can_scale(), "Scale", ChangeAction::Scale),
        change(kind == Kind::Pod, "Delete the pod", ChangeAction::Delete),
        change(kind == Kind::Node, "Cordon", ChangeAction::Cordon),
        change(kind == Kind::Node, "Uncordon", ChangeAction::Uncordon),
        change(kind == Kind::Node, DRAIN, ChangeAction::Drain),
        change(kind == Kind::Node, DRAIN_PROGRESS, ChangeAction::Drain),
    ];
    let entries = all.into_iter().filter(|(applies, ..)| *applies);
    entries
        .map(|(_, text, action, id)| (text, action, id))
        .collect()
}

/// Why the cluster may not be changed now.
fn refusal(state: &State) -> Option<String> {
    let settings = &state.settings;
    let context = &state.session.context;
    if settings
        .protected
        .iter()
        .any(|pattern| matches_glob(pattern, context))
    {
        Some(format!(
            "context {context} is protected in the configuration"
        ))
    } else if !settings.allow_actions {
        Some("needs --allow-actions".to_owned())
    } else if state.time != Time::Live {
        Some("a past time is shown".to_owned())
    } else {
        None
    }
}

/// Whether a text matches a pattern in which `*` stands for anything.
fn matches_glob(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let Some(last) = pattern
        .split('*')
        .next_back()
        .filter(|_| pattern.contains('*'))
    else {
        return rest.is_empty();
    };
    let middle = pattern.matches('*').count() - 1;
    for part in parts.take(middle) {
        let Some(at) = rest.find(part) else {
            return false;
        };
        rest = rest.get(at + part.len()..).unwrap_or_default();
    }
    rest.ends_with(last)
}

/// Asks before a change of an object.
pub(super) fn ask(state: &mut State, object: Object, action: ChangeAction) {
    if action == ChangeAction::Drain && drains::show(state, &object.name) {
        return;
    }
    if let Some(why) = refusal(state) {
        state.say(format!("not done: {why}"), true);
        return;
    }
    let context = state.session.context.clone();
    let change = match action {
        ChangeAction::Restart => ClusterChange::Restart(object),
        ChangeAction::Delete => ClusterChange::Delete(object),
        ChangeAction::Cordon => ClusterChange::Cordon(object.name, true),
        ChangeAction::Uncordon => ClusterChange::Cordon(object.name, false),
        ChangeAction::Drain => ClusterChange::Drain(object.name),
        ChangeAction::Scale => {
            state.overlay = Some(Overlay::Dialog(Box::new(Dialog::scale(&context, object))));
            return;
        }
    };
    state.overlay = Some(Overlay::Dialog(Box::new(Dialog::change(&context, change))));
}

#[cfg(test)]
mod tests {
    use super::matches_glob;

    #[test]
    fn protected_contexts_are_names_or_patterns() {
        for (pattern, text, matches) in [
            ("production", "production", true),
            ("production", "production-eu", false),
            ("prod*", "production", true),
            ("*-prod", "shop-prod", true),
            ("*prod*", "shop-prod-eu", true),
            ("a*b*c", "a-b-c", true),
            ("a*b*c", "acb", false),
            ("a*a", "a", false),
            ("*", "", true),
            ("", "", true),
            ("", "x", false),
        ] {
            assert_eq!(matches_glob(pattern, text), matches, "{pattern} {text}");
        }
    }
}
