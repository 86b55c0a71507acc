//! Compresses responses with gzip, as k8s.io/apiserver does: only if the client accepts gzip, at the lowest level,
//! and only large bodies.

use std::io::Write as _;

use axum::body::Body;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use futures::{Stream, StreamExt, stream};
use http::HeaderMap;
use http::header::ACCEPT_ENCODING;

/// Bodies that are not longer than this, in bytes, are sent uncompressed.
pub(super) const THRESHOLD: usize = 128 << 10;

/// Whether the client accepts gzip. As in metrics-server, a coding with a quality (`gzip;q=1`) does not count.
pub(super) fn accepts_gzip(headers: &HeaderMap) -> bool {
    headers
        .get(ACCEPT_ENCODING)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.split(',').any(|coding| coding.trim() == "gzip"))
}

/// Compresses a whole body.
pub(super) fn gzip(body: &[u8]) -> Bytes {
    let mut encoder = GzipStream::new();
    let mut out = encoder.push(body).to_vec();
    out.extend_from_slice(&encoder.end());
    Bytes::from(out)
}

/// Compresses a body while it is produced.
pub(super) fn gzip_stream(chunks: impl Stream<Item = Bytes> + Send + 'static) -> Body {
    let chunks = Box::pin(chunks);
    let compressed = stream::unfold(Some((GzipStream::new(), chunks)), async |state| {
        let (mut encoder, mut chunks) = state?;
        // The encoder buffers its input: most chunks produce no output at once.
        loop {
            let Some(chunk) = chunks.next().await else {
                return Some((encoder.end(), None));
            };
            let out = encoder.push(&chunk);
            if !out.is_empty() {
                return Some((out, Some((encoder, chunks))));
            }
        }
    });
    Body::from_stream(compressed.map(Ok::<_, std::convert::Infallible>))
}

struct GzipStream(GzEncoder<Vec<u8>>);

impl GzipStream {
    fn new() -> Self {
        Self(GzEncoder::new(Vec::new(), Compression::fast()))
    }

    /// Compresses the next chunk, and returns the output that is ready.
    fn push(&mut self, chunk: &[u8]) -> Bytes {
        // Writing to a Vec cannot fail.
        let _written = self.0.write_all(chunk);
        Bytes::from(std::mem::take(self.0.get_mut()))
    }

    fn end(self) -> Bytes {
        self.0.finish().map(Bytes::from).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::read::GzDecoder;
    use http::HeaderValue;
    use std::io::Read as _;

    fn decompressed(body: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        GzDecoder::new(body).read_to_end(&mut out).unwrap();
        out
    }

    #[test]
    fn gzip_is_accepted_only_by_its_plain_name() {
        for (header, expected) in [
            ("gzip", true),
            ("deflate, gzip", true),
            ("gzip, br", true),
            ("gzip;q=1.0", false),
            ("GZIP", false),
            ("*", false),
            ("", false),
        ] {
            let value = HeaderValue::from_static(header);
            let headers = HeaderMap::from_iter([(ACCEPT_ENCODING, value)]);
            assert_eq!(accepts_gzip(&headers), expected, "{header:?}");
        }
        assert!(!accepts_gzip(&HeaderMap::new()));
    }

    #[tokio::test]
    async fn chunks_decompress_to_the_original() {
        let chunks: Vec<Bytes> = (0..100_u8).map(|n| Bytes::from(vec![n; 5000])).collect();
        let body = gzip_stream(stream::iter(chunks.clone()));
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        assert_eq!(decompressed(&body), chunks.concat());
        assert!(body.len() < 50_000, "{}", body.len());
        assert_eq!(decompressed(&gzip(&chunks.concat())), chunks.concat());
        let nothing = axum::body::to_bytes(gzip_stream(stream::empty()), usize::MAX).await;
        assert_eq!(decompressed(&nothing.unwrap()), b"");
    }
}
