//! What a kubelet says at /stats/summary.
#![no_main]

use kubevitals_proto::kubelet::summary::{Extras, Summary};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    // Both read the same answer; the smaller one looks into less of it.
    if Summary::parse(body).is_ok() {
        assert!(Extras::parse(body).is_ok());
    }
});
