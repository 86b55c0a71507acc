//! A value that describes no object.

use kubevitals_proto::labels::Labels;

use crate::pod_metrics::Value;

/// The value of one set of labels.
#[derive(Debug, Clone, PartialEq)]
pub struct ExternalValue {
    /// The labels.
    pub labels: Labels,
    /// The value.
    pub value: Value,
}
