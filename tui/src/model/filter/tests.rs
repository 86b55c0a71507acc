//! Tests of the filter language.

use kubevitals_proto::time::Timestamp;
use kubevitals_proto::units::{Bytes, Nanocores};
use kubevitals_proto::vitals::{ProbeKind, ProbeStatus};
use proptest::prelude::*;

use super::pattern::Pattern;
use super::tree::Comparison;
use super::*;
use crate::model::Field;
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

fn rooted(node: Node) -> Filter {
    Filter {
        root: Some(Arc::new(node)),
    }
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
        // Words are found in the columns that are searched.
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
        let filter: Filter = text
            .parse()
            .unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(holds(&filter, &web()), shown, "{text}");
    }
}

/// The syntax tree of a filter, as text.
fn tree(text: &str) -> String {
    let filter = text.parse::<Filter>();
    format!(
        "{:?}",
        filter
            .unwrap_or_else(|error| panic!("{text}: {error}"))
            .root
    )
}

/// What users of kubectl, PromQL or other filters write, and the same filter in the simplest syntax.
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
        ("Init:Error", "\"Init:Error\""),
        ("order android nothing", "\"order\" \"android\" \"nothing\""),
        ("\"or\"", "'or'"),
        ("mem>1.5Gi swap>0", "mem>1536Mi swap>0Mi"),
        ("cpu>0.5", "cpu>500m"),
    ] {
        assert_eq!(tree(text), tree(read), "{text}");
    }
}

