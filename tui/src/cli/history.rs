//! The flags of `history`.

use clap::{Args, ValueEnum};
use kubevitals_proto::duration::GoDuration;
use kubevitals_proto::time::Timestamp;

use super::object::{kind_and_name, workload_kind};

/// The subject of `history`, its span, and the form of the output.
#[derive(Debug, Clone, Args)]
pub struct HistoryArgs {
    /// pod, node, workload, namespace or cluster, or a kind and a name in one word: pod/NAME, deployment/NAME
    #[arg(value_name = "KIND")]
    pub kind: String,
    /// The name: of a pod NAME or NAMESPACE/NAME, of a workload KIND/NAME; not for the cluster
    #[arg(value_name = "NAME")]
    pub name: Option<String>,
    /// The start: a time such as 2026-11-21T05:00:00Z, or a duration before the end such as 30m or 7d [default: all that
    /// is in memory]
    #[arg(long, visible_alias = "span", value_name = "TIME", value_parser = time, allow_hyphen_values = true)]
    pub since: Option<String>,
    /// The end: a time, or a duration before now [default: now]
    #[arg(long, value_name = "TIME", value_parser = time, allow_hyphen_values = true)]
    pub until: Option<String>,
    /// The length of a step: a second or more [default: 120 steps in the span]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub step: Option<String>,
    /// How the samples of one step become one value
    #[arg(long, value_name = "HOW", default_value = "mean")]
    pub fold: Fold,
    /// Only this container of a pod
    #[arg(long, value_name = "NAME")]
    pub container: Option<String>,
    /// The form of the output
    #[arg(long, short, value_name = "FORMAT")]
    pub output: Option<HistoryFormat>,
    /// Print output without headers
    #[arg(long)]
    pub no_headers: bool,
    /// Draw the chart with ASCII only; by default the locale decides
    #[arg(long, env = "VITALS_ASCII", hide_env = true)]
    pub ascii: bool,
}

/// How the samples of a step become one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Fold {
    /// Their mean.
    #[default]
    Mean,
    /// The smallest.
    Min,
    /// The largest.
    Max,
}

impl Fold {
    /// The value of the parameter.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mean => "mean",
            Self::Min => "min",
            Self::Max => "max",
        }
    }
}

/// A form of a history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum HistoryFormat {
    /// A table.
    #[default]
    Table,
    /// A chart of CPU and one of memory, as wide as the terminal.
    Chart,
    /// JSON.
    Json,
    /// YAML.
    Yaml,
    /// Comma-separated values.
    Csv,
    /// Tab-separated values.
    Tsv,
}

/// The subject of a history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HistorySubject {
    /// A pod: its namespace and name.
    Pod(String, String),
    /// A node.
    Node(String),
    /// A workload.
    Workload {
        /// The namespace.
        namespace: String,
        /// The kind as in the API: `Deployment`.
        kind: String,
        /// The name.
        name: String,
    },
    /// A namespace.
    Namespace(String),
    /// The cluster.
    Cluster,
}

impl std::fmt::Display for HistorySubject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Pod(namespace, name) => write!(f, "pod {namespace}/{name}"),
            Self::Node(name) => write!(f, "node {name}"),
            Self::Workload {
                namespace,
                kind,
                name,
            } => write!(f, "workload {namespace}: {kind}/{name}"),
            Self::Namespace(name) => write!(f, "namespace {name}"),
            Self::Cluster => f.write_str("cluster"),
        }
    }
}

impl HistoryArgs {
    /// The subject. What is in a namespace is in `namespace`, unless the arguments name another one.
    ///
    /// # Errors
    /// The arguments are invalid; the text has one line.
    pub fn subject(&self, namespace: &str) -> Result<HistorySubject, String> {
        let (kind, name) = kind_and_name(&self.kind, self.name.as_deref())?;
        let parts: Vec<&str> = name.map_or(Vec::new(), |name| name.split('/').collect());
        if parts.iter().any(|part| part.is_empty()) {
            let name = name.unwrap_or_default();
            return Err(format!("{name:?} is not a name"));
        }
        let own = |text: &str| text.to_owned();
        let workload = |kind: &str, name: &str| HistorySubject::Workload {
            namespace: own(namespace),
            // A kind that is none of Kubernetes' own is as typed.
            kind: own(workload_kind(kind).unwrap_or(kind)),
            name: own(name),
        };
        match (kind, parts.as_slice()) {
            ("cluster", []) => Ok(HistorySubject::Cluster),
            ("namespace" | "namespaces" | "ns", []) => {
                Ok(HistorySubject::Namespace(own(namespace)))
            }
            ("namespace" | "namespaces" | "ns", [name]) => Ok(HistorySubject::Namespace(own(name))),
            ("node" | "nodes" | "no", [name]) => Ok(HistorySubject::Node(own(name))),
            ("pod" | "pods" | "po", [name]) => Ok(HistorySubject::Pod(own(namespace), own(name))),
            ("pod" | "pods" | "po", [namespace, name]) => {
                Ok(HistorySubject::Pod(own(namespace), own(name)))
            }
            ("workload" | "workloads", [kind, name]) => Ok(workload(kind, name)),
            (kind, [name]) if workload_kind(kind).is_some() => Ok(workload(kind, name)),
            ("workload" | "workloads", _) => Err("a workload is KIND/NAME: \
                 history workload deployment/web"
                .to_owned()),
            (
                "cluster" | "namespace" | "namespaces" | "ns" | "node" | "nodes" | "no" | "pod"
                | "pods" | "po",
                _,
            ) => Err(match name {
                Some(name) => format!("{name:?} is not the name of a {kind}"),
                None => format!("{kind:?} needs a name: history {kind} NAME"),
            }),
            _ => Err(format!(
                "{kind:?} has no history: name a pod, node, workload, namespace or the cluster"
            )),
        }
    }
}

