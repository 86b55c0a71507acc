//! `vitals top pods -A` as a whole process.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::process::{Cpu, Running};
use crate::report::Report;
use crate::server::Server;
use crate::sibling;
use crate::simulator::Simulator;

const RUNS: u32 = 5;

/// Measures the program on one server, without a kube-apiserver between them.
pub(crate) async fn top(
    server: &Server,
    cluster: &Simulator,
    folder: &Path,
    at: usize,
    report: &mut Report,
) {
    let kubeconfig = folder.join("direct.kubeconfig");
    let admin = std::fs::read_to_string(&cluster.admin_path).expect("a kubeconfig");
    std::fs::write(&kubeconfig, direct(&admin, &server.address)).expect("space on the disk");
    let (mut time, mut cpu, mut peak) = (Duration::ZERO, Cpu::default(), 0.0_f64);
    for _ in 0..RUNS {
        let began = Instant::now();
        let mut program = Running::start(
            Command::new(sibling("vitals"))
                .arg("--kubeconfig")
                .arg(&kubeconfig)
                .args(["top", "pods", "-A"])
                .stdout(Stdio::null()),
        );
        while !program.has_ended() {
            peak = peak.max(program.memory("VmHWM").unwrap_or_default());
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        time += began.elapsed();
        cpu = cpu + program.cpu();
        let status = program.child.wait().expect("the program has ended");
        assert!(status.success(), "vitals top pods -A: {status}");
    }
    report.set(at, "topTime", (time / RUNS).as_secs_f64());
    report.set(at, "topCpu", (cpu.total() / RUNS).as_secs_f64());
    report.set(at, "topPeak", peak);
}

/// The administrator's kubeconfig for a server whose certificate is its own.
fn direct(kubeconfig: &str, address: &str) -> String {
    let line = |line: &str| {
        let key = line.trim_start();
        let indent = &line[..line.len() - key.len()];
        if key.starts_with("server:") {
            format!("{indent}server: {address}\n")
        } else if key.starts_with("certificate-authority-data:") {
            format!("{indent}insecure-skip-tls-verify: true\n")
        } else {
            format!("{line}\n")
        }
    };
    kubeconfig.lines().map(line).collect()
}
