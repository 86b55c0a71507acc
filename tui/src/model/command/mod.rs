//! Commands of the palette: `pods web`, `ns shop`, `node/worker-1`, `q`.
//!
//! Views and kinds have kubectl's short names, and every binding is a command of its name.

mod entries;
mod error;
mod place;
mod words;

use std::sync::Arc;

use crate::model::action::Action;
use crate::model::name::{Key, Name, Workload};
use crate::model::scope::Scope;
use crate::model::view::View;
use error::{nearest, one_of};
use words::{KINDS, OTHERS, THEME, aliases_of, has_alias, kind_of};

pub use error::CommandError;
pub(super) use place::Details;
pub use place::Place;

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
    /// Filters by a saved filter.
    Filter(Name),
    /// Shows the place of a bookmark.
    Bookmark(Name),
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
    /// All saved filters.
    pub filters: &'a [Name],
    /// All bookmarks.
    pub bookmarks: &'a [Name],
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
            let mut details: Details = rest.parse()?;
            let filter = format!("kind={kind} {}", details.filter.unwrap_or_default());
            details.filter = Some(filter.trim_end().to_owned());
            return Ok(Command::Go(Place {
                view: View::Workloads,
                scope: Scope::All,
                details,
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
            (Action::Show(View::Namespaces) | Action::Namespaces, _) if !rest.starts_with('-') => {
                self.namespaces(rest)
            }
            (Action::Show(view), _) => Ok(Command::Go(Place {
                view: *view,
                scope: Scope::All,
                details: rest.parse()?,
            })),
            (Action::Filter | Action::Filters, _) => {
                one_of("filter", rest, self.filters).map(Command::Filter)
            }
            (Action::Bookmarks, _) => {
                one_of("bookmark", rest, self.bookmarks).map(Command::Bookmark)
            }
            (Action::Contexts, _) => one_of("context", rest, self.contexts).map(Command::Context),
            _ => Err(CommandError::NoArgument(word.to_owned())),
        }
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
        let mut details: Details = rest.parse()?;
        let namespaces = details.namespaces.take();
        let namespace = match (namespaces.as_deref(), self.chosen) {
            (Some([one]), _) | (None, [one]) => Some(Arc::clone(one)),
            _ => None,
        };
        let target = Name::from(name);
        let mut view = View::Pods;
        let lower = kind.to_ascii_lowercase();
        let scope = match lower.as_str() {
            "no" | "node" | "nodes" => {
                details.namespaces = namespaces;
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
            details,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bound() -> Vec<Bound> {
        let views = View::SWITCHABLE.map(|view| (view.info().id, Action::Show(view)));
        let others = [
            ("namespace", Action::Namespaces),
            ("context", Action::Contexts),
            ("filter", Action::Filter),
            ("bookmarks", Action::Bookmarks),
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
            filters: &names("busy web-errors"),
            bookmarks: &names("night"),
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
                details: Details {
                    namespaces: namespaces.map(names),
                    filter: filter.map(str::to_owned),
                    ..Details::default()
                },
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
            ("filter", act(Action::Filter)),
            ("filter busy", Ok(Command::Filter("busy".into()))),
            ("bookmarks night", Ok(Command::Bookmark("night".into()))),
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
            (
                "filter bus",
                "there is no filter \"bus\"; the nearest is busy",
            ),
            ("pods --at noon", "\"noon\" is no time: write it as "),
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
            "namespaces -A shop",
            "nodes -A --select worker-1",
            "pods -n shop --select shop/web-1 --at 2026-12-01T03:00:00Z web cpu>500m",
            "containers -A --select shop/web-1/app",
            "pod/web-1 -n shop --at 2026-12-01T03:00:00Z",
            "pods -A /-l app=web",
            "pods -A //x",
        ] {
            match parsed(text) {
                Ok(Command::Go(place)) => assert_eq!(place.to_string(), text),
                other => panic!("{text}: {other:?}"),
            }
        }
    }
}
