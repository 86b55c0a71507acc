//! Bounds for incidents that another process wrote: invalid names are refused, times, counts and texts are limited.

use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::{API_VERSION, Evidence};

use super::incident_record::{EVIDENCE, EvidenceKey, MAX_TEXT};
use super::snapshot::SavedIncident;
use super::thresholds::SECOND;

/// The largest difference between clocks, in nanoseconds: a later time is set to this.
const MAX_SKEW: i64 = 60 * SECOND;

/// The largest length of an incident's message, in bytes.
const MAX_MESSAGE: usize = 4096;

/// The largest length of a name in Kubernetes.
const MAX_NAME: usize = 253;

/// Limits an incident to the bounds of the engine's own incidents. None if its name is not valid.
pub(super) fn sanitize(mut saved: SavedIncident, now: Timestamp) -> Option<SavedIncident> {
    let incident = &mut saved.incident;
    let meta = &mut incident.metadata;
    if !is_name(&meta.name) || !is_name(&meta.namespace) || incident.involved.name.is_empty() {
        return None;
    }
    let involved = &incident.involved;
    let names = [
        &involved.kind,
        &involved.namespace,
        &involved.name,
        &involved.uid,
        &involved.container,
        &involved.node,
        &meta.uid,
    ];
    if names.iter().any(|name| name.len() > MAX_NAME) {
        return None;
    }
    "Incident".clone_into(&mut incident.type_kind);
    API_VERSION.clone_into(&mut incident.api_version);
    let latest = now.plus_nanos(MAX_SKEW);
    let epoch = Timestamp(0);
    incident.began = incident.began.clamp(epoch, latest);
    incident.last_seen = incident.last_seen.clamp(incident.began, latest);
    incident.ended = incident.ended.map(|at| at.clamp(incident.began, latest));
    meta.creation_timestamp = Some(incident.began);
    incident.count = incident.count.min(u32::MAX.into());
    shorten(&mut incident.message, MAX_MESSAGE);
    let paired = saved.keys.len() == incident.evidence.len();
    let own = |it: &Evidence| EvidenceKey::of((it.time, it.source, &it.text));
    let mut keys = saved.keys.into_iter().filter(|_| paired);
    let evidence = std::mem::take(&mut incident.evidence).into_iter();
    let evidence = evidence.map(|mut evidence| {
        shorten(&mut evidence.text, MAX_TEXT);
        evidence.time = evidence.time.clamp(epoch, latest);
        let key = keys.next().unwrap_or_else(|| own(&evidence));
        (key, evidence)
    });
    let mut evidence: Vec<(EvidenceKey, Evidence)> = evidence.take(EVIDENCE).collect();
    evidence.sort_by_key(|(_, evidence)| evidence.time);
    (saved.keys, incident.evidence) = evidence.into_iter().unzip();
    saved.shared_detail.take_if(|text| text.len() > MAX_NAME);
    Some(saved)
}

/// Whether this can be an object's name (RFC 1123).
fn is_name(text: &str) -> bool {
    let may =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.".contains(&byte);
    (1..=MAX_NAME).contains(&text.len()) && text.bytes().all(may)
}

fn shorten(text: &mut String, most: usize) {
    text.truncate(text.floor_char_boundary(most));
}
