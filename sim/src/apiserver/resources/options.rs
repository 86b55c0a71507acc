//! The options of lists and watches.

use kubevitals_proto::wire::status::Status;

use std::time::Duration;

use super::super::request::Query;
use super::super::status::{Refusal, forbidden_option};
use super::token::ContinueToken;

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
        let version = match (matched, resource_version) {
            (Some("Exact"), Some(version)) if version > 0 => VersionMatch::Exact(version),
            (Some("Exact"), _) => {
                return Err(forbidden_option(
                    "resourceVersionMatch",
                    "resourceVersionMatch \"Exact\" is forbidden for resourceVersion \"0\"",
                ));
            }
            (Some("NotOlderThan"), Some(version)) => VersionMatch::NotOlderThan(version),
            (Some("NotOlderThan"), None) if query.get("sendInitialEvents").is_some() => {
                VersionMatch::Newest
            }
            (Some(_), _) => {
                return Err(forbidden_option(
                    "resourceVersionMatch",
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
        let initial_events = query.flag("sendInitialEvents");
        if query.get("sendInitialEvents").is_some() && matched != Some("NotOlderThan") {
            return Err(forbidden_option(
                "resourceVersionMatch",
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
            initial_events,
            bookmarks: query.flag("allowWatchBookmarks"),
            timeout: number("timeoutSeconds")?
                .filter(|s| *s > 0)
                .map(Duration::from_secs),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(query: &str) -> Result<ListOptions, Refusal> {
        ListOptions::of(&Query::parse(Some(query)))
    }

    #[test]
    fn resource_version_means_what_its_match_says() {
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
