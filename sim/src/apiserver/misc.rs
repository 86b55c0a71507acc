//! Paths that are neither discovery nor resources: version and health.

use http::{Response, StatusCode};
use kubevitals_proto::wire::status::Status;
use serde_json::json;

use super::status::{Body, Refusal, json_answer, text};

/// Answers a path.
pub(super) fn answer(segments: &[&str]) -> Result<Response<Body>, Refusal> {
    match segments {
        ["version"] => Ok(json_answer(
            StatusCode::OK,
            &json!({
                "major": "1", "minor": "36", "emulationMajor": "1", "emulationMinor": "36",
                "minCompatibilityMajor": "1", "minCompatibilityMinor": "35", "gitVersion": "v1.36.0",
                "gitCommit": "0000000000000000000000000000000000000000", "gitTreeState": "clean",
                "buildDate": "2026-04-22T00:00:00Z", "goVersion": "go1.26.0", "compiler": "gc",
                "platform": "linux/amd64",
            }),
        )),
        ["healthz" | "livez" | "readyz"] | ["healthz" | "livez" | "readyz", "ping"] => {
            Ok(text(StatusCode::OK, "ok"))
        }
        _ => Err(Status::resource_not_found().into()),
    }
}
