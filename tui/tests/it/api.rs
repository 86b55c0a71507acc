//! The part of an API server that `top` uses, over plain HTTP.

use crate::owned::Protobuf as _;
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use kubevitals_proto::labels::Labels;
use kubevitals_proto::metrics::{
    ListMeta, NodeMetrics, NodeMetricsList, PodMetrics, PodMetricsList, Version,
};
use kubevitals_proto::selector::LabelSelector;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A response.
#[derive(Clone)]
pub(crate) struct Reply {
    pub(crate) code: u16,
    pub(crate) content_type: &'static str,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    pub(crate) fn json(value: &Value) -> Self {
        Self {
            code: 200,
            content_type: "application/json",
            body: value.to_string().into_bytes(),
        }
    }

    pub(crate) fn text(code: u16, content_type: &'static str, body: &str) -> Self {
        Self {
            code,
            content_type,
            body: body.as_bytes().to_vec(),
        }
    }

    pub(crate) fn status(code: u16, reason: &str, message: &str) -> Self {
        let body = json!({"kind": "Status", "apiVersion": "v1", "metadata": {},
            "status": "Failure", "message": message, "reason": reason, "code": code});
        Self {
            code,
            ..Self::json(&body)
        }
    }
}

/// The form of the discovery document.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Discovery {
    Aggregated,
    Old,
}

/// The objects of a cluster and its responses.
#[derive(Clone)]
pub(crate) struct Cluster {
    pub(crate) node_metrics: Vec<NodeMetrics>,
    pub(crate) pod_metrics: Vec<PodMetrics>,
    /// `v1.Node`s.
    pub(crate) nodes: Vec<Value>,
    /// `v1.Pod`s.
    pub(crate) pods: Vec<Value>,
    pub(crate) discovery: Discovery,
    pub(crate) versions: Vec<&'static str>,
    /// Responses that replace the right ones, by path without query.
    pub(crate) replies: HashMap<String, Reply>,
}

impl Default for Cluster {
    fn default() -> Self {
        Self {
            node_metrics: Vec::new(),
            pod_metrics: Vec::new(),
            nodes: Vec::new(),
            pods: Vec::new(),
            discovery: Discovery::Aggregated,
            versions: vec!["v1beta1"],
            replies: HashMap::new(),
        }
    }
}

/// A server for a cluster, until dropped.
pub(crate) struct Api {
    pub(crate) port: u16,
    /// The requested paths with their queries, in order.
    pub(crate) requests: Arc<Mutex<Vec<String>>>,
    /// The user of each request.
    pub(crate) callers: Arc<Mutex<Vec<Caller>>>,
    directory: TempDir,
}

/// The user of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Caller {
    /// The header.
    pub(crate) authorization: Option<String>,
    /// The client certificate, DER.
    pub(crate) certificate: Option<Vec<u8>>,
}

/// A connection, with TLS or without.
trait Stream: Read + Write {}
impl<T: Read + Write> Stream for T {}

impl Api {
    /// Serves the cluster on a free port.
    pub(crate) fn serve(cluster: Cluster) -> Self {
        Self::serve_with(cluster, None)
    }

    /// Serves the cluster on a free port, over TLS.
    pub(crate) fn serve_with(cluster: Cluster, tls: Option<Arc<ServerConfig>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let callers = Arc::default();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let log = Log {
            requests: Arc::clone(&requests),
            callers: Arc::clone(&callers),
        };
        let cluster = Arc::new(cluster);
        // The thread ends with the process, which is the test.
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (cluster, log, tls) = (Arc::clone(&cluster), log.clone(), tls.clone());
                std::thread::spawn(move || accept(stream, tls, &cluster, &log));
            }
        });
        let api = Self {
            port,
            requests,
            callers,
            directory: TempDir::new().unwrap(),
        };
        std::fs::write(
            api.kubeconfig(),
            kubeconfig(&format!("{scheme}://127.0.0.1:{port}")),
        )
        .unwrap();
        api
    }

    pub(crate) fn kubeconfig(&self) -> PathBuf {
        self.directory.path().join("kubeconfig")
    }

    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }
}

