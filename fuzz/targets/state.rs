//! What a server reads at start: a file that anybody may have written, and what another replica says.
#![no_main]

use kubevitals_server::fuzzing::check_state;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| check_state(bytes));
