//! Tests of the filter language and of its laws.

use kubevitals_proto::time::Timestamp;
use kubevitals_proto::units::{Bytes, Nanocores};
use kubevitals_proto::vitals::{ProbeKind, ProbeStatus};
use proptest::prelude::*;

use super::*;
use crate::model::Field;
use crate::model::filter::pattern::Pattern;
use crate::model::filter::value::Number;
use crate::model::row::{PodRow, Probes};
use crate::text::width;
use kubevitals_proto::needle::Needle;

fn web() -> PodRow {
    let mut probes = Probes::default();
    probes.count(ProbeKind::Readiness, ProbeStatus::Failing);
    probes.count(ProbeKind::Liveness, ProbeStatus::Passing);
    let mut pod = PodRow {
        name: "web-7d9f-x2x4z".into(),
        namespace: "shop".into(),
        status: "Running".into(),
        ready: true,
        probes,
        labels: [("app", "web"), ("tier", "front")].into_iter().collect(),
        ..PodRow::default()
    };
    pod.usage.cpu = Nanocores(600_000_000).into();
    pod.restarts.count = 2;
    pod
}

fn holds(filter: &Filter, pod: &PodRow) -> bool {
    filter.matches(pod, Timestamp::default())
}

#[test]
fn filters_match_rows() {
    for (text, shown) in [
        ("", true),
        ("   ", true),
        ("web", true),
        ("WEB run", true),
        ("web crash", false),
        ("crash, web", true),
        ("crash,web", true),
        ("!crash", true),
        ("!web", false),
        ("!!web", true),
        ("ns=shop", true),
        ("NS=Shop", true),
        // `=` compares the whole text.
        ("ns=sho", false),
        ("ns!=shop", false),
        ("node=\"\"", true),
        ("probe=failing", true),
        ("probe=passing", false),
        ("probe=none", false),
        ("cpu>500m", true),
        ("cpu>0.6", false),
        ("cpu>=0.6", true),
        ("cpu<1.0", true),
        ("cpu==600m", true),
        ("cpu!=600m", false),
        ("restarts>0 ready=true", true),
        ("ready=false", false),
        // An unknown value matches neither a comparison nor its opposite. The negation of a comparison matches.
        ("mem%limit>80", false),
        ("mem%limit<=80", false),
        ("!mem%limit>80", true),
        // Rows without the field.
        ("target=x", false),
        ("target!=x", false),
        ("~^web-[0-9a-f]+-", true),
        ("~^7d9f", false),
        ("name~^WEB", true),
        ("name!~^web", false),
        ("name~^(api|web)-", true),
        ("name~^we{0,1}b,crash", true),
        ("-l app=web,tier!=back", true),
        ("-l app=db", false),
        ("-l \"tier in (front,back)\" web", true),
        ("-l app=db, web", true),
        ("(-l app=db) web", false),
        ("!-l app", false),
        ("(crash, web) ns=shop", true),
        ("crash, web ns=payments", false),
        ("(crash, web) ns=payments", false),
        ("!(web run)", false),
        ("!(web, crash)", false),
        ("\"web-7d9f\"", true),
        ("name=\"web-7d9f-x2x4z\"", true),
        ("-7d9f", true),
    ] {
        let filter: Filter = text
            .parse()
            .unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(holds(&filter, &web()), shown, "{text}");
    }
}

