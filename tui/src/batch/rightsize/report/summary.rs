//! The text below the table, and the comments of manifests and scripts.

use std::fmt::Write as _;

use super::{Line, Report, exact_cpu};
use crate::batch::rightsize::cost::Changes;
use crate::model::format;
use crate::text::clean;

impl Report {
    /// What is saved, what is at risk, on how much history that rests, and why some containers have no advice.
    pub fn summary(&self) -> String {
        let mut text = String::from("\n");
        for line in self.statements() {
            let _ = writeln!(text, "{line}");
        }
        let refused: Vec<String> = self.lines.iter().flat_map(refusals).collect();
        if !refused.is_empty() {
            text.push_str("Cannot advise on:\n");
            for line in refused {
                let _ = writeln!(text, "  {}", clean(&line));
            }
        }
        text
    }

    /// The comments of manifests and scripts.
    pub fn comments(&self) -> Vec<String> {
        let mut lines = vec![format!(
            "Requests and limits advised by vitals rightsize at {}.",
            self.at.to_rfc3339_seconds()
        )];
        lines.extend(self.statements());
        let refused = self.lines.iter().flat_map(refusals);
        lines.extend(refused.map(|refused| format!("Cannot advise on {refused}")));
        lines
    }

    fn statements(&self) -> Vec<String> {
        let mut lines = vec![self.savings()];
        lines.extend(self.risks());
        lines.push(self.ground());
        lines
    }

    fn savings(&self) -> String {
        let mut all = Changes::default();
        for line in &self.lines {
            all += line.change;
        }
        let mut net = all.saved;
        net += all.added;
        let (saved, added) = (all.saved.saved(), all.added.added());
        let mut text = format!(
            "The advice lowers requests by {} CPU and {} memory, and raises others by {} CPU and {} memory",
            exact_cpu(saved.0),
            format::bytes(saved.1),
            exact_cpu(added.0),
            format::bytes(added.1)
        );
        if let Some(money) = self.prices.of_month(&net) {
            let word = if money < 0.0 { "costs" } else { "saves" };
            let _ = write!(text, ": it {word} {:.2} a month", money.abs());
        }
        text.push('.');
        text
    }

    /// What is at risk now.
    fn risks(&self) -> Option<String> {
        let count = |is_at_risk: fn(&Line) -> bool, text: &str| {
            let count = self.lines.iter().filter(|line| is_at_risk(line)).count();
            (count > 0).then(|| format!("{count} {text}"))
        };
        let risks = [
            count(Line::exceeds_request, "used more memory than they request"),
            count(
                Line::is_near_limit,
                "were killed at the memory limit or came near it",
            ),
            count(Line::is_throttled, "reached the CPU limit"),
        ];
        let risks: Vec<String> = risks.into_iter().flatten().collect();
        let all = self.lines.len();
        (!risks.is_empty())
            .then(|| format!("At risk now, of {all} containers: {}.", risks.join(", ")))
    }

    /// The history on which the advice rests.
    fn ground(&self) -> String {
        let longest = self.lines.iter().map(|line| line.evidence.history).max();
        let longest = longest.unwrap_or_default();
        format!(
            "It rests on at most {} of history: what a container needed before is not counted.",
            format::duration(u64::try_from(longest.0 / 1_000_000_000).unwrap_or_default())
        )
    }
}

/// Why a container has no advice, for each resource.
fn refusals(line: &Line) -> Vec<String> {
    let container = format!(
        "{}: {}, container {}",
        line.key.namespace,
        line.workload(),
        line.key.container
    );
    match (line.advice.cpu.err(), line.advice.memory.err()) {
        (Some(cpu), Some(memory)) if cpu == memory => vec![format!("{container}: {cpu}")],
        (cpu, memory) => {
            let of = |resource, why| format!("{container}: {resource}: {why}");
            let cpu = cpu.map(|why| of("CPU", why.to_string()));
            let memory = memory.map(|why| of("memory", why.to_string()));
            cpu.into_iter().chain(memory).collect()
        }
    }
}
