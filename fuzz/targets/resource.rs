//! What a kubelet says at /metrics/resource, line by line and decoded.
#![no_main]

mod peak;

use kubevitals_proto::exposition::lines::{Scanner, parse_sample};
use kubevitals_proto::kubelet::resource::{DecodeLimits, ResourceScrape, decode, decode_limited};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    let mut scanner = Scanner::new(body);
    let mut lines = 0;
    while let Some(line) = scanner.next_raw() {
        lines += 1;
        assert!(!line.contains(&b'\n'));
        if let Some(sample) = parse_sample(line) {
            // Labels are read lazily: walk all of them.
            for (name, value) in sample.labels.iter() {
                assert!(name.len() + value.len() <= 4 * line.len());
            }
        }
    }

    let mut scrape = ResourceScrape::default();
    peak::bounded(body.len(), || decode(body, &mut scrape));
    let sorted = scrape.containers.is_sorted_by(|(a, _), (b, _)| a < b);
    assert!(sorted, "each container once, in order");
    assert!(scrape.flawed.is_sorted_by(|a, b| a < b));
    assert!(scrape.duplicates.is_sorted_by(|a, b| a.key < b.key));
    assert!(scrape.series as usize + scrape.skipped_lines as usize <= lines);
    assert_eq!(scrape.skipped_lines > 0, scrape.first_bad_line.is_some());

    // The memory of another scrape makes no difference.
    let mut again = scrape.clone();
    decode(body, &mut again);
    assert_eq!(again, scrape);

    let mut few = ResourceScrape::default();
    decode_limited(body, DecodeLimits { max_series: 2 }, &mut few);
    assert!(few.containers.len() <= 2);
    assert_eq!(few.truncated, scrape.containers.len() > 2);
});
