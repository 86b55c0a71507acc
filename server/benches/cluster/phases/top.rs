//! `vitals top pods -A` and `kubectl top pods -A` as whole processes.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::process::Running;
use crate::report::Report;
use crate::server::Server;
use crate::sibling;
use crate::simulator::Simulator;

const RUNS: u32 = 5;

/// What a program took, on average over its runs.
#[derive(Clone, Copy, Debug, Default)]
struct Cost {
    time: Duration,
    cpu: Duration,
    /// The most memory of all runs, in MiB.
    peak: f64,
}

/// Measures both programs in turn on one server, without a kube-apiserver between them.
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
    let vitals = sibling("vitals");
    let kubectl = Path::new("kubectl");
    let has_kubectl = Command::new(kubectl).arg("help").output().is_ok();
    let (mut ours, mut theirs) = (Cost::default(), Cost::default());
    for _ in 0..RUNS {
        run(&vitals, &kubeconfig, &mut ours).await;
        if has_kubectl {
            run(kubectl, &kubeconfig, &mut theirs).await;
        }
    }
    report.set(at, "topTime", ours.time.as_secs_f64());
    report.set(at, "topCpu", ours.cpu.as_secs_f64());
    report.set(at, "topPeak", ours.peak);
    if has_kubectl {
        report.set(at, "kubectlTime", theirs.time.as_secs_f64());
        report.set(at, "kubectlPeak", theirs.peak);
        let ratio = theirs.time.as_secs_f64() / ours.time.as_secs_f64();
        report.set(at, "kubectlTimeRatio", ratio);
        report.set(at, "kubectlPeakRatio", theirs.peak / ours.peak);
    }
}

/// Runs `top pods -A` once, and adds what it took.
async fn run(program: &Path, kubeconfig: &Path, cost: &mut Cost) {
    let began = Instant::now();
    let mut running = Running::start(
        Command::new(program)
            .arg("--kubeconfig")
            .arg(kubeconfig)
            .args(["top", "pods", "-A"])
            .stdout(Stdio::null()),
    );
    while !running.has_ended() {
        let peak = running.memory("VmHWM").unwrap_or_default();
        cost.peak = cost.peak.max(peak);
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    cost.time += began.elapsed() / RUNS;
    cost.cpu += running.cpu().total() / RUNS;
    let status = running.child.wait().expect("the program has ended");
    assert!(
        status.success(),
        "{} top pods -A: {status}",
        program.display()
    );
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
