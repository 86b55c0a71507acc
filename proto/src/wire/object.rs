//! Objects that are served in every encoding.

use super::{envelope, gojson, protobuf, yaml};
use serde::Serialize;

/// The encoding of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Compact JSON, which [`pretty`](super::pretty) indents.
    Json,
    /// YAML.
    Yaml,
    /// Protobuf in Kubernetes' envelope.
    Protobuf,
}

impl Encoding {
    /// All, in the order in which Kubernetes' servers prefer them.
    pub const ALL: [Self; 3] = [Self::Json, Self::Yaml, Self::Protobuf];

    /// The media type.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Yaml => yaml::CONTENT_TYPE,
            Self::Protobuf => envelope::CONTENT_TYPE,
        }
    }
}

/// An object of Kubernetes' own, such as a [`Status`](super::status::Status).
pub trait Object: Serialize {
    /// Its version and kind, as the protobuf envelope has them.
    fn type_meta(&self) -> (&str, &str);

    /// Appends its protobuf message.
    fn write_protobuf(&self, out: &mut Vec<u8>);

    /// The whole of it, without the line's end that follows JSON.
    ///
    /// # Errors
    /// When it has no JSON, which only a map with keys that are no strings can bring about.
    fn encode(&self, encoding: Encoding) -> serde_json::Result<Vec<u8>> {
        if encoding != Encoding::Protobuf {
            return text(self, encoding == Encoding::Yaml);
        }
        let mut raw = Vec::with_capacity(512);
        self.write_protobuf(&mut raw);
        let (api_version, kind) = self.type_meta();
        Ok(envelope::wrap(api_version, kind, &raw))
    }
}

/// Encodes a value as YAML, or as compact JSON without a line's end.
///
/// # Errors
/// When it has no JSON, which only a map with keys that are no strings can bring about.
pub fn text<T: Serialize + ?Sized>(value: &T, yaml: bool) -> serde_json::Result<Vec<u8>> {
    let mut json = Vec::with_capacity(512);
    gojson::write_value(&mut json, value)?;
    if !yaml {
        return Ok(json);
    }
    let mut out = Vec::with_capacity(512);
    yaml::document(&mut out, &json)?;
    Ok(out)
}

/// Appends `ListMeta` as `field`, with its three strings.
pub(super) fn list_meta(out: &mut Vec<u8>, field: u8, meta: &super::meta::ListMeta) {
    protobuf::message(out, field, |out| {
        protobuf::string(out, 1, "");
        protobuf::string(out, 2, &meta.resource_version);
        protobuf::string(out, 3, &meta.continue_token);
        if let Some(count) = meta.remaining_item_count {
            protobuf::int(out, 4, count);
        }
    });
}
