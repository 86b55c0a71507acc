//! The Accept header.
#![no_main]

use kubevitals_server::fuzzing::accept_holds;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|header: &[u8]| {
    accept_holds(header);
});
