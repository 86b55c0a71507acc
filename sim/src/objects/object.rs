//! One version of one object, stored as wire bytes.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use kubevitals_proto::labels::Labels;
use kubevitals_proto::wire::form::write_type;
use serde_json::{Map, Value};

use super::{Resource, fields, protobuf};
use crate::members::Members;

/// The first bytes of a stored object. The resource version is inserted after them.
const HEAD: &[u8] = br#"{"metadata":{"#;

/// The key of an object and the values that selectors match, so that the store need not parse the JSON.
#[derive(Clone, Debug, Default)]
pub struct MetaLite {
    /// Namespace; none for cluster-scoped objects.
    pub namespace: Option<Arc<str>>,
    /// Name.
    pub name: Arc<str>,
    /// Labels. The pods of a workload share them.
    pub labels: Labels,
    /// Values of the fields that field selectors may name besides metadata.name and metadata.namespace, by path:
    /// for pods `spec.nodeName` and `status.phase`; for events `involvedObject.*`, `type`, `reason`.
    pub fields: Arc<[(&'static str, Arc<str>)]>,
}

impl MetaLite {
    /// Reads it from an object; `None` when the object has no name, or lacks the namespace its resource demands.
    pub fn of(resource: Resource, object: &Value) -> Option<Self> {
        let metadata = object.get("metadata")?;
        let name = metadata.get("name")?.as_str().filter(|n| !n.is_empty())?;
        let namespace = match (
            resource.info().namespaced,
            metadata.get("namespace").and_then(Value::as_str),
        ) {
            (true, Some(ns)) if !ns.is_empty() => Some(Arc::from(ns)),
            (true, _) => return None,
            (false, _) => None,
        };
        let labels = metadata.members("/labels");
        let labels = labels.filter_map(|(k, v)| Some((k.as_str(), v.as_str()?)));
        Some(Self {
            namespace,
            name: Arc::from(name),
            labels: labels.collect(),
            fields: fields::extract(resource, object),
        })
    }

    /// The key objects are sorted by, which is etcd's: `NAMESPACE/NAME`, or `NAME`.
    pub(super) fn key(&self) -> Arc<str> {
        key(self.namespace.as_deref(), &self.name)
    }

    /// The value of a field a selector may name; empty when the object lacks it, `None` when the path is not selectable.
    pub fn field(&self, path: &str) -> Option<&str> {
        match path {
            "metadata.name" => Some(&self.name),
            "metadata.namespace" => Some(self.namespace.as_deref().unwrap_or_default()),
            _ => self
                .fields
                .iter()
                .find(|(k, _)| *k == path)
                .map(|(_, v)| &**v),
        }
    }
}

/// The key of an object by namespace and name.
pub(super) fn key(namespace: Option<&str>, name: &str) -> Arc<str> {
    match namespace {
        Some(ns) => Arc::from(format!("{ns}/{name}")),
        None => Arc::from(name),
    }
}

/// One version of one object.
///
/// The JSON is stored without `kind`, `apiVersion` (list items go without them) and `metadata.resourceVersion`; the
/// `write_*` functions splice them in while copying.
#[derive(Debug)]
pub struct Object {
    meta: MetaLite,
    resource_version: u64,
    /// The JSON after [`HEAD`]: never empty, and its first member is there (every object has a name).
    rest: Bytes,
    /// The object in protobuf, once a client has requested it: an API server holds objects in a form from which that costs
    /// little, and this is what it costs here.
    protobuf: OnceLock<Bytes>,
}

impl Object {
    /// From JSON that begins `{"metadata":{"` and has no `metadata.resourceVersion`; `None` otherwise.
    pub(super) fn from_bytes(meta: MetaLite, json: Bytes, resource_version: u64) -> Option<Self> {
        let starts_well = json
            .strip_prefix(HEAD)
            .is_some_and(|rest| rest.first() == Some(&b'"'));
        starts_well.then(|| Self {
            meta,
            resource_version,
            rest: json.slice(HEAD.len()..),
            protobuf: OnceLock::new(),
        })
    }

    /// From a whole object: `kind`, `apiVersion` and `metadata.resourceVersion` are dropped, metadata goes first.
    pub(super) fn from_value(meta: MetaLite, object: Value, resource_version: u64) -> Option<Self> {
        let Value::Object(mut members) = object else {
            return None;
        };
        let mut metadata = members.remove("metadata")?;
        metadata.as_object_mut()?.remove("resourceVersion");
        let mut ordered = Map::with_capacity(members.len());
        ordered.insert("metadata".to_owned(), metadata);
        ordered.extend(
            members
                .into_iter()
                .filter(|(k, _)| k != "kind" && k != "apiVersion"),
        );
        let json = serde_json::to_vec(&ordered).ok()?;
        Self::from_bytes(meta, Bytes::from(json), resource_version)
    }

    /// The same object at another version (a deletion has a version of its own).
    pub(crate) fn at_version(&self, resource_version: u64) -> Self {
        Self {
            meta: self.meta.clone(),
            resource_version,
            rest: self.rest.clone(),
            protobuf: OnceLock::new(),
        }
    }

    /// Its key and the values that selectors match.
    pub fn meta(&self) -> &MetaLite {
        &self.meta
    }

    /// The version this is.
    pub fn resource_version(&self) -> u64 {
        self.resource_version
    }

    /// Appends the object as a list's item: without kind and apiVersion.
    pub fn write_item(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(HEAD);
        self.write_rest(out);
    }

    /// Appends the whole object, with kind and apiVersion.
    pub fn write_whole(&self, resource: Resource, out: &mut Vec<u8>) {
        let info = resource.info();
        write_type(out, info.kind, &info.api_version());
        out.extend_from_slice(br#","metadata":{"#);
        self.write_rest(out);
    }

    /// The object as a value; `null` should its bytes not be JSON (the world wrote them so).
    pub fn to_value(&self, resource: Resource) -> Value {
        let mut json = Vec::with_capacity(self.rest.len() + 96);
        self.write_whole(resource, &mut json);
        serde_json::from_slice(&json).unwrap_or_default()
    }

    /// The object in protobuf, without an envelope: for pods, nodes and events.
    pub fn protobuf(&self, resource: Resource) -> Bytes {
        let encode = || protobuf::encode(resource.info().kind, &self.to_value(resource)).into();
        self.protobuf.get_or_init(encode).clone()
    }

    /// Its metadata alone in protobuf, as a `PartialObjectMetadata`.
    pub fn partial_protobuf(&self, resource: Resource) -> Bytes {
        protobuf::encode("PartialObjectMetadata", &self.to_value(resource)).into()
    }

    /// About how many bytes [`Object::write_item`] appends.
    pub fn size_hint(&self) -> usize {
        self.rest.len() + HEAD.len() + 40
    }

    fn write_rest(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(br#""resourceVersion":""#);
        out.extend_from_slice(self.resource_version.to_string().as_bytes());
        out.extend_from_slice(br#"","#);
        out.extend_from_slice(&self.rest);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn kind_and_version_are_spliced_in() {
        let value = json!({"apiVersion": "v1", "kind": "Node", "spec": {}, "metadata": {"resourceVersion": "3", "name": "a"}});
        let meta = MetaLite::of(Resource::Nodes, &value).unwrap();
        let object = Object::from_value(meta, value, 7).unwrap();
        let (mut item, mut whole) = (Vec::new(), Vec::new());
        object.write_item(&mut item);
        object.write_whole(Resource::Nodes, &mut whole);
        assert_eq!(
            item,
            br#"{"metadata":{"resourceVersion":"7","name":"a"},"spec":{}}"#
        );
        assert_eq!(whole, br#"{"kind":"Node","apiVersion":"v1","metadata":{"resourceVersion":"7","name":"a"},"spec":{}}"#);
    }

    #[test]
    fn bytes_that_do_not_begin_with_metadata_are_refused() {
        let bytes = |s: &'static str| {
            Object::from_bytes(MetaLite::default(), Bytes::from_static(s.as_bytes()), 1)
        };
        assert!(bytes(r#"{"metadata":{"name":"a"}}"#).is_some());
        assert!(bytes(r#"{"kind":"Pod","metadata":{"name":"a"}}"#).is_none());
        assert!(bytes(r#"{"metadata":{}}"#).is_none());
    }

    #[test]
    fn a_namespaced_object_needs_its_namespace() {
        assert!(MetaLite::of(Resource::Pods, &json!({"metadata": {"name": "a"}})).is_none());
        assert!(MetaLite::of(Resource::Nodes, &json!({"metadata": {"name": "a"}})).is_some());
    }
}
