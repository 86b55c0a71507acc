//! `external.metrics.k8s.io/v1beta1`: values that describe no object.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::item::{Item, write_quantity};
use crate::labels::Labels;
use crate::quantity::Quantity;
use crate::time::Timestamp;
use crate::wire::meta::ListMeta;
use crate::wire::protobuf::{int, string, string_map, write_time};

/// The group.
pub const GROUP: &str = "external.metrics.k8s.io";
/// Its only version.
pub const VERSION: &str = "v1beta1";
/// Both, as `apiVersion` has them.
pub const API_VERSION: &str = "external.metrics.k8s.io/v1beta1";

/// The value of one series of a metric.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExternalMetricValue {
    /// The name of the metric.
    pub metric_name: String,
    /// The labels of the series.
    #[schemars(with = "std::collections::BTreeMap<String, String>")]
    pub metric_labels: Labels,
    /// The time of the value.
    pub timestamp: Timestamp,
    /// The seconds before the timestamp over which the value was computed; absent for a value that was read as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<i64>,
    /// The value.
    pub value: Quantity,
}

/// The values of a metric, one for each set of labels. A HorizontalPodAutoscaler takes their sum.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ExternalMetricValueList {
    /// Always `ExternalMetricValueList`.
    pub kind: Cow<'static, str>,
    /// `external.metrics.k8s.io/v1beta1`.
    #[serde(rename = "apiVersion")]
    pub api_version: Cow<'static, str>,
    /// Empty: a list is always whole.
    pub metadata: ListMeta,
    /// The series that the selector selects.
    pub items: Vec<ExternalMetricValue>,
}

impl Item for ExternalMetricValue {
    fn write_protobuf(&self, out: &mut Vec<u8>) {
        string(out, 1, &self.metric_name);
        string_map(out, 2, self.metric_labels.iter());
        write_time(out, 3, self.timestamp);
        if let Some(seconds) = self.window {
            int(out, 4, seconds);
        }
        write_quantity(out, 5, self.value);
    }
}
