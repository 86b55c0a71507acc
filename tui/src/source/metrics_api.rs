//! The client for metrics.k8s.io, and for the objects of the API server that `top` needs.

use kubevitals_proto::metrics::Version;
use kubevitals_proto::objects::{self, Pools, WirePod};
use kubevitals_proto::why::SUBRESOURCE;

use super::client::{JSON, PROTOBUF, escaped};
use super::nodes::{Node, NodeCapacity, NodeList};
use super::pods::{Pod, PodList, PodRef};
use super::response::ApiResponse;
use super::status::About;
use super::usage::{NodeUsage, PodUsage};
use super::{ApiClient, Error, decode, discovery};

/// The selectors of a list. Empty selectors select all.
#[derive(Debug, Clone, Copy, Default)]
pub struct Selection<'a> {
    /// A label selector.
    pub labels: &'a str,
    /// A field selector.
    pub fields: &'a str,
}

/// Requests the usage of nodes and pods.
#[derive(Debug, Clone)]
pub struct MetricsApi {
    client: ApiClient,
    protobuf: bool,
}

/// Accepts the metadata of objects only; servers that cannot reduce objects send them whole.
pub(super) const METADATA_LIST: &str =
    "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json";
const METADATA: &str =
    "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io,application/json";

impl MetricsApi {
    /// A client on an API server, with protobuf or with JSON only.
    pub fn new(client: ApiClient, protobuf: bool) -> Self {
        Self { client, protobuf }
    }

    /// The version to request; none if the cluster serves no metrics.
    ///
    /// # Errors
    /// The request failed.
    pub async fn version(&self) -> Result<Option<Version>, Error> {
        Ok(discovery::served(&self.client).await?.metrics)
    }

    /// The usage of the selected nodes.
    ///
    /// # Errors
    /// The request failed.
    pub async fn nodes(
        &self,
        version: Version,
        selection: Selection<'_>,
    ) -> Result<Vec<NodeUsage>, Error> {
        let path = Path::metrics(version).nodes().query(selection);
        decode::node_list(&self.get_metrics(path).await?)
    }

    /// The usage of one node.
    ///
    /// # Errors
    /// The request failed, for example because the node does not exist.
    pub async fn node(&self, version: Version, name: &str) -> Result<NodeUsage, Error> {
        let path = Path::metrics(version).nodes().name(name)?;
        decode::node(&self.get_metrics(path).await?)
    }

    /// The usage of the selected pods; an empty namespace stands for all.
    ///
    /// # Errors
    /// The request failed.
    pub async fn pods(
        &self,
        version: Version,
        namespace: &str,
        selection: Selection<'_>,
    ) -> Result<Vec<PodUsage>, Error> {
        self.pods_as(version, namespace, selection, |pod| pod).await
    }

    /// As [`MetricsApi::pods`]; each pod is converted while the list is decoded.
    pub(super) async fn pods_as<T: Send>(
        &self,
        version: Version,
        namespace: &str,
        selection: Selection<'_>,
        convert: impl Fn(PodUsage) -> T + Sync,
    ) -> Result<Vec<T>, Error> {
        let path = Path::metrics(version).pods(namespace)?.query(selection);
        let mut reader = decode::pod_reader(&convert);
        let response = self
            .client
            .read_list(&path.text, self.accept(), path.about(), &mut reader)
            .await?;
        if response.is_protobuf() {
            return Ok(reader.items);
        }
        let pods = decode::json_pods(&response)?;
        Ok(pods.into_iter().map(&convert).collect())
    }

    /// The usage of one pod.
    ///
    /// # Errors
    /// The request failed, for example because the pod does not exist.
    pub async fn pod(
        &self,
        version: Version,
        namespace: &str,
        name: &str,
    ) -> Result<PodUsage, Error> {
        let path = Path::metrics(version).pods(namespace)?.name(name)?;
        decode::pod(&self.get_metrics(path).await?)
    }

    /// The capacity of the selected nodes.
    ///
    /// # Errors
    /// The request failed.
    pub async fn node_capacities(
        &self,
        selection: Selection<'_>,
    ) -> Result<Vec<NodeCapacity>, Error> {
        let path = Path::core().nodes().query(selection);
        let list: NodeList = self.get(path, JSON).await?.parse()?;
        Ok(list.items.into_iter().map(Into::into).collect())
    }

    /// The capacity of one node.
    ///
    /// # Errors
    /// The request failed.
    pub async fn node_capacity(&self, name: &str) -> Result<NodeCapacity, Error> {
        let path = Path::core().nodes().name(name)?;
        Ok(self.get(path, JSON).await?.parse::<Node>()?.into())
    }

    /// The selected pods that exist, with or without metrics; an empty namespace stands for all.
    ///
    /// # Errors
    /// The request failed.
    pub async fn pod_refs(
        &self,
        namespace: &str,
        selection: Selection<'_>,
    ) -> Result<Vec<PodRef>, Error> {
        let path = Path::core().pods(namespace)?.query(selection);
        let list: PodList = self.get(path, METADATA_LIST).await?.parse()?;
        Ok(list.items.into_iter().map(|pod| pod.metadata).collect())
    }

    /// One pod, with or without metrics.
    ///
    /// # Errors
    /// The request failed.
    pub async fn pod_ref(&self, namespace: &str, name: &str) -> Result<PodRef, Error> {
        let path = Path::core().pods(namespace)?.name(name)?;
        Ok(self.get(path, METADATA).await?.parse::<Pod>()?.metadata)
    }

