//! Prints the result of a check: as a table for people, as rows for programs, and as the line of a Nagios plugin.

use std::io::{self, Write};

use super::report::{ProblemItem, Report};
use crate::export::{Heading, RecordCell, RecordList};
use crate::model::format::{self, count};
use crate::text::{clean, one_line};

/// The problems as records.
pub(super) fn records(report: &Report) -> RecordList {
    let mut list = RecordList::new(vec![
        Heading::new("severity", "SEVERITY"),
        Heading::new("rule", "RULE"),
        Heading::of_tables("OBJECT"),
        Heading::of_data("kind"),
        Heading::of_data("namespace"),
        Heading::of_data("name"),
        Heading::of_data("container"),
        Heading::new("since", "SINCE").right(),
        Heading::new("message", "MESSAGE"),
    ]);
    for problem in &report.problems {
        let time = problem.since.clone();
        let since = time.as_deref().and_then(|time| time.parse().ok());
        let since = since.map(|since| format::age(since, report.now));
        let cells = vec![
            RecordCell::text(&problem.severity),
            RecordCell::text(&problem.rule),
            RecordCell::text(problem.object().text()),
            RecordCell::text(&problem.kind),
            RecordCell::text(&problem.namespace),
            RecordCell::text(&problem.name),
            RecordCell::text(&problem.container),
            RecordCell::new(since.unwrap_or_else(|| format::UNKNOWN.to_owned()), time),
            RecordCell::text(one_line(&problem.message)),
        ];
        list.push(problem.object().reference(), cells);
    }
    list
}

/// Prints the last lines of the table: the number of problems, and the rules that cannot be judged.
pub(super) fn summary(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    if !report.problems.is_empty() {
        writeln!(out)?;
    }
    writeln!(out, "{}; {}", counts(report), checked(report))?;
    for (reason, rules) in doubts(report) {
        writeln!(out, "cannot judge {rules}: {}", clean(&reason))?;
    }
    Ok(())
}

/// Prints the rules that cannot be judged, for the standard error beside rows for programs.
pub(super) fn warn(report: &Report, err: &mut dyn Write) -> io::Result<()> {
    for (reason, rules) in doubts(report) {
        writeln!(err, "warning: cannot judge {rules}: {}", clean(&reason))?;
    }
    Ok(())
}

/// Prints one line as a Nagios plugin does: the state, the problems, and performance data.
pub(super) fn nagios(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    /// Nagios reads at most 4 KiB, and people a few problems.
    const MAX_PROBLEMS: usize = 5;
    let mut text = format!(
        "VITALS {} - {}",
        report.verdict.to_uppercase(),
        counts(report)
    );
    let first = report.problems.iter().take(MAX_PROBLEMS).map(in_a_line);
    let mut parts: Vec<String> = first.collect();
    if let Some(more @ 1..) = report.problems.len().checked_sub(MAX_PROBLEMS) {
        parts.push(format!("and {more} more"));
    }
    for (reason, rules) in doubts(report) {
        parts.push(format!("cannot judge {rules}: {}", clean(&reason)));
    }
    if !parts.is_empty() {
        text.push_str(": ");
        text.push_str(&parts.join("; "));
    }
    // The text ends at the first bar.
    let text = text.replace('|', "/");
    writeln!(
        out,
        "{text} | critical={} warnings={} unjudged={} nodes={} pods={}",
        report.critical,
        report.warnings,
        report.unjudged.len(),
        report.nodes,
        report.pods
    )
}

/// Prints the line of a Nagios plugin for a check that failed.
pub(super) fn nagios_failure(why: &str, out: &mut dyn Write) -> io::Result<()> {
    let why = one_line(why).replace('|', "/");
    let why = why.strip_prefix("error: ").unwrap_or(&why);
    writeln!(out, "VITALS UNKNOWN - {why}")
}

fn in_a_line(problem: &ProblemItem) -> String {
    let object = problem.object().text();
    format!("{}: {}", clean(&object), one_line(&problem.message))
}

/// `2 critical, 1 warning`.
fn counts(report: &Report) -> String {
    match (report.critical, report.warnings) {
        (0, 0) if report.unjudged.is_empty() => "no problems".to_owned(),
        (0, 0) => "no problems found".to_owned(),
        (critical, 0) => format!("{critical} critical"),
        (0, warnings) => count(warnings, "warning"),
        (critical, warnings) => format!("{critical} critical, {}", count(warnings, "warning")),
    }
}

