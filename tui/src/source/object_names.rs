//! The names of namespaces, nodes or pods, for completions: a small response, from any API server.

use serde::Deserialize;

use super::Error;
use super::client::{ApiClient, escaped};
use super::status::About;

/// The form that `kubectl get` requests: one row of cells for each object.
const TABLE: &str = "application/json;as=Table;v=v1;g=meta.k8s.io";

/// What is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Named<'a> {
    /// The namespaces.
    Namespaces,
    /// The nodes.
    Nodes,
    /// The pods of a namespace.
    Pods(&'a str),
}

/// An object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectName {
    /// Its name.
    pub name: String,
    /// Its STATUS, as in `kubectl get`; empty if the server has no such column.
    pub status: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Table {
    column_definitions: Vec<Column>,
    rows: Vec<Row>,
}

#[derive(Deserialize)]
struct Column {
    name: String,
}

#[derive(Deserialize)]
struct Row {
    cells: Vec<serde_json::Value>,
}

/// The names of objects, in the server's order.
///
/// # Errors
/// The request fails, or its response is no table.
pub async fn object_names(client: &ApiClient, named: Named<'_>) -> Result<Vec<ObjectName>, Error> {
    let (path, resource) = match named {
        Named::Namespaces => ("namespaces".to_owned(), "namespaces"),
        Named::Nodes => ("nodes".to_owned(), "nodes"),
        Named::Pods(namespace) => (format!("namespaces/{}/pods", escaped(namespace)), "pods"),
    };
    let path = format!("/api/v1/{path}?includeObject=None");
    let table = client.parsed::<Table>(&path, TABLE, About::list(resource));
    Ok(table.await?.names())
}

impl Table {
    fn names(&self) -> Vec<ObjectName> {
        let place = |name: &str| {
            let mut columns = self.column_definitions.iter();
            columns.position(|column| column.name == name)
        };
        let (name, status) = (place("Name"), place("Status"));
        let cell = |row: &Row, place: Option<usize>| {
            let cell = row.cells.get(place?)?;
            cell.as_str().map(str::to_owned)
        };
        let rows = self.rows.iter();
        rows.filter_map(|row| {
            Some(ObjectName {
                name: cell(row, name)?,
                status: cell(row, status).unwrap_or_default(),
            })
        })
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_states_are_found_by_their_columns() {
        let json = r#"{"kind":"Table","apiVersion":"meta.k8s.io/v1",
            "columnDefinitions":[{"name":"Name"},{"name":"Ready"},{"name":"Status"}],
            "rows":[{"cells":["a","1/1","Running"]},{"cells":["b","0/1",null]},{"cells":[]}]}"#;
        let table: Table = serde_json::from_str(json).unwrap();
        let names: Vec<_> = table
            .names()
            .into_iter()
            .map(|found| (found.name, found.status))
            .collect();
        let expected = [("a", "Running"), ("b", "")].map(|(a, b)| (a.to_owned(), b.to_owned()));
        assert_eq!(names, expected);
    }
}
