//! The options of gets, lists and watches about versions, checked as k8s.io/apiserver checks its ListOptions.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::Uri;
use kubevitals_proto::wire::status::Status;
use serde::Deserialize;

use super::query_params::non_empty;
use crate::api::request::{option, parameter};
use crate::query::{Changes, Resume, Version, VersionedSnapshot};

const EXACT: &str = "Exact";
const NOT_OLDER_THAN: &str = "NotOlderThan";

/// The version that the response to a get or list must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum VersionRequirement {
    /// Any version.
    #[default]
    Any,
    /// This version or a later one.
    NotOlderThan(Version),
    /// Exactly this version.
    Exactly(Version),
}

impl VersionRequirement {
    /// Reads the options of a get.
    ///
    /// # Errors
    /// 400 for an invalid version.
    pub(super) fn of_get(uri: &Uri) -> Result<Self, Status> {
        Ok(version(uri)?.map_or(Self::Any, Self::NotOlderThan))
    }

    /// Reads the options of a list.
    ///
    /// # Errors
    /// 422 for options that exclude each other, 400 for an invalid version or `continue`, 410 for a valid `continue`,
    /// because lists here have one page.
    pub(super) fn of_list(uri: &Uri) -> Result<Self, Status> {
        let mut errors = Vec::new();
        let mut add_error = |field, error: String| errors.push((field, error));
        let (version_text, continue_token) = (
            non_empty(uri, "resourceVersion"),
            non_empty(uri, "continue"),
        );
        let matching = non_empty(uri, "resourceVersionMatch");
        if let Some(matching) = &matching {
            let field = "resourceVersionMatch";
            let mut forbidden = |why: &str| add_error(field, format!("Forbidden: {field} {why}"));
            if version_text.is_none() {
                forbidden("is forbidden unless resourceVersion is provided");
            }
            if continue_token.is_some() {
                forbidden("is forbidden when continue is provided");
            }
            if matching != EXACT && matching != NOT_OLDER_THAN {
                let error = unsupported(matching, &[EXACT, NOT_OLDER_THAN, ""]);
                add_error(field, error);
            }
            if matching == EXACT && version_text.as_deref() == Some("0") {
                let error = "Forbidden: resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"";
                add_error(field, error.to_owned());
            }
        }
        if parameter(uri, "sendInitialEvents").is_some() {
            let error = "Forbidden: sendInitialEvents is forbidden for list";
            add_error("sendInitialEvents", error.to_owned());
        }
        if !errors.is_empty() {
            return Err(Status::invalid_list_options(&errors));
        }
        if let Some(token) = continue_token {
            return Err(refuse_token(&token, version_text.as_deref()));
        }
        let Some(version) = version(uri)? else {
            return Ok(Self::Any);
        };
        // As in Kubernetes, a limit without a match means exactly this version.
        let limited = non_empty(uri, "limit").and_then(|text| text.parse().ok());
        let paged = matching.is_none() && limited.is_some_and(|limit: i64| limit > 0);
        Ok(if paged || matching.as_deref() == Some(EXACT) {
            Self::Exactly(version)
        } else {
            Self::NotOlderThan(version)
        })
    }

    /// Checks that `snapshot` has the required version.
    ///
    /// # Errors
    /// 504 for a version that this server has not reached, 410 for an exact version that has passed.
    pub(super) fn check(
        self,
        changes: &Changes,
        snapshot: &VersionedSnapshot,
    ) -> Result<(), Status> {
        let (Self::NotOlderThan(version) | Self::Exactly(version)) = self else {
            return Ok(());
        };
        if changes.resume(snapshot, version) == Resume::Future {
            return Err(Status::too_large_resource_version(
                version,
                snapshot.version,
            ));
        }
        match self {
            Self::Exactly(version) if version != snapshot.version => Err(Status::expired(
                "The resourceVersion for the provided list is too old.",
            )),
            _ => Ok(()),
        }
    }
}

/// The start of a watch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WatchStart {
    /// With all existing objects.
    All {
        /// Whether a bookmark marks the end of the existing objects.
        bookmark: bool,
        /// The version that the existing objects must have.
        requirement: VersionRequirement,
    },
    /// With the next change.
    Now,
    /// After the version that the client has seen.
    After(Version),
}

