//! Selectors, parsed and judged as `k8s.io/apimachinery` does, in its words.

mod field;
mod label;
mod lexer;
mod operator;
mod validate;

pub use field::{FieldOperator, FieldSelector};
pub use label::{LabelSelector, Requirement};
pub use operator::Operator;

/// Why a text is not a selector. The message is that of Kubernetes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SelectorError(pub(crate) String);

impl SelectorError {
    fn found(literal: &str, expected: &str) -> Self {
        Self(format!("found '{literal}', expected: {expected}"))
    }
}
