//! Objects that several tests use.

use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::{
    Cause, Certainty, Evidence, Incident, IncidentKind, Involved, Meta, Source, Workload,
};

/// The begin of [`incident`].
pub(super) const BEGAN: Timestamp = Timestamp::from_secs(1_800_000_000);

/// A container that was killed three times.
pub(super) fn incident() -> Incident {
    Incident {
        type_kind: "Incident".to_owned(),
        api_version: "kubevitals.io/v1alpha1".to_owned(),
        metadata: Meta {
            name: "web-1-00".to_owned(),
            namespace: "shop".to_owned(),
            ..Meta::default()
        },
        reason: IncidentKind::Restart,
        cause: Cause::OomKilled,
        certainty: Certainty::Direct,
        message: "container web was killed: out of memory".to_owned(),
        involved: Involved {
            kind: "Pod".to_owned(),
            namespace: "shop".to_owned(),
            name: "web-1".to_owned(),
            uid: "u1".to_owned(),
            container: "web".to_owned(),
            node: "n1".to_owned(),
            workload: Some(Workload {
                kind: "Deployment".to_owned(),
                name: "web".to_owned(),
            }),
        },
        began: BEGAN,
        last_seen: BEGAN,
        count: 3,
        evidence: vec![Evidence {
            time: BEGAN,
            source: Source::History,
            text: "memory rose to 64Mi of 64Mi".to_owned(),
        }],
        ..Incident::default()
    }
}
