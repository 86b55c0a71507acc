//! The discovery of `kubevitals.io`.

use super::{GROUP, VERSION};
use crate::wire::discovery::{Resource, Served};

/// The category to which all of its resources belong: `kubectl get vitals`.
pub const CATEGORY: &str = "vitals";

/// The subresource with the history.
pub const HISTORY: &str = "history";

/// The subresource with the metrics that a pod exposes itself.
pub const METRICS: &str = "metrics";

const VERBS: &[&str] = &["get", "list", "watch"];
/// The verbs of figures that change every second or minute: a watch would send everything again and again.
const READ_VERBS: &[&str] = &["get", "list"];
const CATEGORIES: &[&str] = &[CATEGORY];
const PAST: &[(&str, &str)] = &[(HISTORY, "History")];
const PAST_AND_METRICS: &[(&str, &str)] = &[(HISTORY, "History"), (METRICS, "OwnMetrics")];

/// The group.
pub const SERVED: Served = Served {
    group: GROUP,
    versions: &[VERSION],
    resources: &[
        Resource {
            name: "availabilities",
            singular: "availability",
            kind: "Availability",
            namespaced: true,
            verbs: READ_VERBS,
            short_names: &["avail"],
            categories: CATEGORIES,
            subresources: &[],
        },
        Resource {
            name: "clustervitals",
            singular: "clustervitals",
            kind: "ClusterVitals",
            namespaced: false,
            verbs: VERBS,
            short_names: &["cv"],
            categories: CATEGORIES,
            subresources: PAST,
        },
        Resource {
            name: "incidents",
            singular: "incident",
            kind: "Incident",
            namespaced: true,
            verbs: VERBS,
            short_names: &["inc"],
            categories: CATEGORIES,
            subresources: &[],
        },
        Resource {
            name: "nodevitals",
            singular: "nodevitals",
            kind: "NodeVitals",
            namespaced: false,
            verbs: VERBS,
            short_names: &["nv"],
            categories: CATEGORIES,
            subresources: PAST,
        },
        // `pv` are PersistentVolumes.
        Resource {
            name: "podvitals",
            singular: "podvitals",
            kind: "PodVitals",
            namespaced: true,
            verbs: VERBS,
            short_names: &["pov"],
            categories: CATEGORIES,
            subresources: PAST_AND_METRICS,
        },
        Resource {
            name: "volumevitals",
            singular: "volumevitals",
            kind: "VolumeVitals",
            namespaced: true,
            verbs: READ_VERBS,
            short_names: &["vv"],
            categories: CATEGORIES,
            subresources: &[],
        },
    ],
};
