//! Throughput of the `/metrics/resource` decoder on a node of 30 pods and 45 containers.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use kubevitals_proto::kubelet::resource::{ResourceScrape, decode};
use std::hint::black_box;

const FIXTURE: &str = include_str!("../tests/fixtures/kubelet-1.36/metrics-resource.txt");

/// The fixture's families and values, for other names: 30 pods, every second one with two
/// containers, sorted as a kubelet sorts.
fn node() -> String {
    let mut body = String::new();
    for block in FIXTURE.split("# HELP ").skip(1) {
        let mut lines = block.lines();
        let (help, kind) = (
            lines.next().unwrap_or_default(),
            lines.next().unwrap_or_default(),
        );
        body += &format!("# HELP {help}\n{kind}\n");
        let samples: Vec<&str> = lines.collect();
        let Some(first) = samples.first() else {
            continue;
        };
        if !first.contains('{') {
            body += &format!("{first}\n");
            continue;
        }
        let family = first.split('{').next().unwrap_or_default();
        let mut values = samples
            .iter()
            .filter_map(|sample| sample.split("} ").nth(1))
            .cycle();
        let mut series = Vec::new();
        for pod in 0..30 {
            let labels = format!(
                "namespace=\"team-{}\",pod=\"service-{}-7dc96bb78d-{:05x}\"",
                pod % 4,
                pod / 3,
                pod * 7919
            );
            if family.starts_with("pod_") {
                series.push(format!("{{{labels}}}"));
                continue;
            }
            for container in ["app", "sidecar"].iter().take(1 + pod % 2) {
                series.push(format!("{{container=\"{container}\",{labels}}}"));
            }
        }
        series.sort();
        for labels in series {
            body += &format!("{family}{labels} {}\n", values.next().unwrap_or("0"));
        }
    }
    body
}

fn resource(c: &mut Criterion) {
    let mut group = c.benchmark_group("metrics-resource");
    for (name, body) in [
        ("45 containers", node()),
        ("fixture, 11 containers", FIXTURE.to_owned()),
    ] {
        group.throughput(Throughput::Bytes(body.len() as u64));
        group.bench_function(name, |b| {
            let mut scrape = ResourceScrape::default();
            b.iter(|| {
                decode(black_box(body.as_bytes()), &mut scrape);
                black_box(scrape.series)
            });
            assert_eq!(scrape.skipped_lines, 0);
        });
    }
    group.finish();
}

criterion_group!(benches, resource);
criterion_main!(benches);
