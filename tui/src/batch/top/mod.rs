//! `top`: the latest usage of nodes and pods, byte for byte as kubectl prints it.
//!
//! Every rule, odd or not, is kubectl's, and a test compares the two over many clusters. The one exception is the order
//! of nodes without metrics, which is random in kubectl. With a flag that kubectl does not have, [`rows`] prints instead.

mod cells;
mod common;
mod nodes;
mod pods;

pub use common::Order;
pub use nodes::node_table;
pub use pods::pod_table;

use super::{Error, Streams, rows};
use crate::cli::{Connection, Resource};

/// Runs `top`.
///
/// # Errors
/// The same errors as kubectl.
pub async fn run(
    connection: &Connection,
    resource: &Resource,
    streams: &mut Streams<'_>,
) -> Result<(), Error> {
    match resource {
        _ if rows::needs_rows(connection, resource) => {
            rows::top(connection, resource, streams).await
        }
        Resource::Node(flags) => nodes::run(connection, flags, streams).await,
        Resource::Pod(flags) | Resource::Container(flags) => {
            pods::run(connection, flags, streams).await
        }
    }
}
