//! Forged responses of a kubelet: whatever a test sets.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use hyper::body::Frame;

/// The response of a kubelet that replaces a page. The status is 200, except for [`Forged::Status`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Forged {
    /// This HTTP status instead, and nothing but its name.
    Status(u16),
    /// This body.
    Body(Bytes),
    /// This body with this `content-type` and, if any, this `content-encoding`.
    Typed {
        /// `content-type`.
        kind: &'static str,
        /// `content-encoding`.
        encoding: Option<&'static str>,
        /// The body.
        body: Bytes,
    },
    /// This chunk, again and again, until the client closes.
    Endless(Bytes),
    /// This chunk, and then its first byte every 100 ms until the client closes.
    Drip(Bytes),
}

impl Forged {
    /// The type and the encoding, if they are set.
    pub(super) fn headers(&self) -> (Option<&'static str>, Option<&'static str>) {
        match self {
            Self::Typed { kind, encoding, .. } => (Some(kind), *encoding),
            _ => (None, None),
        }
    }

    /// Its chunks.
    pub(super) fn chunks(self) -> BoxStream<'static, io::Result<Frame<Bytes>>> {
        const PAUSE: Duration = Duration::from_millis(100);
        match self {
            Self::Status(_) => stream::empty().boxed(),
            Self::Body(body) | Self::Typed { body, .. } => {
                stream::iter([Ok(Frame::data(body))]).boxed()
            }
            Self::Endless(chunk) => {
                stream::repeat_with(move || Ok(Frame::data(chunk.clone()))).boxed()
            }
            Self::Drip(chunk) => {
                let byte = chunk.slice(..chunk.len().min(1));
                let drops = stream::unfold(byte, async |byte| {
                    tokio::time::sleep(PAUSE).await;
                    Some((Ok(Frame::data(byte.clone())), byte))
                });
                stream::iter([Ok(Frame::data(chunk))]).chain(drops).boxed()
            }
        }
    }
}
