//! What a server reads at start: a file that anybody may have written, and what another replica says.
#![no_main]

use kubevitals_server::fuzzing::state_is_borne;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| state_is_borne(bytes));
