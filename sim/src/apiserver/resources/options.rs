//! The options of lists and watches, and the continue tokens of lists.

use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use kubevitals_proto::wire::status::Status;
use serde::{Deserialize, Serialize};

use super::super::request::Query;
use super::super::status::{Refusal, forbidden_option};

/// Which version of a collection a request accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum VersionMatch {
    /// The newest, or any: the simulator has no older snapshot to offer cheaply.
    Newest,
    /// One at least as new as this.
    NotOlderThan(u64),
    /// Exactly this.
    Exact(u64),
}

/// What ListOptions holds besides the selectors.
#[derive(Clone, Debug)]
pub(super) struct ListOptions {
    /// Page size; `None` for everything.
    pub(super) limit: Option<usize>,
    /// Where the next page begins.
    pub(super) continues: Option<ContinueToken>,
    /// The version.
    pub(super) version: VersionMatch,
    /// `resourceVersion` as a watch takes it: 0 is none.
    pub(super) watch_from: Option<u64>,
    /// Whether a watch begins with what exists, and a bookmark that says so.
    pub(super) initial_events: bool,
    /// Whether a watch gets bookmarks.
    pub(super) bookmarks: bool,
    /// When a watch ends.
    pub(super) timeout: Option<Duration>,
}

impl ListOptions {
    /// Reads them; 400 when they do not parse, 422 when they contradict each other.
    pub(super) fn of(query: &Query) -> Result<Self, Refusal> {
        let number = |name: &str| -> Result<Option<u64>, Refusal> {
            let parse = |v: &str| {
                v.parse()
                    .map_err(|_| Status::bad_request(format!("{name}: invalid value {v:?}")).into())
            };
            query.get(name).map(parse).transpose()
        };
        let resource_version = number("resourceVersion")?;
        let matched = query.get("resourceVersionMatch");
        let initial_events = query.get("sendInitialEvents");
        let refused = |message| forbidden_option("resourceVersionMatch", message);
        let version = match (matched, resource_version) {
            (Some("Exact"), Some(version)) if version > 0 => VersionMatch::Exact(version),
            (Some("Exact"), _) => {
                return Err(refused(
                    "resourceVersionMatch \"Exact\" is forbidden for resourceVersion \"0\"",
                ));
            }
            (Some("NotOlderThan"), Some(version)) => VersionMatch::NotOlderThan(version),
            (Some("NotOlderThan"), None) if initial_events.is_some() => VersionMatch::Newest,
            (Some(_), _) => {
                return Err(refused(
                    "resourceVersionMatch is forbidden unless resourceVersion is provided",
                ));
            }
            (None, Some(version)) if version > 0 => VersionMatch::NotOlderThan(version),
            (None, _) => VersionMatch::Newest,
        };
        let continues = query
            .get("continue")
            .map(ContinueToken::parse)
            .transpose()?;
        if continues.is_some() && resource_version.is_some_and(|v| v > 0) {
            return Err(Status::bad_request(
                "specifying resource version is not allowed when using continue",
            )
            .into());
        }
        if initial_events.is_some() && matched != Some("NotOlderThan") {
            return Err(refused(
                "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan",
            ));
        }
        Ok(Self {
            limit: number("limit")?
                .and_then(|n| usize::try_from(n).ok())
                .filter(|n| *n > 0),
            continues,
            version,
            watch_from: resource_version.filter(|v| *v > 0),
            initial_events: query.flag("sendInitialEvents"),
            bookmarks: query.flag("allowWatchBookmarks"),
            timeout: number("timeoutSeconds")?
                .filter(|s| *s > 0)
                .map(Duration::from_secs),
        })
    }
}

/// Where the next page of a list begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ContinueToken {
    /// The version of the snapshot; 0 to continue with the current one.
    #[serde(rename = "rv")]
    pub(super) version: u64,
    /// The last key sent.
    #[serde(rename = "start")]
    pub(super) after: String,
    /// How many objects were sent.
    #[serde(rename = "n")]
    pub(super) sent: usize,
}

impl ContinueToken {
    /// Opaque text.
    pub(super) fn encode(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(serde_json::to_vec(self).unwrap_or_default())
    }

    /// Reads what [`ContinueToken::encode`] wrote.
    pub(super) fn parse(text: &str) -> Result<Self, Refusal> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).ok();
        let token = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        token.ok_or_else(|| Status::bad_request("continue key is not valid").into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(query: &str) -> Result<ListOptions, Refusal> {
        ListOptions::of(&Query::parse(Some(query)))
    }

    #[test]
    fn resource_version_match_selects_the_meaning_of_resource_version() {
        let version = |q| options(q).unwrap().version;
        assert_eq!(version(""), VersionMatch::Newest);
        assert_eq!(version("resourceVersion=0"), VersionMatch::Newest);
        assert_eq!(version("resourceVersion=5"), VersionMatch::NotOlderThan(5));
        assert_eq!(
            version("resourceVersion=5&resourceVersionMatch=Exact"),
            VersionMatch::Exact(5)
        );
    }

    #[test]
    fn nonsense_is_refused() {
        for query in [
            "resourceVersion=x",
            "limit=-1",
            "continue=%21",
            "resourceVersionMatch=Exact",
            "sendInitialEvents=true",
        ] {
            assert!(options(query).is_err(), "{query}");
        }
    }
}
