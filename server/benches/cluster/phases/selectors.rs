//! Lists of the pods of one workload by namespace and label selector, as an HPA requests them.

use std::time::Instant;

use crate::report::Report;
use crate::server::Server;

const LISTS: usize = 500;

/// Measures such lists one after another.
pub(crate) async fn selectors(server: &Server, paths: &[String], at: usize, report: &mut Report) {
    let (cpu, began) = (server.process.cpu(), Instant::now());
    let mut latencies = Vec::new();
    for path in paths.iter().cycle().take(LISTS) {
        match server.client.discard(path, "application/json").await {
            Ok(response) => latencies.push(response.total),
            Err(error) => server.fail(&format!("a list by selector: {error}")),
        }
    }
    let used = server.process.cpu() - cpu;
    let cpu = super::per_request(report, at, used, began.elapsed(), LISTS);
    report.set(at, "selectorCpu", cpu);
    report.set(at, "selectorP50", super::quantile(&mut latencies, 0.5));
    report.set(at, "selectorP99", super::quantile(&mut latencies, 0.99));
}