/// Texts that are no filters, each with the cells of its wrong part and the message. Cells are those of the screen, not
/// bytes.
const MISTAKES: &str = r#"
ns:shop => 2..3 write ns=shop
web status:Running => 10..11 write status=Running
node: => 4..5 write node=
ns in (shop, payments) => 0..2 write ns=shop,payments
ns notin (shop) => 0..2 write ns!=shop
-n shop => 0..2 write ns=shop
web.* => 0..5 for an expression write ~web.*
^web => 0..4 for an expression write ~^web
a[0-9] => 0..6 for an expression write ~a[0-9]
mem>500 => 4..7 the unit is missing: write 500Mi or 500Gi
swap=10.5 => 5..9 the unit is missing: write 10.5Mi or 10.5Gi
net>20 => 4..6 the unit is missing: write 20Mi or 20Gi
cpu>100 => 4..7 cores or millicores? write 100m for millicores, 100.0 for cores
cpu >= 2 => 7..8 cores or millicores? write 2m for millicores, 2.0 for cores
cpu>500M => 4..8 M means million: write 500m for millicores
mem>500m => 4..8 m means a thousandth: write 500Mi
mem>512mb => 4..9 write 512Mi
mem>80% => 4..7 for a part of the limit write mem%limit>80
deployment=web => 0..10 there is no field deployment; write kind=Deployment workload=web
sts = db => 0..3 there is no field sts; write kind=StatefulSet workload=db
host=n1 => 0..4 there is no field host; write node
web or => 6..7 a condition is missing at the end
or web => 0..2 or joins two conditions; to find the word write "or"
not => 0..3 not negates the condition after it; to find the word write "not"
&& web => 0..1 a condition is missing before this
web && => 6..7 a condition is missing at the end
| => 0..1 a condition is missing before this
web cpu> => 8..9 a value is missing: cpu>500m
web cpu>fast => 8..12 cpu is compared with CPU, like 500m or 1.5
web memo>1 => 4..8 there is no field memo; there is mem, mem-request, mem-limit, mem%, mem%request, mem%limit
foo=1 => 0..3 there is no field foo; there is ns, name, node, app, status, cpu, mem, restarts, ready, probe; labels: -l foo=1
tier=front => 0..4 there is no field tier; there is ns, name, node, app, status, cpu, mem, restarts, ready, probe; labels: -l tier=front
>1 => 0..1 a field is missing before this: write cpu>500m, or quotes around a word
ns>a => 2..3 ns is text: it is compared with =, !=, ~ or !~
ns= => 3..4 a value is missing: ns=NAME, or ns="" for none
cpu!5 => 3..4 = or ~ is missing behind !
a, => 2..3 a condition is missing at the end
,a => 0..1 a condition is missing before this
a,,b => 2..3 a condition is missing before this
a (b => 2..3 this ( is not closed
a) => 1..2 ')' closes nothing: there is no ( before it
() => 1..2 a condition is missing before this
! a => 0..1 ! negates the condition after it
"a => 0..1 this quote is not closed
a"b => 1..2 put quotes around a word with " in it
~ => 0..1 ~ is followed by a regular expression
name~a[ => 6..7 unclosed character class
-l => 2..3 -l is followed by labels, like app=web
-l a=b=c => 3..8 labels: found '=', expected: ',' or 'end of string'
日本 cpu>x => 9..10 cpu is compared with CPU, like 500m or 1.5
cpu>much => 4..8 cpu is compared with CPU, like 500m or 1.5
mem>1GB => 4..7 write 1Gi
mem>lots => 4..8 mem is compared with an amount, like 512Mi or 1Gi
restarts>-1 => 9..11 restarts is compared with a number, like 3
restarts>inf => 9..12 restarts is compared with a number, like 3
age<2 => 4..5 age is compared with a time, like 90s, 1h30m or 2d
ready=maybe => 6..11 ready is compared with true or false
"#;

#[test]
fn mistakes_are_refused_with_a_hint_and_their_cells() {
    for line in MISTAKES.trim().lines() {
        let (text, expected) = line.split_once(" => ").unwrap();
        let error = text.parse::<Filter>().expect_err(text);
        let found = format!("{:?} {}", error.cells(text), error.message);
        assert_eq!(found, expected, "{text}");
    }
}

#[test]
fn pasted_text_is_bounded() {
    for text in ["(".repeat(2_000), "!".repeat(2_000), "a,".repeat(100_000)] {
        assert!(text.parse::<Filter>().is_err());
    }
    assert!("a ".repeat(1_000).parse::<Filter>().is_ok());
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

/// A filter: its text, and its syntax tree.
type Written = (String, Node);

fn in_quotes(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn leaf() -> impl Strategy<Value = Written> {
    let text = "[ab日 ,()\"\\\\!~=-]{1,4}";
    let operators = [
        Operator::Equal,
        Operator::NotEqual,
        Operator::Less,
        Operator::AtMost,
        Operator::Greater,
        Operator::AtLeast,
    ];
    let numbers = [("250m", 250e6), ("0.5", 500e6), ("1.0", 1e9)];
    prop_oneof![
        text.prop_map(|word| (in_quotes(&word), Node::Word(Needle::new(&word)))),
        "[ab]([*+?]|[{]1,2[}])?|[(]a, ?b[)]|\\\\d+\"?|a b".prop_map(|text| {
            let pattern = Pattern::new(&text).unwrap();
            (format!("~{}", in_quotes(&text)), Node::Matches(pattern))
        }),
        ("[ab日 ,()\"\\\\-]{0,4}", any::<bool>()).prop_map(|(text, equal)| {
            let with = Needle::new(&text);
            let sign = if equal { "=" } else { "!=" };
            let comparison = Comparison::Text { equal, with };
            let text = format!("name{sign}{}", in_quotes(&text));
            (text, Node::Field(Field::Name, comparison))
        }),
        (
            prop::sample::select(numbers.to_vec()),
            prop::sample::select(operators.to_vec())
        )
            .prop_map(|((text, number), operator)| {
                let comparison = Comparison::Number(operator, number);
                let text = format!("cpu{}{text}", operator.sign());
                (text, Node::Field(Field::Cpu, comparison))
            }),
        prop::sample::select(&["app=web", "app!=web,tier", "app in (db,web)"][..]).prop_map(
            |text| (
                format!("-l \"{text}\""),
                Node::Labels(text.parse().unwrap())
            )
        ),
    ]
}

fn group(parts: Vec<Written>, between: &str, kind: fn(Vec<Node>) -> Node) -> Written {
    let (texts, nodes): (Vec<String>, _) = parts.into_iter().unzip();
    let texts: Vec<String> = texts.iter().map(|text| format!("({text})")).collect();
    (texts.join(between), kind(nodes))
}

fn filters() -> impl Strategy<Value = Written> {
    leaf().prop_recursive(4, 24, 3, |inner| {
        let parts = || prop::collection::vec(inner.clone(), 2..4);
        prop_oneof![
            parts().prop_map(|parts| group(parts, " ", Node::All)),
            parts().prop_map(|parts| group(parts, ", ", Node::Any)),
            inner
                .clone()
                .prop_map(|(text, part)| (format!("!({text})"), Node::Not(Box::new(part)))),
        ]
    })
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
    fn a_filter_is_parsed_as_it_was_written((text, node) in filters(), pod in pods()) {
        prop_assert_eq!(tree(&text), format!("{:?}", Some(&node)), "{}", text);
        let read: Filter = text.parse().unwrap();
        prop_assert_eq!(holds(&read, &pod), holds(&rooted(node), &pod), "{}", text);
    }

    #[test]
    fn and_or_and_not_obey_the_rules_of_logic((_, a) in filters(), (_, b) in filters(), pod in pods()) {
        let holds = |root: Node| holds(&rooted(root), &pod);
        let all = |parts: [&Node; 2]| Node::All(parts.map(Clone::clone).to_vec());
        let any = |parts: [&Node; 2]| Node::Any(parts.map(Clone::clone).to_vec());
        let not = |part: &Node| Node::Not(Box::new(part.clone()));
        prop_assert_eq!(holds(all([&a, &b])), holds(all([&b, &a])));
        prop_assert_eq!(holds(any([&a, &b])), holds(any([&b, &a])));
        prop_assert_eq!(holds(not(&not(&a))), holds(a.clone()));
        prop_assert_eq!(holds(not(&all([&a, &b]))), holds(any([&not(&a), &not(&b)])));
        prop_assert!(!holds(all([&a, &not(&a)])) && holds(any([&a, &not(&a)])));
        let narrows = |a: &Node, b: &Node| rooted(a.clone()).narrows(&rooted(b.clone()));
        prop_assert!(!narrows(&a, &b) || !holds(a.clone()) || holds(b.clone()));
        prop_assert!(narrows(&a, &a));
        // A narrower filter matches a subset of what a wider one matches.
        prop_assert!(!holds(all([&a, &b])) || holds(a.clone()));
        prop_assert!(!holds(a.clone()) || holds(any([&a, &b])));
    }
}
