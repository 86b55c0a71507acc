//! Answers streamed as they are encoded: however large the cluster, a list costs one chunk of memory.

use axum::response::Response;
use bytes::Bytes;
use futures::stream;
use http::HeaderMap;
use kubevitals_proto::wire::object::Encoding;
use kubevitals_proto::wire::pretty::Indenter;

use super::reply::{self, Form};

/// Encoded at a time: large enough that its cost is in the encoding, small enough to be nothing in memory.
pub(super) const CHUNK: usize = 64 << 10;

/// Objects looked at in one go: a fraction of a millisecond.
pub(super) const STRIDE: usize = 1024;

/// What is encoded piece by piece.
pub(super) trait ChunkEncoder: Send + 'static {
    /// Appends what comes next, until `out` has [`CHUNK`] bytes, or all is there, or [`STRIDE`] objects have been
    /// looked at. Returns whether there is more.
    fn advance(&mut self, out: &mut Vec<u8>) -> bool;
}

/// An answer of all that `encoder` has; of `len` bytes, if that is known.
pub(super) async fn respond(
    encoder: impl ChunkEncoder,
    form: Form,
    len: Option<usize>,
    headers: &HeaderMap,
) -> Response {
    let json = form.encoding == Encoding::Json;
    let chunk_stream = ChunkStream {
        encoder,
        indenter: (json && form.pretty).then(Indenter::new),
        ends_line: json && !form.pretty,
        done: false,
    };
    let chunks = stream::unfold(chunk_stream, async |mut chunk_stream| {
        Some((chunk_stream.next_chunk().await?, chunk_stream))
    });
    reply::chunked(form.encoding, headers, len, chunks).await
}

struct ChunkStream<E> {
    encoder: E,
    indenter: Option<Indenter>,
    /// A newline follows, as Go's JSON encoder ends what it writes; its indenter does not.
    ends_line: bool,
    done: bool,
}

impl<E: ChunkEncoder> ChunkStream<E> {
    async fn next_chunk(&mut self) -> Option<Bytes> {
        if self.done {
            return None;
        }
        let mut out = Vec::with_capacity(CHUNK + CHUNK / 8);
        // Few of very many may be asked for: others have their turn while those few are looked for.
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
