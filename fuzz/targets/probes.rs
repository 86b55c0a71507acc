//! What a kubelet says at /metrics/probes.
#![no_main]

mod peak;

use kubevitals_proto::kubelet::names::{may_be_container, may_be_pod};
use kubevitals_proto::kubelet::probes::{MAX_SERIES, decode};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    let scrape = peak::bounded(body.len(), || decode(body));
    assert!(scrape.probes.len() <= MAX_SERIES);
    let sorted = scrape.probes.is_sorted_by(|(a, _), (b, _)| a < b);
    assert!(sorted, "each probe once, in order");
    for (key, _) in &scrape.probes {
        assert!(may_be_pod(&key.namespace, &key.pod) && may_be_container(&key.container));
    }
    assert_eq!(scrape.skipped_lines > 0, scrape.first_bad_line.is_some());
});