/// What users of kubectl, PromQL or other filters write, and its canonical form.
#[test]
fn syntax_of_other_languages_is_accepted() {
    for (text, read) in [
        ("web or search", "web, search"),
        ("web OR search", "web, search"),
        ("web|search", "web, search"),
        ("web | search", "web, search"),
        ("web || search", "web, search"),
        ("web && restarts>0", "web restarts>0"),
        ("web & restarts>0", "web restarts>0"),
        ("web AND restarts>0 or api", "web restarts>0, api"),
        ("not web", "!web"),
        ("NOT(web, api)", "!(web, api)"),
        ("web and not ns=shop", "web !ns=shop"),
        ("ns=shop,payments", "ns=shop, ns=payments"),
        ("ns=shop|payments web", "(ns=shop, ns=payments) web"),
        ("ns!=shop,payments", "ns!=shop ns!=payments"),
        ("ns=shop,ns=payments", "ns=shop, ns=payments"),
        ("ns=shop,restarts>0", "ns=shop, restarts>0"),
        ("restarts=1,2", "restarts=1, restarts=2"),
        ("ns=\"a b\",'c'", "ns=\"a b\", ns=c"),
        ("name=web*", "name~^web"),
        ("name=*web", "name~web$"),
        ("name!=*we.b*", "name!~we\\.b"),
        ("name=web*,api*", "name~^web, name~^api"),
        ("name=a*b", "name~^a.*b$"),
        ("node=*", "node~."),
        ("web*", "~^web"),
        ("name=~web.*", "name~web.*"),
        ("cpu > 500m", "cpu>500m"),
        ("ns = shop web", "ns=shop web"),
        ("ns != shop", "ns!=shop"),
        ("'two words'", "\"two words\""),
        ("Init:Error", "Init:Error"),
        ("order android nothing", "order android nothing"),
        ("\"or\"", "\"or\""),
        ("mem>1.5Gi swap>0", "mem>1.5Gi swap>0"),
        ("cpu>0.5", "cpu>0.5"),
    ] {
        let filter: Filter = text
            .parse()
            .unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(filter.to_string(), read, "{text}");
    }
}

#[test]
fn mistakes_are_refused_with_a_hint() {
    for (text, message, cells) in [
        ("ns:shop", "write ns=shop", 2..3),
        ("web status:Running", "write status=Running", 10..11),
        ("node:", "write node=", 4..5),
        ("ns in (shop, payments)", "write ns=shop,payments", 0..2),
        ("ns notin (shop)", "write ns!=shop", 0..2),
        ("-n shop", "write ns=shop", 0..2),
        ("web.*", "for an expression write ~web.*", 0..5),
        ("^web", "for an expression write ~^web", 0..4),
        ("a[0-9]", "for an expression write ~a[0-9]", 0..6),
        ("mem>500", "the unit is missing: write 500Mi or 500Gi", 4..7),
        (
            "swap=10.5",
            "the unit is missing: write 10.5Mi or 10.5Gi",
            5..9,
        ),
        ("net>20", "the unit is missing: write 20Mi or 20Gi", 4..6),
        (
            "cpu>100",
            "cores or millicores? write 100m for millicores, 100.0 for cores",
            4..7,
        ),
        (
            "cpu >= 2",
            "cores or millicores? write 2m for millicores, 2.0 for cores",
            7..8,
        ),
        (
            "cpu>500M",
            "M means million: write 500m for millicores",
            4..8,
        ),
        ("mem>500m", "m means a thousandth: write 500Mi", 4..8),
        ("mem>512mb", "write 512Mi", 4..9),
        (
            "mem>80%",
            "for a part of the limit write mem%limit>80",
            4..7,
        ),
        (
            "deployment=web",
            "there is no field deployment; write kind=Deployment workload=web",
            0..10,
        ),
        (
            "sts = db",
            "there is no field sts; write kind=StatefulSet workload=db",
            0..3,
        ),
        ("host=n1", "there is no field host; write node", 0..4),
        ("web or", "a condition is missing at the end", 6..6),
        (
            "or web",
            "or joins two conditions; to find the word write \"or\"",
            0..2,
        ),
        (
            "not",
            "not negates the condition after it; to find the word write \"not\"",
            0..3,
        ),
        ("&& web", "a condition is missing before this", 0..1),
        ("web &&", "a condition is missing at the end", 6..6),
        ("|", "a condition is missing before this", 0..1),
    ] {
        let error = text.parse::<Filter>().expect_err(text);
        let expected = cells.start..cells.end.max(cells.start + 1);
        assert_eq!(
            (error.message.as_str(), error.cells(text)),
            (message, expected),
            "{text}"
        );
    }
}

#[test]
fn words_match_searched_columns() {
    for (text, shown) in [
        ("failing", true),
        ("1/2", true),
        ("passing", false),
        ("not failing", false),
        ("running and failing", true),
        ("name=web*", true),
        ("name=*x2x4z", true),
        ("name=api*", false),
        ("ns=payments,shop", true),
        ("ns!=payments,shop", false),
        ("ns=payments,monitoring", false),
    ] {
        let filter: Filter = text.parse().unwrap();
        assert_eq!(holds(&filter, &web()), shown, "{text}");
    }
}

