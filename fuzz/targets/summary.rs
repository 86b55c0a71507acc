//! What a kubelet says at /stats/summary.
#![no_main]

mod peak;

use kubevitals_proto::kubelet::summary::{Extras, Rates};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    peak::bounded(body.len(), || drop(Rates::parse(body)));
    peak::bounded(body.len(), || drop(Extras::parse(body)));
});
