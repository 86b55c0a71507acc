//! The volumes of claims.

use http::Uri;
use kubevitals_proto::vitals::VolumeVitals;
use kubevitals_proto::wire::status::Status;

use super::computed::Computed;
use crate::query::{Query, Volume};

/// Volumes.
pub(super) struct Volumes;

impl Computed for Volumes {
    type Object = VolumeVitals;
    type Options = ();

    const RESOURCE: &'static str = "volumevitals";
    const OF_OTHERS: &'static [&'static str] = &["at", "span", "stats", "trend"];
    const INSTEAD: &'static str = "present values only, with the growth of the last hour";

    fn options(_query: &Query, _uri: &Uri) -> Result<(), Status> {
        Ok(())
    }

    fn list(query: &Query, namespace: Option<&str>, _options: &()) -> Vec<VolumeVitals> {
        let volumes = query.volumes().list(namespace);
        volumes.iter().map(Volume::to_api).collect()
    }

    fn get(query: &Query, namespace: &str, name: &str, _options: &()) -> Option<VolumeVitals> {
        let volume = query.volumes().get(namespace, name)?;
        Some(volume.to_api())
    }
}
