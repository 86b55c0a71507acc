//! Lists, streamed as they are encoded: however large the cluster, a list costs one chunk of memory.

use std::cell::Cell;
use std::convert::Infallible;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::StatusCode;
use kubevitals_proto::metrics::Version;
use kubevitals_proto::time::Timestamp;
use kubevitals_proto::wire::pretty::Indenter;

use super::encode;
use super::selection::Selection;
use crate::api::reply::{self, Form};
use crate::query::{PodCursor, PodList, Query};

/// Encoded at a time: large enough that its cost is in the encoding, small enough to be nothing in memory.
const CHUNK: usize = 64 << 10;

/// Pods looked at in one go: a fraction of a millisecond.
const STRIDE: usize = 1024;

/// The list of nodes. There are never so many that they need a stream.
pub(super) fn nodes(
    version: Version,
    query: &Query,
    form: Form,
    selection: &Selection,
) -> Response {
    let answers = query.nodes(|node| selection.admits("", &node.name, &node.labels));
    form.bytes(
        StatusCode::OK,
        encode::nodes(version, &answers, query.wall()),
    )
}

/// The list of pods.
pub(super) async fn pods(
    version: Version,
    query: &Query,
    form: Form,
    namespace: Option<&str>,
    selection: Selection,
) -> Response {
    let mut stream = PodStream {
        list: query.pods(),
        cursor: PodCursor::new(namespace),
        selection,
        created: query.wall(),
        version,
        indenter: form.pretty.then(Indenter::new),
        state: State::Head,
    };
    // A short list goes out in one piece, with its length.
    let first = stream.next_chunk().await.unwrap_or_default();
    if matches!(stream.state, State::Done) {
        return reply::json(StatusCode::OK, Body::from(first));
    }
    let rest = futures::stream::unfold(stream, async |mut stream| {
        Some((stream.next_chunk().await?, stream))
    });
    let all = futures::StreamExt::chain(futures::stream::once(async { first }), rest);
    reply::json(
        StatusCode::OK,
        Body::from_stream(futures::StreamExt::map(all, Ok::<_, Infallible>)),
    )
}

enum State {
    Head,
    Items { any: bool },
    Done,
}

struct PodStream {
    list: PodList,
    cursor: PodCursor,
    selection: Selection,
    created: Timestamp,
    version: Version,
    indenter: Option<Indenter>,
    state: State,
}

impl PodStream {
    async fn next_chunk(&mut self) -> Option<Bytes> {
        let mut out = Vec::with_capacity(CHUNK + CHUNK / 8);
        match self.state {
            State::Done => return None,
            State::Head => {
                encode::pods_head(&mut out, self.version);
                self.state = State::Items { any: false };
            }
            State::Items { .. } => {}
        }
        // Few of very many may be asked for: others have their turn while those few are looked for.
        while !self.advance(&mut out) {
            tokio::task::yield_now().await;
        }
        Some(Bytes::from(self.finish(out)))
    }

    /// Encodes what is asked for of the next pods, until there is a chunk of it, or no more, or [`STRIDE`] pods
    /// have been looked at. Returns whether the chunk is complete.
    fn advance(&mut self, out: &mut Vec<u8>) -> bool {
        let mut any = matches!(self.state, State::Items { any: true });
        let (selection, created) = (&self.selection, self.created);
        let (looked_at, asked_for) = (Cell::new(0), Cell::new(false));
        let more = self.list.visit(
            &mut self.cursor,
            |pod| {
                looked_at.set(looked_at.get() + 1);
                asked_for.set(selection.admits(&pod.key.namespace, &pod.key.name, &pod.labels));
                // A visit can only be ended at a pod that is let through.
                asked_for.get() || looked_at.get() >= STRIDE
            },
            |answer| {
                if asked_for.get() {
                    if any {
                        out.push(b',');
                    }
                    any = true;
                    encode::pods_item(out, &answer, created);
                }
                out.len() < CHUNK && looked_at.get() < STRIDE
            },
        );
        if more {
            self.state = State::Items { any };
        } else {
            encode::pods_tail(out);
            self.state = State::Done;
        }
        !more || out.len() >= CHUNK
    }

    fn finish(&mut self, mut compact: Vec<u8>) -> Vec<u8> {
        match &mut self.indenter {
            Some(indenter) => {
                let mut indented = Vec::with_capacity(compact.len() * 2);
                indenter.push(&compact, &mut indented);
                indented
            }
            None => {
                if matches!(self.state, State::Done) {
                    compact.push(b'\n');
                }
                compact
            }
        }
    }
}
