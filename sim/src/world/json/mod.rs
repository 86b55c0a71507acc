//! The JSON of the world's objects, as the API server stores it.

pub(crate) mod node;
pub(crate) mod pod;
pub(crate) mod policy;
pub(crate) mod volume;
pub(crate) mod workload;
