//! Reads a whole cluster once, for commands that judge it.

use super::query::{self, Namespaces, Query};
use super::reader::Reader;
use super::terminal::Progress;
use crate::batch::Error;
use crate::cli::{Connection, TableArgs};
use crate::config::SourceChoice;
use crate::model::{Key, Name, State, View};

/// A time in the past, as a flag has it.
#[derive(Debug, Clone, Copy)]
pub(in crate::batch) struct PastTime<'a> {
    /// The flag.
    pub(in crate::batch) flag: &'a str,
    /// The time: RFC 3339, or a time before now.
    pub(in crate::batch) text: &'a str,
}

/// A whole cluster at one time.
pub(in crate::batch) struct Whole {
    /// The data, and which parts of it are missing.
    pub(in crate::batch) state: State,
    /// The namespaces that were chosen; empty for all.
    pub(in crate::batch) namespaces: Vec<Name>,
}

impl Whole {
    /// Reads the cluster now, or at a time before.
    ///
    /// # Errors
    /// The kubeconfig is invalid, the cluster does not answer, or its source does not have that time.
    pub(in crate::batch) async fn read(
        connection: &Connection,
        all_namespaces: bool,
        source: Option<SourceChoice>,
        at: Option<PastTime<'_>>,
    ) -> Result<Self, Error> {
        let namespaces = namespaces(connection, all_namespaces);
        let reader = read(connection, &namespaces, source, at).await?;
        Ok(Self {
            state: reader.state,
            namespaces,
        })
    }

    /// Reads the cluster now, and the page of a pod.
    ///
    /// # Errors
    /// As [`Whole::read`].
    pub(in crate::batch) async fn read_pod(
        connection: &Connection,
        source: Option<SourceChoice>,
        pod: &Key,
    ) -> Result<Self, Error> {
        let namespaces = namespaces(connection, false);
        let mut reader = read(connection, &namespaces, source, None).await?;
        if reader.state.live.pods.get(pod).is_some() {
            reader.open_page(pod, &mut Progress::new()).await;
        }
        Ok(Self {
            state: reader.state,
            namespaces,
        })
    }
}

fn namespaces(connection: &Connection, all: bool) -> Vec<Name> {
    if all {
        return Vec::new();
    }
    let names = connection.all_namespaces();
    names.map(Name::from).collect()
}

async fn read(
    connection: &Connection,
    namespaces: &[Name],
    source: Option<SourceChoice>,
    at: Option<PastTime<'_>>,
) -> Result<Reader, Error> {
    let query = Query {
        namespaces: match namespaces {
            [] => Namespaces::All,
            names => Namespaces::These(names.to_vec()),
        },
        source: source.unwrap_or_default().kind(),
        at: at.map(|it| query::at(it.flag, it.text)).transpose()?,
        ..Query::of_table(View::Overview, &TableArgs::default())?
    };
    let mut progress = Progress::new();
    let mut reader = Reader::connect(connection, &query).await?;
    reader.read(&mut progress).await?;
    Ok(reader)
}
