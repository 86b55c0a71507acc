//! What the rules say of each pod of the table.

use std::collections::BTreeMap;
use std::sync::Arc;

use kubevitals_proto::objects::{Pod, Pools, Resources, WireJob, WirePod};
use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::ProbesInWords;

use crate::cases::{self, Said, amounts};

fn text(resources: Resources) -> Option<String> {
    let millicores = resources.cpu.map(|cpu| cpu.0 / 1_000_000);
    Some(amounts(millicores, resources.memory.map(|memory| memory.0)))
}

fn probes(pod: &Pod) -> String {
    let now = Timestamp::from_secs(1_800_000_000);
    let all = pod.containers().flat_map(|(spec, status)| {
        let probes = spec.probes();
        probes.map(move |(kind, probe)| (kind, probe.status(kind, status, now)))
    });
    ProbesInWords::of(all).to_string()
}

#[test]
fn the_rules_agree_with_the_table_of_cases() {
    let pools = Pools::default();
    let jobs = cases::jobs().into_iter().filter_map(|job| {
        let job: WireJob = serde_json::from_value(job).unwrap();
        let job = job.convert(&pools)?;
        Some((job.key.clone(), Arc::new(job)))
    });
    let jobs: BTreeMap<_, _> = jobs.collect();
    cases::check("rules", |case| {
        let pod: WirePod = serde_json::from_value(case.pod.clone()).unwrap();
        let pod = pod.convert(&pools).unwrap();
        let line = pod.summary();
        let resize = pod.resize();
        let workload = pod.workload(|key| jobs.get(key)).unwrap_or_default();
        Said {
            line: Some(format!(
                "{}/{} {} {}",
                line.ready, line.containers, line.status, line.restarts
            )),
            requests: text(pod.in_force().requests()),
            limits: text(pod.in_force().bound()),
            counted: text(resize.map_or_else(|| pod.template.requests(), |it| it.requests)),
            summed: text(resize.map_or_else(|| pod.template.limits(), |it| it.limits)),
            workload: Some(format!("{} {}", workload.0, workload.1).trim().to_owned()),
            probes: Some(probes(&pod)),
        }
    });
}
