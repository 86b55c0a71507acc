//! System calls per scrape. strace slows a server down, so this is a phase of its own.

use std::process::{Command, Stdio};
use std::time::Duration;

use super::scraping::Moment;
use crate::report::Report;
use crate::server::Server;

/// Counts system calls for `window`, if strace is installed and may trace the server.
pub(crate) async fn system_calls(
    server: &Server,
    window: Duration,
    at: usize,
    report: &mut Report,
) {
    let before = Moment::first(server).await;
    let seconds = window.as_secs().to_string();
    let strace = Command::new("timeout")
        .args(["--signal=INT", &*seconds, "strace", "-c", "-f", "-p"])
        .arg(server.process.id().to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn();
    let output = tokio::task::spawn_blocking(move || strace.and_then(|it| it.wait_with_output()));
    let Ok(Ok(output)) = output.await else {
        return println!("strace cannot be started: no system calls are counted");
    };
    let succeeded = Moment::last(server).await.succeeded(&before);
    let summary = String::from_utf8_lossy(&output.stderr);
    let lines = summary.lines().filter(|line| !line.starts_with("strace:"));
    let summary = lines.collect::<Vec<_>>().join("\n");
    match total(&summary) {
        Some(calls) if succeeded > 0.0 => {
            report.set(at, "systemCalls", calls / succeeded);
            println!(
                "system calls of {}, {succeeded} scrapes:\n{summary}",
                server.name
            );
        }
        _ => println!("strace has counted nothing: {summary}"),
    }
}

/// The number of calls in strace's last line: `100.00 SECONDS [USECS/CALL] CALLS [ERRORS] total`.
fn total(summary: &str) -> Option<f64> {
    let line = summary.lines().find(|line| line.ends_with(" total"))?;
    let fields: Vec<&str> = line.split_whitespace().collect();
    fields.get(3)?.parse().ok()
}
