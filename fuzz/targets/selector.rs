//! Label and field selectors, as requests and --node-selector bring them.
#![no_main]

use kubevitals_proto::labels::Labels;
use kubevitals_proto::selector::{FieldSelector, LabelSelector};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let labels = Labels::default();
    if let Ok(selector) = text.parse::<LabelSelector>() {
        let written = selector.to_string();
        let back: LabelSelector = written.parse().expect("what is written can be read");
        assert_eq!(back, selector, "{written}");
        assert_eq!(back.matches(&labels), selector.matches(&labels));
        assert!(
            !selector.is_empty() || selector.matches(&labels),
            "an empty one takes all"
        );
    }
    if let Ok(selector) = text.parse::<FieldSelector>() {
        let _ = selector.matches(|_| Some("value"));
        assert!(
            !selector.is_empty() || selector.matches(|_| None),
            "an empty one takes all"
        );
    }
});
