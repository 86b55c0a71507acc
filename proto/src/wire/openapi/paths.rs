//! One path and its operations.

use serde_json::{Map, Value, json};

use super::schema::{V2, V3, machinery};

/// A version of OpenAPI.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    V2,
    V3,
}

const JSON: &[&str] = &["application/json"];

/// The forms of discovery.
pub(super) const DISCOVERY: &[&str] = &[
    "application/json",
    "application/yaml",
    "application/vnd.kubernetes.protobuf",
];

/// A parameter of a path: its name, type, whether it is part of the path, and what it does.
pub(crate) type Parameter = (&'static str, &'static str, bool, &'static str);

/// A parameter that is a text, behind a path.
pub(crate) const fn text(name: &'static str, description: &'static str) -> Parameter {
    (name, "string", false, description)
}

/// A parameter that is true or false, behind a path.
pub(crate) const fn flag(name: &'static str, description: &'static str) -> Parameter {
    (name, "boolean", false, description)
}

/// A parameter that is a whole number, behind a path.
pub(crate) const fn integer(name: &'static str, description: &'static str) -> Parameter {
    (name, "integer", false, description)
}

/// list or get, and the kind of objects.
#[derive(Debug, Clone, Copy)]
pub(super) struct Action {
    pub(super) verb: &'static str,
    pub(super) group: &'static str,
    pub(super) version: &'static str,
    pub(super) kind: &'static str,
}

/// One path, which has nothing but GET.
pub(super) struct Path {
    pub(super) path: String,
    pub(super) tag: String,
    pub(super) id: String,
    pub(super) description: String,
    /// The full name of the type that it answers with.
    pub(super) answer: String,
    pub(super) produces: &'static [&'static str],
    /// The media types of request bodies, which the server does not read.
    pub(super) consumes: &'static [&'static str],
    pub(super) action: Option<Action>,
    pub(super) parameters: Vec<Parameter>,
}

impl Path {
    pub(super) fn discovery(
        path: &str,
        tag: &str,
        id: &str,
        description: &str,
        answer: &str,
    ) -> Self {
        Self {
            path: path.to_owned(),
            tag: tag.to_owned(),
            id: id.to_owned(),
            description: description.to_owned(),
            answer: answer.to_owned(),
            produces: DISCOVERY,
            consumes: DISCOVERY,
            action: None,
            parameters: Vec::new(),
        }
    }

    /// `/apis/`.
    pub(super) fn groups() -> Self {
        let description = "get available API versions";
        Self::discovery(
            "/apis/",
            "apis",
            "getAPIVersions",
            description,
            machinery!("apis.meta.v1.APIGroupList"),
        )
    }

    /// `/version/`.
    pub(super) fn version() -> Self {
        let description = "get the version information for this server";
        Self {
            produces: JSON,
            consumes: JSON,
            ..Self::discovery(
                "/version/",
                "version",
                "getCodeVersion",
                description,
                machinery!("version.Info"),
            )
        }
    }

    pub(super) fn describe(&self, dialect: Dialect) -> Value {
        let place = match dialect {
            Dialect::V2 => V2,
            Dialect::V3 => V3,
        };
        let answer = json!({"$ref": format!("{place}{}", self.answer)});
        let mut get = Map::new();
        get.insert("tags".into(), json!([self.tag]));
        get.insert("description".into(), self.description.as_str().into());
        get.insert("operationId".into(), self.id.as_str().into());
        let answer = match dialect {
            Dialect::V2 => {
                get.insert("consumes".into(), self.consumes.into());
                get.insert("produces".into(), self.produces.into());
                get.insert("schemes".into(), json!(["https"]));
                json!({"description": "OK", "schema": answer})
            }
            Dialect::V3 => {
                let schema = json!({"schema": answer});
                let forms = self
                    .produces
                    .iter()
                    .map(|form| ((*form).to_owned(), schema.clone()));
                json!({"description": "OK", "content": Map::from_iter(forms)})
            }
        };
        get.insert("responses".into(), json!({"200": answer}));
        if let Some(Action {
            verb,
            group,
            version,
            kind,
        }) = self.action
        {
            get.insert("x-kubernetes-action".into(), verb.into());
            get.insert(
                "x-kubernetes-group-version-kind".into(),
                json!({"group": group, "version": version, "kind": kind}),
            );
        }
        let mut path = Map::from_iter([("get".to_owned(), get.into())]);
        if !self.parameters.is_empty() {
            let parameters = self
                .parameters
                .iter()
                .map(|parameter| describe(dialect, *parameter));
            path.insert("parameters".into(), parameters.collect());
        }
        path.into()
    }
}

fn describe(dialect: Dialect, (name, kind, in_path, description): Parameter) -> Value {
    let place = if in_path { "path" } else { "query" };
    let mut out = Map::from_iter([
        ("name".to_owned(), name.into()),
        ("in".to_owned(), place.into()),
        ("description".to_owned(), description.into()),
    ]);
    match dialect {
        Dialect::V2 => out.extend([
            ("type".to_owned(), kind.into()),
            ("uniqueItems".to_owned(), true.into()),
        ]),
        Dialect::V3 => {
            out.insert("schema".into(), json!({"type": kind, "uniqueItems": true}));
        }
    }
    if in_path {
        out.insert("required".into(), true.into());
    }
    out.into()
}
