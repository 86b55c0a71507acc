//! Full lists: their cost for the server and the latency for a client.

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{ACCEPT, ACCEPT_ENCODING};
use kube::config::Kubeconfig;
use secrecy::ExposeSecret;
use serde_json::Value;

use crate::process::Running;

/// In turn for CPU and time, and at once for memory.
const LISTS: usize = 10;

const PODS: &str = "/apis/metrics.k8s.io/v1beta1/pods";

/// A client of the server with the identity of the cluster administrator.
pub(crate) struct Client {
    client: reqwest::Client,
    port: u16,
}

/// The measurements of one list.
struct Taken {
    /// The time to the first byte of the body.
    first_byte: Duration,
    bytes: usize,
}

impl Client {
    /// With the client certificate of the kubeconfig.
    pub(crate) fn new(port: u16, admin: &Kubeconfig) -> Self {
        let user = admin.auth_infos[0].auth_info.as_ref().expect("a user");
        let decode = |text: &str| STANDARD.decode(text).expect("base64");
        let mut pem = decode(
            user.client_certificate_data
                .as_ref()
                .expect("a certificate"),
        );
        pem.extend(decode(
            user.client_key_data
                .as_ref()
                .expect("a key")
                .expose_secret(),
        ));
        let client = reqwest::Client::builder()
            .tls_danger_accept_invalid_certs(true)
            .identity(reqwest::Identity::from_pem(&pem).expect("a certificate and its key"))
            .http1_only()
            .build()
            .unwrap();
        Self { client, port }
    }

    pub(crate) async fn get(&self, path: &str) -> reqwest::Result<reqwest::Response> {
        let url = format!("https://127.0.0.1:{}{path}", self.port);
        self.client.get(url).send().await
    }

    pub(crate) async fn json(&self, path: &str) -> Value {
        let body = self.get(path).await.unwrap().bytes().await.unwrap();
        serde_json::from_slice(&body).expect("JSON")
    }

    /// The number of items of a list.
    pub(crate) async fn items(&self, path: &str) -> usize {
        self.json(path).await["items"]
            .as_array()
            .map_or(0, Vec::len)
    }

    /// Reads and discards a complete list.
    async fn list(&self, accept: &str) -> Taken {
        let began = Instant::now();
        let mut answer = self
            .client
            .get(format!("https://127.0.0.1:{}{PODS}", self.port))
            .header(ACCEPT, accept)
            .header(ACCEPT_ENCODING, "identity")
            .send()
            .await
            .and_then(reqwest::Response::error_for_status)
            .expect("a list");
        let (mut first_byte, mut bytes) = (None, 0);
        while let Some(chunk) = answer.chunk().await.expect("a whole list") {
            first_byte.get_or_insert_with(|| began.elapsed());
            bytes += chunk.len();
        }
        Taken {
            first_byte: first_byte.expect("a body"),
            bytes,
        }
    }
}

/// What a list may cost, in milliseconds of CPU, at the latest by the end of the performance work; for clusters of
/// other sizes in proportion.
fn limit(pods: usize, form: &str) -> f64 {
    let (at_30_000, at_150_000) = match form {
        "JSON" => (60.0, 350.0),
        _ => (40.0, 200.0),
    };
    let pods = pods as f64;
    if pods <= 30_000.0 {
        at_30_000 * pods / 30_000.0
    } else {
        at_150_000 * pods / 150_000.0
    }
}

/// The limit of additional memory for ten concurrent lists, in MiB.
const ADDED: f64 = 40.0;

fn verdict(found: f64, limit: f64) -> String {
    let word = if found <= limit { "within" } else { "OVER" };
    format!("{word} {limit:.0}")
}

/// Ten lists one after another, then ten at once, in each form.
pub(crate) async fn measure(server: &Running, client: &Client, pods: usize) {
    // The simulator's names are random: of 150,000 pods two may have the same, and be one.
    let listed = client.items(PODS).await;
    println!("pods with metrics           {listed:>10} of {pods}");
    assert!(listed * 1000 >= pods * 999, "pods are missing");
    for (name, accept) in [
        ("JSON", "application/json"),
        ("protobuf", "application/vnd.kubernetes.protobuf"),
    ] {
        let (cpu, at) = (server.cpu(), Instant::now());
        let mut first_bytes = Vec::new();
        let mut bytes = 0;
        for _ in 0..LISTS {
            let taken = client.list(accept).await;
            first_bytes.push(taken.first_byte);
            bytes = taken.bytes;
        }
        let each = |time: Duration| time.as_secs_f64() * 1000.0 / LISTS as f64;
        first_bytes.sort();
        let alone = each(server.cpu() - cpu);
        println!(
            "list of {pods} pods, {name:<9}{:>8.1} ms CPU ({}), {:.1} ms, first byte {:.1} ms (median), {:.1} MB",
            alone,
            verdict(alone, limit(pods, name)),
            each(at.elapsed()),
            first_bytes[LISTS / 2].as_secs_f64() * 1000.0,
            bytes as f64 / 1e6,
        );
        let before = server.memory("VmRSS");
        server.forget_peak();
        let (cpu, at) = (server.cpu(), Instant::now());
        let taken = futures::future::join_all((0..LISTS).map(|_| client.list(accept))).await;
        let peak = server.memory("VmHWM") - before;
        let slowest = taken.iter().map(|taken| taken.first_byte).max().unwrap();
        println!(
            "    ten at once             {:>8.1} ms CPU each, {:.1} ms all, first byte {:.1} ms (slowest), {:+.1} MiB at the peak ({}), {:+.1} after",
            each(server.cpu() - cpu),
            at.elapsed().as_secs_f64() * 1000.0,
            slowest.as_secs_f64() * 1000.0,
            peak,
            verdict(peak, ADDED),
            server.memory("VmRSS") - before,
        );
    }
}
