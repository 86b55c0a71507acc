//! Answers of a kubelet that is somebody else's: whatever a test wants it to say.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use hyper::body::Frame;

/// What a kubelet answers in place of a page: with status 200, unless it is another status.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Forged {
    /// This HTTP status instead, and nothing but its name.
    Status(u16),
    /// This body.
    Body(Bytes),
    /// This body, which is said to be of this type and, if any, in this encoding.
    Typed {
        /// `content-type`.
        kind: &'static str,
        /// `content-encoding`.
        encoding: Option<&'static str>,
        /// The body.
        body: Bytes,
    },
    /// This piece, again and again, for as long as somebody reads.
    Endless(Bytes),
    /// This piece, and then a byte of it now and then, for as long as somebody waits.
    Drip(Bytes),
}

impl Forged {
    /// Its type and its encoding, if it says one.
    pub(super) fn headers(&self) -> (Option<&'static str>, Option<&'static str>) {
        match self {
            Self::Typed { kind, encoding, .. } => (Some(kind), *encoding),
            _ => (None, None),
        }
    }

    /// Its pieces.
    pub(super) fn pieces(self) -> BoxStream<'static, io::Result<Frame<Bytes>>> {
        const PAUSE: Duration = Duration::from_millis(100);
        match self {
            Self::Status(_) => stream::empty().boxed(),
            Self::Body(body) | Self::Typed { body, .. } => {
                stream::iter([Ok(Frame::data(body))]).boxed()
            }
            Self::Endless(piece) => {
                stream::repeat_with(move || Ok(Frame::data(piece.clone()))).boxed()
            }
            Self::Drip(piece) => {
                let byte = piece.slice(..piece.len().min(1));
                let drops = stream::unfold(byte, async |byte| {
                    tokio::time::sleep(PAUSE).await;
                    Some((Ok(Frame::data(byte.clone())), byte))
                });
                stream::iter([Ok(Frame::data(piece))]).chain(drops).boxed()
            }
        }
    }
}
