//! Selectors: what they select, and how what is none is refused.

use kubevitals_proto::labels::Labels;
use kubevitals_proto::selector::{FieldOperator, FieldSelector, LabelSelector};
use proptest::prelude::*;

fn labels(pairs: &[(&'static str, &'static str)]) -> Labels {
    pairs.iter().copied().collect()
}

#[test]
fn label_selectors_select() {
    let web = labels(&[
        ("app", "web"),
        ("tier", "frontend"),
        ("n", "5"),
        ("empty", ""),
    ]);
    for (selector, selects) in [
        ("", true),
        ("  ", true),
        ("app=web", true),
        ("app==web", true),
        ("app = web", true),
        ("app=db", false),
        ("app!=db", true),
        ("app!=web", false),
        ("other!=x", true),
        ("app in (web,db)", true),
        ("app in (db)", false),
        ("app notin (web)", false),
        ("app notin (db)", true),
        ("other notin (db)", true),
        ("other in (db)", false),
        ("app", true),
        ("other", false),
        ("!app", false),
        ("!other", true),
        ("! other", true),
        ("n>4", true),
        ("n>5", false),
        ("n<6", true),
        ("n < 5", false),
        ("app>4", false),
        ("other<4", false),
        ("app=web,tier=frontend", true),
        ("app=web,tier=backend", false),
        ("app=web,,tier", false),
        ("empty=", true),
        ("empty in ()", true),
        ("empty in (,x)", true),
        ("empty in (x,,y)", true),
        ("app=,n", false),
        ("app in (in,notin,web)", true),
        ("in in (in)", false),
    ] {
        match selector.parse::<LabelSelector>() {
            Ok(parsed) => assert_eq!(parsed.matches(&web), selects, "{selector:?}"),
            Err(error) => assert!(selector.contains(",,tier"), "{selector:?}: {error}"),
        }
    }
    assert!("".parse::<LabelSelector>().unwrap().is_empty());
}

#[test]
fn label_selectors_have_one_text() {
    for (selector, text) in [
        ("x in (b,a,b), !y , z", "x in (a,b),!y,z"),
        ("b=1,a==2,c!=3,d>4,e<5", "a==2,b=1,c!=3,d>4,e<5"),
        ("x notin ()", "x notin ()"),
    ] {
        let parsed: LabelSelector = selector.parse().unwrap();
        assert_eq!(parsed.to_string(), text);
        assert_eq!(text.parse::<LabelSelector>().unwrap(), parsed);
    }
}

const NAME: &str = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric \
                    character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is \
                    '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const VALUE: &str = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must \
                     start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used \
                     for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

#[test]
fn an_invalid_label_selector_has_the_error_of_kubernetes() {
    let long = "x".repeat(64);
    let requirement = |error: &str| format!("unable to parse requirement: {error}");
    for (selector, message) in [
        (
            "a b",
            requirement("found 'b', expected: in, notin, =, ==, !=, gt, lt"),
        ),
        (
            "=a",
            "found '=', expected: !, identifier, or 'end of string'".into(),
        ),
        (
            ",a",
            "found ',', expected: !, identifier, or 'end of string'".into(),
        ),
        ("a,", "found '', expected: identifier after ','".into()),
        ("a,,b", "found ',', expected: identifier after ','".into()),
        (
            "a=b c",
            "found 'c', expected: ',' or 'end of string'".into(),
        ),
        ("!a=b", "found '=', expected: ',' or 'end of string'".into()),
        ("a==!b", requirement("found '!', expected: identifier")),
        ("!", requirement("found '', expected: identifier")),
        ("a in b", requirement("found 'b' expected: '('")),
        ("a in (b", requirement("found '', expected: ',' or ')'")),
        ("a in (b c)", requirement("found 'c', expected: ',' or ')'")),
        (
            "a in (=)",
            requirement("found '=', expected: ',', ')' or identifier"),
        ),
        (
            "a in (b,=)",
            requirement("found '=', expected: ',', or identifier"),
        ),
        ("a=<b", requirement("found '<', expected: identifier")),
        (
            "a?=b",
            requirement(&format!("<nil>: Invalid value: \"a?\": name part {NAME}")),
        ),
        (
            "a=b?",
            requirement(&format!("values[0][a]: Invalid value: \"b?\": {VALUE}")),
        ),
        (
            "/a",
            requirement("<nil>: Invalid value: \"/a\": prefix part must be non-empty"),
        ),
        (
            "x/",
            requirement(&format!(
                "<nil>: Invalid value: \"x/\": name part must be non-empty; name part {NAME}"
            )),
        ),
        (
            "a/b/c",
            requirement(&format!(
                "<nil>: Invalid value: \"a/b/c\": a valid label key {NAME} with an optional DNS subdomain prefix and '/' \
                 (e.g. 'example.com/MyName')"
            )),
        ),
        (
            &*long,
            requirement(&format!(
                "<nil>: Invalid value: \"{long}\": name part must be no more than 63 bytes"
            )),
        ),
        (
            "a>b",
            requirement(
                "values[0]: Invalid value: \"b\": for 'Gt', 'Lt' operators, the value must be an integer",
            ),
        ),
        (
            "a in (b?,c?)",
            requirement(&format!(
                "[values[0][a]: Invalid value: \"b?\": {VALUE}, values[1][a]: Invalid value: \"c?\": {VALUE}]"
            )),
        ),
    ] {
        assert_eq!(
            selector.parse::<LabelSelector>().unwrap_err().to_string(),
            message,
            "{selector:?}"
        );
    }
}

