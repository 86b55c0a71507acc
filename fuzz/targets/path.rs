//! A request's address, as authorization reads it: one spelling for every path, and the same meaning for both.
#![no_main]

use http::{Method, Uri};
use kubevitals_server::auth::{Attributes, Target, normalized};
use libfuzzer_sys::fuzz_target;

const METHODS: [Method; 6] = [
    Method::GET,
    Method::HEAD,
    Method::POST,
    Method::PUT,
    Method::DELETE,
    Method::OPTIONS,
];

fuzz_target!(|text: &str| {
    let Ok(uri) = text.parse::<Uri>() else { return };
    let Ok(plain) = normalized(&uri) else { return };
    let plain = plain.unwrap_or_else(|| uri.clone());
    assert_eq!(
        normalized(&plain).unwrap(),
        None,
        "{plain} is not what it should become"
    );
    assert_eq!(plain.query(), uri.query());
    for method in &METHODS {
        let attributes = Attributes::of(method, &plain);
        assert_eq!(attributes.path, plain.path());
        // What has no resource in its path (…/proxy alone, an empty segment) is asked for as it is: nothing is served there.
        if let Target::Resource { .. } = &attributes.target {
            assert!(plain.path().starts_with("/ap"), "{plain}");
        }
    }
});