/// A kubeconfig with two contexts, the current one in `default`.
pub(crate) fn kubeconfig(server: &str) -> String {
    json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "main",
        "clusters": [{"name": "c", "cluster": {"server": server}}],
        "users": [{"name": "u", "user": {}}],
        "contexts": [
            {"name": "main", "context": {"cluster": "c", "user": "u"}},
            {"name": "other", "context": {"cluster": "c", "user": "u", "namespace": "kube-system"}},
        ],
    })
    .to_string()
}

/// What is remembered of requests.
#[derive(Clone)]
struct Log {
    requests: Arc<Mutex<Vec<String>>>,
    callers: Arc<Mutex<Vec<Caller>>>,
}

fn accept(
    stream: TcpStream,
    tls: Option<Arc<ServerConfig>>,
    cluster: &Cluster,
    log: &Log,
) -> Option<()> {
    let Some(tls) = tls else {
        return converse(stream, None, cluster, log);
    };
    let mut stream = StreamOwned::new(ServerConnection::new(tls).ok()?, stream);
    while stream.conn.is_handshaking() {
        stream.conn.complete_io(&mut stream.sock).ok()?;
    }
    let certificates = stream.conn.peer_certificates().unwrap_or_default();
    let certificate = certificates.first().map(|der| der.to_vec());
    converse(stream, certificate, cluster, log)
}

fn converse(
    stream: impl Stream,
    certificate: Option<Vec<u8>>,
    cluster: &Cluster,
    log: &Log,
) -> Option<()> {
    let mut reader = BufReader::new(stream);
    loop {
        let mut request = String::new();
        if reader.read_line(&mut request).ok()? == 0 {
            return None;
        }
        let target = request.split(' ').nth(1)?.to_owned();
        let mut protobuf = false;
        let mut metadata_only = false;
        let mut caller = Caller {
            authorization: None,
            certificate: certificate.clone(),
        };
        loop {
            let mut header = String::new();
            reader.read_line(&mut header).ok()?;
            let line = header.trim();
            let header = line.to_lowercase();
            if header.is_empty() {
                break;
            }
            if header.starts_with("authorization:") {
                caller.authorization = line.split_once(": ").map(|(_, value)| value.to_owned());
            }
            if let Some(accept) = header.strip_prefix("accept:") {
                protobuf = accept
                    .trim()
                    .starts_with("application/vnd.kubernetes.protobuf");
                metadata_only = accept.contains("as=partialobjectmetadata");
            }
        }
        log.requests.lock().unwrap().push(target.clone());
        log.callers.lock().unwrap().push(caller);
        let mut reply = cluster.respond(&target, protobuf);
        if metadata_only {
            reduce_to_metadata(&mut reply);
        }
        let head = format!(
            "HTTP/1.1 {} X\r\nContent-Type: {}\r\nContent-Length: {}\r\n\r\n",
            reply.code,
            reply.content_type,
            reply.body.len()
        );
        let stream = reader.get_mut();
        stream.write_all(head.as_bytes()).ok()?;
        stream.write_all(&reply.body).ok()?;
        stream.flush().ok()?;
    }
}

/// Removes what is not metadata, as a server does for `as=PartialObjectMetadata`.
fn reduce_to_metadata(reply: &mut Reply) {
    let Ok(mut value) = serde_json::from_slice::<Value>(&reply.body) else {
        return;
    };
    let strip = |object: &mut Value| {
        if let Some(fields) = object.as_object_mut() {
            fields.retain(|field, _| field == "metadata");
        }
    };
    match value.get_mut("items").and_then(Value::as_array_mut) {
        Some(items) => items.iter_mut().for_each(strip),
        None if reply.code == 200 => strip(&mut value),
        None => {}
    }
    reply.body = value.to_string().into_bytes();
}

