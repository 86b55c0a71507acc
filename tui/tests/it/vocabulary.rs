//! The words of the golden screens.

use std::fs;
use std::path::{Path, PathBuf};

/// Phrases that are not plain English, and terms that have another name.
const BANNED: [&str; 14] = [
    " WHO ",
    " WHAT ",
    " WHY ",
    "again and again",
    "cannot be had",
    "enter do it",
    "enter: do it",
    "for its memory",
    "incarnation",
    "is not heard of",
    "its own metrics",
    "metrics of its own",
    "nobody serves",
    "nothing tells",
];

/// Nouns that have a number before them.
const NOUNS: [&str; 18] = [
    "clusters",
    "containers",
    "entries",
    "events",
    "incidents",
    "lines",
    "logs",
    "metrics",
    "namespaces",
    "nodes",
    "pods",
    "problems",
    "probes",
    "replicas",
    "restarts",
    "samples",
    "times",
    "warnings",
];

fn golden_screens() -> Vec<(PathBuf, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/snapshots");
    let files = fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().path());
    let files = files.filter(|path| path.extension().is_some_and(|it| it == "snap"));
    files
        .map(|path| {
            let text = fs::read_to_string(&path).unwrap();
            (path, text)
        })
        .collect()
}

/// Whether a line has the plural of a noun after the number one: `1 pods`. Two blanks separate two texts.
fn has_wrong_plural(line: &str) -> bool {
    line.split("  ").any(|text| {
        let words: Vec<&str> = text.split(' ').collect();
        let mut pairs = words.windows(2);
        pairs.any(|pair| {
            let noun = pair[1].trim_matches(|c: char| !c.is_alphabetic());
            pair[0] == "1" && NOUNS.contains(&noun)
        })
    })
}

#[test]
fn golden_screens_have_standard_terms_and_the_right_number() {
    let mut found = Vec::new();
    let screens = golden_screens();
    assert!(screens.len() > 500, "{}", screens.len());
    for (path, text) in screens {
        for line in text.lines() {
            let is_banned = BANNED.iter().any(|phrase| line.contains(phrase));
            if is_banned || has_wrong_plural(line) {
                found.push(format!("{}: {line}", path.display()));
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn a_wrong_plural_is_found() {
    for (line, expected) in [
        (" 1 pods evicted", true),
        ("0 of 1 pods, ready", true),
        ("11 pods", false),
        ("1 pod", false),
        ("probes failing 1  restarts 1h 3", false),
        (" 1 Overview   2 Nodes", false),
    ] {
        assert_eq!(has_wrong_plural(line), expected, "{line}");
    }
}
