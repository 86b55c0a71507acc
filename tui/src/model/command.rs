//! Commands of the palette: `pods web`, `ns shop`, `node/worker-1`, `q`.
//!
//! Views and kinds have kubectl's short names, and every binding is a command of its name.

use std::fmt;
use std::sync::Arc;

use super::action::Action;
use super::filter::Filter;
use super::name::{Key, Name, Workload};
use super::picker::Item;
use super::scope::Scope;
use super::view::View;

/// A binding, as a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bound {
    /// The id of the binding.
    pub id: &'static str,
    /// Its first key; empty if it is disabled.
    pub key: String,
    /// Its help text.
    pub help: &'static str,
    /// Its action.
    pub action: Action,
}

/// What a command does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// The action of a binding.
    Act(Action),
    /// Shows a place.
    Go(Place),
    /// Chooses namespaces; all if empty.
    Namespaces(Vec<Name>),
    /// Connects to the cluster of a context.
    Context(Name),
    /// Lists the arguments of a command.
    Arguments(&'static str),
    /// Draws with a theme.
    Theme(Name),
}

/// A view with its scope, namespaces and filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The view.
    pub view: View,
    /// The scope.
    pub scope: Scope,
    /// The namespaces, empty for all; `None` leaves those that are chosen.
    pub namespaces: Option<Vec<Name>>,
    /// The filter; `None` leaves the one of the view.
    pub filter: Option<String>,
}

/// Why a text is no command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// No command has this name.
    #[error("there is no command {0:?}; the nearest is {1}")]
    Unknown(String, String),
    /// The command takes no argument.
    #[error("{0} takes nothing after it")]
    NoArgument(String),
    /// The argument is none of the names that exist.
    #[error("there is no {what} {name:?}; the nearest is {nearest}")]
    NoSuch {
        /// The kind of the name.
        what: &'static str,
        /// The name.
        name: String,
        /// The most similar one.
        nearest: String,
    },
    /// A pod or workload without a namespace.
    #[error("which namespace? Write {0} -n NAMESPACE")]
    NoNamespace(String),
    /// The filter is invalid.
    #[error("filter: {0}")]
    Filter(String),
}

/// Kinds that have no view of their own: kubectl's names, and Kubernetes' name.
const KINDS: &[(&str, &[&str], &str)] = &[
    ("deployments", &["deploy", "deployment"], "Deployment"),
    ("statefulsets", &["sts", "statefulset"], "StatefulSet"),
    ("daemonsets", &["ds", "daemonset"], "DaemonSet"),
    ("replicasets", &["rs", "replicaset"], "ReplicaSet"),
    ("jobs", &["job"], "Job"),
    ("cronjobs", &["cj", "cronjob"], "CronJob"),
];

/// Commands that are no bindings: their names and help.
const OTHERS: &[(&str, &str)] = &[(THEME, "choose the colours")];

/// The command that chooses a theme.
const THEME: &str = "theme";

/// Other names of bindings: kubectl's and k9s's.
const ALIASES: &[(&str, &[&str])] = &[
    ("overview", &["pulse", "pulses"]),
    ("pods", &["po", "pod"]),
    ("nodes", &["no", "node"]),
    ("namespaces", &["ns"]),
    ("namespace", &[]),
    ("containers", &["co", "container"]),
    ("workloads", &["wl", "workload"]),
    ("hpas", &["hpa", "horizontalpodautoscalers"]),
    ("incidents", &["inc", "incident"]),
    ("events", &["ev", "event"]),
    ("volumes", &["pvc", "pv", "persistentvolumeclaims"]),
    ("probes", &["probe"]),
    ("context", &["ctx", "contexts"]),
    ("help", &["h"]),
    ("quit", &["q", "q!", "exit"]),
];

fn aliases_of(id: &str) -> &'static [&'static str] {
    let found = ALIASES.iter().find(|(name, _)| *name == id);
    found.map_or(&[], |(_, aliases)| aliases)
}

/// The entries of the palette for a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entries<'a> {
    /// What is before an entry's name in the command that it stands for.
    pub prefix: String,
    /// All entries.
    pub items: Vec<Item>,
    /// What to search in them.
    pub search: &'a str,
}

/// What commands can refer to.
#[derive(Debug, Clone, Copy)]
pub struct Catalog<'a> {
    /// The bindings.
    pub bound: &'a [Bound],
    /// All namespaces; empty if they are not known.
    pub namespaces: &'a [Name],
    /// The chosen namespaces.
    pub chosen: &'a [Name],
    /// All contexts.
    pub contexts: &'a [Name],
    /// All themes.
    pub themes: &'a [Name],
}

