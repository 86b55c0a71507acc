//! The protobuf envelope of Kubernetes: four magic bytes, then a `runtime.Unknown`.

use super::protobuf::{Fields, Malformed, field_len, head, string};

/// The magic bytes a protobuf body starts with.
pub const MAGIC: [u8; 4] = *b"k8s\0";

/// The content type of a body in the envelope.
pub const CONTENT_TYPE: &str = "application/vnd.kubernetes.protobuf";

/// `runtime.Unknown`: an object's type and its encoded form, borrowed from the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Unknown<'a> {
    /// Group and version: `metrics.k8s.io/v1beta1`.
    pub api_version: &'a str,
    /// The object's type: `PodMetricsList`.
    pub kind: &'a str,
    /// The object, protobuf encoded.
    pub raw: &'a [u8],
}

/// The type of an object.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TypeMeta {
    /// Group and version: `metrics.k8s.io/v1beta1`.
    pub api_version: String,
    /// The object's type: `PodMetricsList`.
    pub kind: String,
}

impl TypeMeta {
    /// Decodes the type in an envelope.
    ///
    /// # Errors
    /// When the bytes are not a message, or a field is of another type.
    pub(super) fn decode(message: &[u8]) -> Result<Self, Malformed> {
        let mut decoded = Self::default();
        for field in Fields::new(message) {
            match field? {
                (1, value) => value.str()?.clone_into(&mut decoded.api_version),
                (2, value) => value.str()?.clone_into(&mut decoded.kind),
                _ => {}
            }
        }
        Ok(decoded)
    }
}

/// Why a body could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// It does not start with the magic bytes.
    #[error("not Kubernetes protobuf: the body does not start with \"k8s\\0\"")]
    Magic,
    /// The message after the magic bytes is broken.
    #[error("broken Kubernetes protobuf")]
    Malformed(#[from] Malformed),
    /// An object is longer than any that etcd stores.
    #[error("an object in Kubernetes protobuf is too long")]
    TooLong,
    /// A quantity in it is none.
    #[error("{text:?} in Kubernetes protobuf is no quantity: {source}")]
    Quantity {
        /// The text of the quantity.
        text: String,
        /// The error of the parser.
        source: crate::quantity::ParseQuantityError,
    },
    /// The body has another type of object.
    #[error("expected {expected} in Kubernetes protobuf, found {found}")]
    Kind {
        /// The expected type.
        expected: &'static str,
        /// The type in the envelope.
        found: String,
    },
}

/// Takes `body` out of its envelope.
///
/// # Errors
/// When the magic bytes are missing, or no `runtime.Unknown` follows them.
pub fn unwrap(body: &[u8]) -> Result<Unknown<'_>, EnvelopeError> {
    let body = body.strip_prefix(&MAGIC).ok_or(EnvelopeError::Magic)?;
    let mut unknown = Unknown::default();
    for field in Fields::new(body) {
        match field? {
            (1, type_meta) => {
                for field in type_meta.fields()? {
                    match field? {
                        (1, value) => unknown.api_version = value.str()?,
                        (2, value) => unknown.kind = value.str()?,
                        _ => {}
                    }
                }
            }
            (2, value) => unknown.raw = value.bytes()?,
            _ => {}
        }
    }
    Ok(unknown)
}

/// Puts `raw`, an encoded object of the type `api_version`, `kind`, into an envelope.
#[must_use]
pub fn wrap(api_version: &str, kind: &str, raw: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(wrapped_len(api_version, kind, raw.len()));
    write_head(&mut out, api_version, kind, raw.len());
    out.extend_from_slice(raw);
    out.extend_from_slice(&TAIL);
    out
}

/// The empty `contentEncoding` and `contentType` at the envelope's end.
pub const TAIL: [u8; 4] = [0x1a, 0, 0x22, 0];

/// Appends what comes before the `raw_len` bytes of an object. The object and [`TAIL`] follow.
pub fn write_head(out: &mut Vec<u8>, api_version: &str, kind: &str, raw_len: usize) {
    out.extend_from_slice(&MAGIC);
    head(out, 1, type_len(api_version, kind));
    string(out, 1, api_version);
    string(out, 2, kind);
    head(out, 2, raw_len);
}

/// The length of an object of `raw_len` bytes in its envelope.
#[must_use]
pub const fn wrapped_len(api_version: &str, kind: &str, raw_len: usize) -> usize {
    MAGIC.len() + field_len(type_len(api_version, kind)) + field_len(raw_len) + TAIL.len()
}

const fn type_len(api_version: &str, kind: &str) -> usize {
    field_len(api_version.len()) + field_len(kind.len())
}
