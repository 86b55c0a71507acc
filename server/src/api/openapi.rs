//! OpenAPI v2 and v3, which the kube-apiserver requests for `kubectl explain`. Only JSON: the kube-apiserver never
//! requests protobuf alone.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_ENCODING, ETAG, EXPIRES, LAST_MODIFIED, LOCATION, VARY};
use http::{HeaderValue, StatusCode};
use kubevitals_proto::wire::object::Encoding;
use kubevitals_proto::wire::openapi::{self, Document, Group};
use kubevitals_proto::{custom_metrics, metrics, vitals};
use serde_json::{Map, Value, json};

use super::etag::Tag;
use super::{accept, compress, discovery, reply, request};
use crate::query::Query;

/// How long a URL that contains a hash stays valid. HTTP allows a year at most.
const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// The API groups that are described.
fn groups(query: &Query) -> Vec<&'static Group> {
    let mut groups = vec![&metrics::openapi::GROUP, &vitals::openapi::GROUP];
    if query.pod_metrics().is_some() {
        groups.extend([
            &custom_metrics::openapi::CUSTOM,
            &custom_metrics::openapi::EXTERNAL,
        ]);
    }
    groups
}

/// A document, encoded once.
struct EncodedDocument {
    json: Bytes,
    tag: Tag,
}

impl EncodedDocument {
    fn new(document: &Value) -> Self {
        let json = Bytes::from(document.to_string());
        Self {
            tag: Tag::of(&json),
            json,
        }
    }
}

struct Documents {
    v2: EncodedDocument,
    v2_compressed: Bytes,
    index: EncodedDocument,
    v3: BTreeMap<String, EncodedDocument>,
    modified: HeaderValue,
}

impl Documents {
    fn new(groups: &[&Group]) -> Self {
        let release = concat!("v", env!("CARGO_PKG_VERSION"));
        let v3: BTreeMap<String, EncodedDocument> = openapi::v3(release, groups)
            .into_iter()
            .map(|Document { path, json }| (path, EncodedDocument::new(&json)))
            .collect();
        let index = v3.iter().map(|(path, document)| {
            let address = json!({"serverRelativeURL": address(path, &document.tag)});
            (path.clone(), address)
        });
        let v2 = EncodedDocument::new(&openapi::v2(release, groups));
        Self {
            v2_compressed: compress::gzip(&v2.json),
            v2,
            index: EncodedDocument::new(&json!({"paths": Map::from_iter(index)})),
            modified: date(SystemTime::now()),
            v3,
        }
    }
}

impl Documents {
    /// Answers with `body`, or with 304 if the client has `tag`.
    fn answer(&self, tag: &Tag, body: Bytes, request: &Request) -> Response {
        let (code, body) = if tag.matches(request.headers()) {
            (StatusCode::NOT_MODIFIED, Body::empty())
        } else {
            (StatusCode::OK, Body::from(body))
        };
        let response = reply::respond(code, Encoding::Json.content_type(), body);
        let headers = [(ETAG, tag.header()), (LAST_MODIFIED, self.modified.clone())];
        (headers, response).into_response()
    }
}

/// The URL of a v3 document. It changes with the document.
fn address(path: &str, tag: &Tag) -> String {
    format!("/openapi/v3/{path}?hash={}", tag.hash())
}

fn date(time: SystemTime) -> HeaderValue {
    // A date is always a valid header value.
    HeaderValue::try_from(httpdate::fmt_http_date(time))
        .unwrap_or(HeaderValue::from_static("Thu, 01 Jan 1970 00:00:00 GMT"))
}

/// The routes.
pub(super) fn routes(query: &Query) -> Router<Arc<Query>> {
    let documents = Arc::new(Documents::new(&groups(query)));
    let (of_v2, of_index) = (Arc::clone(&documents), Arc::clone(&documents));
    Router::new()
        .route(
            "/openapi/v2",
            get(async move |request: Request| v2(&of_v2, &request)),
        )
        .route(
            "/openapi/v3",
            get(async move |request: Request| index(&of_index, &request)),
        )
        .route(
            "/openapi/v3/{*path}",
            get(
                async move |State(query): State<Arc<Query>>, request: Request| {
                    group(&query, &documents, &request)
                },
            ),
        )
}

/// The whole v2 document, compressed if the client accepts gzip.
fn v2(documents: &Documents, request: &Request) -> Response {
    let accepts_gzip = compress::accepts_gzip(request.headers());
    let mut response = if !accepts_json(request) {
        StatusCode::NOT_ACCEPTABLE.into_response()
    } else if accepts_gzip {
        let body = documents.v2_compressed.clone();
        documents.answer(&documents.v2.tag, body, request)
    } else {
        documents.answer(&documents.v2.tag, documents.v2.json.clone(), request)
    };
    let headers = response.headers_mut();
    headers.append(VARY, HeaderValue::from_static("Accept-Encoding"));
    headers.append(VARY, HeaderValue::from_static("Accept"));
    if accepts_gzip && response.status() == StatusCode::OK {
        let gzip = HeaderValue::from_static("gzip");
        response.headers_mut().insert(CONTENT_ENCODING, gzip);
    }
    response
}

/// The index of the v3 documents. It has one form, so the Accept header is not read.
fn index(documents: &Documents, request: &Request) -> Response {
    let index = &documents.index;
    documents.answer(&index.tag, index.json.clone(), request)
}

/// One v3 document.
fn group(query: &Query, documents: &Documents, request: &Request) -> Response {
    let path = request.uri().path();
    let path = path.strip_prefix("/openapi/v3/").unwrap_or_default();
    let path = path.strip_suffix('/').unwrap_or(path);
    let Some(document) = documents.v3.get(path) else {
        return discovery::paths(query, StatusCode::NOT_FOUND);
    };
    let hash = request::parameter(request.uri(), "hash").filter(|hash| !hash.is_empty());
    let response = match hash {
        _ if !accepts_json(request) => StatusCode::NOT_ACCEPTABLE.into_response(),
        // The client has an old index: redirect it to the current document.
        Some(hash) if hash != document.tag.hash() => {
            let location = [(LOCATION, address(path, &document.tag))];
            (StatusCode::MOVED_PERMANENTLY, location).into_response()
        }
        Some(_) => {
            let response = documents.answer(&document.tag, document.json.clone(), request);
            let expires = date(SystemTime::now() + YEAR);
            let caching = [(CACHE_CONTROL, "public, immutable")];
            (caching, [(EXPIRES, expires)], response).into_response()
        }
        None => documents.answer(&document.tag, document.json.clone(), request),
    };
    ([(VARY, "Accept")], response).into_response()
}

/// Whether the client accepts JSON, by name or by `*`.
fn accepts_json(request: &Request) -> bool {
    accept::first_of(
        accept::header(request.headers()),
        &[Encoding::Json.content_type()],
    )
    .is_some()
}
