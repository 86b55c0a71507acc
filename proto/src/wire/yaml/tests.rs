//! What is expected here is what kubectl printed for the same values.

use super::*;

fn yaml(json: &str) -> String {
    let mut out = Vec::new();
    document(&mut out, json.as_bytes()).unwrap();
    String::from_utf8(out).unwrap()
}

/// The string as the value of a member of a member.
fn quoted(text: &str) -> String {
    let json = serde_json::json!({"data": {"k": text}}).to_string();
    let yaml = yaml(&json);
    let value = yaml.strip_prefix("data:\n  k: ").unwrap();
    value.strip_suffix('\n').unwrap().to_owned()
}

#[test]
fn what_would_be_read_as_something_else_is_in_double_quotes() {
    for text in [
        "",
        "yes",
        "no",
        "y",
        "N",
        "on",
        "Off",
        "TRUE",
        "null",
        "Null",
        "~",
        "1",
        "-1",
        "+1",
        "089",
        "017",
        "0x1f",
        "0X1F",
        "0o17",
        "0b11",
        "-0b11",
        "1_000",
        "1.",
        ".5",
        "1.5",
        "1e3",
        "1E-5",
        "0777_7",
        ".nan",
        "-.Inf",
        "+.inf",
        "12:30",
        "12:30:45",
        "190:20:30.15",
        "2024-01-15",
        "2024-1-5",
        "2024-01-15 10:00:00",
        "2026-11-21T05:14:06Z",
        "2026-11-21t5:14:6.5+02:00",
        "18446744073709551615",
        "-9223372036854775808",
    ] {
        assert_eq!(quoted(text), format!("\"{text}\""));
    }
}

#[test]
fn what_looks_like_something_else_but_is_not_stays_plain() {
    for text in [
        "nULL",
        "tRUE",
        "yesterday",
        ".",
        "-",
        "+.nan",
        "1e",
        "1e400",
        "0xg",
        "12:60",
        "2024-13-01",
        "2024-02-30",
        "2024-01-15T10:00:00",
        "100m",
        "4097476Ki",
        "1385106551n",
        "15.253s",
        "7dc96bb78d",
        "1.2.3",
        "10.0.0.1",
        "::1",
        "x:y",
        "x#y",
        "a,b",
        "a{b",
        "?x",
        ":x",
        "-x",
        "<html>&",
        "=",
        "e3",
        "é",
        "日本",
        "it's",
        "a\\b",
        "a\"b",
        "0xffffffffffffffffff",
    ] {
        assert_eq!(quoted(text), if text == "-" { "'-'" } else { text });
    }
}

#[test]
fn what_would_break_the_syntax_is_in_single_quotes() {
    for text in [
        "`x", "@x", "%x", "&x", "*x", "!x", "|x", ">x", "#x", "x #y", "x: y", "x:", ": x", "? x",
        "- x", "---", "--- a", "...a", "[x]", "{x}", ",x", "a ", " a", "\"x\"",
    ] {
        assert_eq!(quoted(text), format!("'{text}'"));
    }
    assert_eq!(quoted("'x'"), "'''x'''");
}