#[test]
fn field_selectors_are_read() {
    for (text, terms) in [
        ("", [].as_slice()),
        (",", &[]),
        (
            "metadata.name=a",
            &[("metadata.name", FieldOperator::Equals, "a")],
        ),
        (
            "metadata.name==a",
            &[("metadata.name", FieldOperator::Equals, "a")],
        ),
        (
            "metadata.name!=a",
            &[("metadata.name", FieldOperator::NotEquals, "a")],
        ),
        ("a=", &[("a", FieldOperator::Equals, "")]),
        (
            "b=1,a!=2",
            &[
                ("a", FieldOperator::NotEquals, "2"),
                ("b", FieldOperator::Equals, "1"),
            ],
        ),
        (r"a=x\,y\=z\\", &[("a", FieldOperator::Equals, r"x,y=z\")]),
        ("=", &[]),
    ] {
        let selector: FieldSelector = text.parse().unwrap();
        assert_eq!(selector.iter().collect::<Vec<_>>(), terms, "{text:?}");
    }
}

#[test]
fn field_selectors_select() {
    let value_of = |field: &str| (field == "metadata.name").then_some("web");
    for (text, selects) in [
        ("", true),
        ("metadata.name=web", true),
        ("metadata.name!=web", false),
        ("metadata.name=db", false),
        ("other=", true),
        ("other!=x,metadata.name=web", true),
    ] {
        assert_eq!(
            text.parse::<FieldSelector>().unwrap().matches(value_of),
            selects,
            "{text:?}"
        );
    }
}

#[test]
fn an_invalid_field_selector_has_the_error_of_kubernetes() {
    for (text, message) in [
        ("a", "invalid selector: 'a'; can't understand 'a'"),
        ("a=b,c", "invalid selector: 'a=b,c'; can't understand 'c'"),
        (
            r"a=\x",
            r"invalid field selector: invalid escape sequence: \x",
        ),
        (
            r"a=b\",
            r"invalid field selector: invalid escape sequence: \",
        ),
        (
            "a=b=c",
            "invalid field selector: unescaped character in value: 61",
        ),
    ] {
        assert_eq!(
            text.parse::<FieldSelector>().unwrap_err().to_string(),
            message,
            "{text:?}"
        );
    }
}

proptest! {
    #[test]
    fn no_text_makes_them_panic(text in "\\PC*|[a-z=!(), <>\\\\\0/.?-]*") {
        if let Ok(selector) = text.parse::<LabelSelector>() {
            prop_assert_eq!(&selector.to_string().parse::<LabelSelector>().unwrap(), &selector);
        }
        let _ = text.parse::<FieldSelector>();
    }
}
