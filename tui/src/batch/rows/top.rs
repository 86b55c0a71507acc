//! `top` with flags that kubectl does not have.

use super::query::{Columns, Namespaces, Query, namespaces};
use crate::batch::{Error, Streams};
use crate::cli::{Connection, OutputArgs, Resource, TopMore, TopNode, TopPod, non_empty};
use crate::model::{Field, View, World};

/// Whether `top` prints rows of the dashboard: a flag that kubectl does not have, several namespaces, or an order that
/// kubectl does not have.
#[must_use]
pub fn needs_rows(connection: &Connection, resource: &Resource) -> bool {
    let (more, sort_by) = match resource {
        Resource::Node(flags) => (&flags.more, flags.sort_by.as_ref()),
        Resource::Pod(flags) => (&flags.more, flags.sort_by.as_ref()),
        Resource::Container(_) => return true,
    };
    let is_wide = matches!(resource, Resource::Pod(flags) if flags.all_namespaces);
    let several = !is_wide && connection.all_namespaces().nth(1).is_some();
    *more != TopMore::default()
        || several
        || non_empty(sort_by).is_some_and(|flag| is_other_order(view(resource), flag))
}

/// Whether `--sort-by` has a value that kubectl refuses and that is valid here. Names of columns are in lower case, so
/// that other words get kubectl's answer.
fn is_other_order(view: View, flag: &str) -> bool {
    let is_column = |name: &str| {
        Field::named(name).is_some_and(|field| {
            let mut names = std::iter::once(field.name()).chain(field.aliases().iter().copied());
            names.any(|it| it == name) && World::default().table(view).fields().contains(&field)
        })
    };
    !matches!(flag, "cpu" | "memory") && (flag.contains(':') || is_column(flag))
}

/// The view with the rows of a resource.
const fn view(resource: &Resource) -> View {
    match resource {
        Resource::Node(_) => View::Nodes,
        Resource::Pod(TopPod {
            containers: false, ..
        }) => View::Pods,
        Resource::Pod(_) | Resource::Container(_) => View::Containers,
    }
}

/// Runs `top` with flags that kubectl does not have.
///
/// # Errors
/// A flag is invalid, the cluster does not answer, or the rows cannot be read.
pub async fn top(
    connection: &Connection,
    resource: &Resource,
    streams: &mut Streams<'_>,
) -> Result<(), Error> {
    let query = match resource {
        Resource::Node(flags) => of_node(flags)?,
        Resource::Pod(flags) | Resource::Container(flags) => {
            of_pod(connection, flags, view(resource))?
        }
    };
    super::run(connection, &query, streams).await
}

fn of_node(flags: &TopNode) -> Result<Query, Error> {
    if flags.show_capacity {
        return Err(Error::Flag(
            "--show-capacity works only without the flags that kubectl does not have; \
             the column cpu-allocatable has the allocatable amount"
                .to_owned(),
        ));
    }
    let mut query = of_more(View::Nodes, &flags.more, flags.show_swap, flags.no_headers)?;
    query.namespaces = Namespaces::All;
    query.names = Vec::from_iter(non_empty(flags.name.as_ref()).map(str::to_owned));
    query.select(flags.selector.as_deref(), None)?;
    query.sort = query.sort_by(flags.sort_by.as_deref())?;
    query.check()?;
    Ok(query)
}

fn of_pod(connection: &Connection, flags: &TopPod, view: View) -> Result<Query, Error> {
    let mut query = of_more(view, &flags.more, flags.show_swap, flags.no_headers)?;
    query.namespaces = namespaces(connection, flags.all_namespaces);
    query.names = Vec::from_iter(non_empty(flags.name.as_ref()).map(str::to_owned));
    query.select(flags.selector.as_deref(), flags.field_selector.as_deref())?;
    query.sort = query.sort_by(flags.sort_by.as_deref())?;
    query.total |= flags.sum;
    query.check()?;
    Ok(query)
}

fn of_more(view: View, more: &TopMore, swap: bool, no_headers: bool) -> Result<Query, Error> {
    let mut query = Query::of_table(view, &more.table)?;
    if query.columns == Columns::Usual {
        query.columns = Columns::Usage {
            swap,
            requests: more.requests,
            limits: more.limits,
            gpu: more.gpu,
        };
    }
    query.output = OutputArgs {
        output: more.output,
        no_headers,
    };
    Ok(query)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{Command, parse};

    fn uses_rows(line: &str) -> bool {
        let cli = parse(line.split_whitespace().map(Into::into)).unwrap();
        match &cli.command {
            Some(Command::Top { resource }) => needs_rows(&cli.connection, resource),
            _ => panic!("not top"),
        }
    }

    #[test]
    fn kubectls_flags_alone_print_what_kubectl_prints() {
        for line in [
            "vitals top nodes",
            "vitals top pods",
            "vitals top pods -A -l app=web --sort-by=memory --containers --sum --no-headers",
            "vitals top pods -n shop --field-selector=status.phase=Running --show-swap",
            "vitals top nodes n1 --show-capacity --sort-by cpu --use-protocol-buffers=false",
            // kubectl refuses these words, with a text of its own.
            "vitals top pods --sort-by=disk",
            "vitals top nodes --sort-by=CPU",
            "vitals top pods --sort-by=bogus",
            // -A is stronger than any namespace.
            "vitals top pods -A -n a,b",
        ] {
            assert!(!uses_rows(line), "{line}");
        }
        for flag in [
            "-o json",
            "-w",
            "--watch",
            "--columns name",
            "--filter x",
            "--limit 1",
            "--total",
            "--sort-by name",
            "--sort-by cpu:asc",
            "--sort-by mem",
            "--requests",
            "--limits",
            "--gpu",
            "--by node",
            "--at -5m",
            "-n a,b",
            "-n a -n b",
        ] {
            assert!(uses_rows(&format!("vitals top pods {flag}")), "{flag}");
        }
        assert!(uses_rows("vitals top containers"));
        assert!(uses_rows("vitals top nodes --sort-by disk"));
    }
}
