//! The flags of `why`.

use clap::{Args, ValueEnum};

/// Whom to ask about, and how to print the answer.
#[derive(Debug, Clone, Args)]
pub struct WhyArgs {
    /// pod or node, or both in one word: pods/NAME, nodes/NAME
    #[arg(value_name = "KIND")]
    pub kind: String,
    /// The pod, as NAME or NAMESPACE/NAME, or the node
    #[arg(value_name = "NAME")]
    pub name: Option<String>,
    /// Print the server's whole answer in this form
    #[arg(long, short, value_name = "FORMAT")]
    pub output: Option<Output>,
}

/// A form for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// JSON.
    Json,
}

/// Whom a question is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whom<'a> {
    /// A node, by name.
    Node(&'a str),
    /// A pod, by namespace, if that was given, and name.
    Pod(Option<&'a str>, &'a str),
}

impl WhyArgs {
    /// Whom the question is about.
    ///
    /// # Errors
    /// What is wrong with the arguments, in one line.
    pub fn whom(&self) -> Result<Whom<'_>, String> {
        let (kind, name) = match (&self.name, self.kind.split_once('/')) {
            (Some(name), None) => (self.kind.as_str(), name.as_str()),
            (None, Some(both)) => both,
            (None, None) => {
                return Err(format!(
                    "{:?} needs a name: why pod NAMESPACE/NAME, why node NAME",
                    self.kind
                ));
            }
            (Some(name), Some(_)) => {
                return Err(format!(
                    "{:?} and {name:?} are two names: ask about one at a time",
                    self.kind
                ));
            }
        };
        let parts: Vec<&str> = name.split('/').collect();
        match (kind, parts.as_slice()) {
            (_, parts) if parts.iter().any(|part| part.is_empty()) => {
                Err(format!("{name:?} is no name"))
            }
            ("pod" | "pods" | "po", [name]) => Ok(Whom::Pod(None, name)),
            ("pod" | "pods" | "po", [namespace, name]) => Ok(Whom::Pod(Some(namespace), name)),
            ("node" | "nodes" | "no", [name]) => Ok(Whom::Node(name)),
            ("pod" | "pods" | "po" | "node" | "nodes" | "no", _) => {
                Err(format!("{name:?} has too many slashes for a name"))
            }
            _ => Err(format!(
                "{kind:?} has no metrics: ask about a pod or a node"
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
    fn whom_is_told_in_every_usual_way() {
        for (line, expected) in [
            ("pod web", Whom::Pod(None, "web")),
            ("pod shop/web", Whom::Pod(Some("shop"), "web")),
            ("pods/web", Whom::Pod(None, "web")),
            ("pods/shop/web", Whom::Pod(Some("shop"), "web")),
            ("po web -n shop", Whom::Pod(None, "web")),
            ("node n", Whom::Node("n")),
            ("no/n -o json", Whom::Node("n")),
        ] {
            assert_eq!(parsed(&format!("vitals why {line}")).whom(), Ok(expected));
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
        ] {
            let refused = parsed(&format!("vitals why {line}"));
            assert!(refused.whom().is_err(), "{line}");
        }
    }

    #[test]
    fn the_namespace_may_come_before_or_behind() {
        for line in [
            "vitals why pod web -n shop -o json",
            "vitals -n shop why -o=json pod web",
        ] {
            let cli = parse(line.split_whitespace().map(Into::into)).unwrap();
            assert_eq!(cli.connection.namespace.as_deref(), Some("shop"), "{line}");
        }
    }
}