impl Cluster {
    fn respond(&self, target: &str, protobuf: bool) -> Reply {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        if let Some(reply) = self.replies.get(path) {
            return reply.clone();
        }
        let parameter = |name: &str| {
            let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            let found = pairs.into_iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| unescaped(value)).unwrap_or_default()
        };
        let labels: LabelSelector = parameter("labelSelector").parse().unwrap();
        let fields = parameter("fieldSelector");
        let segments: Vec<&str> = path.trim_matches('/').split('/').collect();
        match segments.as_slice() {
            ["api"] => self.legacy(),
            ["apis"] => self.groups(),
            ["apis", "metrics.k8s.io", version, rest @ ..] if self.versions.contains(version) => {
                let version = Version::from_path(version).unwrap();
                self.metrics(version, rest, &labels, &fields, protobuf)
            }
            ["api", "v1", rest @ ..] => self.core(rest, &labels, &fields),
            _ => Reply::text(404, "text/plain; charset=utf-8", "404 page not found\n"),
        }
    }

    fn legacy(&self) -> Reply {
        match self.discovery {
            Discovery::Aggregated => aggregated("", &["v1"]),
            Discovery::Old => Reply::json(&json!({"kind": "APIVersions", "versions": ["v1"]})),
        }
    }

    fn groups(&self) -> Reply {
        const GROUP: &str = "metrics.k8s.io";
        match self.discovery {
            Discovery::Aggregated => aggregated(GROUP, &self.versions),
            Discovery::Old => {
                let versions: Vec<Value> = self
                    .versions
                    .iter()
                    .map(|v| json!({"groupVersion": format!("{GROUP}/{v}"), "version": v}))
                    .collect();
                let group = json!({"name": GROUP, "versions": versions});
                let groups = if versions.is_empty() {
                    vec![]
                } else {
                    vec![group]
                };
                Reply::json(&json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}))
            }
        }
    }

    fn metrics(
        &self,
        version: Version,
        rest: &[&str],
        selector: &LabelSelector,
        fields: &str,
        protobuf: bool,
    ) -> Reply {
        if fields.contains("spec.") {
            let message = "\"spec.nodeName\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\"";
            return Reply::status(400, "BadRequest", message);
        }
        let selected = |labels: &Labels| selector.matches(labels);
        let encoded = |value: Value, bytes: Vec<u8>| {
            if protobuf {
                let content_type = "application/vnd.kubernetes.protobuf";
                Reply {
                    code: 200,
                    content_type,
                    body: bytes,
                }
            } else {
                Reply::json(&value)
            }
        };
        let pods_of = |namespace: &str| {
            let items = self.pod_metrics.iter().filter(|pod| {
                (namespace.is_empty() || pod.metadata.namespace == namespace)
                    && selected(&pod.metadata.labels)
                    && has_fields(&json!({"metadata": pod.metadata}), fields)
            });
            let list = PodMetricsList {
                kind: "PodMetricsList".into(),
                api_version: Some(version),
                metadata: ListMeta::default(),
                items: items.cloned().collect(),
            };
            encoded(serde_json::to_value(&list).unwrap(), list.to_protobuf())
        };
        match rest {
            ["nodes"] => {
                let items = self
                    .node_metrics
                    .iter()
                    .filter(|node| selected(&node.metadata.labels));
                let list = NodeMetricsList {
                    kind: "NodeMetricsList".into(),
                    api_version: Some(version),
                    metadata: ListMeta::default(),
                    items: items.cloned().collect(),
                };
                encoded(serde_json::to_value(&list).unwrap(), list.to_protobuf())
            }
            ["nodes", name] => {
                match self
                    .node_metrics
                    .iter()
                    .find(|node| node.metadata.name == *name)
                {
                    Some(node) => {
                        let node = NodeMetrics {
                            kind: "NodeMetrics".into(),
                            api_version: Some(version),
                            ..node.clone()
                        };
                        encoded(serde_json::to_value(&node).unwrap(), node.to_protobuf())
                    }
                    None => Reply::status(404, "NotFound", &format!("node {name:?} not found")),
                }
            }
            ["pods"] => pods_of(""),
            ["namespaces", namespace, "pods"] => pods_of(namespace),
            ["namespaces", namespace, "pods", name] => {
                let found = self
                    .pod_metrics
                    .iter()
                    .find(|pod| pod.metadata.namespace == *namespace && pod.metadata.name == *name);
                match found {
                    Some(pod) => {
                        let pod = PodMetrics {
                            kind: "PodMetrics".into(),
                            api_version: Some(version),
                            ..pod.clone()
                        };
                        encoded(serde_json::to_value(&pod).unwrap(), pod.to_protobuf())
                    }
                    None => {
                        let message =
                            format!("podmetrics.metrics.k8s.io \"{namespace}/{name}\" not found");
                        Reply::status(404, "NotFound", &message)
                    }
                }
            }
            _ => Reply::text(404, "text/plain; charset=utf-8", "404 page not found\n"),
        }
    }

    fn core(&self, rest: &[&str], labels: &LabelSelector, fields: &str) -> Reply {
        let list = |kind: &str, objects: &[Value], namespace: &str| {
            let items: Vec<Value> = objects
                .iter()
                .filter(|object| {
                    namespace.is_empty() || object["metadata"]["namespace"] == namespace
                })
                .filter(|object| labels.matches(&labels_of(object)) && has_fields(object, fields))
                .cloned()
                .collect();
            Reply::json(&json!({"kind": format!("{kind}List"), "apiVersion": "v1",
                "metadata": {"resourceVersion": "1"}, "items": items}))
        };
        let one = |what: &str, objects: &[Value], namespace: &str, name: &str| {
            let found = objects.iter().find(|object| {
                object["metadata"]["name"] == name
                    && (namespace.is_empty() || object["metadata"]["namespace"] == namespace)
            });
            match found {
                Some(object) => Reply::json(object),
                None => Reply::status(404, "NotFound", &format!("{what} {name:?} not found")),
            }
        };
        match rest {
            ["nodes"] => list("Node", &self.nodes, ""),
            ["nodes", name] => one("nodes", &self.nodes, "", name),
            ["pods"] => list("Pod", &self.pods, ""),
            ["namespaces", namespace, "pods"] => list("Pod", &self.pods, namespace),
            ["namespaces", namespace, "pods", name] => one("pods", &self.pods, namespace, name),
            _ => Reply::text(404, "text/plain; charset=utf-8", "404 page not found\n"),
        }
    }
}

