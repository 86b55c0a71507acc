//! `custom.metrics.k8s.io/v1beta1`.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::item::{Item, write_quantity};
use super::{MetricSelector, ObjectReference, v1beta2};
use crate::quantity::Quantity;
use crate::time::Timestamp;
use crate::wire::meta::ListMeta;
use crate::wire::protobuf::{int, message, string, write_time};

/// The value of a metric of one object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MetricValue {
    /// The object.
    pub described_object: ObjectReference,
    /// The name of the metric.
    pub metric_name: String,
    /// The time of the value.
    pub timestamp: Timestamp,
    /// The seconds before the timestamp over which the value was computed; absent for a value that was read as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<i64>,
    /// The value.
    pub value: Quantity,
    /// The selector of the request, by the labels of series; null for none.
    #[serde(default)]
    pub selector: Option<MetricSelector>,
}

/// The values of a metric.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct MetricValueList {
    /// Always `MetricValueList`.
    pub kind: Cow<'static, str>,
    /// `custom.metrics.k8s.io/v1beta1`.
    #[serde(rename = "apiVersion")]
    pub api_version: Cow<'static, str>,
    /// Empty: a list is always whole.
    pub metadata: ListMeta,
    /// The objects that have the metric.
    pub items: Vec<MetricValue>,
}

impl From<v1beta2::MetricValue> for MetricValue {
    fn from(value: v1beta2::MetricValue) -> Self {
        Self {
            described_object: value.described_object,
            metric_name: value.metric.name,
            timestamp: value.timestamp,
            window: value.window_seconds,
            value: value.value,
            selector: value.metric.selector,
        }
    }
}

impl Item for MetricValue {
    fn write_protobuf(&self, out: &mut Vec<u8>) {
        message(out, 1, |out| self.described_object.write_protobuf(out));
        string(out, 2, &self.metric_name);
        write_time(out, 3, self.timestamp);
        if let Some(seconds) = self.window {
            int(out, 4, seconds);
        }
        write_quantity(out, 5, self.value);
        if let Some(selector) = &self.selector {
            message(out, 6, |out| selector.write_protobuf(out));
        }
    }
}