impl Catalog<'_> {
    /// Parses a command.
    ///
    /// # Errors
    /// The text is no command.
    pub fn parse(&self, text: &str) -> Result<Command, CommandError> {
        let text = text.trim();
        let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        let rest = rest.trim();
        if let Some((kind, name)) = word.split_once('/')
            && !kind.is_empty()
            && !name.is_empty()
        {
            return self.object(kind, name, rest).map(Command::Go);
        }
        if let Some((_, _, kind)) = KINDS
            .iter()
            .find(|(name, aliases, _)| name.eq_ignore_ascii_case(word) || has_alias(aliases, word))
        {
            let (namespaces, filter) = view_arguments(rest)?;
            let filter = format!("kind={kind} {}", filter.unwrap_or_default());
            return Ok(Command::Go(Place {
                view: View::Workloads,
                scope: Scope::All,
                namespaces,
                filter: Some(filter.trim_end().to_owned()),
            }));
        }
        match (word, rest) {
            (THEME, "") => return Ok(Command::Arguments(THEME)),
            (THEME, name) => return one_of(THEME, name, self.themes).map(Command::Theme),
            _ => {}
        }
        let bound = self.bound.iter().find(|bound| {
            bound.id.eq_ignore_ascii_case(word) || has_alias(aliases_of(bound.id), word)
        });
        let Some(bound) = bound else {
            let nearest = nearest(word, self.names());
            return Err(CommandError::Unknown(word.to_owned(), nearest));
        };
        match (&bound.action, rest) {
            (action, "") => Ok(Command::Act(action.clone())),
            (Action::Show(View::Namespaces) | Action::Namespaces, _) => self.namespaces(rest),
            (Action::Show(view), _) => {
                let (namespaces, filter) = view_arguments(rest)?;
                Ok(Command::Go(Place {
                    view: *view,
                    scope: Scope::All,
                    namespaces,
                    filter,
                }))
            }
            (Action::Contexts, _) => one_of("context", rest, self.contexts).map(Command::Context),
            _ => Err(CommandError::NoArgument(word.to_owned())),
        }
    }

    /// The entries for a line: commands, or the arguments of one.
    #[must_use]
    pub fn entries<'a>(&self, line: &'a str) -> Entries<'a> {
        let line = line.trim_start();
        let commands = |search| Entries {
            prefix: String::new(),
            items: self.commands(),
            search,
        };
        let Some((word, rest)) = line.split_once(char::is_whitespace) else {
            return commands(line);
        };
        let bound = self
            .bound
            .iter()
            .find(|bound| bound.id == word || has_alias(aliases_of(bound.id), word));
        let names = match bound.map(|bound| &bound.action) {
            Some(Action::Show(View::Namespaces) | Action::Namespaces) => self.namespaces,
            Some(Action::Contexts) => self.contexts,
            None if word == THEME => self.themes,
            _ => return commands(word),
        };
        Entries {
            prefix: format!("{word} "),
            items: names.iter().cloned().map(Item::from).collect(),
            search: rest.trim_start(),
        }
    }

    fn commands(&self) -> Vec<Item> {
        let of_binding = |bound: &Bound| Item {
            name: bound.id.into(),
            aliases: aliases_of(bound.id).to_vec(),
            key: bound.key.clone(),
            about: match bound.action {
                Action::Show(view) => format!("show {}", view.info().help),
                _ => bound.help.to_owned(),
            },
        };
        let of_kind = |(name, aliases, kind): &(&'static str, &[&'static str], &str)| Item {
            name: Name::from(*name),
            aliases: aliases.to_vec(),
            key: String::new(),
            about: format!("show workloads of kind {kind}"),
        };
        let of_other = |(name, about): &(&str, &str)| Item {
            name: Name::from(*name),
            about: (*about).to_owned(),
            ..Item::default()
        };
        // Views and kinds are first: they are what users of k9s type.
        let is_view = |bound: &&Bound| matches!(bound.action, Action::Show(_));
        let (views, others): (Vec<&Bound>, Vec<&Bound>) = self.bound.iter().partition(is_view);
        let views = views.into_iter().map(of_binding);
        let others = others.into_iter().map(of_binding);
        views
            .chain(KINDS.iter().map(of_kind))
            .chain(others)
            .chain(OTHERS.iter().map(of_other))
            .collect()
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        let kinds = KINDS
            .iter()
            .flat_map(|(name, aliases, _)| std::iter::once(name).chain(*aliases));
        let bound = self.bound.iter().map(|bound| bound.id);
        let aliases = self.bound.iter().flat_map(|bound| aliases_of(bound.id));
        let others = OTHERS.iter().map(|(name, _)| *name);
        let all = kinds
            .copied()
            .chain(bound)
            .chain(others)
            .chain(aliases.copied());
        // Every short word is similar to `q`.
        all.filter(|name| name.len() > 2)
    }

    /// `shop,payments`, or `all`.
    fn namespaces(&self, rest: &str) -> Result<Command, CommandError> {
        if rest == "all" && !self.namespaces.iter().any(|name| **name == *"all") {
            return Ok(Command::Namespaces(Vec::new()));
        }
        let names = rest.split([',', ' ']).filter(|name| !name.is_empty());
        let names = names.map(|name| match self.namespaces {
            [] => Ok(Name::from(name)),
            all => one_of("namespace", name, all),
        });
        names.collect::<Result<_, _>>().map(Command::Namespaces)
    }

    /// `node/worker-1`, `pod/web-1 -n shop`, `deployment/web -n shop cpu>1`.
    fn object(&self, kind: &str, name: &str, rest: &str) -> Result<Place, CommandError> {
        let (namespaces, filter) = view_arguments(rest)?;
        let namespace = match (namespaces.as_deref(), self.chosen) {
            (Some([one]), _) | (None, [one]) => Some(Arc::clone(one)),
            _ => None,
        };
        let target = Name::from(name);
        let (mut view, mut within) = (View::Pods, None);
        let lower = kind.to_ascii_lowercase();
        let scope = match lower.as_str() {
            "no" | "node" | "nodes" => {
                within = namespaces;
                Scope::Node(target)
            }
            "ns" | "namespace" | "namespaces" => Scope::Namespace(target),
            _ => {
                let namespace =
                    namespace.ok_or_else(|| CommandError::NoNamespace(format!("{kind}/{name}")))?;
                match lower.as_str() {
                    "po" | "pod" | "pods" => {
                        view = View::Pod;
                        Scope::Pod(Key::new(&namespace, &target))
                    }
                    _ => Scope::Workload(namespace, Workload::new(kind_of(kind), target)),
                }
            }
        };
        Ok(Place {
            view,
            scope,
            namespaces: within,
            filter,
        })
    }
}