    /// The object of a pod; none if it has no name.
    ///
    /// # Errors
    /// The request failed.
    pub async fn pod_object(
        &self,
        namespace: &str,
        name: &str,
    ) -> Result<Option<objects::Pod>, Error> {
        let path = Path::core().pods(namespace)?.name(name)?;
        let pod: WirePod = self.get(path, JSON).await?.parse()?;
        Ok(pod.convert(&Pools::default()))
    }

    /// Requests a path and parses JSON.
    pub(super) async fn parsed<T: serde::de::DeserializeOwned>(
        &self,
        path: &str,
        resource: &'static str,
        name: &str,
    ) -> Result<T, Error> {
        let about = About { resource, name };
        self.client.parsed(path, JSON, about).await
    }

    async fn get_metrics(&self, path: Path<'_>) -> Result<ApiResponse, Error> {
        self.get(path, self.accept()).await
    }

    /// The encodings that this client accepts for metrics.
    const fn accept(&self) -> &'static str {
        if self.protobuf { PROTOBUF } else { JSON }
    }

    pub(super) async fn get(&self, path: Path<'_>, accept: &str) -> Result<ApiResponse, Error> {
        self.client.get(&path.text, accept, path.about()).await
    }
}

/// The path of a request.
pub(super) struct Path<'a> {
    text: String,
    core: bool,
    resource: &'static str,
    name: &'a str,
}

impl<'a> Path<'a> {
    pub(super) fn metrics(version: Version) -> Self {
        Self {
            text: format!("/apis/metrics.k8s.io/{}", version.as_str()),
            core: false,
            resource: "",
            name: "",
        }
    }

    fn core() -> Self {
        Self {
            text: "/api/v1".to_owned(),
            core: true,
            resource: "",
            name: "",
        }
    }

    pub(super) fn nodes(mut self) -> Self {
        self.text.push_str("/nodes");
        self.resource = if self.core {
            "nodes"
        } else {
            "nodes.metrics.k8s.io"
        };
        self
    }

    pub(super) fn pods(mut self, namespace: &str) -> Result<Self, Error> {
        if !namespace.is_empty() {
            segment("namespace", namespace)?;
            self.text += &format!("/namespaces/{}", escaped(namespace));
        }
        self.text.push_str("/pods");
        self.resource = if self.core {
            "pods"
        } else {
            "pods.metrics.k8s.io"
        };
        Ok(self)
    }

    pub(super) fn name(mut self, name: &'a str) -> Result<Self, Error> {
        segment("resource name", name)?;
        self.text += &format!("/{}", escaped(name));
        self.name = name;
        Ok(self)
    }

    const fn about(&self) -> About<'a> {
        About {
            resource: self.resource,
            name: self.name,
        }
    }

    /// Adds the subresource `why`.
    pub(super) fn why(mut self) -> Self {
        self.text += &format!("/{SUBRESOURCE}");
        self
    }

    fn query(mut self, selection: Selection<'_>) -> Self {
        let mut mark = '?';
        for (key, value) in [
            ("fieldSelector", selection.fields),
            ("labelSelector", selection.labels),
        ] {
            if !value.is_empty() {
                self.text += &format!("{mark}{key}={}", escaped(value));
                mark = '&';
            }
        }
        self
    }
}

/// Refuses a segment that would change the path.
pub(super) fn segment(kind: &str, text: &str) -> Result<(), Error> {
    let complaints: Vec<&str> = match text {
        "." => vec!["may not be '.'"],
        ".." => vec!["may not be '..'"],
        _ => [('/', "may not contain '/'"), ('%', "may not contain '%'")]
            .into_iter()
            .filter_map(|(bad, complaint)| text.contains(bad).then_some(complaint))
            .collect(),
    };
    if complaints.is_empty() {
        return Ok(());
    }
    Err(Error::Request(format!(
        "invalid {kind} {text:?}: [{}]",
        complaints.join(" ")
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_those_of_the_apis() {
        let selection = Selection {
            labels: "a=b",
            fields: "",
        };
        let path = Path::metrics(Version::V1beta1)
            .pods("")
            .unwrap()
            .query(selection);
        assert_eq!(
            path.text,
            "/apis/metrics.k8s.io/v1beta1/pods?labelSelector=a%3Db"
        );
        let path = Path::core().pods("ns").unwrap().name("web-1").unwrap();
        assert_eq!(path.text, "/api/v1/namespaces/ns/pods/web-1");
        let both = Selection {
            labels: "a",
            fields: "b=c",
        };
        let path = Path::metrics(Version::V1).nodes().query(both);
        assert_eq!(
            path.text,
            "/apis/metrics.k8s.io/v1/nodes?fieldSelector=b%3Dc&labelSelector=a"
        );
    }

    #[test]
    fn names_cannot_change_the_path() {
        for (name, complaints) in [
            ("..", "may not be '..'"),
            ("a/b", "may not contain '/'"),
            ("%/", "may not contain '/' may not contain '%'"),
        ] {
            let refused = Path::core().nodes().name(name).err().unwrap();
            let expected = format!("error: invalid resource name {name:?}: [{complaints}]");
            assert_eq!(refused.to_string(), expected);
        }
    }
}