impl WatchStart {
    /// Reads the options of a watch.
    ///
    /// # Errors
    /// 422 for options that exclude each other, 400 for an invalid version.
    pub(super) fn of(uri: &Uri) -> Result<Self, Status> {
        let sends = parameter(uri, "sendInitialEvents").map(|_| option(uri, "sendInitialEvents"));
        let matching = non_empty(uri, "resourceVersionMatch");
        let field = "resourceVersionMatch";
        let mut errors = Vec::new();
        if sends.is_some() && matching.as_deref() != Some(NOT_OLDER_THAN) {
            let error = "Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan";
            errors.push((field, error.to_owned()));
        }
        if let Some(matching) = &matching {
            let mut forbidden =
                |why: &str| errors.push((field, format!("Forbidden: {field} {why}")));
            if sends.is_none() {
                forbidden("is forbidden for watch unless sendInitialEvents is provided");
            }
            if non_empty(uri, "continue").is_some() {
                forbidden("is forbidden when continue is provided");
            }
            if matching != NOT_OLDER_THAN {
                errors.push((field, unsupported(matching, &[NOT_OLDER_THAN])));
            }
        }
        if !errors.is_empty() {
            return Err(Status::invalid_list_options(&errors));
        }
        Ok(match (sends, version(uri)?) {
            (Some(true), version) => Self::All {
                bookmark: option(uri, "allowWatchBookmarks"),
                requirement: version
                    .map_or(VersionRequirement::Any, VersionRequirement::NotOlderThan),
            },
            (None, None) => Self::All {
                bookmark: false,
                requirement: VersionRequirement::Any,
            },
            (Some(false), None) => Self::Now,
            (_, Some(version)) => Self::After(version),
        })
    }
}

fn unsupported(value: &str, supported: &[&str]) -> String {
    let supported: Vec<String> = supported.iter().map(|value| format!("{value:?}")).collect();
    let supported = supported.join(", ");
    format!("Unsupported value: {value:?}: supported values: {supported}")
}

/// The `resourceVersion`. None for `0` or an empty value, which allow any version.
fn version(uri: &Uri) -> Result<Option<Version>, Status> {
    let Some(text) = non_empty(uri, "resourceVersion").filter(|text| text != "0") else {
        return Ok(None);
    };
    let parsed = text.parse().map(Some);
    parsed.map_err(|error| Status::bad_request(format!("resourceVersion={text:?}: {error}")))
}

/// The continue token of Kubernetes' API servers.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Token {
    v: String,
    rv: i64,
    start: String,
}

