//! The fields that field selectors may name, resource by resource, as kube-apiserver registers them.

use std::sync::Arc;

use serde_json::Value;

use super::Resource;

/// The selectable fields of a resource besides metadata.name and metadata.namespace.
fn selectable(resource: Resource) -> &'static [&'static str] {
    match resource {
        Resource::Pods => &[
            "spec.nodeName",
            "spec.restartPolicy",
            "spec.schedulerName",
            "spec.serviceAccountName",
            "spec.hostNetwork",
            "status.phase",
            "status.podIP",
            "status.nominatedNodeName",
        ],
        Resource::Nodes => &["spec.unschedulable"],
        Resource::Namespaces => &["status.phase"],
        Resource::Events => &[
            "involvedObject.kind",
            "involvedObject.namespace",
            "involvedObject.name",
            "involvedObject.uid",
            "involvedObject.apiVersion",
            "involvedObject.resourceVersion",
            "involvedObject.fieldPath",
            "reason",
            "reportingComponent",
            "source",
            "type",
        ],
        Resource::ReplicaSets => &["status.replicas"],
        Resource::Secrets => &["type"],
        Resource::Jobs => &["status.successful"],
        _ => &[],
    }
}

impl Resource {
    /// Whether a field selector may name `path`.
    pub fn is_selectable(self, path: &str) -> bool {
        match path {
            "metadata.name" => true,
            "metadata.namespace" => self.info().namespaced,
            _ => selectable(self).contains(&path),
        }
    }
}

/// Reads the selectable fields off an object; absent ones are left out, which selects as the empty string.
pub(super) fn extract(resource: Resource, object: &Value) -> Arc<[(&'static str, Arc<str>)]> {
    selectable(resource)
        .iter()
        .filter_map(|path| {
            let value = match *path {
                "source" => object.pointer("/source/component"),
                path => path.split('.').try_fold(object, |v, member| v.get(member)),
            };
            let text: Arc<str> = match value? {
                Value::String(s) => Arc::from(s.as_str()),
                Value::Bool(b) => Arc::from(if *b { "true" } else { "false" }),
                Value::Number(n) => Arc::from(n.to_string()),
                _ => return None,
            };
            Some((*path, text))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_pods_node_and_phase_are_read() {
        let pod = json!({"spec": {"nodeName": "n1"}, "status": {"phase": "Running", "other": 1}});
        let fields = extract(Resource::Pods, &pod);
        assert_eq!(
            &*fields,
            &[
                ("spec.nodeName", Arc::from("n1")),
                ("status.phase", Arc::from("Running"))
            ]
        );
    }
}
