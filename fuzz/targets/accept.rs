//! The Accept header.
#![no_main]

use kubevitals_proto::wire::accept::properties::hold;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|header: &[u8]| {
    hold(header);
});