/// Refuses a continue token. Lists here have one page, so no token comes from this API.
fn refuse_token(token: &str, version: Option<&str>) -> Status {
    let decoded = URL_SAFE_NO_PAD.decode(token).ok();
    let token = decoded.and_then(|json| serde_json::from_slice::<Token>(&json).ok());
    let is_valid =
        |token: &Token| token.v == "meta.k8s.io/v1" && token.rv != 0 && !token.start.is_empty();
    if !token.as_ref().is_some_and(is_valid) {
        return Status::bad_request("invalid continue token: continue key is not valid");
    }
    if version.is_some_and(|version| version != "0") {
        let message = "specifying resource version is not allowed when using continue";
        return Status::bad_request(message);
    }
    Status::expired(
        "The provided continue parameter is too old to display a consistent list result. You can start a new list \
         without the continue parameter.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `{"v":"meta.k8s.io/v1","rv":7,"start":"a"}`
    const TOKEN: &str = "eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6Nywic3RhcnQiOiJhIn0";

    /// The URI of a query string, in which TOKEN stands for a token and SENDS for the options of initial events.
    fn uri(query: &str) -> Uri {
        let sends = "resourceVersionMatch=NotOlderThan&sendInitialEvents";
        let query = query.replace("TOKEN", TOKEN).replace("SENDS", sends);
        format!("/x?{query}").parse().unwrap()
    }

    /// The options that were read, or the code and the reason of the refusal.
    fn text(result: Result<impl std::fmt::Debug, Status>) -> String {
        match result {
            Ok(options) => format!("{options:?}"),
            Err(status) => format!("{} {}", status.code, status.reason.as_str()),
        }
    }

    fn seven() -> Version {
        "7".parse().unwrap()
    }

    #[test]
    fn list_options_select_the_version() {
        let texts = [
            VersionRequirement::Any,
            VersionRequirement::NotOlderThan(seven()),
            VersionRequirement::Exactly(seven()),
        ]
        .map(|requirement| text(Ok(requirement)));
        let [any, not_older, exactly] = texts.each_ref().map(String::as_str);
        for (query, expected) in [
            ("", any),
            ("resourceVersion=", any),
            ("resourceVersion=0", any),
            ("resourceVersion=0&limit=5", any),
            ("resourceVersion=7", not_older),
            ("resourceVersion=7&limit=0", not_older),
            ("resourceVersion=7&limit=5", exactly),
            (
                "resourceVersion=7&limit=5&resourceVersionMatch=NotOlderThan",
                not_older,
            ),
            ("resourceVersion=7&resourceVersionMatch=Exact", exactly),
            ("resourceVersion=0&resourceVersionMatch=NotOlderThan", any),
            ("resourceVersion=abc", "400 BadRequest"),
            ("resourceVersion=-1", "400 BadRequest"),
            ("resourceVersion=18446744073709551616", "400 BadRequest"),
            (
                "resourceVersion=abc&resourceVersionMatch=Exact",
                "400 BadRequest",
            ),
            ("resourceVersionMatch=Exact", "422 Invalid"),
            ("resourceVersionMatch=NotOlderThan", "422 Invalid"),
            (
                "resourceVersion=7&resourceVersionMatch=exact",
                "422 Invalid",
            ),
            (
                "resourceVersion=0&resourceVersionMatch=Exact",
                "422 Invalid",
            ),
            ("sendInitialEvents=true", "422 Invalid"),
            ("sendInitialEvents=false", "422 Invalid"),
            ("sendInitialEvents", "422 Invalid"),
            ("continue=", any),
            ("continue=garbage", "400 BadRequest"),
            ("continue=e30", "400 BadRequest"),
            ("continue=TOKEN", "410 Expired"),
            ("continue=TOKEN&resourceVersion=0", "410 Expired"),
            ("continue=TOKEN&resourceVersion=7", "400 BadRequest"),
            (
                "continue=TOKEN&resourceVersion=7&resourceVersionMatch=Exact",
                "422 Invalid",
            ),
            ("allowWatchBookmarks=true", any),
        ] {
            let read = VersionRequirement::of_list(&uri(query));
            assert_eq!(text(read), expected, "{query}");
        }
    }

    #[test]
    fn watch_options_select_the_start() {
        let all = |bookmark, requirement| WatchStart::All {
            bookmark,
            requirement,
        };
        let texts = [
            all(false, VersionRequirement::Any),
            all(true, VersionRequirement::Any),
            all(true, VersionRequirement::NotOlderThan(seven())),
            WatchStart::After(seven()),
        ]
        .map(|start| text(Ok(start)));
        let [any, marked, not_older, after] = texts.each_ref().map(String::as_str);
        for (query, expected) in [
            ("", any),
            ("resourceVersion=0&allowWatchBookmarks=1", any),
            ("resourceVersion=7", after),
            ("SENDS=true", any),
            ("SENDS=true&allowWatchBookmarks=true", marked),
            (
                "SENDS=1&allowWatchBookmarks=true&resourceVersion=7",
                not_older,
            ),
            ("SENDS=false", "Now"),
            ("SENDS=0&resourceVersion=0", "Now"),
            ("SENDS=false&resourceVersion=7", after),
            ("resourceVersion=abc", "400 BadRequest"),
            ("SENDS=true&resourceVersion=abc", "400 BadRequest"),
            ("sendInitialEvents=true", "422 Invalid"),
            ("sendInitialEvents=false", "422 Invalid"),
            (
                "sendInitialEvents=true&resourceVersionMatch=Exact",
                "422 Invalid",
            ),
            ("resourceVersionMatch=NotOlderThan", "422 Invalid"),
            (
                "resourceVersion=7&resourceVersionMatch=Exact",
                "422 Invalid",
            ),
            ("SENDS=true&continue=x", "422 Invalid"),
            // As in Kubernetes, a watch ignores these options.
            ("continue=x&limit=5", any),
        ] {
            assert_eq!(text(WatchStart::of(&uri(query))), expected, "{query}");
        }
    }

    #[test]
    fn every_conflict_of_options_is_reported() {
        let query = "resourceVersionMatch=Nearly&sendInitialEvents=true&continue=x";
        let status = VersionRequirement::of_list(&uri(query)).unwrap_err();
        assert_eq!(
            status.message,
            "ListOptions.meta.k8s.io \"\" is invalid: [resourceVersionMatch: Forbidden: resourceVersionMatch is \
             forbidden unless resourceVersion is provided, resourceVersionMatch: Forbidden: resourceVersionMatch is \
             forbidden when continue is provided, resourceVersionMatch: Unsupported value: \"Nearly\": supported \
             values: \"Exact\", \"NotOlderThan\", \"\", sendInitialEvents: Forbidden: sendInitialEvents is forbidden \
             for list]"
        );
        let details = status.details.unwrap();
        assert_eq!(details.causes.len(), 4);
        assert_eq!(details.causes[2].reason, "FieldValueNotSupported");
    }
}
