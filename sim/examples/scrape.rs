//! What serving costs: starts `vitals-sim` as a process of its own, scrapes every kubelet of it over kept connections
//! for some rounds, and prints the CPU time and memory that process took.
//!
//! `cargo build --release -p kubevitals-sim && cargo run --release -p kubevitals-sim --example scrape -- 1000 30 4`:
//! nodes, pods a node, rounds of 15 s, and `h2` if that is to be spoken.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a measurement that cannot go on ends"
)]

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use http::Request;
use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper_util::rt::{TokioExecutor, TokioIo};
use kubevitals_sim::{node_address, pki};
use rustls_pki_types::ServerName;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

const EVERY: Duration = Duration::from_secs(15);

#[tokio::main]
async fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let number = |n: usize, or: u64| args.get(n).map_or(or, |a| a.parse().unwrap());
    let (nodes, pods, rounds) = (number(0, 100), number(1, 30), number(2, 4));
    let h2 = args.get(3).is_some_and(|a| a == "h2");
    let program = std::env::current_exe().unwrap();
    let program = program
        .parent()
        .unwrap()
        .parent()
        .unwrap()
        .join("vitals-sim");
    let mut sim = Command::new(program)
        .args([
            "--nodes",
            &nodes.to_string(),
            "--pods-per-node",
            &pods.to_string(),
        ])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(sim.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let ready: Value = serde_json::from_str(&line).unwrap();
    let (cpu, memory) = usage(sim.id());
    println!("started: {cpu:.2} s CPU, {memory:.0} MiB");
    let token = std::fs::read_to_string(ready["token"].as_str().unwrap()).unwrap();
    let ca = std::fs::read_to_string(ready["ca"].as_str().unwrap()).unwrap();
    let port = u16::try_from(ready["kubelet_port"].as_u64().unwrap()).unwrap();
    let mut tls = rustls::ClientConfig::builder_with_provider(pki::provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(pki::roots(&ca).unwrap())
        .with_no_client_auth();
    tls.alpn_protocols = vec![if h2 {
        b"h2".to_vec()
    } else {
        b"http/1.1".to_vec()
    }];
    let (tls, token) = (Arc::new(tls), Arc::new(token));
    let tasks: Vec<_> = (0..nodes)
        .map(|n| {
            let address = SocketAddr::new(node_address(usize::try_from(n).unwrap()).into(), port);
            let (tls, token) = (tls.clone(), token.clone());
            let phase = EVERY * u32::try_from(n).unwrap() / u32::try_from(nodes).unwrap();
            tokio::spawn(scrape(address, tls, token, phase, rounds))
        })
        .collect();
    // The first round connects; what is measured is the steady state after it.
    tokio::time::sleep(EVERY + Duration::from_secs(1)).await;
    let (connected, _) = usage(sim.id());
    tokio::time::sleep(EVERY * u32::try_from(rounds - 1).unwrap()).await;
    let (after, memory) = usage(sim.id());
    let mut bytes = 0;
    for task in tasks {
        bytes += task.await.unwrap();
    }
    let seconds = EVERY.as_secs_f64() * (rounds - 1) as f64;
    println!(
        "{nodes} nodes x {pods} pods: connecting {:.2} s CPU; then {:.1} millicores, {memory:.0} MiB, {} bytes a page",
        connected - cpu,
        (after - connected) / seconds * 1e3,
        bytes / (nodes * rounds),
    );
    Command::new("kill")
        .arg(sim.id().to_string())
        .status()
        .unwrap();
    sim.wait().unwrap();
}

async fn scrape(
    address: SocketAddr,
    tls: Arc<rustls::ClientConfig>,
    token: Arc<String>,
    phase: Duration,
    rounds: u64,
) -> u64 {
    let mut next = tokio::time::interval_at(tokio::time::Instant::now() + phase, EVERY);
    let h2 = tls.alpn_protocols.iter().any(|p| p == b"h2");
    next.tick().await;
    let stream = TcpStream::connect(address).await.unwrap();
    let name = ServerName::from(address.ip());
    let io = TokioIo::new(TlsConnector::from(tls).connect(name, stream).await.unwrap());
    let request = || {
        let path = "/metrics/resource";
        let builder = if h2 {
            Request::get(format!("https://{address}{path}"))
        } else {
            Request::get(path).header("host", address.to_string())
        };
        let builder = builder.header("authorization", format!("Bearer {}", token.trim()));
        builder.body(Empty::<Bytes>::new()).unwrap()
    };
    let mut bytes = 0;
    if h2 {
        let (mut send, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), io)
                .await
                .unwrap();
        tokio::spawn(connection);
        for round in 0..rounds {
            if round > 0 {
                next.tick().await;
            }
            let body = send.send_request(request()).await.unwrap().into_body();
            bytes += body.collect().await.unwrap().to_bytes().len() as u64;
        }
    } else {
        let (mut send, connection) = hyper::client::conn::http1::handshake(io).await.unwrap();
        tokio::spawn(connection);
        for round in 0..rounds {
            if round > 0 {
                next.tick().await;
            }
            let body = send.send_request(request()).await.unwrap().into_body();
            bytes += body.collect().await.unwrap().to_bytes().len() as u64;
        }
    }
    bytes
}

/// CPU seconds and resident MiB of a process.
fn usage(pid: u32) -> (f64, f64) {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit_once(") ").unwrap().1.split(' ').collect();
    let ticks: f64 = fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap();
    let pages: f64 = fields[21].parse().unwrap();
    (ticks / 100.0, pages * 4096.0 / 1_048_576.0)
}