/// `4 nodes and 56 pods checked`.
fn checked(report: &Report) -> String {
    let pods = count(report.pods, "pod");
    match report.nodes {
        0 => format!("{pods} checked"),
        nodes => format!("{} and {pods} checked", count(nodes, "node")),
    }
}

/// Why rules cannot be judged, each reason with its rules: `incident, node-disk`.
fn doubts(report: &Report) -> Vec<(String, String)> {
    let mut doubts: Vec<(String, String)> = Vec::new();
    for unjudged in &report.unjudged {
        match doubts.iter_mut().find(|(why, _)| *why == unjudged.reason) {
            Some((_, rules)) => {
                rules.push_str(", ");
                rules.push_str(&unjudged.rule);
            }
            None => doubts.push((unjudged.reason.clone(), unjudged.rule.clone())),
        }
    }
    doubts
}

#[cfg(test)]
mod tests {
    use kubevitals_proto::time::Timestamp;

    use super::super::report::UnjudgedItem;
    use super::*;

    fn report() -> Report {
        let problem = |severity: &str, name: &str, message: &str| ProblemItem {
            severity: severity.to_owned(),
            rule: "pod-broken".to_owned(),
            kind: "Pod".to_owned(),
            namespace: "shop".to_owned(),
            name: name.to_owned(),
            container: "web".to_owned(),
            message: message.to_owned(),
            since: Some("1970-01-01T00:01:40Z".to_owned()),
        };
        let unjudged = |rule: &str| UnjudgedItem {
            rule: rule.to_owned(),
            reason: "metrics.k8s.io does not have what it needs".to_owned(),
        };
        Report {
            now: Timestamp::from_secs(200),
            verdict: "critical".to_owned(),
            exit_code: 2,
            critical: 1,
            warnings: 1,
            nodes: 1,
            pods: 2,
            problems: vec![
                problem(
                    "critical",
                    "web-1",
                    "CrashLoopBackOff:\nback-off | \u{1b}[31m5m",
                ),
                problem("warning", "web-2", "x"),
            ],
            unjudged: vec![unjudged("incident"), unjudged("node-disk")],
        }
    }

    fn written(write: impl FnOnce(&mut Vec<u8>) -> io::Result<()>) -> String {
        let mut out = Vec::new();
        write(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_nagios_plugin_prints_one_line_with_one_bar() {
        let line = written(|out| nagios(&report(), out));
        assert_eq!(
            line,
            "VITALS CRITICAL - 1 critical, 1 warning: Pod shop/web-1 (web): CrashLoopBackOff: back-off / [31m5m; \
             Pod shop/web-2 (web): x; cannot judge incident, node-disk: metrics.k8s.io does not have what it needs \
             | critical=1 warnings=1 unjudged=2 nodes=1 pods=2\n"
        );
        let mut many = report();
        let first = many.problems[1].clone();
        many.problems.extend(std::iter::repeat_n(first, 10));
        many.problems[2].message = "long ".repeat(1_000);
        let line = written(|out| nagios(&many, out));
        assert!(
            line.contains("…") && line.contains("; and 7 more; "),
            "{line}"
        );
        assert!(line.len() < 2_048 && line.lines().count() == 1);
        let ok = Report {
            verdict: "ok".to_owned(),
            critical: 0,
            warnings: 0,
            problems: Vec::new(),
            unjudged: Vec::new(),
            ..report()
        };
        assert_eq!(
            written(|out| nagios(&ok, out)),
            "VITALS OK - no problems | critical=0 warnings=0 unjudged=0 nodes=1 pods=2\n"
        );
        assert_eq!(
            written(|out| nagios_failure("error: no\nanswer | x", out)),
            "VITALS UNKNOWN - no answer / x\n"
        );
    }

    #[test]
    fn the_table_ends_with_what_was_checked_and_what_was_not() {
        assert_eq!(
            written(|out| summary(&report(), out)),
            "\n1 critical, 1 warning; 1 node and 2 pods checked\n\
             cannot judge incident, node-disk: metrics.k8s.io does not have what it needs\n"
        );
        let none = Report {
            problems: Vec::new(),
            unjudged: Vec::new(),
            critical: 0,
            warnings: 0,
            nodes: 0,
            ..report()
        };
        assert_eq!(
            written(|out| summary(&none, out)),
            "no problems; 2 pods checked\n"
        );
    }
}