#[test]
fn errors_have_a_span() {
    for (text, message, cells) in [
        ("web cpu>", "a value is missing: cpu>500m", 8..9),
        (
            "web cpu>fast",
            "cpu is compared with CPU, like 500m or 1.5",
            8..12,
        ),
        (
            "web memo>1",
            "there is no field memo; there is mem, mem-request, mem-limit, mem%, mem%request, mem%limit",
            4..8,
        ),
        (
            "foo=1",
            "there is no field foo; there is ns, name, node, app, status, cpu, mem, restarts, ready, probe; labels: -l foo=1",
            0..3,
        ),
        (
            "tier=front",
            "there is no field tier; there is ns, name, node, app, status, cpu, mem, restarts, ready, probe; labels: -l tier=front",
            0..4,
        ),
        (
            ">1",
            "a field is missing before this: write cpu>500m, or quotes around a word",
            0..1,
        ),
        (
            "ns>a",
            "ns is text: it is compared with =, !=, ~ or !~",
            2..3,
        ),
        (
            "ns=",
            "a value is missing: ns=NAME, or ns=\"\" for none",
            3..4,
        ),
        ("cpu!5", "= or ~ is missing behind !", 3..4),
        ("a,", "a condition is missing at the end", 2..3),
        (",a", "a condition is missing before this", 0..1),
        ("a,,b", "a condition is missing before this", 2..3),
        ("a (b", "this ( is not closed", 2..3),
        ("a)", "')' closes nothing: there is no ( before it", 1..2),
        ("()", "a condition is missing before this", 1..2),
        ("! a", "! negates the condition after it", 0..1),
        ("\"a", "this quote is not closed", 0..1),
        ("a\"b", "put quotes around a word with \" in it", 1..2),
        ("~", "~ is followed by a regular expression", 0..1),
        ("name~a[", "unclosed character class", 6..7),
        ("-l", "-l is followed by labels, like app=web", 2..3),
        (
            "-l a=b=c",
            "labels: found '=', expected: ',' or 'end of string'",
            3..8,
        ),
        // Spans are cells of the screen, not bytes.
        (
            "日本 cpu>x",
            "cpu is compared with CPU, like 500m or 1.5",
            9..10,
        ),
    ] {
        let error = text.parse::<Filter>().unwrap_err();
        assert_eq!(
            (error.message.as_str(), error.cells(text)),
            (message, cells),
            "{text}"
        );
    }
}

#[test]
fn nothing_that_is_pasted_is_too_much() {
    for text in ["(".repeat(2_000), "!".repeat(2_000), "a,".repeat(100_000)] {
        assert!(text.parse::<Filter>().is_err());
    }
    assert!("a ".repeat(1_000).parse::<Filter>().is_ok());
}

#[test]
fn parts_have_spans() {
    let text = "web (ns=shop, !cpu>1m)";
    let filter: Filter = text.parse().unwrap();
    let Some(Node {
        kind: Kind::All(parts),
        span,
    }) = filter.root()
    else {
        panic!("not parts by blanks");
    };
    let text_of = |node: &Node| text.get(node.span.clone()).unwrap_or_default();
    assert_eq!(text.get(span.clone()), Some(text));
    assert_eq!(
        parts.iter().map(text_of).collect::<Vec<_>>(),
        ["web", "(ns=shop, !cpu>1m)"]
    );
    let Some(Node {
        kind: Kind::Any(parts),
        ..
    }) = parts.last()
    else {
        panic!("not parts by commas");
    };
    assert_eq!(
        parts.iter().map(text_of).collect::<Vec<_>>(),
        ["ns=shop", "!cpu>1m"]
    );
}

fn pods() -> impl Strategy<Value = PodRow> {
    (
        "[ab日,\"-]{0,4}",
        prop::sample::select(&["shop", "payments"][..]),
        prop::sample::select(&["Running", "CrashLoopBackOff"][..]),
        prop::option::of(0_u64..5),
        prop::option::of(0_u64..12),
        0_u32..3,
        any::<bool>(),
        prop::option::of(prop::sample::select(&["web", "db"][..])),
    )
        .prop_map(
            |(name, namespace, status, cpu, memory, restarts, ready, app)| {
                let mut pod = PodRow {
                    name: name.into(),
                    namespace: namespace.into(),
                    status: status.into(),
                    ready,
                    labels: app.map(|app| ("app", app)).into_iter().collect(),
                    ..PodRow::default()
                };
                pod.usage.cpu = cpu.map(|cpu| Nanocores(cpu * 250_000_000)).into();
                pod.usage.memory = memory.map(|memory| Bytes(memory * 10)).into();
                pod.limits.memory = Bytes(100).into();
                pod.restarts.count = restarts;
                pod
            },
        )
}

