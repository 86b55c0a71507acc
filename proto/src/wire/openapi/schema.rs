//! Schemas of our types in Kubernetes' dialects of OpenAPI.
//!
//! `schemars` derives a JSON schema from a type and its doc comments. [`Package::schemas`] converts it to what
//! Kubernetes' own generator writes into OpenAPI v3, and [`to_v2`] converts that to OpenAPI v2.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

/// The prefix of references in OpenAPI v3.
pub(super) const V3: &str = "#/components/schemas/";
/// The prefix of references in OpenAPI v2.
pub(super) const V2: &str = "#/definitions/";
/// The prefix of references in the schemas of `schemars`.
const DERIVED: &str = "#/$defs/";

/// The prefix of the names of Kubernetes' own types.
macro_rules! machinery {
    ($name:literal) => {
        concat!("io.k8s.apimachinery.pkg.", $name)
    };
}
pub(crate) use machinery;

/// Implements `JsonSchema` for types that Kubernetes has too, as a reference to Kubernetes' type.
macro_rules! kubernetes_type {
    ($($type:ty => $name:literal),* $(,)?) => {$(
        impl schemars::JsonSchema for $type {
            fn inline_schema() -> bool {
                true
            }
            fn schema_name() -> std::borrow::Cow<'static, str> {
                $name.into()
            }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                let name = $crate::wire::openapi::schema::machinery!($name);
                schemars::Schema::new_ref(format!("#/$defs/{name}"))
            }
        }
    )*};
}
pub(crate) use kubernetes_type;

kubernetes_type! {
    crate::quantity::Quantity => "api.resource.Quantity",
    crate::duration::GoDuration => "apis.meta.v1.Duration",
    crate::time::Timestamp => "apis.meta.v1.Time",
    crate::wire::meta::ListMeta => "apis.meta.v1.ListMeta",
    crate::wire::meta::ObjectMeta => "apis.meta.v1.ObjectMeta",
}

/// Kubernetes' own types, in OpenAPI v3.
pub(super) fn kubernetes() -> Map<String, Value> {
    // A test holds that every type is there.
    serde_json::from_str(include_str!("machinery.json")).unwrap_or_default()
}

/// The types of a version of a group.
pub(super) struct Package<'a> {
    /// The group's name.
    pub(super) group: &'a str,
    /// The version.
    pub(super) version: &'a str,
    /// The prefix of the names of the types, before the version: `io.k8s.metrics.pkg.apis.metrics`.
    pub(super) prefix: &'a str,
    /// The schemas that `schemars` derived, by the type's name.
    pub(super) derived: Map<String, Value>,
}

impl Package<'_> {
    /// All types with properties, in OpenAPI v3, by full name. Enums stand where they are used.
    pub(super) fn schemas(&self) -> impl Iterator<Item = (String, Value)> {
        self.derived
            .iter()
            .filter(|(_, schema)| schema.get("properties").is_some())
            .map(|(name, schema)| (self.full(name), Value::Object(self.object(name, schema))))
    }

    /// The full name of a type: of Kubernetes, or of this package.
    pub(super) fn full(&self, name: &str) -> String {
        if name.starts_with(machinery!("")) {
            return name.to_owned();
        }
        format!("{}.{}.{name}", self.prefix, self.version)
    }

    fn object(&self, name: &str, schema: &Value) -> Map<String, Value> {
        let fields = schema["properties"].as_object().into_iter().flatten();
        let mut properties: BTreeMap<_, _> = fields
            .map(|(name, field)| (name.as_str(), self.value(field)))
            .collect();
        let mut required = Vec::new();
        for name in schema["required"].as_array().into_iter().flatten() {
            let name = name.as_str().unwrap_or_default();
            match (name, properties.get_mut(name)) {
                // Kubernetes requires none of these in any object.
                (_, None) | ("apiVersion" | "kind", _) => {}
                ("metadata", Some(property)) => {
                    property.insert("default".into(), json!({}));
                }
                (_, Some(property)) => {
                    if property
                        .get("type")
                        .is_some_and(|of_type| of_type == "string")
                    {
                        property.insert("default".into(), "".into());
                    }
                    required.push(name);
                }
            }
        }
        for (name, property) in &mut properties {
            if property.contains_key("items") && *name != "items" {
                property.insert("x-kubernetes-list-type".into(), "atomic".into());
            }
        }
        let mut out = described(description(schema));
        out.insert("type".into(), "object".into());
        if properties.contains_key("apiVersion") {
            let kind = json!([{"group": self.group, "kind": name, "version": self.version}]);
            out.insert("x-kubernetes-group-version-kind".into(), kind);
        }
        if !required.is_empty() {
            out.insert("required".into(), required.into());
        }
        let properties = properties.into_iter();
        let properties = properties.map(|(name, property)| (name.to_owned(), property.into()));
        out.insert(
            "properties".into(),
            properties.collect::<Map<_, _>>().into(),
        );
        out
    }

    /// The schema of a property, an item of a list or a value of a map. A property that is null is left out.
    fn value(&self, schema: &Value) -> Map<String, Value> {
        let text = description(schema);
        let schema = not_null(schema);
        if let Some(reference) = schema["$ref"].as_str() {
            let name = reference.strip_prefix(DERIVED).unwrap_or(reference);
            return match self.derived.get(name) {
                Some(schema) if schema.get("properties").is_none() => one_of(text, schema),
                _ => refer(text, &self.full(name)),
            };
        }
        let mut out = described(text);
        let of_type = match &schema["type"] {
            Value::Array(types) => types.first().unwrap_or(&Value::Null),
            of_type => of_type,
        };
        out.insert("type".into(), of_type.clone());
        let member = match of_type.as_str() {
            Some("integer") => ("format", "int64".into()),
            Some("number") => ("format", "double".into()),
            Some("array") => ("items", self.item(&schema["items"]).into()),
            Some("object") => {
                let values = self.value(&schema["additionalProperties"]);
                ("additionalProperties", values.into())
            }
            _ => return out,
        };
        out.insert(member.0.into(), member.1);
        out
    }

    /// The schema of an item of a list, which may be null.
    fn item(&self, schema: &Value) -> Map<String, Value> {
        let mut item = self.value(schema);
        if is_nullable(schema) {
            if item.contains_key("$ref") {
                item = Map::from_iter([("allOf".to_owned(), json!([item]))]);
            }
            item.insert("nullable".into(), true.into());
        }
        item
    }
}

