//! Several servers of one Service, each of which scrapes a part of the nodes and answers for all (`--shard`).
//!
//! All shards watch the API server. The name of a node decides which shard scrapes it (`claim`). Each shard requests
//! the latest values of the others' nodes once a second (`exchange`) and stores them like its own, so queries know
//! nothing of shards. The history stays with the shard that scraped it; queries request a part of it (`histories`). When
//! the number of shards changes, the new shard of a node requests its series and its history from the old one.

mod access;
mod answer;
mod claim;
mod counts;
mod exchange;
mod histories;
mod inbox;
mod members;
mod messages;
mod metrics;
mod outbox;
mod request;
mod scope;
mod settings;
mod shards;

pub use histories::RemoteHistory;
pub use request::PeerRequest;
pub use scope::{HistoryScope, NodeScope, PodScope};
pub use settings::{Count, Settings, ShardFlags, ShardSpec};
pub use shards::{Scraper, Shards};

#[cfg(test)]
mod tests;
