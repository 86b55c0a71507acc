//! Continue tokens: the version of the snapshot that a list began with, and the last key that was sent.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use kubevitals_proto::wire::status::Status;
use serde::{Deserialize, Serialize};

use super::super::status::Refusal;

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
