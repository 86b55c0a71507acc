//! The parts that every Kubernetes API has.
//!
//! - [`accept`]: which encoding and shape of an object the Accept header selects.
//! - [`gojson`]: strings as Go's `encoding/json` writes them.
//! - [`pretty`]: compact JSON in, Go's indented JSON out.
//! - [`protobuf`]: messages read in place and written; [`envelope`]: the `k8s\0` around them.
//! - [`list_reader`]: lists in protobuf, read object by object while they arrive.
//! - [`object`]: objects that are served in JSON, YAML and protobuf.
//! - [`meta`]: the metadata of objects and lists.
//! - [`status`]: the response to a request that failed.
//! - [`discovery`]: which groups, versions and resources there are, in both forms.
//! - [`form`]: objects and lists, whole, as tables or as metadata, encoded item by item.
//! - [`openapi`]: the OpenAPI documents of the groups that are served.
//! - [`yaml`]: JSON in, YAML out.
//! - [`root`]: the answers of `/` and `/version`.

pub mod accept;
pub mod discovery;
pub mod envelope;
pub mod form;
pub mod gojson;
pub mod list_reader;
pub mod meta;
pub mod object;
pub mod openapi;
pub mod pretty;
pub mod protobuf;
pub mod root;
pub mod status;
pub mod yaml;
