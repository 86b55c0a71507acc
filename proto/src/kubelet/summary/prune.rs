//! Removes the long lists of a page that [`Extras`](super::Extras) does not use.
//!
//! Containers, volumes and interfaces are most of a page. To parse a value as JSON only to skip it costs some fifteen
//! instructions a byte; to find the end of a list costs less than one, because only brackets, quotes and backslashes
//! matter. Most volumes are tokens, ConfigMaps and emptyDirs: only the lists with a claim are of use.

use memchr::{memchr, memchr_iter, memchr2_iter, memmem};

/// The beginnings of the names of lists that [`Extras`](super::Extras) uses at no level.
const UNUSED: [&[u8]; 4] = [
    b"\"containers",
    b"\"interfaces",
    b"\"systemContainers",
    VOLUMES,
];

/// The list of a pod's volumes, which is used if one of them has a claim.
const VOLUMES: &[u8] = b"\"volume";

/// The member of a volume that has a claim.
const CLAIM: &[u8] = b"\"pvcRef\"";

/// Removes the elements of unused lists from a body, and returns the rest of it.
///
/// A body with a backslash in such a list is left as it is from there on. No kubelet writes one.
pub fn prune(body: &mut [u8]) -> &[u8] {
    let (mut read, mut written) = (0, 0);
    while let Some((start, end)) = unused_list(body, read) {
        body.copy_within(read..start, written);
        written += start - read;
        read = end;
    }
    body.copy_within(read.., written);
    let left = body.len() - (read - written);
    body.get(..left).unwrap_or_default()
}

/// The bounds of the elements of the next unused list after `from`.
fn unused_list(body: &[u8], mut from: usize) -> Option<(usize, usize)> {
    loop {
        let rest = body.get(from..)?;
        let mut lists = memchr_iter(b'[', rest);
        let (start, name) = lists.find_map(|list| {
            let before = rest.get(..list).unwrap_or_default();
            // Kubelets indent their JSON.
            let before = before.strip_suffix(b" ").unwrap_or(before);
            let name = before.strip_suffix(b"\":").unwrap_or_default();
            let unused = UNUSED.iter().find(|unused| name.ends_with(unused))?;
            Some((list + 1, *unused))
        })?;
        let elements = rest.get(start..)?;
        let length = length(elements)?;
        let has_claim = || memmem::find(elements.get(..length)?, CLAIM);
        let end = from + start + length;
        if name != VOLUMES || has_claim().is_none() {
            return Some((from + start, end));
        }
        from = end;
    }
}

/// The number of bytes up to the bracket that closes a list; none if a string before it has an escape.
fn length(elements: &[u8]) -> Option<usize> {
    let (mut depth, mut quotes, mut from) = (1_usize, 0, 0);
    for at in memchr2_iter(b'[', b']', elements) {
        let between = elements.get(from..at)?;
        if memchr(b'\\', between).is_some() {
            return None;
        }
        quotes += memchr_iter(b'"', between).count();
        from = at;
        // A bracket within a string is text.
        if quotes % 2 == 0 {
            match elements.get(at)? {
                b'[' => depth += 1,
                _ => depth -= 1,
            }
        }
        if depth == 0 {
            return Some(at);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::super::Extras;
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn pruned(body: &[u8]) -> Vec<u8> {
        prune(&mut body.to_vec()).to_vec()
    }

    #[test]
    fn a_captured_page_has_the_same_values_in_half_of_its_bytes() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/");
        for file in [
            "kubelet-1.36/stats-summary.json",
            "kubelet-other/stats-summary-1.35.json",
            // One of its pods has a claim.
            "kubelet-other/stats-summary-old.json",
        ] {
            let body = std::fs::read(format!("{folder}{file}")).unwrap();
            let pruned = pruned(&body);
            assert!(pruned.len() * 2 < body.len(), "{file}: {}", pruned.len());
            let values = |body| format!("{:?}", Extras::parse(body).unwrap());
            assert_eq!(values(&pruned), values(&body), "{file}");
        }
    }

    #[test]
    fn only_whole_unused_lists_are_removed() {
        for (body, expected) in [
            (
                r#"{"containers":[{"a":[1]},2],"b":[3]}"#,
                r#"{"containers":[],"b":[3]}"#,
            ),
            (r#"{"volume":[]}"#, r#"{"volume":[]}"#),
            (
                "{\"volume\": [\n  1\n ],\"x\":1}",
                "{\"volume\": [],\"x\":1}",
            ),
            (r#"{"volume":["]","[["],"x":1}"#, r#"{"volume":[],"x":1}"#),
            (r#"{"volume":["\"]"],"x":1}"#, r#"{"volume":["\"]"],"x":1}"#),
            (r#"{"x":"\"volume\":[1]"}"#, r#"{"x":"\"volume\":[1]"}"#),
            (r#"{"volume":[1"#, r#"{"volume":[1"#),
            (r#"{"my volume":[1]}"#, r#"{"my volume":[1]}"#),
            (
                r#"{"volume":[{"a":1}],"x":{"volume":[{"b":[2]},{"pvcRef":{}}],"containers":[3]},"volume":[4]}"#,
                r#"{"volume":[],"x":{"volume":[{"b":[2]},{"pvcRef":{}}],"containers":[]},"volume":[]}"#,
            ),
            ("", ""),
        ] {
            assert_eq!(pruned(body.as_bytes()), expected.as_bytes(), "{body}");
        }
    }

    /// Any JSON, with members that are pruned and texts that look like them.
    fn any_json() -> impl Strategy<Value = Value> {
        let text = r#"(containers|volume|interfaces|"|\[|\]|\\|:|,|[a-z]){0,6}"#;
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<u64>().prop_map(Value::from),
            text.prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 4, move |inner| {
            let member = prop_oneof![
                Just("containers".to_owned()),
                Just("volume".to_owned()),
                Just("pvcRef".to_owned()),
                Just("network".to_owned()),
                text.prop_map(String::from),
            ];
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::vec((member, inner), 0..4)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_parsed_does_not_change(inner in any_json()) {
            let pod = json!({"podRef": {"name": "a", "namespace": "b"}, "containers": [inner], "swap": {"swapUsageBytes": 1}});
            let body = json!({"node": inner, "pods": [pod, inner]});
            let parsed = |body: &[u8]| Extras::parse(body).map_err(|_| ()).map(|it| format!("{it:?}"));
            for body in [body.to_string(), format!("{body:#}")] {
                prop_assert_eq!(parsed(&pruned(body.as_bytes())), parsed(body.as_bytes()));
            }
        }

        #[test]
        fn no_bytes_panic(mut body in prop::collection::vec(any::<u8>(), 0..200)) {
            let length = body.len();
            prop_assert!(prune(&mut body).len() <= length);
        }
    }
}
