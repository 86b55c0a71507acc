//! The tables of `kubectl get` for each kind: columns, and the cells of a row.

mod availability;
mod cells;
mod cluster;
mod incident;
mod node;
mod pod;
mod volume;

use serde::Serialize;

use super::{
    API_VERSION, Availability, ClusterVitals, Incident, Meta, NodeVitals, PodVitals, VolumeVitals,
};
use crate::time::Timestamp;
use crate::wire::form::{Item, Kind};
use crate::wire::gojson;
use cells::Cells;

/// An object of the group.
pub trait Vitals: Serialize {
    /// Its kind, and the columns of its table.
    const KIND: Kind;

    /// Its metadata.
    fn meta(&self) -> &Meta;

    /// Its metadata, to be completed.
    fn meta_mut(&mut self) -> &mut Meta;

    /// Its kind and version.
    fn type_mut(&mut self) -> (&mut String, &mut String);

    /// The object with its kind and version.
    #[must_use]
    fn named(mut self) -> Self
    where
        Self: Sized,
    {
        let (kind, api_version) = self.type_mut();
        Self::KIND.object.clone_into(kind);
        API_VERSION.clone_into(api_version);
        self
    }

    /// Appends its row's cells as JSON, parted by commas; ages are as of `now`.
    fn write_row(&self, out: &mut Vec<u8>, now: Timestamp);
}

macro_rules! vitals {
    ($type:ty, $module:ident, $names:expr, $kind:ident) => {
        impl Vitals for $type {
            const KIND: Kind = Kind {
                object: $names.0,
                list: $names.1,
                columns: &$module::COLUMNS,
            };

            fn meta(&self) -> &Meta {
                &self.metadata
            }

            fn meta_mut(&mut self) -> &mut Meta {
                &mut self.metadata
            }

            fn type_mut(&mut self) -> (&mut String, &mut String) {
                (&mut self.$kind, &mut self.api_version)
            }

            fn write_row(&self, out: &mut Vec<u8>, now: Timestamp) {
                $module::row(self, &mut Cells::new(out, now));
            }
        }
    };
}

vitals!(
    Availability,
    availability,
    ("Availability", "AvailabilityList"),
    kind
);
vitals!(PodVitals, pod, ("PodVitals", "PodVitalsList"), kind);
vitals!(NodeVitals, node, ("NodeVitals", "NodeVitalsList"), kind);
vitals!(
    ClusterVitals,
    cluster,
    ("ClusterVitals", "ClusterVitalsList"),
    kind
);
vitals!(
    VolumeVitals,
    volume,
    ("VolumeVitals", "VolumeVitalsList"),
    kind
);
vitals!(Incident, incident, ("Incident", "IncidentList"), type_kind);

/// An object for the forms, with ages as of a time.
#[derive(Debug)]
pub struct At<'a, T>(pub &'a T, pub Timestamp);

impl<T: Vitals> Item for At<'_, T> {
    fn write_alone(&self, out: &mut Vec<u8>, _api_version: &str) {
        self.write_listed(out);
    }

    /// An item of a list has its kind too, the same as a custom resource.
    fn write_listed(&self, out: &mut Vec<u8>) {
        // Their maps' keys are texts: there is nothing that could fail.
        let _written = gojson::write_value(out, self.0);
    }

    fn write_meta(&self, out: &mut Vec<u8>) {
        let _written = gojson::write_value(out, self.0.meta());
    }

    fn write_cells(&self, out: &mut Vec<u8>) {
        self.0.write_row(out, self.1);
    }
}
