//! The flags of `why`.

use clap::{Args, ValueEnum};

use super::object::kind_and_name;

/// The subject of `why`, and the form of the output.
#[derive(Debug, Clone, Args)]
pub struct WhyArgs {
    /// pod, node, metric or hpa; of all but a metric with the name too: pods/NAME, nodes/NAME
    #[arg(value_name = "KIND")]
    pub kind: String,
    /// The pod or HPA, as NAME or NAMESPACE/NAME, or the node
    #[arg(value_name = "NAME")]
    pub name: Option<String>,
    /// A metric that the pod exposes itself, under the name that a HorizontalPodAutoscaler has for it
    #[arg(value_name = "METRIC")]
    pub metric: Option<String>,
    /// Of a metric, only the series with these labels: code=200,path!=/healthz
    #[arg(long, value_name = "QUERY")]
    pub series: Option<String>,
    /// Print the server's whole response in this form
    #[arg(long, short, value_name = "FORMAT")]
    pub output: Option<Output>,
}

/// An output form for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// JSON.
    Json,
}

/// kubectl's names of HorizontalPodAutoscalers, and that of the view.
const HPA: [&str; 4] = [
    "hpa",
    "hpas",
    "horizontalpodautoscaler",
    "horizontalpodautoscalers",
];

/// The subject of `why`: a pod, a node, one of the metrics that a pod exposes itself, or an HPA.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WhySubject<'a> {
    /// The namespace of a pod; none for a node.
    pub namespace: Option<&'a str>,
    /// The name of the pod or node.
    pub name: &'a str,
    /// The metric.
    pub metric: Option<&'a str>,
    /// Whether it is a HorizontalPodAutoscaler.
    pub is_hpa: bool,
}

impl std::fmt::Display for WhySubject<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(metric) = self.metric {
            write!(f, "metric {metric} of ")?;
        }
        match self.namespace {
            Some(namespace) if self.is_hpa => write!(f, "HPA {namespace}/{}", self.name),
            Some(namespace) => write!(f, "pod {namespace}/{}", self.name),
            None => write!(f, "node {}", self.name),
        }
    }
}

impl WhyArgs {
    /// The subject. A pod is in `namespace` unless the arguments name another one.
    ///
    /// # Errors
    /// The arguments are invalid; the text has one line.
    pub fn subject<'a>(&'a self, namespace: &'a str) -> Result<WhySubject<'a>, String> {
        let (kind, name) = kind_and_name(&self.kind, self.name.as_deref())?;
        let name = name.ok_or_else(|| {
            format!(
                "{kind:?} needs a name: why pod NAMESPACE/NAME, why node NAME, why metric NAMESPACE/POD METRIC"
            )
        })?;
        let of_metric = matches!(kind, "metric" | "metrics");
        let metric = self.metric.as_deref();
        match metric {
            Some(metric) if !of_metric => {
                return Err(format!("{metric:?} is one argument too many for {kind:?}"));
            }
            None | Some("") if of_metric => {
                return Err(format!(
                    "name the metric: why metric {name} METRIC, such as queue_length"
                ));
            }
            _ => {}
        }
        if self.series.is_some() && !of_metric {
            return Err(format!(
                "--series selects series of a metric, and this is a {kind}"
            ));
        }
        let is_hpa = HPA.contains(&kind);
        let subject = |namespace, name| WhySubject {
            namespace,
            name,
            metric,
            is_hpa,
        };
        let (of, rest) = match name.split_once('/') {
            Some((of, rest)) => (Some(of), rest),
            None => (None, name),
        };
        if of == Some("") || rest.is_empty() {
            return Err(format!("{name:?} is not a name"));
        }
        let is_node = matches!(kind, "node" | "nodes" | "no");
        if rest.contains('/') || (is_node && of.is_some()) {
            return Err(format!("{name:?} has too many slashes for a name"));
        }
        match kind {
            _ if is_node => Ok(subject(None, name)),
            "pod" | "pods" | "po" | "metric" | "metrics" => {
                Ok(subject(of.or(Some(namespace)), rest))
            }
            _ if is_hpa => Ok(subject(of.or(Some(namespace)), rest)),
            _ => Err(format!(
                "{kind:?} has no metrics: name a pod, a node, a metric or an HPA"
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{Command, parse};

    fn parsed(line: &str) -> WhyArgs {
        let words = line.split_whitespace().map(Into::into);
        match parse(words).unwrap().command {
            Some(Command::Why(args)) => args,
            _ => panic!("not why"),
        }
    }

    #[test]
    fn every_usual_form_names_a_subject() {
        for (line, expected) in [
            ("pod web", "pod here/web"),
            ("pod shop/web", "pod shop/web"),
            ("pods/web", "pod here/web"),
            ("pods/shop/web", "pod shop/web"),
            ("po web -n shop", "pod here/web"),
            ("node n", "node n"),
            ("no/n -o json", "node n"),
            ("metric web rps", "metric rps of pod here/web"),
            ("hpa shop/web", "HPA shop/web"),
            ("hpa/web", "HPA here/web"),
            (
                "metric shop/web rps --series code=500",
                "metric rps of pod shop/web",
            ),
        ] {
            let args = parsed(&format!("vitals why {line}"));
            assert_eq!(args.subject("here").unwrap().to_string(), expected);
        }
        for line in [
            "pod",
            "web x",
            "deployment/web",
            "pods/web web",
            "pod a/b/c",
            "node a/b",
            "pod /web",
            "pods/",
            "metric",
            "metric web",
            "metric a/b/c rps",
            "pod web rps",
            "hpa web rps",
            "hpa a/b/c",
            "pod web --series code=500",
        ] {
            let refused = parsed(&format!("vitals why {line}"));
            assert!(refused.subject("here").is_err(), "{line}");
        }
    }

    #[test]
    fn the_namespace_works_before_and_after_the_command() {
        for line in [
            "vitals why pod web -n shop -o json",
            "vitals -n shop why -o=json pod web",
        ] {
            let cli = parse(line.split_whitespace().map(Into::into)).unwrap();
            assert_eq!(cli.connection.namespace(), Some("shop"), "{line}");
        }
    }
}
