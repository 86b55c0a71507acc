//! The selector by which the series of a metric were chosen.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::selector::{LabelSelector, Operator};
use crate::wire::protobuf::{message, string, string_map};

/// `meta/v1.LabelSelector`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct MetricSelector {
    /// Labels that must have these values.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub match_labels: BTreeMap<String, String>,
    /// Other conditions on labels.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub match_expressions: Vec<SelectorRequirement>,
}

/// A condition on a label.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SelectorRequirement {
    /// The label.
    pub key: String,
    /// What is demanded of it.
    pub operator: SelectorOperator,
    /// The values that it is compared with.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
}

/// An operator of a [`SelectorRequirement`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum SelectorOperator {
    /// The label has one of the values.
    In,
    /// It has none of the values, or is not there.
    NotIn,
    /// It is there.
    Exists,
    /// It is not there.
    DoesNotExist,
}

impl SelectorOperator {
    const fn as_str(self) -> &'static str {
        match self {
            Self::In => "In",
            Self::NotIn => "NotIn",
            Self::Exists => "Exists",
            Self::DoesNotExist => "DoesNotExist",
        }
    }
}

/// A selector has `>` or `<`, which no HorizontalPodAutoscaler can express.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the operators > and < are not supported in a metric's selector: use =, !=, in, notin, KEY or !KEY"
)]
pub struct UnsupportedOperator;

impl MetricSelector {
    /// The selector as an object; none if it selects everything.
    ///
    /// # Errors
    /// It compares integers.
    pub fn of(selector: &LabelSelector) -> Result<Option<Self>, UnsupportedOperator> {
        let mut object = Self::default();
        for requirement in selector.requirements() {
            let operator = match requirement.operator {
                Operator::Equals | Operator::DoubleEquals => {
                    let value = requirement.values.first().cloned();
                    let labels = &mut object.match_labels;
                    labels.insert(requirement.key.clone(), value.unwrap_or_default());
                    continue;
                }
                Operator::In => SelectorOperator::In,
                Operator::NotIn | Operator::NotEquals => SelectorOperator::NotIn,
                Operator::Exists => SelectorOperator::Exists,
                Operator::DoesNotExist => SelectorOperator::DoesNotExist,
                Operator::GreaterThan | Operator::LessThan => return Err(UnsupportedOperator),
            };
            object.match_expressions.push(SelectorRequirement {
                key: requirement.key.clone(),
                operator,
                values: requirement.values.clone(),
            });
        }
        Ok(Some(object).filter(|_| !selector.is_empty()))
    }

    pub(super) fn write_protobuf(&self, out: &mut Vec<u8>) {
        let labels = self.match_labels.iter();
        string_map(out, 1, labels.map(|(key, value)| (&**key, &**value)));
        for requirement in &self.match_expressions {
            message(out, 2, |out| {
                string(out, 1, &requirement.key);
                string(out, 2, requirement.operator.as_str());
                for value in &requirement.values {
                    string(out, 3, value);
                }
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_selector_is_an_object() {
        let json = |text: &str| {
            let selector = MetricSelector::of(&text.parse().unwrap()).unwrap();
            serde_json::to_string(&selector).unwrap()
        };
        assert_eq!(json(""), "null");
        assert_eq!(
            json("verb=GET,code==200"),
            r#"{"matchLabels":{"code":"200","verb":"GET"}}"#
        );
        assert_eq!(
            json("a in (2,1),b notin (3),c!=4,d,!e"),
            concat!(
                r#"{"matchExpressions":[{"key":"a","operator":"In","values":["1","2"]},"#,
                r#"{"key":"b","operator":"NotIn","values":["3"]},"#,
                r#"{"key":"c","operator":"NotIn","values":["4"]},"#,
                r#"{"key":"d","operator":"Exists"},{"key":"e","operator":"DoesNotExist"}]}"#,
            )
        );
        for text in ["a>1", "a<1"] {
            assert!(MetricSelector::of(&text.parse().unwrap()).is_err());
        }
    }
}
