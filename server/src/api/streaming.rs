//! Streams a list while it is encoded: a list costs the memory of one chunk, however large the cluster is.

use axum::response::Response;
use bytes::Bytes;
use futures::{Stream, stream};
use http::HeaderMap;
use kubevitals_proto::wire::object::Encoding;
use kubevitals_proto::wire::pretty::Indenter;

use super::reply::{self, Form};

/// The size of a chunk in bytes: small in memory, and large enough that the encoding dominates the cost.
pub(super) const CHUNK: usize = 64 << 10;

/// The number of objects that are visited before other tasks run: a fraction of a millisecond.
pub(super) const STRIDE: usize = 1024;

/// Encodes a body chunk by chunk.
pub(super) trait ChunkEncoder: Send + 'static {
    /// Appends to `out` until it has [`CHUNK`] bytes, all objects are encoded, or [`STRIDE`] objects have been
    /// visited. Returns whether there is more.
    fn advance(&mut self, out: &mut Vec<u8>) -> bool;
}

/// Responds with all that `encoder` encodes. `len` is the length of the whole body, if it is known.
pub(super) async fn respond(
    encoder: impl ChunkEncoder,
    form: Form,
    len: Option<usize>,
    headers: &HeaderMap,
) -> Response {
    let json = form.encoding == Encoding::Json;
    let chunks = ChunkStream {
        encoder,
        indenter: (json && form.pretty).then(Indenter::new),
        ends_line: json && !form.pretty,
        done: false,
    };
    reply::chunked(form.encoding, headers, len, chunks.stream()).await
}

/// The chunks of a body that is not a Kubernetes object.
pub(super) fn chunks(encoder: impl ChunkEncoder) -> impl Stream<Item = Bytes> + Send + 'static {
    let chunks = ChunkStream {
        encoder,
        indenter: None,
        ends_line: false,
        done: false,
    };
    chunks.stream()
}

struct ChunkStream<E> {
    encoder: E,
    indenter: Option<Indenter>,
    /// Go's JSON encoder ends with a newline; its indenter does not.
    ends_line: bool,
    done: bool,
}

impl<E: ChunkEncoder> ChunkStream<E> {
    fn stream(self) -> impl Stream<Item = Bytes> + Send + 'static {
        stream::unfold(self, async |mut chunk_stream| {
            Some((chunk_stream.next_chunk().await?, chunk_stream))
        })
    }

    async fn next_chunk(&mut self) -> Option<Bytes> {
        if self.done {
            return None;
        }
        let mut out = Vec::with_capacity(CHUNK + CHUNK / 8);
        // A selective list may visit many objects for one chunk: other tasks run meanwhile.
        while self.encoder.advance(&mut out) {
            if out.len() >= CHUNK {
                return Some(self.finished(out));
            }
            tokio::task::yield_now().await;
        }
        self.done = true;
        if self.ends_line {
            out.push(b'\n');
        }
        Some(self.finished(out))
    }

    fn finished(&mut self, mut out: Vec<u8>) -> Bytes {
        if let Some(indenter) = &mut self.indenter {
            let compact = std::mem::take(&mut out);
            out.reserve(compact.len() * 2);
            indenter.push(&compact, &mut out);
        }
        Bytes::from(out)
    }
}
