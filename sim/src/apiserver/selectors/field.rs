//! Field selectors: `path=value`, `path==value`, `path!=value`, joined by commas.

use crate::objects::{MetaLite, Resource};

/// All terms must hold; none selects everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in super::super) struct FieldSelector(Vec<Term>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Term {
    path: String,
    value: String,
    equal: bool,
}

impl FieldSelector {
    /// Parses; the error is the message of the 400.
    pub(in super::super) fn parse(resource: Resource, text: &str) -> Result<Self, String> {
        let mut terms = Vec::new();
        for term in split(text) {
            if term.is_empty() {
                continue;
            }
            let bad = || format!("invalid selector: '{text}'; can't understand '{term}'");
            let (path, value, equal) = if let Some((path, value)) = term.split_once("!=") {
                (path, value, false)
            } else if let Some((path, value)) = term.split_once("==") {
                (path, value, true)
            } else if let Some((path, value)) = term.split_once('=') {
                (path, value, true)
            } else {
                return Err(bad());
            };
            let path = path.trim();
            if !resource.is_selectable(path) {
                let info = resource.info();
                let gv = if info.group.is_empty() {
                    format!("/{}", info.version)
                } else {
                    info.api_version()
                };
                return Err(format!(
                    "Unable to find \"{gv}, Resource={}\" that match label selector \"\", field selector \"{text}\": \
                     field label not supported: {path}",
                    info.plural
                ));
            }
            terms.push(Term {
                path: path.to_owned(),
                value: unescape(value.trim()),
                equal,
            });
        }
        Ok(Self(terms))
    }

    /// Demands a name as well.
    pub(in super::super) fn only(&mut self, name: &str) {
        self.0.push(Term {
            path: "metadata.name".to_owned(),
            value: name.to_owned(),
            equal: true,
        });
    }

    pub(in super::super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A field the object lacks is the empty string.
    pub(in super::super) fn matches(&self, meta: &MetaLite) -> bool {
        self.0
            .iter()
            .all(|t| (meta.field(&t.path).unwrap_or_default() == t.value) == t.equal)
    }
}

/// Splits at commas that no backslash escapes.
fn split(text: &str) -> Vec<&str> {
    let (mut terms, mut start, mut escaped) = (Vec::new(), 0, false);
    for (at, c) in text.char_indices() {
        match c {
            '\\' if !escaped => escaped = true,
            ',' if !escaped => {
                terms.push(text.get(start..at).unwrap_or_default());
                start = at + 1;
            }
            _ => escaped = false,
        }
    }
    terms.push(text.get(start..).unwrap_or_default());
    terms
}

fn unescape(value: &str) -> String {
    let mut escaped = false;
    value
        .chars()
        .filter(|&c| {
            escaped = c == '\\' && !escaped;
            !escaped
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn pod(phase: &str) -> MetaLite {
        let fields: Arc<[_]> = Arc::from([("status.phase", Arc::from(phase))]);
        MetaLite {
            namespace: Some("default".into()),
            name: "a".into(),
            fields,
            ..MetaLite::default()
        }
    }

    #[test]
    fn terms_are_anded() {
        let parse = |s| FieldSelector::parse(Resource::Pods, s).unwrap();
        assert!(parse("metadata.name=a,status.phase!=Failed").matches(&pod("Running")));
        assert!(!parse("metadata.name==a,status.phase!=Failed").matches(&pod("Failed")));
        assert!(parse("spec.nodeName=").matches(&pod("Pending")));
        assert!(parse("").is_empty());
    }

    #[test]
    fn an_unknown_field_is_refused() {
        let error = FieldSelector::parse(Resource::Pods, "spec.foo=x").unwrap_err();
        assert!(
            error.ends_with("field label not supported: spec.foo"),
            "{error}"
        );
        assert!(FieldSelector::parse(Resource::Pods, "foo").is_err());
    }
}
