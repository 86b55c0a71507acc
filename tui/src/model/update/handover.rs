//! Prepares commands of kubectl for the selected row.

use super::{overlay, text};
use crate::model::dialog::Dialog;
use crate::model::direct::{DirectRequest, Document, ReadRequest, Topic};
use crate::model::effect::Effect;
use crate::model::kubectl::Kubectl;
use crate::model::name::{Key, Name};
use crate::model::object::Selected;
use crate::model::object::{Kind, Object};
use crate::model::picker::{Choice, Note};
use crate::model::row::ContainerState;
use crate::model::state::{Choosing, Overlay, State};

/// Prepares a shell in the selected container, or opens the list of containers.
pub(super) fn shell(state: &mut State, selected: Selected) {
    let Selected { object, container } = selected;
    match object.kind {
        Kind::Pod => {}
        kind if kind.is_workload() && kind != Kind::CronJob => {
            return ask_shell(state, &object, container.as_ref());
        }
        _ => {
            let text = format!("{} has no shell: select a pod or a workload", object.text());
            return state.say(text, true);
        }
    }
    let running = running(state, &object);
    match (container, &*running) {
        (Some(container), _) => ask_shell(state, &object, Some(&container)),
        (None, []) => state.say(format!("{}: no container is running", object.text()), true),
        (None, [only]) => ask_shell(state, &object, Some(only)),
        (None, _) => {
            state.choosing = Some(Choosing::Shell(object));
            overlay::open_names(state, Choice::Containers, running);
        }
    }
}

/// The running containers of a pod.
fn running(state: &State, object: &Object) -> Vec<Name> {
    let pod = state
        .live
        .pods
        .get(&Key::new(&object.namespace, &object.name));
    let containers = pod.map_or(&[][..], |pod| &pod.containers);
    let running = containers
        .iter()
        .filter(|it| it.state == ContainerState::Running);
    running.map(|it| it.name.clone()).collect()
}

/// Asks before a shell is run in a container.
pub(super) fn ask_shell(state: &mut State, object: &Object, container: Option<&Name>) {
    let command = Kubectl::shell(
        &state.kubectl_flags,
        &state.session.context,
        object,
        container,
    );
    ask(state, "Shell", command);
}

fn ask(state: &mut State, title: &str, command: Kubectl) {
    state.overlay = Some(Overlay::Dialog(Box::new(Dialog::run(title, command))));
}

/// Requests the ports of an object, to choose one.
pub(super) fn forward(state: &mut State, object: Object) -> Vec<Effect> {
    let has_pods = object.kind == Kind::Pod || object.kind.is_workload();
    if !has_pods || object.kind == Kind::CronJob {
        let text = format!(
            "{} has no ports to forward: select a pod or a workload",
            object.text()
        );
        state.say(text, true);
        return Vec::new();
    }
    let id = text::next_id(state);
    state.choosing = Some(Choosing::Ports(object.clone(), id));
    let request = ReadRequest {
        id,
        object: Some(object),
        what: Topic::Ports,
    };
    vec![Effect::Direct(DirectRequest::Read(request))]
}

/// Opens the list of ports that was requested.
pub(super) fn apply_ports(state: &mut State, id: u64, result: &Result<Document, String>) {
    let Some(Choosing::Ports(object, _)) = state
        .choosing
        .clone()
        .filter(|it| matches!(it, Choosing::Ports(_, it) if *it == id))
    else {
        return;
    };
    match result {
        // Another list or question is open by now.
        Ok(_) if state.overlay.is_some() => state.choosing = None,
        Ok(document) => {
            let (names, notes) = document
                .ports
                .iter()
                .map(|(port, remark)| (Name::from(port.to_string()), Note::Remark(remark.clone())))
                .unzip();
            overlay::open_noted(state, Choice::Ports, names, notes);
        }
        Err(why) => {
            state.choosing = None;
            state.say(
                format!("cannot read the ports of {}: {why}", object.text()),
                true,
            );
        }
    }
}

/// Asks before a port, which was chosen or typed, is forwarded.
pub(super) fn forward_to(state: &mut State, object: &Object, ports: &str) {
    match ports.parse() {
        Ok(ports) => {
            let context = &state.session.context;
            let command = Kubectl::port_forward(&state.kubectl_flags, context, object, ports);
            ask(state, "Forward a port", command);
        }
        Err(why) => state.say(why, true),
    }
}
