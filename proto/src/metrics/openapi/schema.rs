//! Types as OpenAPI describes them, in both of its versions from one description.

use serde_json::{Map, Value, json};

/// Which OpenAPI. They differ in where types are kept, in defaults, and in what may stand beside a reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    V2,
    V3,
}

impl Dialect {
    /// A reference to the type called `name`.
    pub(super) fn reference(self, name: &str) -> Value {
        let place = match self {
            Self::V2 => "definitions",
            Self::V3 => "components/schemas",
        };
        json!({"$ref": format!("#/{place}/{name}")})
    }
}

/// What a field holds. Types are named without their version's place.
#[derive(Debug, Clone, Copy)]
pub(super) enum Holds {
    String,
    Integer,
    Boolean,
    /// A value of a type.
    One(Name),
    /// A list of texts.
    Strings,
    /// A list of values of a type.
    Many(Name),
    /// Texts by name.
    StringMap,
    /// Values of a type by name.
    Map(Name),
}

/// A type's name.
#[derive(Debug, Clone, Copy)]
pub(super) enum Name {
    /// `io.k8s.apimachinery.pkg.…`.
    Machinery(&'static str),
    /// Of the version of metrics.k8s.io that is described.
    Metrics(&'static str),
}

impl Name {
    /// In full; `version` is that of metrics.k8s.io.
    pub(super) fn full(self, version: &str) -> String {
        match self {
            Self::Machinery(name) => format!("io.k8s.apimachinery.pkg.{name}"),
            Self::Metrics(name) => format!("io.k8s.metrics.pkg.apis.metrics.{version}.{name}"),
        }
    }
}

/// A field of an object.
#[derive(Debug, Clone, Copy)]
pub(super) struct Field {
    name: &'static str,
    description: &'static str,
    holds: Holds,
    required: bool,
    /// It is never left out when it is sent: OpenAPI v3 tells what it is then.
    defaulted: bool,
    list_type: Option<&'static str>,
    /// What makes an entry of a list the same one as before.
    list_key: Option<&'static str>,
    merged: bool,
}

impl Field {
    pub(super) const fn new(name: &'static str, holds: Holds, description: &'static str) -> Self {
        Self {
            name,
            description,
            holds,
            required: false,
            defaulted: false,
            list_type: None,
            list_key: None,
            merged: false,
        }
    }

    /// It must be there.
    pub(super) const fn required(mut self) -> Self {
        self.required = true;
        self.defaulted = true;
        self
    }

    /// It is sent even if it is empty.
    pub(super) const fn always(mut self) -> Self {
        self.defaulted = true;
        self
    }

    /// It is a list that is replaced as a whole (`atomic`), or a `set`.
    pub(super) const fn list(mut self, list_type: &'static str) -> Self {
        self.list_type = Some(list_type);
        self
    }

    /// It is a list whose entries are told apart by `key`.
    pub(super) const fn keyed(mut self, key: &'static str) -> Self {
        self.list_key = Some(key);
        self.list_type = Some("map");
        self
    }

    /// Patches to it are merged.
    pub(super) const fn merged(mut self) -> Self {
        self.merged = true;
        self
    }

    fn describe(&self, dialect: Dialect, version: &str) -> Value {
        let mut out = Map::new();
        if !self.description.is_empty() {
            out.insert("description".into(), self.description.into());
        }
        let reference = |name: Name| dialect.reference(&name.full(version));
        let mut default = None;
        match self.holds {
            Holds::String => {
                out.insert("type".into(), "string".into());
                default = Some(json!(""));
            }
            Holds::Integer => {
                out.insert("type".into(), "integer".into());
                out.insert("format".into(), "int64".into());
            }
            Holds::Boolean => {
                out.insert("type".into(), "boolean".into());
                default = Some(json!(false));
            }
            Holds::One(name) => {
                let defaulted = self.defaulted && !self.required;
                if dialect == Dialect::V3 && (defaulted || !out.is_empty()) {
                    if defaulted {
                        default = Some(json!({}));
                    }
                    out.insert("allOf".into(), json!([reference(name)]));
                } else if let Value::Object(reference) = reference(name) {
                    out.extend(reference);
                }
            }
            Holds::Strings => {
                out.insert("type".into(), "array".into());
                out.insert("items".into(), json!({"type": "string"}));
            }
            Holds::Many(name) => {
                out.insert("type".into(), "array".into());
                out.insert("items".into(), reference(name));
            }
            Holds::StringMap => {
                out.insert("type".into(), "object".into());
                out.insert("additionalProperties".into(), json!({"type": "string"}));
            }
            Holds::Map(name) => {
                out.insert("type".into(), "object".into());
                out.insert("additionalProperties".into(), reference(name));
            }
        }
        if let Some(default) = default.filter(|_| dialect == Dialect::V3 && self.defaulted) {
            out.insert("default".into(), default);
        }
        if let Some(key) = self.list_key {
            out.insert("x-kubernetes-list-map-keys".into(), json!([key]));
            out.insert("x-kubernetes-patch-merge-key".into(), key.into());
        }
        if let Some(list_type) = self.list_type {
            out.insert("x-kubernetes-list-type".into(), list_type.into());
        }
        if self.merged {
            out.insert("x-kubernetes-patch-strategy".into(), "merge".into());
        }
        out.into()
    }
}

/// What a type is.
#[derive(Debug, Clone, Copy)]
pub(super) enum Is {
    /// An object with these fields, sorted by name.
    Object(&'static [Field]),
    /// An object that is taken as it is.
    AnyObject,
    /// A text, maybe in a format.
    Text(Option<&'static str>),
    /// A text, or a number for it.
    TextOrNumber,
}

/// A type.
#[derive(Debug, Clone, Copy)]
pub(super) struct Type {
    pub(super) name: Name,
    pub(super) description: &'static str,
    pub(super) is: Is,
    /// The API group if it is a kind of object that stands alone; its version is the one described, or v1 for
    /// those of no group.
    pub(super) group: Option<&'static str>,
    /// It is replaced as a whole.
    pub(super) atomic: bool,
}

impl Type {
    pub(super) const fn new(name: Name, description: &'static str, is: Is) -> Self {
        Self {
            name,
            description,
            is,
            group: None,
            atomic: false,
        }
    }

    /// Objects of this type stand alone, in `group`.
    pub(super) const fn kind_of(mut self, group: &'static str) -> Self {
        self.group = Some(group);
        self
    }

    /// It is replaced as a whole.
    pub(super) const fn atomic(mut self) -> Self {
        self.atomic = true;
        self
    }

    pub(super) fn describe(&self, dialect: Dialect, version: &str) -> Value {
        let mut out = Map::new();
        out.insert("description".into(), self.description.into());
        match self.is {
            Is::Object(fields) => {
                out.insert("type".into(), "object".into());
                let required = fields.iter().filter(|field| field.required);
                let required: Vec<_> = required.map(|field| field.name).collect();
                if !required.is_empty() {
                    out.insert("required".into(), required.into());
                }
                let properties = fields.iter().map(|field| {
                    let description = field.describe(dialect, version);
                    (field.name.to_owned(), description)
                });
                out.insert("properties".into(), Map::from_iter(properties).into());
            }
            Is::AnyObject => {
                out.insert("type".into(), "object".into());
            }
            Is::TextOrNumber if dialect == Dialect::V3 => {
                let either = json!([{"type": "string"}, {"type": "number"}]);
                out.insert("oneOf".into(), either);
            }
            Is::TextOrNumber => {
                out.insert("type".into(), "string".into());
            }
            Is::Text(format) => {
                out.insert("type".into(), "string".into());
                if let Some(format) = format {
                    out.insert("format".into(), format.into());
                }
            }
        }
        if let Some(group) = self.group {
            let version = if group.is_empty() { "v1" } else { version };
            let kind = self.name.full(version);
            let kind = kind.rsplit('.').next().unwrap_or_default();
            out.insert(
                "x-kubernetes-group-version-kind".into(),
                json!([{"group": group, "kind": kind, "version": version}]),
            );
        }
        if self.atomic {
            out.insert("x-kubernetes-map-type".into(), "atomic".into());
        }
        out.into()
    }
}
