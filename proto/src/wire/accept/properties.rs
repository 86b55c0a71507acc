//! Properties of every Accept header. The fuzz target checks the same.

use super::super::object::Encoding;
use super::{Refusal, first_of, negotiate, no_conversion};

/// Asserts the properties for a header.
///
/// # Panics
/// When a property does not hold.
pub fn hold(header: &[u8]) {
    let served = Encoding::ALL.map(Encoding::content_type);
    let unconverted = negotiate(header, no_conversion);
    let anything = negotiate(header, |_, conversion| Some(conversion.is_some()));
    assert!(
        anything.is_ok() || unconverted.is_err(),
        "an endpoint that converts everything refuses no more than one that converts nothing"
    );
    assert_eq!(
        first_of(header, &served).is_none(),
        anything == Err(Refusal::MediaType),
        "a media type is named, or none is"
    );
    assert_eq!(
        unconverted,
        negotiate(header, no_conversion),
        "the same header is read the same"
    );
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2048))]

        #[test]
        fn bytes_never_panic(header in prop::collection::vec(any::<u8>(), 0..200)) {
            super::hold(&header);
        }

        #[test]
        fn clauses_never_panic(header in "((application|text|\\*)/{0,2}(json|yaml|vnd\\.kubernetes\\.protobuf|\\*)?( ?; ?(q|as|g|v|sv|stream|pretty)=?[a-z0-9.]{0,5}){0,4} ?, ?){0,6}") {
            super::hold(header.as_bytes());
        }
    }
}
