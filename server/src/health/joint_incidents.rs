//! Maintains the groups of incidents, and their joint incidents.

use std::collections::BTreeSet;
use std::sync::Arc;

use kubevitals_proto::labels::Labels;
use kubevitals_proto::vitals::API_VERSION;

use super::changes::Change;
use super::groups::GroupKey;
use super::incident_record::{GroupId, GroupRole, IncidentId, Record};
use super::incidents::{Incidents, meta};

impl Incidents {
    /// Moves an incident to the group of its present cause, and updates the group.
    pub(super) fn regroup(&mut self, id: IncidentId) {
        let Some(record) = self.records.get(&id) else {
            return;
        };
        if matches!(record.role, GroupRole::Joint(_)) {
            return;
        }
        let key = GroupKey::of(record);
        let existing = self.groups.group_of(id, key.as_ref());
        if let Some((group, true)) = existing {
            if !self.groups.defer(group) {
                self.update_group(group);
            }
            return;
        }
        let near = key
            .as_ref()
            .map(|key| self.groups.near(key, record, &self.records));
        if let Some(left) = self.groups.leave(id) {
            self.update_group(left);
            self.show(id);
        }
        let (Some(key), Some(mut near)) = (key, near) else {
            return;
        };
        let group = near.pop().unwrap_or_else(|| self.groups.add(&key));
        self.groups.join(id, group);
        for other in near {
            // The incident connects two groups, which become one.
            let Some(dropped) = self.groups.drop(other) else {
                continue;
            };
            if let Some(joint) = dropped.joint {
                self.take(joint);
            }
            for member in dropped.members {
                self.groups.join(member, group);
            }
        }
        match self.groups.by_id.get(&group).and_then(|group| group.joint) {
            Some(joint) if self.groups.defer(group) => self.hide(&BTreeSet::from([id]), joint),
            _ => self.update_group(group),
        }
    }

    /// Updates the joint incidents of large groups.
    pub(super) fn flush(&mut self) {
        for group in std::mem::take(&mut self.groups.deferred) {
            self.update_group(group);
        }
    }

    /// Whether [`Self::flush`] has something to do.
    pub(super) fn is_behind(&self) -> bool {
        !self.groups.deferred.is_empty()
    }

    /// Updates the joint incident of a group, or shows the members if they are of one pod.
    pub(super) fn update_group(&mut self, id: GroupId) {
        let Some(group) = self.groups.by_id.get(&id) else {
            return;
        };
        let (joint, members) = (group.joint, group.members.clone());
        let Some(mut incident) = group.incident(&self.records) else {
            if members.is_empty() {
                self.groups.drop(id);
            } else if let Some(group) = self.groups.by_id.get_mut(&id) {
                group.joint = None;
            }
            if let Some(joint) = joint {
                self.take(joint);
            }
            for member in members {
                self.show(member);
            }
            return;
        };
        incident.type_kind = "Incident".to_owned();
        incident.api_version = API_VERSION.to_owned();
        if let Some(record) = joint.and_then(|joint| self.records.get_mut(&joint)) {
            incident.metadata = record.incident.metadata.clone();
            incident.metadata.creation_timestamp = Some(incident.began);
            if incident != *record.incident {
                let change = Change::incident(&incident.metadata, false);
                record.version = self.changes.record(change);
                record.incident = Arc::new(incident);
            }
            let joint = joint.unwrap_or(IncidentId::DROPPED);
            return self.hide(&members, joint);
        }
        let namespace = incident.involved.namespace.clone();
        let identity = (group.identity(), incident.began);
        let name = self.name(&namespace, &incident.involved.name, identity);
        let labels = Labels::default();
        incident.metadata = meta(&namespace, name, String::new(), incident.began, labels);
        let joint = self.add(Record {
            incident: Arc::new(incident),
            keys: Vec::new(),
            version: 0,
            shared_detail: None,
            role: GroupRole::Joint(id),
        });
        if let Some(group) = self.groups.by_id.get_mut(&id) {
            group.joint = Some(joint);
        }
        self.hide(&members, joint);
    }

    /// Hides incidents behind their joint incident.
    fn hide(&mut self, members: &BTreeSet<IncidentId>, joint: IncidentId) {
        for member in members {
            let Some(record) = self.records.get_mut(member) else {
                continue;
            };
            if record.role != GroupRole::Member(joint) {
                if record.role == GroupRole::Single {
                    let change = Change::incident(&record.incident.metadata, true);
                    self.changes.record(change);
                }
                record.role = GroupRole::Member(joint);
                self.changes.record(Change::pod(&record.incident.involved));
            }
        }
    }

    /// Shows an incident by itself.
    fn show(&mut self, id: IncidentId) {
        if let Some(record) = self.records.get_mut(&id)
            && record.role != GroupRole::Single
        {
            record.role = GroupRole::Single;
            let change = Change::incident(&record.incident.metadata, false);
            record.version = self.changes.record(change);
            self.changes.record(Change::pod(&record.incident.involved));
        }
    }
}
