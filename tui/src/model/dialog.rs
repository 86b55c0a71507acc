//! Questions before something is done.

use super::direct::{ClusterChange, DirectRequest};
use super::effect::Effect;
use super::kubectl::Kubectl;
use super::line::Line;
use super::name::Name;
use super::object::Object;
use super::setting::Setting;

/// The most replicas that can be typed.
const MAX_REPLICAS: u32 = 10_000;

/// A question before something is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dialog {
    /// The heading.
    pub title: String,
    /// What will be done, one sentence in each line.
    pub text: Vec<String>,
    /// What is typed, if something must be.
    pub line: Option<Line>,
    /// What must be typed.
    pub expected: Option<Name>,
    /// Why what is typed cannot be used.
    pub wrong: Option<String>,
    /// What is done after a yes.
    pub then: Then,
    /// The context, for a change.
    context: String,
}

/// What is done after a yes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Then {
    /// Run a command.
    Run(Kubectl),
    /// Change the cluster.
    Change(ClusterChange),
    /// Set the number of replicas that was typed.
    Scale(Object),
    /// Store a setting under the name that was typed, or under its own.
    Store(Setting),
}

/// What follows from an answer.
#[derive(Debug)]
pub(super) enum Answer {
    /// The work for the main loop; the dialog is closed.
    Done(Vec<Effect>),
    /// Another question, or the same one again.
    Ask(Box<Dialog>),
    /// Store a setting, or the dialog again if it must not.
    Store(Box<Dialog>, Setting),
}

impl Dialog {
    /// Asks before the terminal is handed over to a command.
    #[must_use]
    pub fn run(title: &str, command: Kubectl) -> Self {
        Self {
            title: title.to_owned(),
            text: vec![
                "The terminal is handed over to this command. The dashboard returns when it ends."
                    .to_owned(),
                String::new(),
                command.to_string(),
            ],
            line: None,
            expected: None,
            wrong: None,
            then: Then::Run(command),
            context: String::new(),
        }
    }

    /// Asks before a change. What cannot be undone at once asks for the name.
    #[must_use]
    pub fn change(context: &str, change: ClusterChange) -> Self {
        let expected = match &change {
            ClusterChange::Drain(name) => Some(name.clone()),
            ClusterChange::Scale(object, 0) => Some(object.name.clone()),
            _ => None,
        };
        let mut text = vec![format!("In context {context}: {}.", change.text())];
        text.extend(consequence(&change).map(str::to_owned));
        if let Some(name) = &expected {
            text.push(format!("Type the name to confirm: {name}"));
        }
        Self {
            title: "Change the cluster".to_owned(),
            text,
            line: expected.as_ref().map(|_| Line::default()),
            expected,
            wrong: None,
            then: Then::Change(change),
            context: context.to_owned(),
        }
    }

    /// Asks for the number of replicas.
    #[must_use]
    pub fn scale(context: &str, object: Object) -> Self {
        Self {
            title: "Scale".to_owned(),
            text: vec![format!(
                "The number of replicas of {} in context {context}:",
                object.text()
            )],
            line: Some(Line::default()),
            expected: None,
            wrong: None,
            then: Then::Scale(object),
            context: context.to_owned(),
        }
    }

    /// Asks for a name under which a setting is stored.
    #[must_use]
    pub fn store(title: &str, text: String, setting: Setting) -> Self {
        Self {
            title: title.to_owned(),
            text: vec![text, "Type a name, or nothing to use that text:".to_owned()],
            line: Some(Line::default()),
            expected: None,
            wrong: None,
            then: Then::Store(setting),
            context: String::new(),
        }
    }

    /// Whether it is about a command, which can be copied.
    #[must_use]
    pub const fn is_command(&self) -> bool {
        matches!(self.then, Then::Run(_))
    }

    /// Applies a yes.
    pub(super) fn accept(mut self: Box<Self>) -> Answer {
        let typed = self.line.as_ref().map_or("", Line::text).trim().to_owned();
        if let Some(expected) = &self.expected
            && *typed != **expected
        {
            self.wrong = Some(format!("{typed:?} is not {expected}"));
            return Answer::Ask(self);
        }
        match &self.then {
            Then::Run(command) => Answer::Done(vec![Effect::Run(command.clone())]),
            Then::Change(change) => {
                let request = DirectRequest::Change(change.clone());
                Answer::Done(vec![Effect::Direct(request)])
            }
            Then::Store(setting) => {
                let setting = match typed.as_str() {
                    "" => setting.clone(),
                    name => setting.clone().named(name.into()),
                };
                Answer::Store(self, setting)
            }
            Then::Scale(object) => {
                match typed.parse().ok().filter(|count| *count <= MAX_REPLICAS) {
                    Some(count) => {
                        let change = ClusterChange::Scale(object.clone(), count);
                        Answer::Ask(Box::new(Self::change(&self.context, change)))
                    }
                    None => {
                        self.wrong = Some(format!(
                            "{typed:?} is not a number from 0 to {MAX_REPLICAS}"
                        ));
                        Answer::Ask(self)
                    }
                }
            }
        }
    }

    /// The text to copy: the command.
    pub(super) fn copied(&self) -> Option<String> {
        match &self.then {
            Then::Run(command) => Some(command.to_string()),
            _ => None,
        }
    }
}

/// What a change means for the pods.
const fn consequence(change: &ClusterChange) -> Option<&'static str> {
    match change {
        ClusterChange::Restart(_) => {
            Some("All its pods are replaced, as its update strategy says.")
        }
        ClusterChange::Delete(_) => {
            Some("Its workload creates another one; a pod without a workload is lost.")
        }
        ClusterChange::Cordon(_, true) => Some("No new pods are scheduled on it; its pods stay."),
        ClusterChange::Cordon(_, false) => Some("New pods can be scheduled on it again."),
        ClusterChange::Drain(_) => Some(
            "It is cordoned, and its pods are evicted as PodDisruptionBudgets allow. DaemonSet pods stay.",
        ),
        ClusterChange::Scale(_, 0) => Some("All its pods are deleted."),
        ClusterChange::Scale(..) => None,
    }
}
