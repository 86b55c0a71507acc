//! The form of incidents in a ConfigMap: JSON, compressed with gzip, of limited size.

use std::io::{self, BufWriter, Read as _, Write};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;

use crate::health::{Snapshot, SnapshotError};

/// The most compressed bytes: 768 KiB as base64. The API server refuses a ConfigMap of more than 1 MiB
/// (`MaxSecretSize` in pkg/apis/core), and its other content needs space too.
pub(super) const MAX_COMPRESSED: usize = 576 << 10;

/// The most bytes of JSON.
pub(super) const MAX_INFLATED: usize = 8 << 20;

/// Why the content of a ConfigMap cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum UnpackError {
    #[error("the content is not valid gzip: {0}")]
    Compression(#[from] io::Error),
    #[error("the decompressed content has more than {} MiB", MAX_INFLATED >> 20)]
    TooLarge,
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
}

/// Compressed incidents.
#[derive(Debug)]
pub(super) struct Packed {
    pub(super) bytes: Vec<u8>,
    /// The number of incidents that did not fit.
    pub(super) left_out: usize,
}

/// Compresses a snapshot. If not all incidents fit, open ones go before ended ones, and of each the ones that were
/// seen last.
///
/// # Errors
/// The snapshot cannot be encoded, which only a defect can cause.
pub(super) fn pack(snapshot: &Snapshot) -> io::Result<Packed> {
    let all = snapshot.incidents();
    let (mut count, mut size) = (all, compress(snapshot)?);
    while (size.inflated > MAX_INFLATED || size.compressed > MAX_COMPRESSED) && count > 0 {
        // Slightly fewer than would fit if all incidents had the same size.
        let fit = |limit: usize, size: usize| count * limit / size.max(1) * 19 / 20;
        let fewer = fit(MAX_INFLATED, size.inflated).min(fit(MAX_COMPRESSED, size.compressed));
        count = fewer.min(count - 1);
        size = compress(&snapshot.newest(count))?;
    }
    Ok(Packed {
        bytes: size.bytes,
        left_out: all - count,
    })
}

/// Decompresses what [`pack`] has written.
///
/// # Errors
/// What is wrong with the content. At most [`MAX_INFLATED`] bytes are decompressed.
pub(super) fn unpack(bytes: &[u8]) -> Result<Snapshot, UnpackError> {
    let mut json = Vec::new();
    let max = u64::try_from(MAX_INFLATED).unwrap_or(u64::MAX);
    let mut decoder = GzDecoder::new(bytes).take(max.saturating_add(1));
    decoder.read_to_end(&mut json)?;
    if json.len() > MAX_INFLATED {
        return Err(UnpackError::TooLarge);
    }
    Ok(Snapshot::from_json(&json)?)
}

struct Compressed {
    bytes: Vec<u8>,
    compressed: usize,
    inflated: usize,
}

fn compress(snapshot: &Snapshot) -> io::Result<Compressed> {
    let encoder = GzEncoder::new(BoundedBuffer::default(), Compression::default());
    let mut json = BufWriter::new(CountingWriter { encoder, bytes: 0 });
    serde_json::to_writer(&mut json, snapshot)?;
    let json = json.into_inner().map_err(io::IntoInnerError::into_error)?;
    let out = json.encoder.finish()?;
    Ok(Compressed {
        compressed: out.length,
        bytes: out.bytes,
        inflated: json.bytes,
    })
}

/// Compresses, and counts the uncompressed bytes.
struct CountingWriter {
    encoder: GzEncoder<BoundedBuffer>,
    bytes: usize,
}

impl Write for CountingWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.encoder.write(bytes)?;
        self.bytes += written;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.encoder.flush()
    }
}

/// Stores at most [`MAX_COMPRESSED`] bytes, and only counts the rest.
#[derive(Default)]
struct BoundedBuffer {
    bytes: Vec<u8>,
    length: usize,
}

