//! What a request wants a node, a pod or a list of them to look like.

use axum::extract::Request;
use axum::response::Response;
use http::Uri;
use kubevitals_proto::metrics::Version;
use kubevitals_proto::metrics::encode::{self, Beside, Encoding, Kind, Shape};
use kubevitals_proto::wire::meta::MetaVersion;
use kubevitals_proto::wire::status::{Reason, Status};

use crate::api::accept::{self, Conversion};
use crate::api::reply::{self, Form};
use crate::api::request::{parameter, pretty};

/// Whether a path is of one object or of many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Number {
    /// One object.
    One,
    /// A list.
    Many,
}

/// What was agreed on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    version: Version,
    number: Number,
    encoding: Encoding,
    pretty: bool,
    conversion: Converted,
}

#[derive(Debug, Clone, Copy)]
enum Converted {
    /// As it is.
    No,
    /// A table.
    Table(MetaVersion),
    /// The metadata of as many as named here.
    Metadata(MetaVersion, Number),
}

impl Wanted {
    /// What a request of `version` asks for.
    ///
    /// # Errors
    /// 406 when that cannot be had.
    pub(super) fn of(
        request: &Request,
        version: Version,
        number: Number,
    ) -> Result<Self, Response> {
        let chosen = accept::negotiate(request.headers(), convert).map_err(|refusal| {
            let available = match number {
                Number::One => reply::OBJECTS,
                Number::Many => reply::LISTS,
            };
            reply::not_acceptable(request, refusal, available)
        })?;
        Ok(Self {
            version,
            number,
            encoding: chosen.encoding,
            pretty: chosen.pretty || pretty(request.uri(), request.headers()),
            conversion: chosen.conversion,
        })
    }

    /// The form in which `kind` is sent.
    ///
    /// # Errors
    /// 400 for an `includeObject` that is none; 406 for one object as a list, or a list as one object.
    pub(super) fn form(self, kind: Kind, uri: &Uri) -> Result<encode::Form, Status> {
        let shape = match self.conversion {
            Converted::No => Shape::Whole(self.version),
            Converted::Table(version) => Shape::Table(version, self.beside(uri)?),
            Converted::Metadata(version, number) if number == self.number => {
                Shape::Metadata(version)
            }
            Converted::Metadata(_, Number::One) => {
                return Err(not_acceptable(format!(
                    "you requested PartialObjectMetadata, but the requested object is a list (*metrics.{})",
                    kind.list()
                )));
            }
            Converted::Metadata(_, Number::Many) => {
                return Err(not_acceptable(format!(
                    "you requested PartialObjectMetadataList, but the requested object is not a list (*metrics.{})",
                    kind.object()
                )));
            }
        };
        // A table in protobuf is never agreed on.
        encode::Form::new(shape, self.encoding)
            .ok_or_else(|| Status::internal_error("a table has no protobuf"))
    }

    /// What goes beside a table's cells.
    fn beside(self, uri: &Uri) -> Result<Beside, Status> {
        match parameter(uri, "includeObject").unwrap_or_default().as_ref() {
            "" | "Metadata" => Ok(Beside::Metadata),
            "None" => Ok(Beside::Nothing),
            "Object" => Ok(Beside::Object(self.version)),
            other => Err(Status::unknown_include_object(other)),
        }
    }

    /// How it goes out.
    pub(super) const fn reply(self) -> Form {
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
fn convert(encoding: Encoding, conversion: Option<Conversion<'_>>) -> Option<Converted> {
    let Some(conversion) = conversion else {
        return Some(Converted::No);
    };
    if conversion.group != MetaVersion::GROUP {
        return None;
    }
    let version = MetaVersion::from_name(conversion.version)?;
    match conversion.kind {
        "Table" if encoding != Encoding::Protobuf => Some(Converted::Table(version)),
        "PartialObjectMetadata" => Some(Converted::Metadata(version, Number::One)),
        "PartialObjectMetadataList" => Some(Converted::Metadata(version, Number::Many)),
        _ => None,
    }
}
