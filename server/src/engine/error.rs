//! Why the engine has no usable answer.

use std::time::Duration;

use kubevitals_proto::duration::GoDuration;

use crate::outbound::OutboundError;

/// The most bytes of a response.
pub(super) const MAX_BODY: usize = 32 << 20;

/// Why the engine has no usable answer, in one line without its URL.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// There is no complete response in time.
    #[error("there was no complete response within {}", GoDuration::from(*.0))]
    Timeout(Duration),
    /// There is no response, or not all of it.
    #[error(transparent)]
    Unreachable(OutboundError),
    /// The response is larger than the limit.
    #[error("the response is larger than {} MiB: query a shorter span, or fewer objects", MAX_BODY >> 20)]
    TooLarge,
    /// A redirect, which is not followed.
    #[error(
        "it redirects (HTTP {0}), and redirects are not followed: name the target in the engine's URL"
    )]
    Redirect(u16),
    /// The engine rejects the credentials.
    #[error("it rejects the credentials (HTTP {0}): check those of its http_config")]
    Denied(u16),
    /// The engine limits requests.
    #[error("it limits requests (HTTP 429)")]
    Limited,
    /// The engine rejects the query.
    #[error("it rejects the query (HTTP {0}): {1}")]
    Rejected(u16, String),
    /// The engine failed.
    #[error("it failed (HTTP {0}): {1}")]
    Failed(u16, String),
    /// The response is not one of Prometheus' query API.
    #[error("the response is not one of Prometheus' query API: {0}")]
    Invalid(String),
}

impl EngineError {
    /// All reasons.
    pub(super) const REASONS: [&str; 9] = [
        "Timeout",
        "Unreachable",
        "TooLarge",
        "Redirect",
        "Denied",
        "Limited",
        "Rejected",
        "Failed",
        "Invalid",
    ];

    /// The reason in one word.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Timeout(_) => "Timeout",
            Self::Unreachable(_) => "Unreachable",
            Self::TooLarge => "TooLarge",
            Self::Redirect(_) => "Redirect",
            Self::Denied(_) => "Denied",
            Self::Limited => "Limited",
            Self::Rejected(..) => "Rejected",
            Self::Failed(..) => "Failed",
            Self::Invalid(_) => "Invalid",
        }
    }

    /// The reason for users, without the texts of the engine and of the network, which are for the administrator.
    pub fn message(&self) -> String {
        format!("the long history {}", self.problem())
    }

    /// What the engine does, as the end of a sentence for users.
    pub fn problem(&self) -> String {
        match self {
            Self::Timeout(timeout) => {
                format!("did not answer within {}", GoDuration::from(*timeout))
            }
            Self::Unreachable(_) => "cannot be reached".to_owned(),
            Self::TooLarge => {
                let most = MAX_BODY >> 20;
                format!("answers with more than {most} MiB: read a shorter span, or fewer objects")
            }
            Self::Limited => "limits requests: try again in a moment".to_owned(),
            Self::Rejected(..) => "rejects the query".to_owned(),
            Self::Redirect(_) | Self::Denied(_) | Self::Failed(..) | Self::Invalid(_) => {
                "does not work".to_owned()
            }
        }
    }
}
