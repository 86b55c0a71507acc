//! Which shape and encoding of an object a client gets.

use http::HeaderMap;
use http::header::ACCEPT;
use kubevitals_proto::wire::accept::{Conversion, negotiate};
use kubevitals_proto::wire::meta::MetaVersion;
use kubevitals_proto::wire::object::Encoding;

/// How an object or list is represented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// As it is.
    Whole,
    /// `Table` of meta.k8s.io.
    Table,
    /// `PartialObjectMetadata` or its list.
    Metadata,
}

impl Shape {
    fn of(conversion: Option<Conversion<'_>>) -> Option<Self> {
        let Some(Conversion {
            kind,
            group,
            version,
        }) = conversion
        else {
            return Some(Self::Whole);
        };
        MetaVersion::from_name(version).filter(|_| group == MetaVersion::GROUP)?;
        match kind {
            "Table" => Some(Self::Table),
            "PartialObjectMetadata" | "PartialObjectMetadataList" => Some(Self::Metadata),
            _ => None,
        }
    }
}

/// The Accept header, or nothing.
pub(super) fn accept(headers: &HeaderMap) -> &[u8] {
    headers.get(ACCEPT).map_or(&[], |value| value.as_bytes())
}

/// The shape and encoding that the headers request; `None` is a 406. JSON serves every shape, `protobuf` says which
/// shapes protobuf serves, and there is no YAML.
pub(super) fn form(
    headers: &HeaderMap,
    protobuf: impl Fn(Shape) -> bool,
) -> Option<(Shape, Encoding)> {
    let negotiated = negotiate(accept(headers), |encoding, conversion| {
        let served = |shape: &Shape| match encoding {
            Encoding::Json => true,
            Encoding::Yaml => false,
            Encoding::Protobuf => protobuf(*shape),
        };
        Shape::of(conversion).filter(served)
    });
    negotiated.ok().map(|it| (it.conversion, it.encoding))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn negotiated(accept: &'static str, protobuf: bool) -> Option<(Shape, Encoding)> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, http::HeaderValue::from_static(accept));
        form(&headers, |shape| protobuf && shape != Shape::Table)
    }

    #[test]
    fn the_first_representation_there_is_wins() {
        use {Encoding::*, Shape::*};
        let both = "application/vnd.kubernetes.protobuf, application/json";
        let partial =
            "application/vnd.kubernetes.protobuf;as=PartialObjectMetadata;v=v1;g=meta.k8s.io";
        let table = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";
        let partial_list = "application/json;q=0.5,application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io";
        for (accept, protobuf, expected) in [
            (both, true, Some((Whole, Protobuf))),
            (both, false, Some((Whole, Json))),
            (
                "application/vnd.kubernetes.protobuf, */*",
                false,
                Some((Whole, Json)),
            ),
            ("application/vnd.kubernetes.protobuf", false, None),
            (partial, true, Some((Metadata, Protobuf))),
            (
                "application/vnd.kubernetes.protobuf;as=Table;v=v1;g=meta.k8s.io",
                true,
                None,
            ),
            (table, false, Some((Table, Json))),
            (partial_list, false, Some((Metadata, Json))),
            ("application/json;as=Poem;v=v1;g=meta.k8s.io", false, None),
            ("application/yaml", true, None),
            ("", true, Some((Whole, Json))),
        ] {
            assert_eq!(negotiated(accept, protobuf), expected, "{accept}");
        }
    }
}
