//! Lists, streamed as they are encoded: however large the cluster, a list costs one chunk of memory.

use axum::response::Response;
use bytes::Bytes;
use futures::stream;
use http::HeaderMap;
use kubevitals_proto::metrics::encode::{Encoding, Form, List};
use kubevitals_proto::wire::pretty::Indenter;

use super::source::Source;
use crate::api::reply;

/// Encoded at a time: large enough that its cost is in the encoding, small enough to be nothing in memory.
const CHUNK: usize = 64 << 10;

/// Objects looked at in one go: a fraction of a millisecond.
const STRIDE: usize = 1024;

/// The list of all that `source` has.
pub(super) async fn answer<S: Source>(
    source: S,
    form: Form,
    pretty: bool,
    headers: &HeaderMap,
) -> Response {
    let mut list = Encoded {
        source,
        list: List::new(S::KIND, form),
        indenter: None,
        ends_line: false,
        done: false,
    };
    if form.encoding() == Encoding::Json {
        list.indenter = pretty.then(Indenter::new);
        list.ends_line = !pretty;
    }
    list.measure().await;
    let len = list.list.measured_len();
    let pieces = stream::unfold(list, async |mut list| {
        Some((list.next_piece().await?, list))
    });
    reply::pieces(form.encoding(), headers, len, pieces).await
}

struct Encoded<S> {
    source: S,
    list: List,
    indenter: Option<Indenter>,
    /// A newline follows the list, as Go's JSON encoder ends what it writes; its indenter does not.
    ends_line: bool,
    done: bool,
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

    async fn next_piece(&mut self) -> Option<Bytes> {
        if self.done {
            return None;
        }
        let mut out = Vec::with_capacity(CHUNK + CHUNK / 8);
        // Few of very many may be asked for: others have their turn while those few are looked for.
        while !self.advance(&mut out) {
            tokio::task::yield_now().await;
        }
        if self.done && self.ends_line {
            out.push(b'\n');
        }
        if let Some(indenter) = &mut self.indenter {
            let compact = std::mem::take(&mut out);
            out.reserve(compact.len() * 2);
            indenter.push(&compact, &mut out);
        }
        Some(Bytes::from(out))
    }

    /// Encodes the next objects, until there is a chunk of them, or no more, or [`STRIDE`] have been looked at.
    /// Returns whether the chunk is complete.
    fn advance(&mut self, out: &mut Vec<u8>) -> bool {
        let list = &mut self.list;
        let more = self.source.advance(STRIDE, |item| {
            list.item(out, item);
            out.len() < CHUNK
        });
        if !more {
            self.list.end(out);
            self.done = true;
        }
        !more || out.len() >= CHUNK
    }
}
