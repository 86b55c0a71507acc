//! The requests between shards: the query string of `/state/v1`.

use http::Uri;

use super::claim::{Claim, MAX_COUNT};
use super::scope::HistoryScope;
use crate::parameters::parameter;

/// A request of another shard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PeerRequest {
    /// The latest values that have changed since a number of this process; everything for another process.
    Latest {
        /// The number of the last change that the other shard has.
        since: u64,
        /// The process that counts.
        process: String,
    },
    /// The series and histories of the nodes of a claim, and all incidents.
    HandOver(Claim),
    /// A part of the history.
    History(HistoryScope),
}

impl PeerRequest {
    /// Parses the query string; none if it requests the whole state.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(uri: &Uri) -> Result<Option<Self>, String> {
        let Some(part) = parameter(uri, "part") else {
            return Ok(None);
        };
        let number = |name| parameter(uri, name).and_then(|text| text.parse::<u32>().ok());
        match &*part {
            "latest" => Ok(Some(Self::Latest {
                since: parameter(uri, "since")
                    .and_then(|text| text.parse().ok())
                    .unwrap_or_default(),
                process: parameter(uri, "process").unwrap_or_default().into_owned(),
            })),
            "handover" => {
                let claim = number("index").zip(number("count"));
                let claim = claim.filter(|(_, count)| *count <= MAX_COUNT);
                let (index, count) = claim.ok_or("give an index and a count")?;
                Ok(Some(Self::HandOver(Claim { index, count })))
            }
            "history" => HistoryScope::parse(uri).map(|scope| Some(Self::History(scope))),
            part => Err(format!("part={part:?}: write latest, handover or history")),
        }
    }
}
