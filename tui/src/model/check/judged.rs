//! Which rules can be judged by the data that the source has sent, and the verdict of a check.

use super::problem::{Basis, Problem, Severity};
use super::rule::{Need, Rule};
use crate::model::part::{Part, PartState, SourceKind};
use crate::model::state::State;
use crate::model::world::World;

/// A rule that cannot be judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unjudged {
    /// The rule.
    pub rule: Rule,
    /// Why not.
    pub why: String,
}

/// The verdict of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// There is no problem.
    Ok,
    /// There are warnings, and nothing critical was found.
    Warning,
    /// Something is critical.
    Critical,
    /// No problem was found, but some rules cannot be judged.
    Unknown,
}

impl Verdict {
    /// The verdict of these problems and rules.
    #[must_use]
    pub fn of(problems: &[Problem], unjudged: &[Unjudged]) -> Self {
        match problems.iter().map(|problem| problem.severity).max() {
            Some(Severity::Critical) => Self::Critical,
            Some(Severity::Warning) => Self::Warning,
            None if unjudged.is_empty() => Self::Ok,
            None => Self::Unknown,
        }
    }

    /// The exit code, which is that of a Nagios plugin.
    #[must_use]
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Warning => 1,
            Self::Critical => 2,
            Self::Unknown => 3,
        }
    }

    /// The word in outputs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Critical => "critical",
            Self::Unknown => "unknown",
        }
    }
}

/// The rules of a check that cannot be judged.
#[must_use]
pub fn unjudged(state: &State, basis: &Basis<'_>) -> Vec<Unjudged> {
    let rules = basis.rules.iter().copied();
    let rules = rules.filter(|rule| basis.namespaces.is_empty() || !rule.is_of_nodes());
    rules
        .filter_map(|rule| {
            let why = lack(state, rule)?;
            Some(Unjudged { rule, why })
        })
        .collect()
}

/// What a rule lacks; `None` if it can be judged.
fn lack(state: &State, rule: Rule) -> Option<String> {
    let Some((source, _)) = state.source else {
        return Some("no source has answered".to_owned());
    };
    let Some(parts) = rule.parts(source) else {
        return Some(match source {
            SourceKind::Vitals => "kubevitals.io does not have what it needs".to_owned(),
            SourceKind::Metrics => "metrics.k8s.io does not have what it needs".to_owned(),
            SourceKind::None => "there is no source of usage".to_owned(),
        });
    };
    let needs_pods = parts.contains(&Part::Pods);
    let mut failures = parts.iter().filter_map(|part| failure(state, *part));
    failures
        .next()
        .or_else(|| {
            let other = state.parts.get(&Part::OtherPods).filter(|_| needs_pods)?;
            let (why, _) = other.failure()?;
            Some(format!("{}: {}", Part::OtherPods, why.text))
        })
        .or_else(|| truncated(&state.live, rule).filter(|_| needs_pods))
        .or_else(|| empty(&state.live, rule))
}

/// Why a part is not up to date.
fn failure(state: &State, part: Part) -> Option<String> {
    match state.part(part) {
        PartState::Live => None,
        PartState::Loading { .. } => Some(format!("{part}: not loaded yet")),
        PartState::Stale { why, .. } | PartState::Missing { why, .. } => {
            Some(format!("{part}: {}", why.text))
        }
    }
}

/// Why the pods are not enough that a large cluster sends: the unhealthy ones, and those with the highest usage.
fn truncated(world: &World, rule: Rule) -> Option<String> {
    let extent = world.extent.as_ref()?;
    let truncation = extent.truncation?;
    let enough = matches!(rule.needs(), Need::Parts(_)) && truncation.all_unhealthy;
    let sent = truncation.first.saturating_add(truncation.unhealthy);
    (!enough).then(|| format!("only {sent} of {} pods were read", extent.total))
}

