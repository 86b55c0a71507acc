//! `vitals` without a command: the dashboard of a cluster.

use std::io::IsTerminal;

use crate::app::{self, Options};
use crate::batch::Error;
use crate::cli::{Connection, DashboardArgs};
use crate::clock::Clock;
use crate::shutdown::ShutdownSignals;
use crate::source::Connector;

/// Runs the dashboard of the cluster that the flags and the kubeconfig choose.
///
/// # Errors
/// The configuration, the kubeconfig or the terminal cannot be used.
pub async fn run(
    connection: &Connection,
    args: &DashboardArgs,
    clock: Clock,
    ending: ShutdownSignals,
) -> Result<(), Error> {
    if !is_on_a_terminal() {
        return Err(Error::Flag(
            "the dashboard needs a terminal; `vitals top pods -A` prints what pods use".to_owned(),
        ));
    }
    can_be_drawn()?;
    let settings = args
        .settings(|name| std::env::var(name).ok())
        .map_err(|error| Error::Flag(error.to_string()))?;
    let connector = Connector::new(connection.clone(), settings.source.kind(), clock);
    let (session, feed) = connector.connect(None).await?;
    let options = Options::of(&settings);
    app::run(options, connector, session, feed, ending).await?;
    Ok(())
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
        "{problem}; `vitals top pods -A` prints what pods use, or set TERM, for example to xterm"
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