impl fmt::Display for Place {
    /// As the palette parses it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.scope {
            Scope::All => f.write_str(self.view.info().id)?,
            Scope::Node(name) => write!(f, "node/{name}")?,
            Scope::Namespace(name) => write!(f, "namespace/{name}")?,
            Scope::Pod(key) => write!(f, "pod/{} -n {}", key.name, key.namespace)?,
            Scope::Hpa(key, _) => write!(f, "hpas name={}", key.name)?,
            // The palette has no commands for the pods of a claim or of a problem.
            Scope::Problem(_) => f.write_str("overview")?,
            Scope::Claim(key, _) => write!(f, "volumes name={}", key.name)?,
            Scope::Workload(namespace, workload) => {
                write!(f, "{}/{} -n {namespace}", workload.kind, workload.name)?;
            }
        }
        match (&self.scope, &self.namespaces) {
            (Scope::All | Scope::Node(_), Some(all)) if all.is_empty() => f.write_str(" -A")?,
            (Scope::All | Scope::Node(_), Some(names)) => write!(f, " -n {}", names.join(","))?,
            _ => {}
        }
        match self.filter.as_deref() {
            None | Some("") => Ok(()),
            Some(filter) => write!(f, " {filter}"),
        }
    }
}

fn has_alias(aliases: &[&str], word: &str) -> bool {
    aliases.iter().any(|alias| alias.eq_ignore_ascii_case(word))
}

/// Kubernetes' name of a kind of workloads.
fn kind_of(text: &str) -> &str {
    let found = KINDS.iter().find(|(name, aliases, kind)| {
        name.eq_ignore_ascii_case(text)
            || has_alias(aliases, text)
            || kind.eq_ignore_ascii_case(text)
    });
    found.map_or(text, |(_, _, kind)| kind)
}

/// Parses what is behind a view: `-n shop,payments`, or `-A`, then a filter.
fn view_arguments(rest: &str) -> Result<(Option<Vec<Name>>, Option<String>), CommandError> {
    let (first, others) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let (namespaces, filter) = match first {
        "-A" | "--all-namespaces" => (Some(Vec::new()), others),
        "-n" | "--namespace" => {
            let others = others.trim_start();
            let (names, filter) = others
                .split_once(char::is_whitespace)
                .unwrap_or((others, ""));
            let names = names.split(',').filter(|name| !name.is_empty());
            (Some(names.map(Name::from).collect()), filter)
        }
        _ => (None, rest),
    };
    // k9s has a slash before a filter.
    let filter = filter.trim();
    let filter = filter.strip_prefix('/').unwrap_or(filter);
    filter
        .parse::<Filter>()
        .map_err(|error| CommandError::Filter(error.to_string()))?;
    let is_written = !filter.is_empty() || namespaces.is_some();
    Ok((namespaces, is_written.then(|| filter.to_owned())))
}

