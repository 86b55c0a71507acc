//! The flags of `why`.

use clap::{Args, ValueEnum};

/// The subject of `why`, and the form of the output.
#[derive(Debug, Clone, Args)]
pub struct WhyArgs {
    /// pod or node, or both in one word: pods/NAME, nodes/NAME
    #[arg(value_name = "KIND")]
    pub kind: String,
    /// The pod, as NAME or NAMESPACE/NAME, or the node
    #[arg(value_name = "NAME")]
    pub name: Option<String>,
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

/// The subject of `why`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhySubject<'a> {
    /// A node, by name.
    Node(&'a str),
    /// A pod, by namespace, if present, and name.
    Pod(Option<&'a str>, &'a str),
}

impl WhyArgs {
    /// The subject.
    ///
    /// # Errors
    /// The arguments are invalid; the text has one line.
    pub fn subject(&self) -> Result<WhySubject<'_>, String> {
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
                    "{:?} and {name:?} are two names: name one pod or node",
                    self.kind
                ));
            }
        };
        let parts: Vec<&str> = name.split('/').collect();
        match (kind, parts.as_slice()) {
            (_, parts) if parts.iter().any(|part| part.is_empty()) => {
                Err(format!("{name:?} is not a name"))
            }
            ("pod" | "pods" | "po", [name]) => Ok(WhySubject::Pod(None, name)),
            ("pod" | "pods" | "po", [namespace, name]) => {
                Ok(WhySubject::Pod(Some(namespace), name))
            }
            ("node" | "nodes" | "no", [name]) => Ok(WhySubject::Node(name)),
            ("pod" | "pods" | "po" | "node" | "nodes" | "no", _) => {
                Err(format!("{name:?} has too many slashes for a name"))
            }
            _ => Err(format!("{kind:?} has no metrics: name a pod or a node")),
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
            ("pod web", WhySubject::Pod(None, "web")),
            ("pod shop/web", WhySubject::Pod(Some("shop"), "web")),
            ("pods/web", WhySubject::Pod(None, "web")),
            ("pods/shop/web", WhySubject::Pod(Some("shop"), "web")),
            ("po web -n shop", WhySubject::Pod(None, "web")),
            ("node n", WhySubject::Node("n")),
            ("no/n -o json", WhySubject::Node("n")),
        ] {
            assert_eq!(
                parsed(&format!("vitals why {line}")).subject(),
                Ok(expected)
            );
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
            assert!(refused.subject().is_err(), "{line}");
        }
    }

    #[test]
    fn the_namespace_works_before_and_after_the_command() {
        for line in [
            "vitals why pod web -n shop -o json",
            "vitals -n shop why -o=json pod web",
        ] {
            let cli = parse(line.split_whitespace().map(Into::into)).unwrap();
            assert_eq!(cli.connection.namespace.as_deref(), Some("shop"), "{line}");
        }
    }
}
