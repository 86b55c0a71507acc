//! The form of a response with one object or a list, as negotiated with the client.

use axum::extract::Request;
use axum::response::Response;
use http::Uri;
use kubevitals_proto::wire::form::{Beside, Kind, Shape};
use kubevitals_proto::wire::meta::MetaVersion;
use kubevitals_proto::wire::object::Encoding;
use kubevitals_proto::wire::status::{Reason, Status};

use super::accept::{self, Conversion};
use super::reply::{self, Form};
use super::request::{parameter, pretty};

/// The forms that a version of an API group offers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Offer {
    /// The group and version.
    pub(super) api_version: &'static str,
    /// The prefix of a kind in error messages: `metrics`.
    pub(super) package: &'static str,
    /// The media types of one object.
    pub(super) objects: &'static [&'static str],
    /// The media types of a list.
    pub(super) lists: &'static [&'static str],
    /// Whether protobuf is offered.
    pub(super) protobuf: bool,
}

/// Whether a path serves one object or a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cardinality {
    /// One object.
    One,
    /// A list.
    Many,
}

/// The negotiated form.
#[derive(Debug, Clone, Copy)]
pub(super) struct ResponseFormat {
    offer: Offer,
    cardinality: Cardinality,
    encoding: Encoding,
    pretty: bool,
    representation: Representation,
}

#[derive(Debug, Clone, Copy)]
enum Representation {
    /// The object itself.
    Object,
    /// A table.
    Table(MetaVersion),
    /// Metadata only, of one object or of a list.
    Metadata(MetaVersion, Cardinality),
}

impl ResponseFormat {
    /// Negotiates with the Accept header of a request.
    ///
    /// # Errors
    /// 406 if no clause can be served.
    pub(super) fn of(
        request: &Request,
        offer: Offer,
        cardinality: Cardinality,
    ) -> Result<Self, Response> {
        let convert = |encoding, conversion: Option<Conversion<'_>>| {
            let served = offer.protobuf || encoding != Encoding::Protobuf;
            served.then(|| convert(encoding, conversion)).flatten()
        };
        let negotiated =
            accept::negotiate(accept::header(request.headers()), convert).map_err(|refusal| {
                let available = match cardinality {
                    Cardinality::One => offer.objects,
                    Cardinality::Many => offer.lists,
                };
                reply::not_acceptable(request, refusal, available, offer.objects)
            })?;
        Ok(Self {
            offer,
            cardinality,
            encoding: negotiated.encoding,
            pretty: negotiated.pretty || pretty(request.uri(), request.headers()),
            representation: negotiated.conversion,
        })
    }

    /// The shape in which `kind` is sent.
    ///
    /// # Errors
    /// 400 for an unknown `includeObject`. 406 if the request selects one object as a list, or for a list as one
    /// object.
    pub(super) fn shape(self, kind: Kind, uri: &Uri) -> Result<Shape, Status> {
        let package = self.offer.package;
        match self.representation {
            Representation::Object => Ok(Shape::Whole(self.offer.api_version)),
            Representation::Table(version) => Ok(Shape::Table(version, self.row_objects(uri)?)),
            Representation::Metadata(version, cardinality) if cardinality == self.cardinality => {
                Ok(Shape::Metadata(version))
            }
            Representation::Metadata(_, Cardinality::One) => Err(not_acceptable(format!(
                "you requested PartialObjectMetadata, but the requested object is a list (*{package}.{})",
                kind.list
            ))),
            Representation::Metadata(_, Cardinality::Many) => Err(not_acceptable(format!(
                "you requested PartialObjectMetadataList, but the requested object is not a list (*{package}.{})",
                kind.object
            ))),
        }
    }

    /// The object beside the cells of a table's row.
    fn row_objects(self, uri: &Uri) -> Result<Beside, Status> {
        match parameter(uri, "includeObject").unwrap_or_default().as_ref() {
            "" | "Metadata" => Ok(Beside::Metadata),
            "None" => Ok(Beside::Nothing),
            "Object" => Ok(Beside::Object(self.offer.api_version)),
            other => Err(Status::unknown_include_object(other)),
        }
    }

    /// The encoding and indentation.
    pub(super) const fn form(self) -> Form {
        Form {
            encoding: self.encoding,
            pretty: self.pretty,
        }
    }
}

fn not_acceptable(message: String) -> Status {
    Status::failure(406, Reason::NotAcceptable, message)
}

/// The supported conversions: k8s.io/apiserver's `AllowsMediaTypeTransform`.
fn convert(encoding: Encoding, conversion: Option<Conversion<'_>>) -> Option<Representation> {
    let Some(conversion) = conversion else {
        return Some(Representation::Object);
    };
    if conversion.group != MetaVersion::GROUP {
        return None;
    }
    let version = MetaVersion::from_name(conversion.version)?;
    match conversion.kind {
        "Table" if encoding != Encoding::Protobuf => Some(Representation::Table(version)),
        "PartialObjectMetadata" => Some(Representation::Metadata(version, Cardinality::One)),
        "PartialObjectMetadataList" => Some(Representation::Metadata(version, Cardinality::Many)),
        _ => None,
    }
}
