//! What a kubelet says at /stats/summary.
#![no_main]

mod peak;

use kubevitals_proto::kubelet::summary::{Extras, Summary};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    let whole = peak::bounded(body.len(), || Summary::parse(body).is_ok());
    let extras = peak::bounded(body.len(), || Extras::parse(body).is_ok());
    // Both read the same answer; the smaller one looks into less of it.
    assert!(extras || !whole);
});
