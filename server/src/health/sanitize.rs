//! Bounds for incidents that another process wrote: invalid names are refused, times, counts and texts are limited.

use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::{API_VERSION, Evidence};

use super::incidents::{EVIDENCE, EvidenceKey, LONGEST};
use super::snapshot::SavedIncident;
use super::thresholds::SECOND;

/// Clocks differ: a time may be so far in the future, in nanoseconds; a later one is set to this.
const AHEAD: i64 = 60 * SECOND;

/// The longest message of an incident, in bytes.
const LONGEST_MESSAGE: usize = 4096;

/// The longest name in Kubernetes.
const LONGEST_NAME: usize = 253;

/// Limits an incident to the bounds of those that the engine makes. None if it has no valid name.
pub(super) fn sanitize(incoming: SavedIncident, now: Timestamp) -> Option<SavedIncident> {
    let SavedIncident {
        mut incident,
        keys,
        mut alike,
    } = incoming;
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
    if names.iter().any(|name| name.len() > LONGEST_NAME) {
        return None;
    }
    "Incident".clone_into(&mut incident.type_kind);
    API_VERSION.clone_into(&mut incident.api_version);
    let latest = now.plus_nanos(AHEAD);
    let epoch = Timestamp(0);
    incident.began = incident.began.clamp(epoch, latest);
    incident.last_seen = incident.last_seen.clamp(incident.began, latest);
    incident.ended = incident.ended.map(|at| at.clamp(incident.began, latest));
    meta.creation_timestamp = Some(incident.began);
    incident.count = incident.count.min(u32::MAX.into());
    shorten(&mut incident.message, LONGEST_MESSAGE);
    let paired = keys.len() == incident.evidence.len();
    let own = |it: &Evidence| EvidenceKey::of((it.time, it.source, &it.text)).0;
    let mut keys = keys.into_iter().filter(|_| paired);
    let evidence = std::mem::take(&mut incident.evidence).into_iter();
    let evidence = evidence.map(|mut evidence| {
        shorten(&mut evidence.text, LONGEST);
        evidence.time = evidence.time.clamp(epoch, latest);
        let key = keys.next().unwrap_or_else(|| own(&evidence));
        (key, evidence)
    });
    let mut evidence: Vec<(u64, Evidence)> = evidence.take(EVIDENCE).collect();
    evidence.sort_by_key(|(_, evidence)| evidence.time);
    let (keys, evidence) = evidence.into_iter().unzip();
    incident.evidence = evidence;
    alike.take_if(|text| text.len() > LONGEST_NAME);
    Some(SavedIncident {
        incident,
        keys,
        alike,
    })
}

/// Whether this can be an object's name (RFC 1123).
fn is_name(text: &str) -> bool {
    let may =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.".contains(&byte);
    (1..=LONGEST_NAME).contains(&text.len()) && text.bytes().all(may)
}

fn shorten(text: &mut String, most: usize) {
    text.truncate(text.floor_char_boundary(most));
}
