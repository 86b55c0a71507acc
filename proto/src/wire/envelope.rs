//! The protobuf envelope of Kubernetes: four magic bytes, then a `runtime.Unknown`.

use prost::Message as _;

/// The magic bytes a protobuf body starts with.
pub const MAGIC: [u8; 4] = *b"k8s\0";

/// The content type of a body in the envelope.
pub const CONTENT_TYPE: &str = "application/vnd.kubernetes.protobuf";

/// `k8s.io/apimachinery/pkg/runtime.TypeMeta`.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct TypeMeta {
    /// Group and version: `metrics.k8s.io/v1beta1`.
    #[prost(string, optional, tag = "1")]
    pub api_version: Option<String>,
    /// The object's type: `PodMetricsList`.
    #[prost(string, optional, tag = "2")]
    pub kind: Option<String>,
}

/// `k8s.io/apimachinery/pkg/runtime.Unknown`: an object's type and its encoded form.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Unknown {
    /// What the object is.
    #[prost(message, optional, tag = "1")]
    pub type_meta: Option<TypeMeta>,
    /// The object, protobuf encoded.
    #[prost(bytes = "vec", optional, tag = "2")]
    pub raw: Option<Vec<u8>>,
    /// How `raw` is compressed; empty for not at all.
    #[prost(string, optional, tag = "3")]
    pub content_encoding: Option<String>,
    /// The form of `raw`; empty for protobuf.
    #[prost(string, optional, tag = "4")]
    pub content_type: Option<String>,
}

/// Why a body could not be taken out of its envelope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// It does not start with the magic bytes.
    #[error("not Kubernetes protobuf: the body does not start with \"k8s\\0\"")]
    Magic,
    /// What follows them is not a `runtime.Unknown`, or its content is not what its type says.
    #[error("broken Kubernetes protobuf: {0}")]
    Decode(#[from] prost::DecodeError),
    /// A quantity in it is none.
    #[error("{text:?} in Kubernetes protobuf is no quantity: {source}")]
    Quantity {
        /// What stands there.
        text: String,
        /// What is wrong with it.
        source: crate::quantity::ParseQuantityError,
    },
    /// It holds another type of object.
    #[error("expected {expected} in Kubernetes protobuf, found {found}")]
    Kind {
        /// The type asked for.
        expected: &'static str,
        /// The type in the envelope.
        found: String,
    },
}

/// Takes `body` out of its envelope.
///
/// # Errors
/// When the magic bytes are missing or what follows is not a `runtime.Unknown`.
pub fn unwrap(body: &[u8]) -> Result<Unknown, EnvelopeError> {
    let body = body.strip_prefix(&MAGIC).ok_or(EnvelopeError::Magic)?;
    Ok(Unknown::decode(body)?)
}

/// Puts `raw`, an encoded object of the type `api_version`, `kind`, into an envelope.
#[must_use]
pub fn wrap(api_version: &str, kind: &str, raw: Vec<u8>) -> Vec<u8> {
    let unknown = Unknown {
        type_meta: Some(TypeMeta {
            api_version: Some(api_version.into()),
            kind: Some(kind.into()),
        }),
        raw: Some(raw),
        content_encoding: Some(String::new()),
        content_type: Some(String::new()),
    };
    let mut out = Vec::with_capacity(MAGIC.len() + unknown.encoded_len());
    out.extend_from_slice(&MAGIC);
    // Encoding into a vector fails only when it is out of room, which a vector never is.
    let _ = unknown.encode(&mut out);
    out
}
