//! `vitals` without a command: the dashboard of a cluster.

use std::collections::{BTreeMap, HashSet};
use std::io::IsTerminal;

use crate::app::{self, Options};
use crate::batch::{Error, Streams, plain};
use crate::cli::{Connection, DashboardArgs};
use crate::clock::Clock;
use crate::config::locate;
use crate::model::{Name, Session, State, filter};
use crate::shutdown::ShutdownSignals;
use crate::source::{Connector, Feed};

/// Runs the dashboard of the cluster that the flags and the kubeconfig choose, or of `several` clusters: the values of
/// `--contexts`.
///
/// # Errors
/// The configuration, the kubeconfig or the terminal cannot be used.
pub async fn run(
    connection: &Connection,
    several: &[String],
    args: &DashboardArgs,
    clock: Clock,
    ending: ShutdownSignals,
    streams: &mut Streams<'_>,
) -> Result<(), Error> {
    if !args.plain {
        if !is_on_a_terminal() {
            return Err(Error::Flag(
                "the dashboard needs a terminal; `vitals --plain` prints changes as lines, `vitals top pods -A` what pods use".to_owned(),
            ));
        }
        can_be_drawn()?;
    }
    let settings = args
        .settings(|name| std::env::var(name).ok())
        .map_err(|error| Error::Flag(error.to_string()))?;
    let connector = Connector::new(connection.clone(), settings.source.kind(), clock);
    let file = locate(args.config.as_deref(), &|name| std::env::var(name).ok());
    let options = Options::of(&settings, file.map(|file| file.path));
    if args.plain {
        if !several.is_empty() {
            let text = "--plain prints the changes of one cluster: use --context, not --contexts";
            return Err(Error::Flag(text.to_owned()));
        }
        let (session, feed) = connector.connect(None).await?;
        let state = State::new(session, options.settings);
        return plain::run(state, feed, ending, streams).await;
    }
    let (session, feed, others) = if several.is_empty() {
        let (session, feed) = connector.connect(None).await?;
        (session, feed, Vec::new())
    } else {
        let contexts = contexts(several, &settings.groups, &connector.contexts()?);
        connect_first(&connector, contexts.map_err(Error::Flag)?).await?
    };
    app::run(options, connector, session, feed, others, ending).await?;
    Ok(())
}

/// Connects to the first context that can be connected to. Returns the others too, which the dashboard connects to
/// itself.
async fn connect_first(
    connector: &Connector,
    mut contexts: Vec<Name>,
) -> Result<(Session, Feed, Vec<Name>), Error> {
    let mut first_error = None;
    for at in 0..contexts.len() {
        match connector.connect(contexts.get(at)).await {
            Ok((session, feed)) => {
                contexts.remove(at);
                return Ok((session, feed, contexts));
            }
            Err(error) => first_error = first_error.or(Some(error)),
        }
    }
    Err(first_error.map_or_else(|| Error::Flag(NO_CONTEXT.to_owned()), Error::from))
}

const NO_CONTEXT: &str = "--contexts names no context";

/// The contexts of `--contexts`: each value is a group of the configuration, a context of the kubeconfig, or a pattern
/// with `*`. A context of a group may be missing from the kubeconfig: its row tells so.
///
/// # Errors
/// A value names nothing. The text lists what there is.
fn contexts(
    values: &[String],
    groups: &BTreeMap<String, Vec<String>>,
    existing: &[Name],
) -> Result<Vec<Name>, String> {
    let mut found: Vec<Name> = Vec::new();
    for value in values.iter().filter(|value| !value.is_empty()) {
        let before = found.len();
        match groups.get(value) {
            Some(group) => found.extend(group.iter().map(|name| Name::from(name.as_str()))),
            None => found.extend(
                existing
                    .iter()
                    .filter(|name| filter::is_like(value, name))
                    .cloned(),
            ),
        }
        if found.len() == before {
            let existing = existing.join(", ");
            return Err(format!(
                "--contexts {value}: no context and no group of the configuration has this name; contexts: {existing}"
            ));
        }
    }
    let mut seen = HashSet::new();
    found.retain(|name| seen.insert(name.clone()));
    if found.is_empty() {
        return Err(NO_CONTEXT.to_owned());
    }
    Ok(found)
}

/// Checks that the dashboard can be drawn on a terminal of this type.
///
/// # Errors
/// The terminal has no movable cursor or no second screen. The text has the value of `TERM` and what to do.
pub fn can_be_drawn() -> Result<(), Error> {
    can_draw(std::env::var("TERM").ok().as_deref())
}

/// Refuses terminals without a movable cursor or a second screen, by the name in `TERM`.
fn can_draw(term: Option<&str>) -> Result<(), Error> {
    let term = term.unwrap_or_default();
    let kind = term.split('-').next().unwrap_or_default();
    let problem = match kind {
        "" => "TERM is not set, so it is not known what the terminal can do".to_owned(),
        "dumb" | "unknown" | "network" | "dialup" | "emacs" | "vt52" | "vt100" | "vt102"
        | "vt125" | "vt131" | "vt132" => {
            format!("the dashboard cannot be drawn on a terminal of type {term}")
        }
        _ => return Ok(()),
    };
    Err(Error::Flag(format!(
        "{problem}; `vitals --plain` prints changes as lines, `vitals top pods -A` what pods use; or set TERM, for example to xterm"
    )))
}

/// Whether input and output are a terminal.
#[must_use]
pub fn is_on_a_terminal() -> bool {
    std::io::stdout().is_terminal() && std::io::stdin().is_terminal()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contexts_are_names_patterns_and_groups() {
        let groups =
            BTreeMap::from([("shops".to_owned(), vec!["eu".to_owned(), "gone".to_owned()])]);
        let existing = ["eu", "prod-a", "prod-b", "test"].map(Name::from);
        let found = |values: &[&str]| {
            let values: Vec<String> = values.iter().map(|value| (*value).to_owned()).collect();
            contexts(&values, &groups, &existing).map(|names| names.join(" "))
        };
        for (values, expected) in [
            (&["test", "eu"][..], "test eu"),
            (&["prod-*", "prod-b"], "prod-a prod-b"),
            (&["shops", "*"], "eu gone prod-a prod-b test"),
            (&["test", ""], "test"),
        ] {
            assert_eq!(found(values).unwrap(), expected, "{values:?}");
        }
        let error = found(&["eu", "pord-*"]).unwrap_err();
        assert!(
            error.starts_with("--contexts pord-*: no context"),
            "{error}"
        );
        assert!(error.ends_with("eu, prod-a, prod-b, test"), "{error}");
        assert_eq!(found(&[""]).unwrap_err(), NO_CONTEXT);
    }

    #[test]
    fn terminals_that_cannot_be_drawn_on_are_named() {
        let unusable = "dumb dumb-emacs-ansi unknown vt100 vt100-am vt102 vt52";
        let unusable = unusable.split(' ').map(Some);
        for term in unusable.chain([None, Some("")]) {
            let error = can_draw(term).unwrap_err();
            let text = error.to_string();
            assert!(
                text.contains("vitals top") && text.lines().count() == 1,
                "{text}"
            );
            assert!(text.contains(term.unwrap_or_default()), "{text}");
            assert_eq!(error.exit_code(), 2);
        }
        let usable = "xterm xterm-256color screen tmux-256color linux rxvt-unicode vt220 vt420 alacritty \
                      xterm-kitty foot st-256color eterm-color ansi";
        for term in usable.split(' ') {
            assert!(can_draw(Some(term)).is_ok(), "{term}");
        }
    }
}
