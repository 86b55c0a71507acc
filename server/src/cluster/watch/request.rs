//! Requests to the API server for lists and watches.

use form_urlencoded::Serializer;
use http::Request;
use http::header::{ACCEPT, ACCEPT_ENCODING};
use kube::client::Body;
use kubevitals_proto::objects::Item;

use super::failure::Failure;

/// The number of objects in a page of JSON. A page is read as a whole before its objects.
const PAGE_JSON: usize = 500;

/// The number of objects in a page of protobuf. The page is read object by object, so its size costs no memory; large
/// pages save requests.
const PAGE_PROTOBUF: usize = 2_000;

/// An encoding of objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    /// The form in which the API server stores objects. It costs the API server a fraction of JSON.
    Protobuf,
    /// The encoding that every API server supports.
    Json,
}

impl Encoding {
    pub(super) const fn media_type(self) -> &'static str {
        match self {
            Self::Protobuf => "application/vnd.kubernetes.protobuf",
            Self::Json => "application/json",
        }
    }

    /// Reads the encoding of a response from its `Content-Type`.
    pub(super) fn of(headers: &http::HeaderMap) -> Result<Self, Failure> {
        let value = headers.get(http::header::CONTENT_TYPE);
        let value = value.and_then(|value| value.to_str().ok());
        let value = value.unwrap_or_default();
        let media_type = value.split(';').next().unwrap_or_default().trim();
        [Self::Protobuf, Self::Json]
            .into_iter()
            .find(|it| it.media_type().eq_ignore_ascii_case(media_type))
            .ok_or_else(|| match media_type {
                "" => Failure::ContentType("of no type".to_owned()),
                other => Failure::ContentType(other.chars().take(80).collect()),
            })
    }
}

/// A page of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Page<'a> {
    /// The first page of the API server's cache, however old. The API server does not read etcd for it, and may send
    /// everything in one page.
    Cached,
    /// The first page of the most recent state.
    Recent,
    /// The page with this continue token.
    Next(&'a str),
}

/// Where a watch starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Start<'a> {
    /// With all objects of the most recent state, and a bookmark after them (`WatchList`).
    Initial,
    /// After this `resourceVersion`.
    After(&'a str),
}

/// The objects of a kind that match selectors.
#[derive(Debug, Clone)]
pub(super) struct Collection {
    path: &'static str,
    metadata_only: bool,
    selectors: Vec<(&'static str, String)>,
}

impl Collection {
    /// All objects of a kind.
    pub(super) fn all<K: Item>() -> Self {
        Self {
            path: K::PATH,
            metadata_only: K::METADATA_ONLY,
            selectors: Vec::new(),
        }
    }

    /// Adds a label selector, if there is one.
    pub(super) fn labels(mut self, selector: Option<String>) -> Self {
        self.selectors
            .extend(selector.map(|it| ("labelSelector", it)));
        self
    }

    /// Adds a field selector.
    pub(super) fn fields(mut self, selector: &str) -> Self {
        self.selectors.push(("fieldSelector", selector.to_owned()));
        self
    }

    /// Makes the request for a page of a list in this encoding only.
    pub(super) fn list(
        &self,
        encoding: Encoding,
        page: Page<'_>,
    ) -> Result<Request<Body>, Failure> {
        let limit = match encoding {
            Encoding::Protobuf => PAGE_PROTOBUF,
            Encoding::Json => PAGE_JSON,
        };
        let limit = ("limit", limit.to_string());
        let mut query = vec![limit];
        match page {
            Page::Cached => query.extend([
                ("resourceVersion", "0".to_owned()),
                ("resourceVersionMatch", "NotOlderThan".to_owned()),
            ]),
            Page::Recent => {}
            Page::Next(token) => query.push(("continue", token.to_owned())),
        }
        self.request(&query, &self.accept(encoding, "PartialObjectMetadataList"))
    }

    /// Makes the request for a watch of `seconds` seconds. The response may have the other encoding, because it is
    /// read event by event in both.
    pub(super) fn watch(
        &self,
        encoding: Encoding,
        start: Start<'_>,
        seconds: u64,
    ) -> Result<Request<Body>, Failure> {
        let mut query = vec![
            ("watch", "true".to_owned()),
            ("allowWatchBookmarks", "true".to_owned()),
            ("timeoutSeconds", seconds.to_string()),
        ];
        match start {
            Start::Initial => query.extend([
                ("sendInitialEvents", "true".to_owned()),
                ("resourceVersionMatch", "NotOlderThan".to_owned()),
            ]),
            Start::After(version) => query.push(("resourceVersion", version.to_owned())),
        }
        let mut accept = self.accept(encoding, "PartialObjectMetadata");
        if encoding == Encoding::Protobuf {
            accept.push(',');
            accept.push_str(&self.accept(Encoding::Json, "PartialObjectMetadata"));
        }
        self.request(&query, &accept)
    }

    fn accept(&self, encoding: Encoding, partial: &str) -> String {
        let media_type = encoding.media_type();
        match self.metadata_only {
            true => format!("{media_type};as={partial};g=meta.k8s.io;v=v1"),
            false => media_type.to_owned(),
        }
    }

    fn request(
        &self,
        query: &[(&'static str, String)],
        accept: &str,
    ) -> Result<Request<Body>, Failure> {
        let mut encoded = Serializer::new(String::new());
        encoded.extend_pairs(query).extend_pairs(&self.selectors);
        let uri = format!("{}?{}", self.path, encoded.finish());
        Request::get(uri)
            .header(ACCEPT, accept)
            // Compression would cost the API server more than it saves on the network of a cluster.
            .header(ACCEPT_ENCODING, "identity")
            .body(Body::empty())
            .map_err(|error| Failure::Unreadable(error.to_string()))
    }
}