/// Why the rows do not have what a rule needs, although there are rows.
fn empty(world: &World, rule: Rule) -> Option<String> {
    let nodes = world.nodes.rows();
    let mut pods = world.pods.rows().iter();
    match rule.needs() {
        Need::Disk if !nodes.is_empty() && !nodes.iter().any(|it| it.disk.is_known()) => {
            Some("no node reports its disk".to_owned())
        }
        Need::Usage(Part::Nodes)
            if !nodes.is_empty() && !nodes.iter().any(|it| it.usage.memory.is_known()) =>
        {
            Some("no node has usage".to_owned())
        }
        Need::Usage(Part::Pods)
            if !world.pods.is_empty() && !pods.any(|it| it.usage.memory.is_known()) =>
        {
            Some("no pod has usage".to_owned())
        }
        Need::Disk | Need::Usage(_) | Need::Parts(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::check::Rule;
    use crate::model::{Fault, FaultKind, Message, Name, Outcome, Thresholds, apply};
    use kubevitals_proto::time::Timestamp;

    fn failed() -> Outcome {
        Outcome::Failed {
            why: Fault {
                kind: FaultKind::Forbidden,
                text: "forbidden: jane cannot list".to_owned(),
            },
            retry_at: None,
        }
    }

    fn unjudged_names(source: SourceKind, but: &[(Part, Outcome)], namespaces: &[Name]) -> String {
        let mut state = State::default();
        apply(&mut state, Message::Source(source, String::new()));
        for part in Part::of_source(source) {
            apply(&mut state, Message::Part(*part, Outcome::Succeeded));
        }
        for (part, outcome) in but {
            apply(&mut state, Message::Part(*part, outcome.clone()));
        }
        let basis = Basis {
            now: Timestamp::default(),
            thresholds: Thresholds::default(),
            grace_seconds: 0,
            namespaces,
            rules: &Rule::ALL,
        };
        let unjudged = unjudged(&state, &basis);
        assert!(unjudged.iter().all(|it| !it.why.is_empty()));
        let names = unjudged.iter().map(|it| it.rule.name());
        names.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_rule_without_its_part_cannot_be_judged() {
        let vitals = |part| unjudged_names(SourceKind::Vitals, &[(part, failed())], &[]);
        let nodes = "node-not-ready node-condition node-cpu node-memory node-disk node-silent";
        let pods = "pod-broken probe-failing pods-missing pod-failed pod-unsettled oom-killed restarted memory-limit \
                    cpu-limit";
        assert_eq!(vitals(Part::Namespaces), "");
        assert_eq!(vitals(Part::Nodes), nodes);
        assert_eq!(vitals(Part::Pods), pods);
        assert_eq!(vitals(Part::OtherPods), pods);
        assert_eq!(vitals(Part::Hpas), "hpa");
        assert_eq!(vitals(Part::DaemonSets), "pods-missing");
        let metrics = |but: &[_]| unjudged_names(SourceKind::Metrics, but, &[]);
        assert_eq!(metrics(&[]), "incident node-disk");
        assert_eq!(
            metrics(&[(Part::Usage, failed())]),
            "incident node-disk memory-limit cpu-limit"
        );
        // Nodes are in no namespace.
        let shop = [Name::from("shop")];
        let metrics = unjudged_names(SourceKind::Metrics, &[], &shop);
        assert_eq!(metrics, "incident");
    }

    #[test]
    fn the_worst_problem_is_the_verdict_and_a_doubt_only_counts_without_one() {
        let problem = |severity| Problem {
            severity,
            rule: Rule::Hpa,
            object: crate::model::check::Object {
                kind: String::new(),
                namespace: String::new(),
                name: String::new(),
                container: String::new(),
            },
            message: String::new(),
            since: None,
        };
        let doubt = || Unjudged {
            rule: Rule::Incident,
            why: "why".to_owned(),
        };
        let (warning, critical) = (Severity::Warning, Severity::Critical);
        for (severities, doubts, verdict, code) in [
            (vec![], vec![], Verdict::Ok, 0),
            (vec![warning], vec![], Verdict::Warning, 1),
            (vec![warning, critical], vec![], Verdict::Critical, 2),
            (vec![], vec![doubt()], Verdict::Unknown, 3),
            (vec![warning], vec![doubt()], Verdict::Warning, 1),
            (vec![critical], vec![doubt()], Verdict::Critical, 2),
        ] {
            let problems: Vec<Problem> = severities.into_iter().map(problem).collect();
            let found = Verdict::of(&problems, &doubts);
            assert_eq!((found, found.exit_code()), (verdict, code));
        }
    }
}