impl Write for BoundedBuffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.length += bytes.len();
        if self.length <= MAX_COMPRESSED {
            self.bytes.extend_from_slice(bytes);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use kubevitals_proto::time::Timestamp;
    use serde_json::{Value, json};

    use super::*;

    /// A snapshot with `incidents` incidents, of which every third is open, with text that does not compress.
    fn snapshot(incidents: usize, text: usize) -> Snapshot {
        let mut state = 1_u64;
        let mut noise = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            format!("{:016x}", state.rotate_left(32))
        };
        let incidents: Vec<Value> = (0..incidents)
            .map(|n| {
                let at = Timestamp::from_secs(1_800_000_000 + n as i64).to_rfc3339_seconds();
                let text: String = (0..text.div_ceil(16)).map(|_| noise()).collect();
                let mut incident = json!({
                    "metadata": {"name": format!("web-{n}"), "namespace": "shop"},
                    "involved": {"kind": "Pod", "namespace": "shop", "name": "web"},
                    "began": at, "lastSeen": at, "message": text,
                });
                if n % 3 > 0 {
                    incident["ended"] = json!(at);
                }
                json!({"incident": incident, "keys": []})
            })
            .collect();
        let snapshot = json!({"form": 1, "incidents": incidents, "pods": [], "nodes": []});
        serde_json::from_value(snapshot).unwrap()
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn packed_incidents_unpack_to_the_same() {
        for incidents in [0, 1, 100] {
            let snapshot = snapshot(incidents, 50);
            let packed = pack(&snapshot).unwrap();
            assert_eq!(packed.left_out, 0);
            assert_eq!(unpack(&packed.bytes).unwrap(), snapshot);
            assert_eq!(
                pack(&snapshot).unwrap().bytes,
                packed.bytes,
                "the same bytes"
            );
        }
    }

    #[test]
    fn open_and_newest_incidents_go_first() {
        let snapshot = snapshot(2000, 750);
        let packed = pack(&snapshot).unwrap();
        assert!(packed.bytes.len() <= MAX_COMPRESSED);
        assert!(
            packed.bytes.len() > MAX_COMPRESSED * 3 / 4,
            "as many as fit: {} bytes",
            packed.bytes.len()
        );
        let incidents = unpack(&packed.bytes).unwrap();
        assert_eq!(incidents.incidents() + packed.left_out, 2000);
        let incidents = serde_json::to_value(incidents).unwrap();
        let incidents = incidents["incidents"].as_array().unwrap();
        let open = |incident: &&Value| incident["incident"]["ended"].is_null();
        let open_count = incidents.iter().filter(open).count();
        assert_eq!(open_count, 2000_usize.div_ceil(3).min(incidents.len()));
        // No ended incident is older than one that was left out.
        let over = incidents.iter().filter(|incident| !open(incident)).count();
        let oldest = incidents.iter().find(|incident| !open(incident)).unwrap();
        let oldest: usize = oldest["incident"]["metadata"]["name"]
            .as_str()
            .and_then(|name| name.strip_prefix("web-"))
            .unwrap()
            .parse()
            .unwrap();
        assert_eq!((oldest..2000).filter(|n| n % 3 > 0).count(), over);
    }

    #[test]
    fn invalid_content_has_distinct_errors() {
        let good = pack(&snapshot(3, 50)).unwrap().bytes;
        let mut cut = good.clone();
        cut.truncate(good.len() / 2);
        let mut spoilt = good.clone();
        spoilt[good.len() / 2] ^= 0x55;
        for bytes in [&b"garbage"[..], b"", &cut, &spoilt] {
            assert!(unpack(bytes).is_err(), "{bytes:?}");
        }
        for text in ["", "[]", "{}", "null", "{\"form\":\"x\"}", "{\"form\":1}"] {
            let refused = unpack(&gzip(text.as_bytes())).unwrap_err();
            assert!(
                matches!(
                    refused,
                    UnpackError::Snapshot(SnapshotError::Malformed { .. })
                ),
                "{text}: {refused}"
            );
        }
    }

    #[test]
    fn a_later_form_is_recognized() {
        let later = json!({"form": 7, "incidents": "elsewhere", "more": [1, 2]});
        let refused = unpack(&gzip(later.to_string().as_bytes())).unwrap_err();
        assert!(
            matches!(refused, UnpackError::Snapshot(SnapshotError::Form(7))),
            "{refused}"
        );
    }

    #[test]
    fn a_compression_bomb_is_not_decompressed() {
        // 64 MiB of spaces compress to 64 KiB.
        let bomb = gzip(&vec![b' '; 64 << 20]);
        assert!(bomb.len() < 100 << 10);
        assert!(matches!(unpack(&bomb), Err(UnpackError::TooLarge)));
    }

    #[test]
    fn long_lists_are_refused_huge_elements_skipped() {
        let many = |list: &str, element: &str, count: usize| {
            let elements = vec![element; count].join(",");
            let mut lists = ["incidents", "pods", "nodes"].map(|name| format!("\"{name}\":[]"));
            let at = ["incidents", "pods", "nodes"]
                .iter()
                .position(|it| *it == list);
            lists[at.unwrap()] = format!("\"{list}\":[{elements}]");
            gzip(format!("{{\"form\":1,{}}}", lists.join(",")).as_bytes())
        };
        let empty = "{\"incident\":{},\"keys\":[]}";
        assert!(unpack(&many("incidents", empty, 4096)).is_ok());
        assert!(unpack(&many("incidents", empty, 4097)).is_err());
        assert!(unpack(&many("nodes", "[\"a\",0]", 20_001)).is_err());
        let evidence = vec!["{}"; 100_000].join(",");
        let huge = format!("{{\"incident\":{{\"evidence\":[{evidence}]}},\"keys\":[]}}");
        let snapshot = unpack(&many("incidents", &huge, 2)).unwrap();
        let incidents = serde_json::to_value(snapshot).unwrap();
        assert_eq!(incidents["incidents"][1]["incident"]["evidence"], json!([]));
    }
}
