//! Converts a request of 2.0 to 1.0, for a receiver that does not support 2.0.

use prost::Message;

use super::encode::{Encoder, Meta, Protocol, Sample};
use super::queue::Request;
use crate::export::series::Kind;

/// `io.prometheus.write.v2.Request`, without what the server does not send.
#[derive(Clone, PartialEq, Message)]
struct V2 {
    #[prost(string, repeated, tag = "4")]
    symbols: Vec<String>,
    #[prost(message, repeated, tag = "5")]
    timeseries: Vec<V2Series>,
}

#[derive(Clone, PartialEq, Message)]
struct V2Series {
    #[prost(uint32, repeated, tag = "1")]
    labels_refs: Vec<u32>,
    #[prost(message, repeated, tag = "2")]
    samples: Vec<V2Sample>,
}

#[derive(Clone, PartialEq, Message)]
struct V2Sample {
    #[prost(double, tag = "1")]
    value: f64,
    #[prost(int64, tag = "2")]
    timestamp: i64,
}

/// Converts a request, unless it is of 1.0 already. The server made it, so it can be decoded; if it cannot, the receiver
/// gets it as it is and refuses it.
pub(super) fn to_v1(request: Request) -> Request {
    if request.protocol == Protocol::V1 {
        return request;
    }
    let message = snap::raw::Decoder::new().decompress_vec(&request.body);
    let Some(decoded) = message.ok().and_then(|it| V2::decode(&*it).ok()) else {
        return request;
    };
    // 1.0 has no metadata.
    let meta = Meta {
        kind: Kind::Gauge,
        help: "",
    };
    let mut encoder = Encoder::new(Protocol::V1);
    for series in &decoded.timeseries {
        let symbol = |at: u32| decoded.symbols.get(at as usize).map_or("", |it| &**it);
        let pairs = series.labels_refs.chunks_exact(2);
        let labels: Vec<(&str, &str)> = pairs
            .filter_map(|pair| match pair {
                [name, value] => Some((symbol(*name), symbol(*value))),
                _ => None,
            })
            .collect();
        let samples = series.samples.iter().map(|it| (it.timestamp, it.value));
        let samples: Vec<Sample> = samples.collect();
        encoder.add(&labels, meta, &samples);
    }
    Request {
        body: encoder.finish().unwrap_or_default(),
        protocol: Protocol::V1,
        ..request
    }
}
