//! What a request wants an object or a list of them to look like.

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

/// What a version of a group has its objects and lists in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Offer {
    /// The group and version.
    pub(super) api_version: &'static str,
    /// What comes before a kind where one is named to people: `metrics`.
    pub(super) package: &'static str,
    /// What one object can be had in.
    pub(super) objects: &'static [&'static str],
    /// What a list can be had in.
    pub(super) lists: &'static [&'static str],
    /// Whether protobuf is among it.
    pub(super) protobuf: bool,
}

/// Whether a path is of one object or of many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cardinality {
    /// One object.
    One,
    /// A list.
    Many,
}

/// What was agreed on.
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
    /// As it is.
    No,
    /// A table.
    Table(MetaVersion),
    /// The metadata of as many as named here.
    Metadata(MetaVersion, Cardinality),
}

impl ResponseFormat {
    /// What a request asks for of what there is.
    ///
    /// # Errors
    /// 406 when that cannot be had.
    pub(super) fn of(
        request: &Request,
        offer: Offer,
        cardinality: Cardinality,
    ) -> Result<Self, Response> {
        let convert = |encoding, conversion: Option<Conversion<'_>>| {
            let served = offer.protobuf || encoding != Encoding::Protobuf;
            served.then(|| convert(encoding, conversion)).flatten()
        };
        let chosen = accept::negotiate(request.headers(), convert).map_err(|refusal| {
            let available = match cardinality {
                Cardinality::One => offer.objects,
                Cardinality::Many => offer.lists,
            };
            reply::not_acceptable(request, refusal, available, offer.objects)
        })?;
        Ok(Self {
            offer,
            cardinality,
            encoding: chosen.encoding,
            pretty: chosen.pretty || pretty(request.uri(), request.headers()),
            representation: chosen.conversion,
        })
    }

    /// The shape in which `kind` is sent.
    ///
    /// # Errors
    /// 400 for an `includeObject` that is none; 406 for one object as a list, or a list as one object.
    pub(super) fn shape(self, kind: Kind, uri: &Uri) -> Result<Shape, Status> {
        let package = self.offer.package;
        match self.representation {
            Representation::No => Ok(Shape::Whole(self.offer.api_version)),
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

    /// What goes beside a table's cells.
    fn row_objects(self, uri: &Uri) -> Result<Beside, Status> {
        match parameter(uri, "includeObject").unwrap_or_default().as_ref() {
            "" | "Metadata" => Ok(Beside::Metadata),
            "None" => Ok(Beside::Nothing),
            "Object" => Ok(Beside::Object(self.offer.api_version)),
            other => Err(Status::unknown_include_object(other)),
        }
    }

    /// How it goes out.
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

/// The conversions there are, in k8s.io/apiserver's `AllowsMediaTypeTransform`.
fn convert(encoding: Encoding, conversion: Option<Conversion<'_>>) -> Option<Representation> {
    let Some(conversion) = conversion else {
        return Some(Representation::No);
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
