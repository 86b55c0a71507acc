//! Discovery, tables, metadata and the rest of what every API server answers.

use crate::fixtures::{assert_same_body, bytes};
use kubevitals_proto::metrics::discovery;
use kubevitals_proto::wire::discovery::aggregated::ApiGroupDiscoveryList;
use kubevitals_proto::wire::discovery::{ApiGroup, ApiGroupList, ApiResourceList, Served};
use kubevitals_proto::wire::pretty::{self, Indenter};
use kubevitals_proto::wire::root::{RootPaths, VersionInfo};
use kubevitals_proto::wire::{envelope, gojson};
use proptest::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt::Debug;

fn body(name: &str) -> Vec<u8> {
    bytes(&format!("metrics-api/{name}.body"))
}

fn indented(value: &impl Serialize) -> Vec<u8> {
    let mut compact = Vec::new();
    gojson::write_value(&mut compact, value).unwrap();
    pretty::indent(&compact)
}

/// Both ways: we write what the peer wrote, and read it as what we would write.
#[track_caller]
fn is<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T, name: &str) {
    let theirs = body(name);
    assert_same_body(&indented(value), &theirs);
    assert_eq!(&serde_json::from_slice::<T>(&theirs).unwrap(), value);
}

/// With the peer's only version.
const PEERS: Served = Served {
    versions: &["v1beta1"],
    ..discovery::SERVED
};

#[test]
fn discovery_is_the_peers() {
    let group: ApiGroup = PEERS.group();
    is(
        &ApiGroupList::new(vec![group.clone().reached_at(":4443")]),
        "direct_apis",
    );
    is(&group.alone(), "direct_group");
    is::<ApiResourceList>(&PEERS.resources("v1beta1"), "direct_resources");
    is(
        &ApiGroupDiscoveryList::new(vec![PEERS.aggregated()]),
        "direct_aggdisc",
    );
}

#[test]
fn discovery_of_both_versions_prefers_the_first() {
    let group = discovery::SERVED.group();
    let versions: Vec<_> = group
        .versions
        .iter()
        .map(|version| version.group_version.as_str())
        .collect();
    assert_eq!(versions, ["metrics.k8s.io/v1", "metrics.k8s.io/v1beta1"]);
    assert_eq!(group.preferred_version.unwrap().version, "v1");
    let aggregated = discovery::SERVED.aggregated();
    assert_eq!(aggregated.versions.len(), 2);
    assert_eq!(
        aggregated.versions[0].resources,
        aggregated.versions[1].resources
    );
}

#[test]
fn paths_and_version_are_read_and_written() {
    for name in ["root", "path_404"] {
        let paths: RootPaths = serde_json::from_slice(&body(name)).unwrap();
        assert!(paths.paths.is_sorted());
        is(&paths, name);
    }
    let version: VersionInfo = serde_json::from_slice(&body("version")).unwrap();
    assert_eq!(
        (&*version.minor, &*version.min_compatibility_minor),
        ("36", "35")
    );
    is(&version, "version");
}

#[test]
fn every_body_survives_compacting_and_indenting() {
    let mut seen = 0;
    for file in std::fs::read_dir(crate::fixtures::path("metrics-api")).unwrap() {
        let theirs = std::fs::read(file.unwrap().path()).unwrap();
        let Ok(value) = serde_json::from_slice::<serde_json::Value>(&theirs) else {
            continue;
        };
        // The documents of OpenAPI are never indented.
        if !theirs.contains(&b'\n') {
            continue;
        }
        assert_same_body(&indented(&value), &theirs);
        seen += 1;
    }
    assert!(seen > 25);
}

#[test]
fn indenting_is_gos() {
    for (compact, indented) in [
        ("{}", "{}"),
        ("[]", "[]"),
        ("[{},[]]", "[\n  {},\n  []\n]"),
        (
            r#"{"a":1,"b":[true,null]}"#,
            "{\n  \"a\": 1,\n  \"b\": [\n    true,\n    null\n  ]\n}",
        ),
        (r#"{"a":"{[,:]}\"\\"}"#, "{\n  \"a\": \"{[,:]}\\\"\\\\\"\n}"),
        (
            "{ \"a\" : 1 , \"b\" : [ ] }\n",
            "{\n  \"a\": 1,\n  \"b\": []\n}",
        ),
        ("5", "5"),
        ("\"x\"", "\"x\""),
    ] {
        assert_eq!(
            String::from_utf8(pretty::indent(compact.as_bytes())).unwrap(),
            indented,
            "{compact}"
        );
    }
}

#[test]
fn strings_are_escaped_as_go_escapes_them() {
    for (text, json) in [
        ("plain", r#""plain""#),
        (
            "<a href=\"x\">&</a>",
            r#""\u003ca href=\"x\"\u003e\u0026\u003c/a\u003e""#,
        ),
        (
            "a\\b\n\r\t\u{8}\u{c}\u{1}\u{7f}",
            "\"a\\\\b\\n\\r\\t\\b\\f\\u0001\u{7f}\"",
        ),
        (
            "\u{2028}\u{2029}\u{2027}é€😀",
            "\"\\u2028\\u2029\u{2027}é€😀\"",
        ),
    ] {
        let (mut by_hand, mut by_serde) = (Vec::new(), Vec::new());
        gojson::write_str(&mut by_hand, text);
        gojson::write_value(&mut by_serde, &text).unwrap();
        assert_eq!(String::from_utf8(by_hand).unwrap(), json);
        assert_eq!(String::from_utf8(by_serde).unwrap(), json);
    }
}

proptest! {
    #[test]
    fn any_string_is_escaped_alike_and_read_back(text in "\\PC*|[\\x00-\\x20<>&\"\\\\\u{2020}-\u{2030}]*") {
        let (mut by_hand, mut by_serde) = (Vec::new(), Vec::new());
        gojson::write_str(&mut by_hand, &text);
        gojson::write_value(&mut by_serde, &text).unwrap();
        prop_assert_eq!(&by_hand, &by_serde);
        prop_assert_eq!(serde_json::from_slice::<String>(&by_hand).unwrap(), text);
    }

    #[test]
    fn where_chunks_are_cut_does_not_matter(cuts in prop::collection::vec(0_usize..4147, 0..12)) {
        let theirs = body("pods_json");
        let value: serde_json::Value = serde_json::from_slice(&theirs).unwrap();
        let mut compact = Vec::new();
        gojson::write_value(&mut compact, &value).unwrap();
        let mut cuts: Vec<_> = cuts.into_iter().map(|cut| cut.min(compact.len())).collect();
        cuts.extend([0, compact.len()]);
        cuts.sort_unstable();
        let (mut indenter, mut out) = (Indenter::new(), Vec::new());
        for pair in cuts.windows(2) {
            indenter.push(&compact[pair[0]..pair[1]], &mut out);
        }
        assert_same_body(&out, &theirs);
    }

    #[test]
    fn no_bytes_make_the_indenter_or_the_envelope_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = pretty::indent(&bytes);
        let _ = envelope::unwrap(&bytes);
        let _ = envelope::unwrap(&[b"k8s\0".as_slice(), &bytes].concat());
    }
}