fn aggregated(group: &str, versions: &[&str]) -> Reply {
    let resource = json!({"resource": "pods", "scope": "Namespaced", "verbs": ["get", "list"],
        "singularResource": "", "responseKind": {"group": "", "version": "", "kind": "PodMetrics"}});
    let versions: Vec<Value> = versions
        .iter()
        .map(|v| json!({"version": v, "resources": [resource], "freshness": "Current"}))
        .collect();
    let item = json!({"metadata": {"name": group}, "versions": versions});
    let items = if versions.is_empty() {
        vec![]
    } else {
        vec![item]
    };
    let list = json!({"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2",
        "metadata": {}, "items": items});
    Reply {
        content_type: "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList",
        ..Reply::json(&list)
    }
}

fn labels_of(object: &Value) -> Labels {
    let labels = object["metadata"]["labels"].as_object();
    let pairs = labels.into_iter().flatten();
    pairs
        .map(|(key, value)| (key.as_str(), value.as_str().unwrap()))
        .collect()
}

/// Field selectors of `=` and `!=` over any path of the object.
fn has_fields(object: &Value, selector: &str) -> bool {
    selector
        .split(',')
        .filter(|term| !term.is_empty())
        .all(|term| {
            let (path, value) = term.split_once('=').unwrap();
            let (path, expected) = match path.strip_suffix('!') {
                Some(path) => (path, false),
                None => (path, true),
            };
            let pointer = format!("/{}", path.replace('.', "/"));
            let actual = object
                .pointer(&pointer)
                .and_then(Value::as_str)
                .unwrap_or_default();
            (actual == value.trim_start_matches('=')) == expected
        })
}

fn unescaped(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'%' => {
                let digits = [rest.next().unwrap(), rest.next().unwrap()];
                let digits = std::str::from_utf8(&digits).unwrap();
                bytes.push(u8::from_str_radix(digits, 16).unwrap());
            }
            b'+' => bytes.push(b' '),
            byte => bytes.push(byte),
        }
    }
    String::from_utf8(bytes).unwrap()
}
