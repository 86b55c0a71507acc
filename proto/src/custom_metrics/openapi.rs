//! The OpenAPI documents of both groups. The resource and the metric are parameters of a path, as in
//! sigs.k8s.io/custom-metrics-apiserver: the document does not change when a metric appears.

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};

use super::external::ExternalMetricValueList;
use super::{Version, discovery, v1beta1, v1beta2};
use crate::wire::openapi::{Group, Parameter, Template, text};

/// `custom.metrics.k8s.io`.
pub const CUSTOM: Group = Group {
    served: &discovery::CUSTOM,
    tag: "customMetrics",
    prefix: "io.k8s.metrics.pkg.apis.custom_metrics",
    schemas: custom_schemas,
    templates: &[
        Template {
            path: "namespaces/{namespace}/{resource}/{name}/{metric}",
            kind: "MetricValue",
            operation: "NamespacedMetricValue",
            description: "read a metric of an object of a namespace, or of all with the name *",
            parameters: &OF_OBJECTS,
        },
        Template {
            path: "{resource}/{name}/{metric}",
            kind: "MetricValue",
            operation: "MetricValue",
            description: "read a metric of a node, or of all with the name *",
            parameters: &OF_OBJECTS,
        },
        Template {
            path: "namespaces/{namespace}/metrics/{metric}",
            kind: "MetricValue",
            operation: "MetricValueForNamespace",
            description: "read a metric of a namespace",
            parameters: &[SERIES, PRETTY],
        },
    ],
    ..EXTERNAL
};

/// `external.metrics.k8s.io`.
pub const EXTERNAL: Group = Group {
    served: &discovery::EXTERNAL,
    tag: "externalMetrics",
    prefix: "io.k8s.metrics.pkg.apis.external_metrics",
    schemas: external_schemas,
    objects: &FORMS,
    lists: &FORMS,
    of_objects: &[],
    of_lists: &[],
    of_subresources: &[],
    templates: &[Template {
        path: "namespaces/{namespace}/{metric}",
        kind: "ExternalMetricValue",
        operation: "NamespacedExternalMetricValue",
        description: "read a metric of a namespace that describes no object",
        parameters: &[
            text(
                "labelSelector",
                "Which series, by their labels: queue=mail,tier in (front,back). All, if it is empty.",
            ),
            PRETTY,
        ],
    }],
};

const FORMS: [&str; 3] = [
    "application/json",
    "application/yaml",
    "application/vnd.kubernetes.protobuf",
];

const PRETTY: Parameter = text(
    "pretty",
    "true for indented JSON, which browsers, curl and Wget get by default.",
);
const SERIES: Parameter = text(
    "metricLabelSelector",
    "Which series of the metric, by their labels: verb=GET,code!=500. All, if it is empty.",
);
const OF_OBJECTS: [Parameter; 3] = [
    text(
        "labelSelector",
        "Which objects, by their labels, with the name *. Of pods, services and nodes.",
    ),
    SERIES,
    PRETTY,
];

/// What is always written is required.
fn custom_schemas(version: &str) -> Map<String, Value> {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    let mut generator = settings.into_generator();
    if version == Version::V1beta1.as_str() {
        generator.subschema_for::<v1beta1::MetricValueList>();
    } else {
        generator.subschema_for::<v1beta2::MetricValueList>();
    }
    generator.take_definitions(true)
}

fn external_schemas(_version: &str) -> Map<String, Value> {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    let mut generator = settings.into_generator();
    generator.subschema_for::<ExternalMetricValueList>();
    generator.take_definitions(true)
}
