//! Which representation a client gets: the Accept header against what there is.

use http::HeaderMap;
use http::header::ACCEPT;

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

/// The encoding of objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    /// JSON, in which every shape is served.
    Json,
    /// Kubernetes' protobuf, in which those that clients here ask for are.
    Protobuf,
}

/// The media type of [`Encoding::Protobuf`].
pub(super) const PROTOBUF: &str = "application/vnd.kubernetes.protobuf";

/// One media range of an Accept header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct MediaRange<'a> {
    kind: &'a str,
    parameters: Vec<(&'a str, &'a str)>,
    /// Quality in thousandths.
    quality: u16,
}

impl<'a> MediaRange<'a> {
    /// The ranges of the Accept headers, best first; `*/*` when there are none.
    pub(super) fn of(headers: &'a HeaderMap) -> Vec<Self> {
        let values = headers
            .get_all(ACCEPT)
            .iter()
            .filter_map(|v| v.to_str().ok());
        let mut ranges: Vec<Self> = values
            .flat_map(|v| v.split(','))
            .filter_map(Self::parse)
            .collect();
        if ranges.is_empty() {
            ranges.extend(Self::parse("*/*"));
        }
        ranges.retain(|r| r.quality > 0);
        ranges.sort_by_key(|r| std::cmp::Reverse(r.quality));
        ranges
    }

    fn parse(range: &'a str) -> Option<Self> {
        let mut parts = range.split(';').map(str::trim);
        let kind = parts.next().filter(|kind| !kind.is_empty())?;
        let mut parameters: Vec<_> = parts
            .filter_map(|p| p.split_once('='))
            .map(|(k, v)| (k.trim(), v.trim()))
            .collect();
        let quality = parameters
            .iter()
            .find(|(k, _)| *k == "q")
            .and_then(|(_, q)| q.parse::<f64>().ok())
            .unwrap_or(1.0);
        parameters.retain(|(k, _)| *k != "q");
        // A quality is within 0 and 1, so the product fits.
        Some(Self {
            kind,
            parameters,
            quality: (quality.clamp(0.0, 1.0) * 1000.0) as u16,
        })
    }

    fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters
            .iter()
            .find(|(k, _)| *k == name)
            .map(|(_, v)| *v)
    }

    /// Whether JSON satisfies it.
    pub(super) fn is_json(&self) -> bool {
        matches!(self.kind, "application/json" | "application/*" | "*/*")
    }

    /// The version of aggregated discovery it asks for, if it does.
    pub(super) fn aggregated_discovery(&self) -> Option<&str> {
        let asked = self.is_json()
            && self.parameter("g") == Some("apidiscovery.k8s.io")
            && self.parameter("as") == Some("APIGroupDiscoveryList");
        self.parameter("v")
            .filter(|v| asked && matches!(*v, "v2" | "v2beta1"))
    }

    /// The shape and encoding it asks for, if that is one there is.
    fn form(&self, protobuf: impl Fn(Shape) -> bool) -> Option<(Shape, Encoding)> {
        if self.kind == PROTOBUF {
            let shape = self.shape_of_parameters()?;
            return protobuf(shape).then_some((shape, Encoding::Protobuf));
        }
        Some((self.shape()?, Encoding::Json))
    }

    /// The shape it asks for in JSON, if that is one there is.
    fn shape(&self) -> Option<Shape> {
        if !self.is_json() {
            return None;
        }
        self.shape_of_parameters()
    }

    fn shape_of_parameters(&self) -> Option<Shape> {
        let meta = self.parameter("g") == Some("meta.k8s.io");
        match (self.parameter("as"), self.parameter("v")) {
            (None, _) => Some(Shape::Whole),
            (Some("Table"), Some("v1" | "v1beta1")) if meta => Some(Shape::Table),
            (
                Some("PartialObjectMetadata" | "PartialObjectMetadataList"),
                Some("v1" | "v1beta1"),
            ) if meta => Some(Shape::Metadata),
            _ => None,
        }
    }
}

/// The shape and encoding of objects the headers ask for; `None` is a 406. `protobuf`: which shapes are served in it.
pub(super) fn form(
    headers: &HeaderMap,
    protobuf: impl Fn(Shape) -> bool,
) -> Option<(Shape, Encoding)> {
    let ranges = MediaRange::of(headers);
    ranges.iter().find_map(|range| range.form(&protobuf))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked_of(accept: &'static str, protobuf: bool) -> Option<(Shape, Encoding)> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, http::HeaderValue::from_static(accept));
        form(&headers, |shape| protobuf && shape != Shape::Table)
    }

    fn asked(accept: &'static str) -> Option<Shape> {
        asked_of(accept, false).map(|(shape, _)| shape)
    }

    #[test]
    fn protobuf_is_served_where_it_is_served() {
        let accept = "application/vnd.kubernetes.protobuf, application/json";
        assert_eq!(
            asked_of(accept, true),
            Some((Shape::Whole, Encoding::Protobuf))
        );
        assert_eq!(
            asked_of(accept, false),
            Some((Shape::Whole, Encoding::Json))
        );
        let partial =
            "application/vnd.kubernetes.protobuf;as=PartialObjectMetadata;v=v1;g=meta.k8s.io";
        assert_eq!(
            asked_of(partial, true),
            Some((Shape::Metadata, Encoding::Protobuf))
        );
        let table = "application/vnd.kubernetes.protobuf;as=Table;v=v1;g=meta.k8s.io";
        assert_eq!(asked_of(table, true), None);
    }

    #[test]
    fn the_first_representation_there_is_wins() {
        let table = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json";
        assert_eq!(asked(table), Some(Shape::Table));
        assert_eq!(
            asked("application/vnd.kubernetes.protobuf,application/json"),
            Some(Shape::Whole)
        );
        assert_eq!(
            asked("application/vnd.kubernetes.protobuf, */*"),
            Some(Shape::Whole)
        );
        assert_eq!(
            asked(
                "application/json;q=0.5,application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"
            ),
            Some(Shape::Metadata)
        );
        assert_eq!(asked("application/vnd.kubernetes.protobuf"), None);
        assert_eq!(asked("application/json;as=Poem;v=v1;g=meta.k8s.io"), None);
        assert_eq!(
            form(&HeaderMap::new(), |_| true),
            Some((Shape::Whole, Encoding::Json))
        );
    }
}