#[test]
fn only_double_quotes_hold_what_cannot_be_seen() {
    for (text, expected) in [
        ("a\tb", r#""a\tb""#),
        ("\u{7}", r#""\a""#),
        ("\u{1b}[0m", r#""\e[0m""#),
        ("a\r\nb", r#""a\r\nb""#),
        ("a \nb", r#""a \nb""#),
        ("a\n ", r#""a\n ""#),
        ("😀", r#""\U0001F600""#),
        ("\u{2028}", r#""\L""#),
    ] {
        assert_eq!(quoted(text), expected);
    }
}

#[test]
fn many_lines_are_a_block() {
    for (text, expected) in [
        ("a\nb", "|-\n    a\n    b"),
        ("a\nb\n", "|\n    a\n    b"),
        ("a\n\nb\n\n", "|+\n    a\n\n    b\n"),
        (" a\nb", "|2-\n     a\n    b"),
        ("\na", "|2-\n\n    a"),
    ] {
        assert_eq!(quoted(text), expected);
    }
}

#[test]
fn long_lines_are_folded_at_a_single_space() {
    let text =
        "the quick brown fox jumps over the lazy dog and then runs away from the very big bear";
    let folded = "the quick brown fox jumps over the lazy dog and then runs away from the very\n    big bear";
    assert_eq!(quoted(text), folded);
    assert_eq!(
        quoted(&format!("it: {text}")),
        format!(
            "'it: {}'",
            folded.replace("the very\n    big", "the\n    very big")
        )
    );
    assert_eq!(
        quoted(&text.replace("very big", "very  big")),
        text.replace("very big", "very  big")
            .replace("big bear", "big\n    bear")
    );
    assert_eq!(quoted(&format!("\t{text}")), format!("\"\\t{}\"", folded));
}

#[test]
fn keys_are_sorted_letters_last_and_numbers_by_value() {
    let yaml = yaml(
        r#"{"b":1,"a10":1,"a2":1,"a1":1,"a":1,"A":1,"a/b":1,"a-b":1,"10":1,"9":1,"010":1,"app.kubernetes.io/name":1,"yes":1,"v1":1,"v1beta1":1}"#,
    );
    let keys: Vec<_> = yaml
        .lines()
        .map(|line| line.trim_end_matches(": 1"))
        .collect();
    assert_eq!(
        keys,
        [
            "\"9\"",
            "\"10\"",
            "\"010\"",
            "A",
            "a",
            "a-b",
            "a/b",
            "a1",
            "a2",
            "a10",
            "app.kubernetes.io/name",
            "b",
            "v1",
            "v1beta1",
            "\"yes\"",
        ]
    );
}

#[test]
fn a_key_that_is_too_long_for_one_is_announced() {
    let key = "y".repeat(129);
    assert_eq!(
        yaml(&format!(r#"{{"a":{{"{key}":"v"}}}}"#)),
        format!("a:\n  ? {key}\n  : v\n")
    );
}

#[test]
fn sequences_stand_under_their_key_and_empty_ones_beside_it() {
    assert_eq!(
        yaml(r#"{"b":[],"a":[{"y":[1,[2,3],{}],"x":null}],"c":{},"d":{"e":{"f":true}}}"#),
        "a:\n- x: null\n  \"y\":\n  - 1\n  - - 2\n    - 3\n  - {}\nb: []\nc: {}\nd:\n  e:\n    f: true\n"
    );
}

#[test]
fn a_list_in_pieces_is_the_list_as_a_whole() {
    let empty = r#"{"kind":"L","apiVersion":"v1","metadata":{},"items":[]}"#;
    let items = [r#"{"name":"yes"}"#, r#"{"name":"b","l":[1]}"#];
    let frame = Frame::of(empty.as_bytes(), "items").unwrap();
    let mut pieces = frame.head.clone();
    for json in items {
        item(&mut pieces, json.as_bytes()).unwrap();
    }
    pieces.extend_from_slice(&frame.tail);
    let whole = yaml(&empty.replace("[]", &format!("[{}]", items.join(","))));
    assert_eq!(String::from_utf8(pieces).unwrap(), whole);
    assert_eq!(
        yaml(empty),
        "apiVersion: v1\nitems: []\nkind: L\nmetadata: {}\n"
    );
}

#[test]
fn what_is_no_json_is_no_yaml() {
    assert!(document(&mut Vec::new(), b"{").is_err());
    assert!(item(&mut Vec::new(), b"").is_err());
    assert!(Frame::of(b"[]", "items").is_err());
}

proptest::proptest! {
    #[test]
    fn no_keys_and_strings_make_it_panic(keys in proptest::collection::vec("[0-9a1b/._-]{0,6}|\\PC{0,20}", 0..40), text in "\\PC{0,300}") {
        let members: Map<String, Value> = keys.into_iter().map(|key| (key, Value::from(text.clone()))).collect();
        let yaml = yaml(&Value::from(members.clone()).to_string());
        proptest::prop_assert!(yaml.ends_with('\n') && yaml.lines().count() >= members.len());
    }
}
