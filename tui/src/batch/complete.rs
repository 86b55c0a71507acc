//! `__complete`: what can stand at the cursor, for the scripts of the shells and for kubectl. The output is that of
//! programs made with cobra: a word in each line, behind a tab one line about it, and at the end a directive.

use std::io::{self, Write};
use std::time::Duration;

use tokio::time::timeout;

use super::Error;
use crate::cli::{self, Candidate, Completing, Connection, Value, ValueKind};
use crate::source::kubeconfig::Settings;
use crate::source::{ApiClient, Named, Terminal, object_names};

/// How long the user waits for names from the cluster.
const PATIENCE: Duration = Duration::from_secs(2);

/// cobra's ShellCompDirectiveDefault: the shell may complete files.
const FILES: u8 = 0;

/// cobra's ShellCompDirectiveNoFileComp.
const NO_FILES: u8 = 4;

/// Prints what can stand at the place of the last word. A cluster that does not answer has no names.
///
/// # Errors
/// The output cannot be written.
pub async fn run(words: &[String], out: &mut impl Write) -> io::Result<()> {
    let definition = cli::command("vitals");
    let Completing {
        mut candidates,
        value,
        connection,
    } = cli::completing(&definition, words);
    let mut directive = NO_FILES;
    if let Some(value) = value {
        if value.kind == ValueKind::Path {
            directive = FILES;
        }
        candidates.extend(values(value, &connection).await);
    }
    for Candidate { word, about } in candidates {
        // Nobody can type such a name.
        if word.contains(char::is_control) {
            continue;
        }
        let about = about.replace(char::is_control, " ");
        match about.as_str() {
            "" => writeln!(out, "{word}")?,
            about => writeln!(out, "{word}\t{about}")?,
        }
    }
    writeln!(out, ":{directive}")
}

/// The values that begin with what has been typed.
async fn values(value: Value, connection: &Connection) -> Vec<Candidate> {
    let Value {
        kind,
        prefix,
        typed,
    } = value;
    let all = match kind {
        ValueKind::Words(words) => words,
        ValueKind::Path => Vec::new(),
        kind => {
            let names = timeout(PATIENCE, names(&kind, connection)).await;
            names.ok().and_then(Result::ok).unwrap_or_default()
        }
    };
    let matching = all.into_iter().filter(|it| it.word.starts_with(&typed));
    matching
        .map(|it| Candidate::new(format!("{prefix}{}", it.word), it.about))
        .collect()
}

/// The names in the kubeconfig, or in the cluster.
async fn names(kind: &ValueKind, connection: &Connection) -> Result<Vec<Candidate>, Error> {
    let settings = Settings::read(connection)?;
    let plain = |name: &str| Candidate::new(name, "");
    let namespace;
    let named = match kind {
        ValueKind::Context => return Ok(settings.contexts().map(plain).collect()),
        ValueKind::Cluster => return Ok(settings.clusters().map(plain).collect()),
        ValueKind::User => return Ok(settings.users().map(plain).collect()),
        ValueKind::Words(_) | ValueKind::Path => return Ok(Vec::new()),
        ValueKind::Namespace => Named::Namespaces,
        ValueKind::Node => Named::Nodes,
        ValueKind::Pod => {
            namespace = settings.namespace()?;
            Named::Pods(&namespace)
        }
    };
    let client = ApiClient::new(settings.target(&Terminal::default())?)?;
    let found = object_names(&client, named).await?.into_iter();
    Ok(found
        .map(|object| Candidate::new(object.name, object.status))
        .collect())
}
