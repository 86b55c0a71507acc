//! The YAML of any JSON is read as the same JSON, by the YAML crate and by kubectl.

use std::io::Write;
use std::process::{Command, Stdio};

use kubevitals_proto::wire::yaml::{Frame, document, item};
use proptest::collection::{hash_map, vec};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// Texts that a reader of YAML 1.1 or 1.2 may take for something else.
const AMBIGUOUS: &[&str] = &[
    "",
    "~",
    "null",
    "Null",
    "NULL",
    "y",
    "Y",
    "yes",
    "Yes",
    "n",
    "no",
    "NO",
    "on",
    "On",
    "off",
    "OFF",
    "true",
    "True",
    "false",
    "FALSE",
    "nULL",
    "tRUE",
    "yesterday",
    "0",
    "-0",
    "+1",
    "017",
    "0o17",
    "0x1f",
    "0b11",
    "1_000",
    "12e3",
    "1e400",
    "1.5",
    ".5",
    "5.",
    "1.2.3",
    ".inf",
    "-.Inf",
    ".nan",
    "+.nan",
    "inf",
    "nan",
    "12:30",
    "12:30:45",
    "1:60",
    "190:20:30.15",
    "2024-01-15",
    "2024-13-01",
    "2024-1-5",
    "2024-01-15T10:00:00Z",
    "2024-01-15 10:00:00 +01:00",
    "2001-12-14t21:59:43.10-05:00",
    "100m",
    "4097476Ki",
    "1385106551n",
    "15.253s",
    "10.0.0.1",
    "::1",
    "<<",
    "=",
    "-",
    "--",
    "---",
    "--- a",
    "...",
    "- x",
    "? x",
    "?x",
    ": x",
    "x: y",
    "x:",
    "x:y",
    "#x",
    "x #y",
    "x#y",
    "&x",
    "*x",
    "!x",
    "|",
    "|x",
    ">",
    ">x",
    "%x",
    "@x",
    "`x",
    "[x]",
    "{x}",
    ",x",
    "a,b",
    "'x'",
    "\"x\"",
    "it's",
    "a\\b",
    "a ",
    " a",
    " ",
    "a\tb",
    "\t",
    "\n",
    "a\n",
    "a\nb",
    "a\nb\n",
    "a\n\n",
    "\na",
    " a\nb",
    "a \nb",
    "a\n b\n",
    "a\n ",
    "a\r\nb",
    "\r",
    "\u{7}",
    "\u{1b}[0m",
    "\u{85}",
    "\u{a0}",
    "\u{2028}",
    "\u{feff}x",
    "\u{fffe}",
    "\u{7f}",
    "é",
    "日本",
    "😀",
    "the quick brown fox jumps over the lazy dog and then runs away from the very big bear, which is long",
    "it: the quick brown fox jumps over the  lazy dog and then runs away from the very big bear # long",
    " the quick brown fox jumps over the lazy dog and then runs away from the very big bear, which is long ",
];

fn yaml(json: &Value) -> String {
    let mut out = Vec::new();
    document(&mut out, json.to_string().as_bytes()).unwrap();
    String::from_utf8(out).unwrap()
}

#[track_caller]
fn is_read_again(json: &Value) {
    let yaml = yaml(json);
    let read: Value =
        serde_saphyr::from_str(&yaml).unwrap_or_else(|error| panic!("{error}: {yaml}"));
    assert_eq!(read, *json, "{yaml}");
}

/// What kubectl reads from `yaml`, which is an object.
fn kubectl(yaml: &str) -> Value {
    let mut child = Command::new("kubectl")
        .args(["annotate", "--local", "-f", "-", "-o", "json", "read=true"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(yaml.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{yaml}");
    let mut read: Value = serde_json::from_slice(&output.stdout).unwrap();
    read["metadata"]
        .as_object_mut()
        .unwrap()
        .remove("annotations");
    read
}

/// Texts as values, as keys, in lists and in lists of objects.
fn object(texts: &[String]) -> Value {
    let keys: Map<_, _> = texts
        .iter()
        .map(|text| (text.clone(), json!({text: [text]})))
        .collect();
    json!({
        "kind": "PodVitals", "apiVersion": "kubevitals.io/v1alpha1", "metadata": {"name": "a"},
        "list": texts, "objects": texts.iter().map(|text| json!({"a": text, text: [[text], {}]})).collect::<Vec<_>>(),
        "keys": keys, "values": [0, -1, 0.25, i64::MAX, true, null, [], {}, [[]], [{}]],
    })
}

#[test]
fn ambiguous_texts_stay_texts() {
    let texts: Vec<_> = AMBIGUOUS.iter().map(|text| (*text).to_owned()).collect();
    let object = object(&texts);
    is_read_again(&object);
    assert_eq!(kubectl(&yaml(&object)), object);
    for text in texts {
        is_read_again(&text.into());
    }
}

fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(AMBIGUOUS).prop_flat_map(|all| proptest::sample::select(all).prop_map(str::to_owned)),
        "[-+0-9.:_eExXobTZ ~#a\n]{0,12}",
        "\\PC{0,20}",
        any::<String>(),
        "([a-z'\"]{1,12} {1,2}){0,20}",
    ]
}

fn values() -> impl Strategy<Value = Value> {
    let leaves = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<i16>().prop_map(|number| json!(f64::from(number) / 64.0)),
        texts().prop_map(Value::from),
    ];
    leaves.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Value::from),
            hash_map(texts(), inner, 0..6)
                .prop_map(|members| members.into_iter().collect::<Map<_, _>>().into()),
        ]
    })
}

proptest! {
    #[test]
    fn any_json_is_read_again(value in values()) {
        is_read_again(&value);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]
    #[test]
    fn kubectl_reads_the_same(texts in vec(texts(), 0..60)) {
        let object = object(&texts);
        prop_assert_eq!(kubectl(&yaml(&object)), object);
    }
}

#[test]
fn members_are_sorted_and_sequences_stand_under_their_key() {
    assert_eq!(
        yaml(
            &json!({"b": [], "a": [{"y": [1, [2, 3], {}], "x": null}], "c": {}, "d": {"e": {"f": true}}})
        ),
        "a:\n- x: null\n  \"y\":\n  - 1\n  - - 2\n    - 3\n  - {}\nb: []\nc: {}\nd:\n  e:\n    f: true\n"
    );
}

#[test]
fn a_list_item_by_item_is_the_list_as_a_whole() {
    let empty = json!({"kind": "L", "apiVersion": "v1", "metadata": {}, "items": []});
    let items = [
        json!({"name": "yes"}),
        json!({"name": "b", "l": [1]}),
        json!("a\nb\n"),
        json!([[]]),
    ];
    let frame = Frame::of(empty.to_string().as_bytes(), "items").unwrap();
    let mut list = frame.head.clone();
    for json in &items {
        item(&mut list, json.to_string().as_bytes()).unwrap();
    }
    list.extend_from_slice(&frame.tail);
    let mut whole = empty.clone();
    whole["items"] = json!(items);
    assert_eq!(String::from_utf8(list).unwrap(), yaml(&whole));
    assert_eq!(
        yaml(&empty),
        "apiVersion: v1\nitems: []\nkind: L\nmetadata: {}\n"
    );
}

#[test]
fn invalid_json_gives_no_yaml() {
    assert!(document(&mut Vec::new(), b"{").is_err());
    assert!(item(&mut Vec::new(), b"").is_err());
    assert!(Frame::of(b"[]", "items").is_err());
}