/// A reference to a type, with a description beside it.
fn refer(text: String, name: &str) -> Map<String, Value> {
    let reference = ("$ref".to_owned(), format!("{V3}{name}").into());
    let reference = Map::from_iter([reference]);
    if text.is_empty() {
        return reference;
    }
    let mut out = described(text);
    out.insert("allOf".into(), json!([reference]));
    out
}

/// One of the words of the enum that `schema` is, each described behind `text`.
fn one_of(mut text: String, schema: &Value) -> Map<String, Value> {
    let variants: Vec<_> = schema["oneOf"].as_array().into_iter().flatten().collect();
    for variant in &variants {
        let word = variant["const"].as_str().unwrap_or_default();
        text.push_str(&format!(" {word}: {}", description(variant)));
    }
    let words = variants.iter().map(|variant| variant["const"].clone());
    let mut out = described(text);
    out.insert("type".into(), "string".into());
    out.insert("enum".into(), words.collect());
    out
}

/// The doc comment of a schema as plain text.
fn description(schema: &Value) -> String {
    let comment = schema["description"].as_str().unwrap_or_default();
    comment.replace('\n', " ").replace('`', "")
}

fn described(text: String) -> Map<String, Value> {
    let text = Some(text).filter(|text| !text.is_empty());
    let member = text.map(|text| ("description".to_owned(), text.into()));
    member.into_iter().collect()
}

fn is_null(schema: &Value) -> bool {
    schema["type"] == "null"
}

/// The schema of what is there, of an `Option`.
fn not_null(schema: &Value) -> &Value {
    let mut any = schema["anyOf"].as_array().into_iter().flatten();
    any.find(|schema| !is_null(schema)).unwrap_or(schema)
}

fn is_nullable(schema: &Value) -> bool {
    let any = schema["anyOf"].as_array().into_iter().flatten();
    let types = schema["type"].as_array().into_iter().flatten();
    any.into_iter().any(is_null) || types.into_iter().any(|of_type| of_type == "null")
}

/// Converts a schema of OpenAPI v3 to v2, which has no defaults and no nulls, and takes a reference beside a
/// description.
pub(super) fn to_v2(schema: &mut Value) {
    let Value::Object(members) = schema else {
        return;
    };
    members.remove("default");
    members.remove("nullable");
    if members.remove("oneOf").is_some() {
        members.insert("type".into(), "string".into());
    }
    if let Some(Value::Array(all)) = members.remove("allOf") {
        members.extend(
            all.into_iter()
                .filter_map(|one| match one {
                    Value::Object(members) => Some(members),
                    _ => None,
                })
                .flatten(),
        );
    }
    if let Some(Value::String(reference)) = members.get_mut("$ref") {
        *reference = reference.replace(V3, V2);
    }
    if let Some(Value::Object(properties)) = members.get_mut("properties") {
        properties.values_mut().for_each(to_v2);
    }
    for part in ["items", "additionalProperties"] {
        if let Some(schema) = members.get_mut(part) {
            to_v2(schema);
        }
    }
}
