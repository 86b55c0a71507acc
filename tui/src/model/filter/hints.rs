//! Hints for users who write another language: kubectl, PromQL or another filter.

use std::ops::Range;

use super::lexis::ends_value;
use crate::model::Field;

/// Kinds of workloads that are written like fields.
const KINDS: [(&[&str], &str); 6] = [
    (&["deployment", "deploy"], "Deployment"),
    (&["statefulset", "sts"], "StatefulSet"),
    (&["daemonset", "ds"], "DaemonSet"),
    (&["replicaset", "rs"], "ReplicaSet"),
    (&["cronjob", "cj"], "CronJob"),
    (&["job"], "Job"),
];

/// Other words for fields.
const WORDS: [(&[&str], &str); 5] = [
    (&["host", "hostname", "machine"], "node"),
    (&["ram", "rss"], "mem"),
    (&["msg", "error", "text"], "message"),
    (&["created", "uptime", "time"], "age"),
    (&["service", "svc"], "app"),
];

/// Flags of kubectl, and what to write instead.
const OPTIONS: [(&[&str], &str); 3] = [
    (&["-n", "--namespace"], "write ns=shop"),
    (&["-A", "--all-namespaces"], "n chooses namespaces"),
    (&["--selector", "-L"], "write -l app=web"),
];

fn lookup(words: &[(&[&str], &'static str)], word: &str) -> Option<&'static str> {
    let is = |other: &&str| other.eq_ignore_ascii_case(word);
    let found = words.iter().find(|(words, _)| words.iter().any(&is));
    found.map(|(_, meant)| *meant)
}

/// Detects a word of another language that would match nothing. Returns the bytes of the error and the correct
/// spelling. `behind` is the text after the word, without blanks.
pub(super) fn misspelled(word: &str, behind: &str) -> Option<(Range<usize>, String)> {
    let whole = 0..word.len();
    if let Some((name, value)) = word.split_once(':')
        && Field::named(name).is_some()
    {
        let at = name.len();
        return Some((at..at + 1, format!("write {name}={value}")));
    }
    if let Some(values) = in_parentheses(behind)
        && Field::named(word).is_some()
    {
        let sign = if behind.starts_with(['n', 'N']) {
            "!="
        } else {
            "="
        };
        return Some((whole, format!("write {word}{sign}{values}")));
    }
    if let Some(meant) = OPTIONS
        .iter()
        .find_map(|(words, meant)| words.contains(&word).then_some(*meant))
    {
        return Some((whole, meant.to_owned()));
    }
    let is_expression = word.starts_with('^')
        || word.ends_with('$')
        || word.contains(".*")
        || word.contains(['[', ']', '\\']);
    is_expression.then(|| (whole, format!("for an expression write ~{word}")))
}

/// Converts the values of `in (a, b)` and `notin (a, b)` to a list of the filter language.
fn in_parentheses(text: &str) -> Option<String> {
    let (word, rest) = text.split_once('(')?;
    let words = ["in", "notin", "not in"];
    let is_in = |other: &&&str| word.trim().eq_ignore_ascii_case(other);
    words.iter().find(is_in)?;
    let (values, _) = rest.split_once(')').unwrap_or((rest, ""));
    let values: Vec<&str> = values.split(',').map(str::trim).collect();
    Some(values.join(","))
}

/// The error for an unknown field: the right name, similar fields, or the common fields and the syntax of labels.
/// `behind` is the operator with the text after it.
pub(super) fn unknown(name: &str, behind: &str) -> String {
    let value = behind.trim_start_matches(['=', '!', '~', '<', '>', ' ']);
    let end = value.find(ends_value).unwrap_or(value.len());
    let value = value.get(..end).filter(|value| !value.is_empty());
    let no_field = format!("there is no field {name}");
    if let Some(kind) = lookup(&KINDS, name) {
        let value = value.unwrap_or("NAME");
        return format!("{no_field}; write kind={kind} workload={value}");
    }
    if let Some(field) = lookup(&WORDS, name) {
        return format!("{no_field}; write {field}");
    }
    let begin: String = name
        .chars()
        .take(2)
        .collect::<String>()
        .to_ascii_lowercase();
    let alike: Vec<&str> = Field::ALL
        .iter()
        .map(|field| field.name())
        .filter(|name| name.starts_with(&begin))
        .take(6)
        .collect();
    if !alike.is_empty() {
        return format!("{no_field}; there is {}", alike.join(", "));
    }
    let name = name.trim_start_matches("-l");
    let value = value.unwrap_or("VALUE");
    format!(
        "{no_field}; there is ns, name, node, app, status, cpu, mem, restarts, ready, probe; labels: -l {name}={value}"
    )
}

/// Converts a text with `*` for any characters to a regular expression.
pub(super) fn glob(text: &str) -> String {
    let body = text.trim_matches('*');
    if body.is_empty() {
        return ".".to_owned();
    }
    let parts: Vec<String> = body.split('*').map(regex::escape).collect();
    let begin = if text.starts_with('*') { "" } else { "^" };
    let end = if text.ends_with('*') { "" } else { "$" };
    format!("{begin}{}{end}", parts.join(".*"))
}
