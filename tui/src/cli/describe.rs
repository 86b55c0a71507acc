//! The flags of `describe`.

use clap::{Args, ValueEnum};

use super::object::{kind_and_name, workload_kind};
use crate::config::SourceChoice;
use crate::model::View;

/// `describe`.
#[derive(Debug, Clone, Args)]
pub struct DescribeArgs {
    /// pod, node or workload, or the kind of a workload, like deployment; or both in one word: pods/NAME
    #[arg(value_name = "KIND")]
    pub kind: String,
    /// The object, as NAME or NAMESPACE/NAME
    #[arg(value_name = "NAME")]
    pub name: Option<String>,
    /// The form of the output
    #[arg(long, short, value_name = "FORMAT", default_value = "text")]
    pub output: DescribeOutput,
    /// The source of the data
    #[arg(long, value_name = "SOURCE", env = "VITALS_SOURCE")]
    pub source: Option<SourceChoice>,
}

/// The form of the output of `describe`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DescribeOutput {
    /// Text for people.
    Text,
    /// JSON.
    Json,
    /// YAML.
    Yaml,
}

/// The object to describe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribeSubject {
    /// The table of such objects.
    pub view: View,
    /// The kind of a workload, if one was named.
    pub workload: Option<&'static str>,
    /// The namespace; `None` for that of the kubeconfig, and for a node.
    pub namespace: Option<String>,
    /// The name.
    pub name: String,
}

impl DescribeArgs {
    /// The object to describe.
    ///
    /// # Errors
    /// The arguments are invalid; the text has one line.
    pub fn subject(&self) -> Result<DescribeSubject, String> {
        let (kind, name) = kind_and_name(&self.kind, self.name.as_deref())?;
        let name = name.ok_or_else(|| {
            format!("{kind:?} needs a name: describe pod NAME, describe node NAME")
        })?;
        let (view, workload) = kind_of(&kind.to_lowercase()).ok_or_else(|| {
            format!(
                "cannot describe {kind:?}: name a pod, a node, a workload or the kind of a workload"
            )
        })?;
        let (namespace, name) = match name.split_once('/') {
            Some((namespace, name)) if view != View::Nodes => (Some(namespace), name),
            _ => (None, name),
        };
        if name.is_empty() || name.contains('/') || namespace.is_some_and(str::is_empty) {
            return Err(format!("{name:?} is not a name"));
        }
        Ok(DescribeSubject {
            view,
            workload,
            namespace: namespace.map(str::to_owned),
            name: name.to_owned(),
        })
    }
}

fn kind_of(kind: &str) -> Option<(View, Option<&'static str>)> {
    match kind {
        "pod" | "pods" | "po" => return Some((View::Pods, None)),
        "node" | "nodes" | "no" => return Some((View::Nodes, None)),
        "workload" | "workloads" => return Some((View::Workloads, None)),
        _ => {}
    }
    workload_kind(kind).map(|kind| (View::Workloads, Some(kind)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{Command, parse};

    fn subject(line: &str) -> Result<DescribeSubject, String> {
        let line = format!("vitals describe {line}");
        match parse(line.split_whitespace().map(Into::into))
            .unwrap()
            .command
        {
            Some(Command::Describe(args)) => args.subject(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn every_usual_form_names_an_object() {
        for (line, view, workload, namespace, name) in [
            ("pod web", View::Pods, None, None, "web"),
            ("po shop/web -o json", View::Pods, None, Some("shop"), "web"),
            ("pods/shop/web", View::Pods, None, Some("shop"), "web"),
            ("node n", View::Nodes, None, None, "n"),
            ("no/n", View::Nodes, None, None, "n"),
            ("workload web", View::Workloads, None, None, "web"),
            (
                "deploy/web",
                View::Workloads,
                Some("Deployment"),
                None,
                "web",
            ),
            ("STS web", View::Workloads, Some("StatefulSet"), None, "web"),
        ] {
            let expected = DescribeSubject {
                view,
                workload,
                namespace: namespace.map(str::to_owned),
                name: name.to_owned(),
            };
            assert_eq!(subject(line), Ok(expected), "{line}");
        }
        for line in [
            "pod",
            "service web",
            "pods/web web",
            "pod a/b/c",
            "node a/b",
            "pod /web",
            "pods/",
        ] {
            assert!(subject(line).is_err(), "{line}");
        }
    }
}
