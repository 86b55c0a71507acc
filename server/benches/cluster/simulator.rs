//! The simulated cluster: a process of its own.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use kube::config::Kubeconfig;
use serde::Deserialize;
use serde_json::Value;

use crate::client::Client;
use crate::process::Running;
use crate::sibling;

/// Pods in a response of the API server.
const PAGE: usize = 5000;

/// A running `vitals-sim`.
pub(crate) struct Simulator {
    pub(crate) process: Running,
    pub(crate) nodes: usize,
    pub(crate) pods_per_node: usize,
    /// The administrator's kubeconfig.
    pub(crate) admin: Kubeconfig,
    /// The path of the administrator's kubeconfig.
    pub(crate) admin_path: PathBuf,
    /// The path of the kubeconfig of the server's service account.
    pub(crate) server_path: PathBuf,
    /// The API server.
    pub(crate) client: Client,
    /// The bearer token of the server's service account.
    token: String,
    kubelet_port: u64,
}

/// A node, and where its kubelet is.
pub(crate) struct Node {
    pub(crate) name: String,
    pub(crate) address: String,
}

/// A client of all kubelets.
pub(crate) struct Kubelets {
    client: reqwest::Client,
    token: String,
    port: u64,
}

impl Kubelets {
    /// `/metrics/resource` of a node.
    pub(crate) async fn page(&self, node: &Node) -> Vec<u8> {
        let url = format!("https://{}:{}/metrics/resource", node.address, self.port);
        let request = self.client.get(url).bearer_auth(&self.token);
        let response = request
            .send()
            .await
            .and_then(reqwest::Response::error_for_status);
        let body = response.expect("a page").bytes().await;
        body.expect("a page").to_vec()
    }
}

/// A pod: its name, its UID, and where it exposes metrics.
#[derive(Deserialize)]
pub(crate) struct Pod {
    pub(crate) metadata: PodMetadata,
    pub(crate) status: PodStatus,
}

#[derive(Deserialize)]
pub(crate) struct PodMetadata {
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) uid: String,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
}

#[derive(Deserialize)]
pub(crate) struct PodStatus {
    #[serde(rename = "podIP")]
    pod_ip: Option<String>,
}

impl Pod {
    /// The address and port where it exposes metrics of its own, if it does.
    pub(crate) fn endpoint(&self) -> Option<String> {
        let port = self.metadata.annotations.get("prometheus.io/port")?;
        Some(format!("{}:{port}", self.status.pod_ip.as_ref()?))
    }
}

#[derive(Deserialize)]
struct PodList {
    metadata: ListMetadata,
    items: Vec<Pod>,
}

#[derive(Deserialize)]
struct ListMetadata {
    #[serde(rename = "continue", default)]
    continue_token: String,
}

impl Simulator {
    /// Starts a cluster without faults, with `options` more. It forwards the aggregated APIs to `port`.
    pub(crate) fn start(nodes: usize, pods_per_node: usize, port: u16, options: &[String]) -> Self {
        let mut process = Running::start(
            Command::new(sibling("vitals-sim"))
                .args(["--nodes", &nodes.to_string()])
                .args(["--pods-per-node", &pods_per_node.to_string()])
                .args(["--seed", "1", "--no-faults"])
                .args(["--aggregate", &format!("127.0.0.1:{port}")])
                .args(options)
                .stdout(Stdio::piped()),
        );
        let mut line = String::new();
        BufReader::new(process.child.stdout.take().unwrap())
            .read_line(&mut line)
            .expect("vitals-sim prints its addresses");
        let started: Value = serde_json::from_str(&line).expect("one line of JSON");
        let text = |name: &str| started[name].as_str().expect("a string");
        let admin_path = PathBuf::from(text("kubeconfig"));
        let admin = Kubeconfig::read_from(&admin_path).expect("the administrator's kubeconfig");
        let token = std::fs::read_to_string(text("token")).expect("the server's token");
        Self {
            process,
            nodes,
            pods_per_node,
            client: Client::new(text("api_url"), &admin),
            admin,
            admin_path,
            server_path: PathBuf::from(text("server_kubeconfig")),
            token: token.trim().to_owned(),
            kubelet_port: started["kubelet_port"].as_u64().expect("a port"),
        }
    }

    /// Makes the simulator do once what it does at most once: issue a certificate for each kubelet, and encode each pod
    /// in protobuf. Otherwise the first server would wait for that.
    pub(crate) async fn warm_up(&self) {
        let kubelets = self.kubelets();
        for node in self.node_list().await {
            kubelets.page(&node).await;
        }
        let protobuf = "application/vnd.kubernetes.protobuf";
        let pods = self.client.discard("/api/v1/pods", protobuf).await;
        pods.expect("pods in protobuf");
    }

    /// A client of all kubelets.
    pub(crate) fn kubelets(&self) -> Kubelets {
        let client = reqwest::Client::builder()
            .tls_danger_accept_invalid_certs(true)
            .pool_max_idle_per_host(0)
            .build()
            .unwrap();
        Kubelets {
            client,
            token: self.token.clone(),
            port: self.kubelet_port,
        }
    }

    /// All nodes, by name.
    pub(crate) async fn node_list(&self) -> Vec<Node> {
        let list = self.client.json("/api/v1/nodes").await.expect("nodes");
        let nodes = list["items"].as_array().expect("items").iter().map(|node| {
            let addresses = node["status"]["addresses"].as_array().expect("addresses");
            let internal = addresses.iter().find(|it| it["type"] == "InternalIP");
            let text = |value: &Value| value.as_str().expect("a string").to_owned();
            Node {
                name: text(&node["metadata"]["name"]),
                address: text(&internal.expect("an InternalIP")["address"]),
            }
        });
        let mut nodes: Vec<Node> = nodes.collect();
        nodes.sort_by(|a, b| a.name.cmp(&b.name));
        nodes
    }

    /// Calls `each` with every pod.
    pub(crate) async fn for_each_pod(&self, mut each: impl FnMut(Pod)) {
        let mut token = String::new();
        loop {
            let path = format!("/api/v1/pods?limit={PAGE}&continue={token}");
            let response = self.client.get(&path, "application/json").await;
            let body = response.expect("pods").bytes().await.expect("pods");
            let list: PodList = serde_json::from_slice(&body).expect("a list of pods");
            list.items.into_iter().for_each(&mut each);
            token = list.metadata.continue_token;
            if token.is_empty() {
                return;
            }
        }
    }

    /// The paths under which HPAs would list the pods of their workloads: by namespace and label selector.
    pub(crate) async fn selector_paths(&self) -> Vec<String> {
        let list = self.client.json("/apis/apps/v1/deployments").await;
        let list = list.expect("deployments");
        let deployments = list["items"].as_array().expect("items").iter();
        let paths = deployments.filter_map(|deployment| {
            let namespace = deployment["metadata"]["namespace"].as_str()?;
            let labels = deployment["spec"]["selector"]["matchLabels"].as_object()?;
            let terms = labels
                .iter()
                .map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()));
            let selector = terms.collect::<Vec<_>>().join(",");
            let query = form_urlencoded::Serializer::new(String::new())
                .append_pair("labelSelector", &selector)
                .finish();
            Some(format!(
                "/apis/metrics.k8s.io/v1beta1/namespaces/{namespace}/pods?{query}"
            ))
        });
        paths.collect()
    }
}