fn leaf() -> impl Strategy<Value = Kind> {
    let text = "[ab日 ,()\"\\\\!~=-]{1,4}";
    prop_oneof![
        text.prop_map(|word| Kind::Word(Needle::new(&word))),
        "[ab]([*+?]|[{]1,2[}])?|[(]a, ?b[)]|\\\\d+\"?|a b"
            .prop_map(|text| Kind::Matches(Pattern::new(&text).unwrap())),
        ("[ab日 ,()\"\\\\-]{0,4}", any::<bool>()).prop_map(|(with, equal)| {
            let with = Needle::new(&with);
            Kind::Field(Field::Name, Comparison::Text { equal, with })
        }),
        (
            prop::sample::select(&["250m", "0.5", "1.0"][..]),
            0_usize..6
        )
            .prop_map(|(text, at)| {
                let operator = [
                    Operator::Equal,
                    Operator::NotEqual,
                    Operator::Less,
                    Operator::AtMost,
                    Operator::Greater,
                    Operator::AtLeast,
                ][at];
                let number = Number::parse(Field::Cpu, text).unwrap();
                Kind::Field(Field::Cpu, Comparison::Number(operator, number))
            }),
        prop::sample::select(&["app=web", "app!=web,tier", "app in (db,web)"][..])
            .prop_map(|text| Kind::Labels(text.parse().unwrap())),
    ]
}

fn node(kind: Kind) -> Node {
    Node { kind, span: 0..0 }
}

fn trees() -> impl Strategy<Value = Node> {
    leaf().prop_map(node).prop_recursive(4, 24, 3, |inner| {
        let parts = || prop::collection::vec(inner.clone(), 2..4);
        prop_oneof![
            parts().prop_map(|parts| node(Kind::All(parts))),
            parts().prop_map(|parts| node(Kind::Any(parts))),
            inner
                .clone()
                .prop_map(|part| node(Kind::Not(Box::new(part)))),
        ]
    })
}

fn filter(root: Node) -> Filter {
    Filter { root: Some(root) }
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "\\PC*|[a-z =<>!~,|&*:'()\"\\\\日-]*") {
        if let Err(error) = text.parse::<Filter>() {
            prop_assert!(error.span.start <= error.span.end && error.span.start <= text.len());
            prop_assert!(error.cells(&text).start <= width(&text));
        }
    }

    #[test]
    fn a_filter_is_read_back_as_it_was_written(tree in trees(), pod in pods()) {
        let built = filter(tree);
        let text = built.to_string();
        let read: Filter = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
        prop_assert_eq!(read.to_string(), text.clone());
        prop_assert_eq!(holds(&read, &pod), holds(&built, &pod), "{}", text);
    }

    #[test]
    fn and_or_and_not_keep_their_laws(a in trees(), b in trees(), pod in pods()) {
        let holds = |node: Node| holds(&filter(node), &pod);
        let all = |parts: [&Node; 2]| node(Kind::All(parts.map(Clone::clone).to_vec()));
        let any = |parts: [&Node; 2]| node(Kind::Any(parts.map(Clone::clone).to_vec()));
        let not = |part: &Node| node(Kind::Not(Box::new(part.clone())));
        prop_assert_eq!(holds(all([&a, &b])), holds(all([&b, &a])));
        prop_assert_eq!(holds(any([&a, &b])), holds(any([&b, &a])));
        prop_assert_eq!(holds(not(&not(&a))), holds(a.clone()));
        prop_assert_eq!(holds(not(&all([&a, &b]))), holds(any([&not(&a), &not(&b)])));
        prop_assert!(!holds(all([&a, &not(&a)])) && holds(any([&a, &not(&a)])));
        // A narrower filter matches a subset of what a wider one matches.
        prop_assert!(!holds(all([&a, &b])) || holds(a.clone()));
        prop_assert!(!holds(a.clone()) || holds(any([&a, &b])));
    }
}
