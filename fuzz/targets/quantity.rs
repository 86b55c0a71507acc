//! Kubernetes' quantities, and Go's durations and times beside them: what is read is written so that it is read
//! as the same.
#![no_main]

use std::cmp::Ordering;

use kubevitals_proto::duration::GoDuration;
use kubevitals_proto::quantity::Quantity;
use kubevitals_proto::time::Timestamp;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(quantity) = text.parse::<Quantity>() {
        let written = quantity.to_string();
        let back: Quantity = written.parse().expect("what is written can be read");
        assert_eq!(back, quantity, "{written}");
        assert_eq!(back.to_string(), written);
        assert_eq!(quantity.cmp(&back), Ordering::Equal);
        assert_eq!(back.value(), quantity.value());
        assert_eq!(back.milli_value(), quantity.milli_value());
        let _ = (
            quantity + quantity,
            quantity.to_f64(),
            quantity.to_bytes(),
            quantity.to_nanocores(),
        );
    }
    if let Ok(duration) = text.parse::<GoDuration>() {
        assert_eq!(duration.to_string().parse(), Ok(duration));
    }
    if let Ok(time) = text.parse::<Timestamp>() {
        let _ = (time.to_rfc3339_seconds(), time.to_rfc3339_micros());
    }
});