fn one_of(what: &'static str, name: &str, all: &[Name]) -> Result<Name, CommandError> {
    let found = all.iter().find(|other| ***other == *name);
    found.cloned().ok_or_else(|| CommandError::NoSuch {
        what,
        name: name.to_owned(),
        nearest: nearest(name, all.iter().map(|name| &**name)),
    })
}

/// The most similar name, by the number of typing errors, which may be letters that are swapped.
fn nearest<'a>(word: &str, names: impl Iterator<Item = &'a str>) -> String {
    let word = word.to_ascii_lowercase();
    let nearest = names.min_by_key(|name| strsim::damerau_levenshtein(&word, name));
    nearest.unwrap_or("?").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bound() -> Vec<Bound> {
        let views = View::SWITCHABLE.map(|view| (view.info().id, Action::Show(view)));
        let others = [
            ("namespace", Action::Namespaces),
            ("context", Action::Contexts),
            ("columns", Action::Columns),
            ("quit", Action::Quit),
        ];
        let all = views.into_iter().chain(others);
        all.map(|(id, action)| Bound {
            id,
            key: String::new(),
            help: id,
            action,
        })
        .collect()
    }

    fn names(text: &str) -> Vec<Name> {
        text.split_whitespace().map(Name::from).collect()
    }

    fn parsed(text: &str) -> Result<Command, CommandError> {
        Catalog {
            bound: &bound(),
            namespaces: &names("default kube-system shop payments"),
            chosen: &[],
            contexts: &names("prod staging"),
            themes: &names("dark nord"),
        }
        .parse(text)
    }

    #[test]
    fn commands_are_as_users_of_k9s_and_kubectl_write_them() {
        let act = |action| Ok(Command::Act(action));
        let go = |view, namespaces: Option<&str>, filter: Option<&str>| {
            Ok(Command::Go(Place {
                view,
                scope: Scope::All,
                namespaces: namespaces.map(names),
                filter: filter.map(str::to_owned),
            }))
        };
        let workloads = |filter| go(View::Workloads, None, Some(filter));
        for (text, expected) in [
            ("pods", act(Action::Show(View::Pods))),
            ("  po ", act(Action::Show(View::Pods))),
            ("PO", act(Action::Show(View::Pods))),
            ("no", act(Action::Show(View::Nodes))),
            ("hpa", act(Action::Show(View::Hpas))),
            ("ns", act(Action::Show(View::Namespaces))),
            ("q!", act(Action::Quit)),
            ("ctx", act(Action::Contexts)),
            ("deploy", workloads("kind=Deployment")),
            ("sts cpu>500m", workloads("kind=StatefulSet cpu>500m")),
            ("cj", workloads("kind=CronJob")),
            ("ns shop", Ok(Command::Namespaces(names("shop")))),
            (
                "ns shop,payments",
                Ok(Command::Namespaces(names("shop payments"))),
            ),
            ("namespace all", Ok(Command::Namespaces(Vec::new()))),
            ("ctx prod", Ok(Command::Context("prod".into()))),
            ("theme", Ok(Command::Arguments("theme"))),
            ("theme nord", Ok(Command::Theme("nord".into()))),
            ("pods web", go(View::Pods, None, Some("web"))),
            ("pods /web", go(View::Pods, None, Some("web"))),
            (
                "pods -n shop web",
                go(View::Pods, Some("shop"), Some("web")),
            ),
            ("pods -A", go(View::Pods, Some(""), Some(""))),
        ] {
            assert_eq!(parsed(text), expected, "{text}");
        }
    }

    #[test]
    fn errors_name_the_nearest() {
        for (text, expected) in [
            ("podz", "there is no command \"podz\"; the nearest is pods"),
            (
                "deplyo",
                "there is no command \"deplyo\"; the nearest is deploy",
            ),
            ("", "there is no command \"\"; the nearest is "),
            (
                "ns shpo",
                "there is no namespace \"shpo\"; the nearest is shop",
            ),
            (
                "ctx pord",
                "there is no context \"pord\"; the nearest is prod",
            ),
            ("quit now", "quit takes nothing after it"),
            ("pod/web-1", "which namespace? Write pod/web-1 -n NAMESPACE"),
            ("pods cpu>fast", "filter: cpu is compared with CPU"),
        ] {
            let error = parsed(text).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{text}: {error}");
        }
    }

    #[test]
    fn a_place_is_written_as_it_is_parsed() {
        for text in [
            "pods -A web cpu>500m",
            "nodes -n shop",
            "node/worker-1 -A",
            "namespace/shop",
            "pod/web-1 -n shop",
            "Deployment/web -n shop restarts>0",
            "Rollout/web -n shop",
        ] {
            match parsed(text) {
                Ok(Command::Go(place)) => assert_eq!(place.to_string(), text),
                other => panic!("{text}: {other:?}"),
            }
        }
    }
}