/// Checks a time or a duration. A duration becomes one that the API understands, which has no days.
pub(super) fn time(text: &str) -> Result<String, String> {
    if text.parse::<Timestamp>().is_ok() {
        return Ok(text.to_owned());
    }
    if let Some(duration) = span(text) {
        return Ok(duration.to_string());
    }
    Err(
        "expected an RFC 3339 time such as 2026-11-21T05:13:54Z, or a duration such as 30m or 7d"
            .to_owned(),
    )
}

/// Parses a duration, which may have days and weeks before the rest: `7d`, `1w2d`, `1d12h`.
pub(crate) fn span(text: &str) -> Option<GoDuration> {
    const HOUR: i64 = 3_600_000_000_000;
    let (sign, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text),
    };
    let mut nanos: i64 = 0;
    let mut is_empty = true;
    for (unit, hours) in [('w', 168), ('d', 24)] {
        let Some((count, after)) = rest.split_once(unit) else {
            continue;
        };
        let count: u32 = count.parse().ok()?;
        nanos = nanos.checked_add(i64::from(count).checked_mul(hours * HOUR)?)?;
        (rest, is_empty) = (after, false);
    }
    if is_empty || !rest.is_empty() {
        let part: GoDuration = rest.parse().ok().filter(|part: &GoDuration| part.0 >= 0)?;
        nanos = nanos.checked_add(part.0)?;
    }
    Some(GoDuration(nanos * sign))
}

/// Checks a duration.
fn duration(text: &str) -> Result<String, String> {
    let duration: Option<GoDuration> = text.parse().ok();
    match duration.filter(|it| it.0 >= 1_000_000_000) {
        Some(_) => Ok(text.to_owned()),
        None => Err("expected a duration of a second or more, such as 1m".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{Command, Stop, parse};

    fn parsed(line: &str) -> Result<HistoryArgs, Stop> {
        let words = line.split_whitespace().map(Into::into);
        parse(words).map(|cli| match cli.command {
            Some(Command::History(args)) => args,
            other => panic!("{other:?}"),
        })
    }

    #[test]
    fn every_usual_form_names_a_subject() {
        for (line, expected) in [
            ("pod web", "pod here/web"),
            ("pod shop/web", "pod shop/web"),
            ("pods/web", "pod here/web"),
            ("po web", "pod here/web"),
            ("node n", "node n"),
            ("no/n -o chart", "node n"),
            ("workload deployment/web", "workload here: Deployment/web"),
            ("workload sts/db", "workload here: StatefulSet/db"),
            ("workload Rollout/web", "workload here: Rollout/web"),
            ("deployment/web", "workload here: Deployment/web"),
            ("cronjob nightly", "workload here: CronJob/nightly"),
            ("namespace shop", "namespace shop"),
            ("ns", "namespace here"),
            ("cluster", "cluster"),
        ] {
            let args = parsed(&format!("vitals history {line}")).unwrap();
            assert_eq!(
                args.subject("here").unwrap().to_string(),
                expected,
                "{line}"
            );
        }
    }

    #[test]
    fn other_subjects_are_refused_in_one_line() {
        for (line, expected) in [
            ("pod", "\"pod\" needs a name: history pod NAME"),
            ("node", "\"node\" needs a name: history node NAME"),
            (
                "pods/web web",
                "\"pods/web\" and \"web\" are two names: name one object",
            ),
            ("pod a/b/c", "\"a/b/c\" is not the name of a pod"),
            ("pod /web", "\"/web\" is not a name"),
            ("node a/b", "\"a/b\" is not the name of a node"),
            ("cluster x", "\"x\" is not the name of a cluster"),
            (
                "workload web",
                "a workload is KIND/NAME: history workload deployment/web",
            ),
            (
                "service web",
                "\"service\" has no history: name a pod, node, workload, namespace or the cluster",
            ),
        ] {
            let args = parsed(&format!("vitals history {line}")).unwrap();
            assert_eq!(args.subject("here").unwrap_err(), expected);
        }
    }

    #[test]
    fn times_and_steps_are_checked_before_any_request() {
        for flags in [
            "--since 30m --until -5m --step 1m --fold max",
            "--since 2026-11-21T05:13:54Z",
            "--since=-1h",
        ] {
            assert!(
                parsed(&format!("vitals history cluster {flags}")).is_ok(),
                "{flags}"
            );
        }
        for flags in [
            "--since soon",
            "--until 5",
            "--step 1ms",
            "--step 0s",
            "--fold sum",
            "-o xml",
        ] {
            assert!(
                matches!(
                    parsed(&format!("vitals history cluster {flags}")),
                    Err(Stop::Fail(_, 2))
                ),
                "{flags}"
            );
        }
    }
}
