//! Response bodies, compressed or not. A list is compressed as a whole. Some API servers send a watch as a series of
//! gzip members, and each must be readable when it arrives.

use std::io::Write;

use bytes::Bytes;
use flate2::write::MultiGzDecoder;
use http::HeaderMap;
use http::header::CONTENT_ENCODING;
use http_body_util::BodyExt as _;
use kube::client::Body;
use tower::BoxError;

/// A response body, read chunk by chunk.
pub(super) struct BodyChunks {
    body: Body,
    /// The gzip decoder; none for a plain body.
    decoder: Option<MultiGzDecoder<Vec<u8>>>,
}

impl BodyChunks {
    /// The body of a response with these headers.
    pub(super) fn new(headers: &HeaderMap, body: Body) -> Self {
        let encoding = headers.get(CONTENT_ENCODING);
        let is_gzip = encoding.is_some_and(|encoding| encoding.as_bytes() == b"gzip");
        Self {
            body,
            decoder: is_gzip.then(|| MultiGzDecoder::new(Vec::new())),
        }
    }

    /// The next chunk; none at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, BoxError> {
        loop {
            let Some(frame) = self.body.frame().await else {
                if let Some(decoder) = &mut self.decoder {
                    // A truncated member is an error.
                    decoder.try_finish()?;
                    self.decoder = None;
                }
                return Ok(None);
            };
            let Ok(data) = frame?.into_data() else {
                continue;
            };
            let data = self.inflate(data)?;
            if !data.is_empty() {
                return Ok(Some(data));
            }
        }
    }

    fn inflate(&mut self, data: Bytes) -> Result<Bytes, BoxError> {
        let Some(decoder) = &mut self.decoder else {
            return Ok(data);
        };
        decoder.write_all(&data)?;
        decoder.flush()?;
        Ok(std::mem::take(decoder.get_mut()).into())
    }
}

#[cfg(test)]
mod tests {
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use http::HeaderValue;

    use super::*;

    fn chunks(encoding: Option<&'static str>) -> BodyChunks {
        let mut headers = HeaderMap::new();
        if let Some(encoding) = encoding {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static(encoding));
        }
        BodyChunks::new(&headers, Body::empty())
    }

    fn member(text: &str) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn each_member_is_read_when_it_arrives() {
        let events = ["one\n", "two, which is longer\n", "three\n"];
        for cut in [1, 2, 7, 1_000] {
            let mut chunks = chunks(Some("gzip"));
            for event in events {
                let mut read = Vec::new();
                for part in member(event).chunks(cut) {
                    read.extend(chunks.inflate(Bytes::copy_from_slice(part)).unwrap());
                }
                assert_eq!(String::from_utf8(read).unwrap(), event, "{cut}");
            }
        }
    }

    #[test]
    fn a_flushed_event_is_decoded_before_its_gzip_member_ends() {
        let mut chunks = chunks(Some("gzip"));
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        for event in ["one\n", "two\n"] {
            encoder.write_all(event.as_bytes()).unwrap();
            encoder.flush().unwrap();
            let sent = std::mem::take(encoder.get_mut());
            assert_eq!(chunks.inflate(sent.into()).unwrap(), event);
        }
    }

    #[test]
    fn plain_bodies_pass_and_broken_ones_are_errors() {
        for encoding in [None, Some("identity")] {
            let plain = chunks(encoding).inflate(Bytes::from_static(b"plain"));
            assert_eq!(plain.unwrap(), "plain");
        }
        let broken = chunks(Some("gzip")).inflate(Bytes::from_static(b"this is not gzip"));
        assert!(broken.is_err());
    }
}
