//! Lists of nodes and pods.

use axum::response::Response;
use http::HeaderMap;
use kubevitals_proto::metrics::encode::{Form, List};

use super::source::Source;
use crate::api::pieces::{self, CHUNK, Encode, STRIDE};
use crate::api::reply;

/// The list of all that `source` has.
pub(super) async fn answer<S: Source>(
    source: S,
    form: Form,
    pretty: bool,
    headers: &HeaderMap,
) -> Response {
    let mut encoded = Encoded {
        source,
        list: List::new(S::KIND, form),
    };
    encoded.measure().await;
    let len = encoded.list.measured_len();
    let reply = reply::Form {
        encoding: form.encoding(),
        pretty,
    };
    pieces::answer(encoded, reply, len, headers).await
}

struct Encoded<S> {
    source: S,
    list: List,
}

impl<S: Source> Encoded<S> {
    /// Measures all objects, if the form wants to know before the first is sent. They are of one moment, so the
    /// same ones are encoded afterwards.
    async fn measure(&mut self) {
        if !self.list.is_measured() {
            return;
        }
        let list = &mut self.list;
        while self.source.advance(STRIDE, |item| {
            list.measure(item);
            true
        }) {
            tokio::task::yield_now().await;
        }
        self.source.rewind();
    }
}

impl<S: Source> Encode for Encoded<S> {
    fn advance(&mut self, out: &mut Vec<u8>) -> bool {
        let list = &mut self.list;
        let more = self.source.advance(STRIDE, |item| {
            list.item(out, item);
            out.len() < CHUNK
        });
        if !more {
            self.list.end(out);
        }
        more
    }
}
