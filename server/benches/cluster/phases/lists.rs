//! Full lists while scraping continues: ten one after another for CPU and time, ten at once for memory.

use std::time::Instant;

use super::{PODS, milliseconds, per_request};
use crate::report::Report;
use crate::server::Server;
use crate::simulator::Simulator;

const LISTS: usize = 10;

/// Measures the lists of one server, in JSON and in protobuf.
pub(crate) async fn lists(server: &Server, cluster: &Simulator, at: usize, report: &mut Report) {
    let pods = cluster.nodes * cluster.pods_per_node;
    let listed = server.client.items(PODS).await;
    // The simulator's names are random: of 150,000 pods two may have the same, and be one.
    if listed * 1000 < pods * 999 {
        server.fail(&format!("lists {listed} of {pods} pods"));
    }
    list(server, at, "json", "application/json", report).await;
    let protobuf = "application/vnd.kubernetes.protobuf";
    list(server, at, "protobuf", protobuf, report).await;
}

async fn list(server: &Server, at: usize, form: &str, accept: &str, report: &mut Report) {
    let list = || async {
        let list = server.client.discard(PODS, accept).await;
        list.unwrap_or_else(|error| server.fail(&format!("a full list: {error}")))
    };
    let (cpu, began) = (server.process.cpu(), Instant::now());
    let mut first_bytes = Vec::new();
    let (mut total, mut bytes) = (0.0, 0);
    for _ in 0..LISTS {
        let response = list().await;
        first_bytes.push(response.first_byte);
        total += milliseconds(response.total);
        bytes = response.bytes;
    }
    let used = server.process.cpu() - cpu;
    let cpu = per_request(report, at, used, began.elapsed(), LISTS);
    let mut set = |what: &str, value: f64| report.set(at, &format!("{form}{what}"), value);
    set("Cpu", cpu);
    set("Time", total / LISTS as f64);
    set(
        "FirstByte",
        super::quantile(&mut first_bytes, 0.5).unwrap_or_default(),
    );
    set("Size", bytes as f64 / 1e6);

    let memory = |line| server.process.memory(line).unwrap_or_default();
    let before = memory("VmRSS");
    server.process.reset_peak();
    let (cpu, began) = (server.process.cpu(), Instant::now());
    futures::future::join_all((0..LISTS).map(|_| list())).await;
    let used = server.process.cpu() - cpu;
    let cpu = per_request(report, at, used, began.elapsed(), LISTS);
    let mut set = |what: &str, value: f64| report.set(at, &format!("{form}{what}"), value);
    set("TenCpu", cpu);
    set("TenAdded", memory("VmHWM") - before);
    set("TenAfter", memory("VmRSS") - before);
}
