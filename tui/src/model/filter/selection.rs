//! The part of a filter that a source can select pods by, if there are too many to send all.

use kubevitals_proto::needle::Needle;

use super::Filter;
use super::tree::{Comparison, Node, Operator};
use crate::model::Field;
use crate::model::row::Probes;

/// The largest number of words and namespaces in a request.
const MAX_VALUES: usize = 32;

/// Selects pods on the server. It selects all pods that the filter matches, and possibly more.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Selection {
    /// The namespaces; empty for all.
    pub namespaces: Vec<String>,
    /// Requirements of a field selector.
    pub fields: Vec<String>,
    /// Requirements of a label selector.
    pub labels: Vec<String>,
    /// Words that must each occur in one of the pod's texts.
    pub words: Vec<String>,
    /// A lower limit of a field: the pods with the largest values include all matches.
    pub least: Option<(Field, Operator, f64)>,
}

impl Filter {
    /// The selection of pods for this filter, which is on containers or on pods.
    #[must_use]
    pub fn selection(&self, of_containers: bool) -> Selection {
        let mut selection = Selection::default();
        let parts = match self.root.as_deref() {
            // Each part of a conjunction can be selected by itself, or left to the filter.
            Some(Node::All(parts)) => parts.as_slice(),
            Some(root) => std::slice::from_ref(root),
            None => &[],
        };
        for part in parts {
            selection.narrow(part, of_containers);
        }
        selection
    }
}

impl Selection {
    /// Adds a part of a conjunction, if the server can select by it.
    fn narrow(&mut self, part: &Node, of_containers: bool) {
        match part {
            Node::Word(word) => self.words(word.word()),
            Node::Labels(selector) => self.labels.push(selector.to_string()),
            Node::Field(field, comparison) => self.field(*field, comparison, of_containers),
            Node::Any(parts) => {
                let namespaces: Option<Vec<String>> = parts.iter().map(namespace).collect();
                if let Some(namespaces) = namespaces.filter(|all| all.len() <= MAX_VALUES) {
                    self.among(namespaces);
                }
            }
            Node::All(_) | Node::Not(_) | Node::Matches(_) => {}
        }
    }

    /// Adds the words of a text, except those that a table may show where the server does not search.
    fn words(&mut self, text: &str) {
        let free = MAX_VALUES.saturating_sub(self.words.len());
        let words = text.split_whitespace().filter(|word| !is_probe_text(word));
        self.words.extend(words.map(str::to_owned).take(free));
    }

    fn among(&mut self, namespaces: Vec<String>) {
        if self.namespaces.is_empty() {
            self.namespaces = namespaces;
        }
    }

    fn field(&mut self, field: Field, comparison: &Comparison, of_containers: bool) {
        match (field, comparison) {
            (_, Comparison::Text { equal: true, with }) if with.word().is_empty() => {}
            // Names in Kubernetes are in lower case, and filters ignore case.
            (Field::Namespace, Comparison::Text { equal: true, with }) => {
                self.among(vec![with.word().to_ascii_lowercase()]);
            }
            (Field::Node, Comparison::Text { equal: true, with }) => {
                self.select("spec.nodeName", &with.word().to_ascii_lowercase());
            }
            (Field::Phase, Comparison::Text { equal: true, with }) => {
                let phases = crate::model::row::Phase::ALL.map(crate::model::row::Phase::as_str);
                if let Some(phase) = phases.into_iter().find(|phase| with.is(phase)) {
                    self.select("status.phase", phase);
                }
            }
            (
                Field::Name
                | Field::Pod
                | Field::Container
                | Field::Workload
                | Field::Kind
                | Field::App
                | Field::Status,
                Comparison::Text { equal: true, with },
            ) => self.words(with.word()),
            // A container may be ready in a pod that is not.
            (Field::Ready, Comparison::Number(operator, number)) if !of_containers => {
                match (operator.holds(1.0, *number), operator.holds(0.0, *number)) {
                    (true, false) => self.select("status.ready", "true"),
                    (false, true) => self.select("status.ready", "false"),
                    _ => {}
                }
            }
            (
                Field::Cpu
                | Field::Memory
                | Field::Restarts
                | Field::CpuOfRequest
                | Field::CpuOfLimit
                | Field::MemoryOfRequest
                | Field::MemoryOfLimit,
                Comparison::Number(operator @ (Operator::Greater | Operator::AtLeast), number),
            ) if self.least.is_none() && (!of_containers || is_a_sum(field)) => {
                self.least = Some((field, *operator, *number));
            }
            _ => {}
        }
    }

