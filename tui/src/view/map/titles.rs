//! The titles of groups.

use crate::model::format;
use crate::model::map::{Group, GroupKind, MapBy};

/// The title of a group.
pub(super) fn title(group: &Group, by: &MapBy) -> String {
    match (group.kind, by) {
        (GroupKind::Unscheduled, _) => "not scheduled".to_owned(),
        (GroupKind::Rest, by) => format!("no {}", by.text()),
        (GroupKind::Alike, MapBy::Workload) => {
            format!("{}/{}", group.key.namespace, group.key.name)
        }
        (GroupKind::Alike, _) if group.key.name.is_empty() => "\"\"".to_owned(),
        (GroupKind::Alike, _) => group.key.name.to_string(),
    }
}

/// The name of the groups in a sentence: `3 nodes`.
pub(super) fn groups_text(by: &MapBy, count: usize) -> String {
    match by {
        MapBy::Label(key) => format!("{} of {key}", format::count(count, "value")),
        by => format::count(count, &by.text()),
    }
}
