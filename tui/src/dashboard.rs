//! `vitals` without a command: the dashboard of a cluster.

use std::io::IsTerminal;

use crate::app::{self, Options};
use crate::batch::Error;
use crate::batch::live::Ending;
use crate::cli::{Connection, DashboardArgs};
use crate::clock::Clock;
use crate::config::{self, SourceChoice};
use crate::model::SourceKind;
use crate::source::Connector;

/// Shows the dashboard of the cluster that the flags and the kubeconfig lead to, until it is to end.
///
/// # Errors
/// What is wrong with the configuration, the kubeconfig or the terminal.
pub async fn run(
    connection: &Connection,
    args: &DashboardArgs,
    clock: Clock,
    ending: Ending,
) -> Result<(), Error> {
    if !is_on_a_terminal() {
        return Err(Error::Flag(
            "the dashboard needs a terminal; `vitals top pods -A` prints what pods use".to_owned(),
        ));
    }
    let settings = config::load(args, |name| std::env::var(name).ok())
        .map_err(|error| Error::Flag(error.to_string()))?;
    let wanted = match settings.source {
        SourceChoice::Auto => None,
        SourceChoice::Vitals => Some(SourceKind::Vitals),
        SourceChoice::Metrics => Some(SourceKind::Metrics),
        SourceChoice::None => Some(SourceKind::None),
    };
    let connector = Connector::new(connection.clone(), wanted, clock.clone());
    let (session, feed) = connector.connect(None).await?;
    app::run(
        Options::of(&settings),
        connector,
        session,
        feed,
        clock,
        ending,
    )
    .await?;
    Ok(())
}

/// Whether there is someone to look and to type.
#[must_use]
pub fn is_on_a_terminal() -> bool {
    std::io::stdout().is_terminal() && std::io::stdin().is_terminal()
}
