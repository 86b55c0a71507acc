//! Compares the flags with those of the peer (fixtures/peer-flags.txt), in both directions.

use std::collections::BTreeSet;

use clap::{Arg, ArgAction, CommandFactory};
use kubevitals_proto::duration::GoDuration;
use kubevitals_server::config::Flags;

use crate::manifests::rendered::repository;

/// Flags whose default differs from the peer's, with our default.
const OTHER_DEFAULTS: [(&str, &str); 1] = [
    // The peer writes a key pair to its working directory; ours is in memory unless the flag is set.
    ("cert-dir", ""),
];

/// A flag of the peer.
struct PeerFlag {
    name: &'static str,
    short: Option<char>,
    kind: &'static str,
    default: &'static str,
}

fn peer_flags() -> Vec<PeerFlag> {
    let mut all = Vec::new();
    let lines = include_str!("../fixtures/peer-flags.txt").lines();
    for rest in lines.filter_map(|line| line.strip_prefix("--")) {
        let mut words = rest.split_whitespace().peekable();
        let name = words.next().unwrap();
        let short = words
            .next_if(|word| word.len() == 2 && word.starts_with('-'))
            .and_then(|word| word.chars().nth(1));
        all.push(PeerFlag {
            name,
            short,
            kind: words.next().unwrap(),
            default: words.next().unwrap_or_default(),
        });
    }
    all
}

fn parse(flags: &[&str]) -> Result<(), String> {
    let words = ["vitals-server"].iter().chain(flags).map(Into::into);
    Flags::read(words).map(drop)
}

/// A default as the peer prints it.
fn default_of(arg: &Arg, kind: &str) -> String {
    let values = arg.get_default_values().iter();
    let text = values
        .map(|value| value.to_str().unwrap())
        .collect::<Vec<_>>()
        .join(",");
    match kind {
        "duration" => text
            .parse::<GoDuration>()
            .expect("a duration for a default")
            .to_string(),
        // Without a default, the type's zero value applies.
        "int" if text.is_empty() => "0".to_owned(),
        _ => text,
    }
}

/// A value that the peer accepts, and one of another type.
fn samples(flag: &PeerFlag) -> (&'static str, Option<&'static str>) {
    match (flag.name, flag.kind) {
        ("goaway-chance", _) => ("0.001", Some("0.1")),
        ("kubelet-preferred-address-types", _) => ("InternalIP,Hostname", None),
        ("logging-format", _) => ("json", Some("xml")),
        ("tls-min-version", _) => ("VersionTLS13", Some("1.3")),
        ("tls-cipher-suites", _) => ("TLS_AES_128_GCM_SHA256", None),
        ("authorization-always-allow-paths", _) => ("/healthz,/metrics", None),
        (_, "string" | "strings") => ("some", None),
        (_, "bool") => ("true", Some("maybe")),
        ("http2-max-streams-per-connection", _) => ("1000", Some("many")),
        (_, "int") => ("0x10", Some("many")),
        (_, "duration") => ("1m30.5s", Some("90")),
        (_, "float" | "float32") => ("0.5", Some("half")),
        (_, "ip") => ("::1", Some("here")),
        (_, "quantity") => ("4Mi", Some("4MB!")),
        (_, "Level") => ("12", Some("-1")),
        (_, "pattern=N,...") => ("file=2,other=3,", Some("file")),
        (_, "colonSeparatedMultimapStringString") => ("kube:A=true,B=false", None),
        (_, "int32Slice") => ("29,23", Some("X25519")),
        (_, "namedCertKey") => ("a.crt,a.key:*.a.example", Some("a.crt")),
        (name, kind) => panic!("no sample for --{name} of type {kind}"),
    }
}

#[test]
fn every_flag_of_the_peer_is_accepted_with_its_shorthand_default_and_type() {
    let command = Flags::command();
    for flag in peer_flags() {
        let name = flag.name;
        let arg = command
            .get_arguments()
            .find(|arg| arg.get_long() == Some(name))
            .unwrap_or_else(|| panic!("--{name} is missing"));
        assert_eq!(arg.get_short(), flag.short, "--{name}");
        if matches!(arg.get_action(), ArgAction::HelpShort) {
            continue;
        }
        let other = OTHER_DEFAULTS.iter().find(|(flag, _)| *flag == name);
        let default = other.map_or(flag.default, |(_, ours)| ours);
        assert_eq!(default_of(arg, flag.kind), default, "--{name}");

        let (good, wrong) = samples(&flag);
        assert_eq!(parse(&[&format!("--{name}={good}")]), Ok(()));
        if flag.kind == "bool" {
            assert_eq!(parse(&[&format!("--{name}")]), Ok(()));
            for value in [
                "1", "t", "T", "TRUE", "True", "0", "f", "F", "false", "FALSE",
            ] {
                assert_eq!(parse(&[&format!("--{name}={value}")]), Ok(()));
            }
        } else {
            assert_eq!(parse(&[&format!("--{name}"), good]), Ok(()));
            // The last value counts, or all do; a repeated flag is no error.
            let twice = format!("--{name}={good}");
            assert_eq!(parse(&[&twice, &twice]), Ok(()));
            let line = parse(&[&format!("--{name}")]).unwrap_err();
            assert!(line.contains("needs a value"), "{line}");
        }
        if let Some(wrong) = wrong {
            let line = parse(&[&format!("--{name}={wrong}")]).unwrap_err();
            let named = line.starts_with(&format!("--{name}={wrong:?}: "));
            assert!(named && !line.contains('\n'), "{line}");
        }
    }
}

/// Charts write an empty value to leave a flag at its default.
#[test]
fn an_empty_value_is_the_default() {
    // The peer refuses the first one too, and cannot scrape with an empty value of the second.
    let refused = ["logging-format", "kubelet-preferred-address-types"];
    for flag in peer_flags() {
        let text = matches!(flag.kind, "string" | "strings");
        if text && !refused.contains(&flag.name) {
            assert_eq!(parse(&[&format!("--{}=", flag.name)]), Ok(()));
            assert_eq!(parse(&[&format!("--{}", flag.name), ""]), Ok(()));
        }
    }
}

/// The table of flags in docs/operations.md has a row for each flag that the peer does not have, and no other names.
#[test]
fn the_documentation_has_every_flag_that_the_peer_does_not_have() {
    let docs = std::fs::read_to_string(repository("docs/operations.md")).unwrap();
    let documented: BTreeSet<&str> = docs
        .lines()
        .filter_map(|line| line.strip_prefix("| `-")?.split(" | ").next())
        .flat_map(|cell| cell.split('`'))
        .filter_map(|word| word.trim_start_matches('-').split('=').next())
        .filter(|name| name.len() > 1 && !name.starts_with(','))
        .collect();
    let command = Flags::command();
    let all: BTreeSet<&str> = command.get_arguments().filter_map(Arg::get_long).collect();
    let peer: BTreeSet<&str> = peer_flags().iter().map(|flag| flag.name).collect();
    let missing: Vec<_> = all
        .difference(&peer)
        .filter(|name| !documented.contains(*name))
        .collect();
    assert!(missing.is_empty(), "without a row: {missing:?}");
    let unknown: Vec<_> = documented.difference(&all).collect();
    assert!(unknown.is_empty(), "no such flag: {unknown:?}");
}

#[test]
fn no_flag_has_another_name() {
    for arg in Flags::command().get_arguments() {
        assert!(arg.get_all_aliases().unwrap_or_default().is_empty());
        assert!(arg.get_all_short_aliases().unwrap_or_default().is_empty());
    }
}