    fn select(&mut self, field: &str, value: &str) {
        // No name contains a sign of the selector syntax.
        if !value.contains([',', '=', '!', '\\']) {
            self.fields.push(format!("{field}={value}"));
        }
    }
}

/// Whether the word can be a part of the column PROBES, which the server does not search.
fn is_probe_text(word: &str) -> bool {
    let needle = Needle::new(word);
    word.contains('/') || Probes::WORDS.iter().any(|text| needle.is_in(text))
}

/// Whether the value of a pod is at least that of each of its containers.
const fn is_a_sum(field: Field) -> bool {
    matches!(field, Field::Cpu | Field::Memory)
}

/// The namespace, if the part only selects one.
fn namespace(part: &Node) -> Option<String> {
    match part {
        Node::Field(Field::Namespace, Comparison::Text { equal: true, with }) => {
            Some(with.word().to_ascii_lowercase())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::View;

    fn of(filter: &str, view: View) -> String {
        let selection = filter
            .parse::<Filter>()
            .unwrap()
            .selection(view == View::Containers);
        let least = selection
            .least
            .map(|(field, operator, least)| format!("{}{}{least}", field.name(), operator.sign()));
        [
            ("ns", selection.namespaces),
            ("fields", selection.fields),
            ("labels", selection.labels),
            ("words", selection.words),
            ("least", least.into_iter().collect()),
        ]
        .into_iter()
        .filter(|(_, parts)| !parts.is_empty())
        .map(|(name, parts)| format!("{name}: {}", parts.join(" ")))
        .collect::<Vec<_>>()
        .join("; ")
    }

    #[test]
    fn supported_conditions_are_selected_on_the_server() {
        for (filter, expected) in [
            ("", ""),
            ("web", "words: web"),
            ("web crash", "words: web crash"),
            ("\"two words\"", "words: two words"),
            ("ns=Shop web", "ns: shop; words: web"),
            ("ns=shop, ns=payments", "ns: shop payments"),
            ("ns=shop,payments web", "ns: shop payments; words: web"),
            ("ns=shop or ns=payments and restarts>0", ""),
            ("web && restarts>0", "words: web; least: restarts>0"),
            // The server does not search the column PROBES.
            ("failing web", "words: web"),
            ("fail", ""),
            ("1/2", ""),
            ("name=web*", ""),
            ("ns!=shop,payments", ""),
            (
                "(ns=shop, ns=payments) web",
                "ns: shop payments; words: web",
            ),
            (
                "node=node-0001 ready=false",
                "fields: spec.nodeName=node-0001 status.ready=false",
            ),
            ("ready!=false", "fields: status.ready=true"),
            ("phase=running", "fields: status.phase=Running"),
            ("status=CrashLoopBackOff", "words: CrashLoopBackOff"),
            (
                "-l app=web,tier!=db cpu>500m",
                "labels: app=web,tier!=db; least: cpu>500000000",
            ),
            ("restarts>=3 mem>1Gi", "least: restarts>=3"),
            // The filter itself handles conditions that the server does not support, and all that are not conjunctions.
            ("web, api", ""),
            ("!web", ""),
            ("~^web", ""),
            ("node=\"\"", ""),
            ("ns!=shop cpu<1.0", ""),
            ("probe=failing", ""),
        ] {
            assert_eq!(of(filter, View::Pods), expected, "{filter}");
        }
    }

    #[test]
    fn conditions_on_containers_are_not_applied_to_pods() {
        assert_eq!(of("ready=false", View::Containers), "");
        assert_eq!(
            of("mem%limit>80 mem>1Gi", View::Containers),
            "least: mem>1073741824"
        );
    }

    #[test]
    fn words_are_limited() {
        let words = vec!["x"; 40].join(" ");
        let selection = words.parse::<Filter>().unwrap().selection(false);
        assert_eq!(selection.words.len(), MAX_VALUES);
    }
}
