//! What a kubelet says at /stats/summary.
#![no_main]

use kubevitals_proto::kubelet::summary::Summary;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    let _summary = Summary::parse(body);
});
