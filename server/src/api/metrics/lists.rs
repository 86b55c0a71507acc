//! Lists of nodes and pods.

use axum::response::Response;
use http::HeaderMap;
use kubevitals_proto::metrics::encode::{Form, List};

use super::source::ObjectSource;
use crate::api::reply;
use crate::api::streaming::{self, CHUNK, ChunkEncoder, STRIDE};
use crate::query::Visit;

/// Responds with the list of all objects of `source`.
pub(super) async fn respond<S: ObjectSource>(
    source: S,
    form: Form,
    pretty: bool,
    headers: &HeaderMap,
) -> Response {
    let mut encoder = ListEncoder {
        source,
        list: List::new(S::KIND, form),
    };
    encoder.measure().await;
    let len = encoder.list.measured_len();
    let reply = reply::Form {
        encoding: form.encoding(),
        pretty,
    };
    streaming::respond(encoder, reply, len, headers).await
}

struct ListEncoder<S> {
    source: S,
    list: List,
}

impl<S: ObjectSource> ListEncoder<S> {
    /// Measures all objects, if the form needs their length before the first is sent. The objects are those of one
    /// snapshot, so the same ones are encoded afterwards.
    async fn measure(&mut self) {
        if !self.list.needs_lengths() {
            return;
        }
        let list = &mut self.list;
        while self.source.advance(STRIDE, Visit::Lengths, |item| {
            list.measure(item);
            true
        }) {
            tokio::task::yield_now().await;
        }
        self.source.rewind();
    }
}

impl<S: ObjectSource> ChunkEncoder for ListEncoder<S> {
    fn advance(&mut self, out: &mut Vec<u8>) -> bool {
        let list = &mut self.list;
        let more = self.source.advance(STRIDE, Visit::Values, |item| {
            list.item(out, item);
            out.len() < CHUNK
        });
        if !more {
            self.list.end(out);
        }
        more
    }
}
