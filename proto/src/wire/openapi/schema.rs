//! Types as OpenAPI describes them, in both of its versions from one description.

use serde_json::{Map, Value, json};

/// Which OpenAPI. They differ in where types are kept, in defaults, and in what may stand beside a reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    V2,
    V3,
}

impl Dialect {
    /// A reference to the type called `name`.
    pub(crate) fn reference(self, name: &str) -> Value {
        let place = match self {
            Self::V2 => "definitions",
            Self::V3 => "components/schemas",
        };
        json!({"$ref": format!("#/{place}/{name}")})
    }
}

/// What a field holds. Types are named without their version's place.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Holds {
    String,
    /// One of these texts.
    OneOf(&'static [&'static str]),
    Integer,
    /// A number with a fraction.
    Number,
    Boolean,
    /// A value of a type.
    One(Name),
    /// A list of texts.
    Strings,
    /// A list of values of a type.
    Many(Name),
    /// The same with nulls for those that are missing.
    ManyOrNull(Name),
    /// A list of whole numbers, with nulls for those that are missing.
    IntegersOrNull,
    /// Texts by name.
    StringMap,
    /// Whole numbers by name.
    IntegerMap,
    /// Values of a type by name.
    Map(Name),
}

/// A type's name.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Name {
    /// `io.k8s.apimachinery.pkg.…`.
    Machinery(&'static str),
    /// Of the package that is described.
    Own(&'static str),
}

/// A version of a group, and where its types are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Package {
    /// What comes before the version in the names of its types: `io.k8s.metrics.pkg.apis.metrics`.
    pub(crate) prefix: &'static str,
    /// The version.
    pub(crate) version: &'static str,
}

impl Name {
    /// In full, in `package`.
    pub(crate) fn full(self, package: Package) -> String {
        match self {
            Self::Machinery(name) => format!("io.k8s.apimachinery.pkg.{name}"),
            Self::Own(name) => format!("{}.{}.{name}", package.prefix, package.version),
        }
    }
}

/// A field of an object.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Field {
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
    pub(crate) const fn new(name: &'static str, holds: Holds, description: &'static str) -> Self {
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
    pub(crate) const fn required(mut self) -> Self {
        self.required = true;
        self.defaulted = true;
        self
    }

    /// It is sent even if it is empty.
    pub(crate) const fn always(mut self) -> Self {
        self.defaulted = true;
        self
    }

    /// It is a list that is replaced as a whole (`atomic`), or a `set`.
    pub(crate) const fn list(mut self, list_type: &'static str) -> Self {
        self.list_type = Some(list_type);
        self
    }

    /// It is a list whose entries are told apart by `key`.
    pub(crate) const fn keyed(mut self, key: &'static str) -> Self {
        self.list_key = Some(key);
        self.list_type = Some("map");
        self
    }

    /// Patches to it are merged.
    pub(crate) const fn merged(mut self) -> Self {
        self.merged = true;
        self
    }

    fn describe(&self, dialect: Dialect, package: Package) -> Value {
        let mut out = Map::new();
        if !self.description.is_empty() {
            out.insert("description".into(), self.description.into());
        }
        let reference = |name: Name| dialect.reference(&name.full(package));
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
            Holds::OneOf(texts) => {
                out.insert("type".into(), "string".into());
                out.insert("enum".into(), texts.into());
                default = texts.first().map(|first| json!(first));
            }
            Holds::Number => {
                out.insert("type".into(), "number".into());
                out.insert("format".into(), "double".into());
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
            Holds::ManyOrNull(name) => {
                out.insert("type".into(), "array".into());
                let item = match dialect {
                    Dialect::V2 => reference(name),
                    Dialect::V3 => json!({"allOf": [reference(name)], "nullable": true}),
                };
                out.insert("items".into(), item);
            }
            Holds::IntegersOrNull => {
                out.insert("type".into(), "array".into());
                let item = match dialect {
                    Dialect::V2 => json!({"type": "integer", "format": "int64"}),
                    Dialect::V3 => json!({"type": "integer", "format": "int64", "nullable": true}),
                };
                out.insert("items".into(), item);
            }
            Holds::StringMap => {
                out.insert("type".into(), "object".into());
                out.insert("additionalProperties".into(), json!({"type": "string"}));
            }
            Holds::IntegerMap => {
                out.insert("type".into(), "object".into());
                let number = json!({"type": "integer", "format": "int64"});
                out.insert("additionalProperties".into(), number);
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
pub(crate) enum Is {
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
pub(crate) struct Type {
    pub(crate) name: Name,
    pub(crate) description: &'static str,
    pub(crate) is: Is,
    /// The API group if it is a kind of object that stands alone; its version is the one described, or v1 for
    /// those of no group.
    pub(crate) group: Option<&'static str>,
    /// It is replaced as a whole.
    pub(crate) atomic: bool,
}

impl Type {
    pub(crate) const fn new(name: Name, description: &'static str, is: Is) -> Self {
        Self {
            name,
            description,
            is,
            group: None,
            atomic: false,
        }
    }

    /// Objects of this type stand alone, in `group`.
    pub(crate) const fn kind_of(mut self, group: &'static str) -> Self {
        self.group = Some(group);
        self
    }

    /// It is replaced as a whole.
    pub(crate) const fn atomic(mut self) -> Self {
        self.atomic = true;
        self
    }

    pub(crate) fn describe(&self, dialect: Dialect, package: Package) -> Value {
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
                    let description = field.describe(dialect, package);
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
            let version = if group.is_empty() {
                "v1"
            } else {
                package.version
            };
            let kind = self.name.full(package);
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
