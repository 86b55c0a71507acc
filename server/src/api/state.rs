//! /state/v1: the whole state of this server, for another replica that starts, and parts of it for other shards. The form
//! is that of the state file (`state::wire`).

use std::io::{self, Write};
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use bytes::Bytes;
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use tokio::sync::{Semaphore, mpsc};

use super::reply;
use crate::query::Query;
use crate::shard::{PeerRequest, Shards};
use crate::state::{PATH, PROCESS, StatePersister};

/// The size of a chunk in bytes.
const CHUNK: usize = 64 << 10;

/// The number of chunks that wait for the client.
const QUEUE: usize = 4;

/// The number of concurrent transfers. Each needs a thread, and only a replica that starts needs a transfer.
const MAX_TRANSFERS: usize = 2;

/// The number of concurrent answers to other shards, each of which takes milliseconds.
const MAX_ANSWERS: usize = 64;

/// The route.
pub(super) fn routes(
    persister: &Arc<StatePersister>,
    shards: Option<Arc<Shards>>,
) -> Router<Arc<Query>> {
    let server = Arc::new(StateServer {
        persister: Arc::clone(persister),
        shards,
        transfers: Arc::new(Semaphore::new(MAX_TRANSFERS)),
        answers: Arc::new(Semaphore::new(MAX_ANSWERS)),
    });
    Router::new().route(
        PATH,
        get(async move |request: Request| server.respond(&request)),
    )
}

struct StateServer {
    persister: Arc<StatePersister>,
    shards: Option<Arc<Shards>>,
    /// One for each transfer.
    transfers: Arc<Semaphore>,
    /// One for each answer to another shard.
    answers: Arc<Semaphore>,
}

impl StateServer {
    fn respond(&self, request: &Request) -> Response {
        let from = request.headers().get(PROCESS);
        let itself = self.persister.process().as_bytes();
        if from.is_some_and(|process| *process.as_bytes() == *itself) {
            let text = "this is the process that sends the request\n".to_owned();
            return reply::text(StatusCode::MISDIRECTED_REQUEST, text);
        }
        let parsed = PeerRequest::parse(request.uri());
        let (slots, write): (_, WriteState) = match (parsed, &self.shards) {
            (Ok(Some(request)), Some(shards)) => {
                let shards = Arc::clone(shards);
                let write = move |out| shards.write(&request, out);
                (&self.answers, Box::new(write))
            }
            (Ok(None), _) => {
                let parts = Arc::clone(self.persister.parts());
                let write = move |out| Ok(parts.write(out)?.0);
                (&self.transfers, Box::new(write))
            }
            (Ok(Some(_)), None) => {
                let text = "this server is no shard: give all servers of the Service a --shard\n";
                return reply::text(StatusCode::NOT_FOUND, text.to_owned());
            }
            (Err(error), _) => {
                return reply::text(StatusCode::BAD_REQUEST, format!("{error}\n"));
            }
        };
        let Ok(slot) = Arc::clone(slots).try_acquire_owned() else {
            let text = "too many transfers of the state are in progress; try again in a moment\n";
            return reply::text(StatusCode::TOO_MANY_REQUESTS, text.to_owned());
        };
        let (sender, mut receiver) = mpsc::channel(QUEUE);
        tokio::task::spawn_blocking(move || {
            let out = ChunkWriter {
                chunk: Vec::with_capacity(CHUNK),
                sender,
            };
            // A write fails if the client disconnects. The client notices an incomplete transfer by the missing end
            // frame.
            let _sent = write(out).and_then(|mut out| out.flush());
            drop(slot);
        });
        let chunks = futures::stream::poll_fn(move |context| receiver.poll_recv(context));
        let chunks = futures::StreamExt::map(chunks, Ok::<_, io::Error>);
        let headers = [
            (CONTENT_TYPE, "application/octet-stream"),
            (CACHE_CONTROL, "no-cache, private"),
        ];
        (headers, Body::from_stream(chunks)).into_response()
    }
}

/// Writes an answer, and returns the writer.
type WriteState = Box<dyn FnOnce(ChunkWriter) -> io::Result<ChunkWriter> + Send>;

/// Collects bytes into chunks of one size and sends them; blocks while the client does not read.
struct ChunkWriter {
    chunk: Vec<u8>,
    sender: mpsc::Sender<Bytes>,
}

impl Write for ChunkWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.chunk.len() >= CHUNK {
            self.flush()?;
        }
        let space = CHUNK.saturating_sub(self.chunk.len());
        let accepted = bytes.get(..space).unwrap_or(bytes);
        self.chunk.extend_from_slice(accepted);
        Ok(accepted.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.chunk.is_empty() {
            return Ok(());
        }
        let chunk = std::mem::replace(&mut self.chunk, Vec::with_capacity(CHUNK));
        self.sender
            .blocking_send(Bytes::from(chunk))
            .map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))
    }
}
