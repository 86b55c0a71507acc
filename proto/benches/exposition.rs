//! Throughput of the reader of pods' pages in each format: one family of 50 kept, and all families kept.

#[path = "../tests/shared/expositions.rs"]
mod expositions;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use expositions::{NODE_EXPORTER, openmetrics, page, visit};
use kubevitals_proto::exposition::Format;
use std::hint::black_box;

fn exposition(c: &mut Criterion) {
    let exporter = openmetrics(NODE_EXPORTER).into_bytes();
    let mut group = c.benchmark_group("exposition");
    for (name, format, exporter) in [
        ("text", Format::Text, NODE_EXPORTER.as_bytes()),
        ("OpenMetrics", Format::OpenMetrics, &exporter),
        ("protobuf", Format::Protobuf, &[]),
    ] {
        let page = page(format);
        let cases = [
            ("1 family of 50 kept", page.as_slice(), false),
            ("all kept", page.as_slice(), true),
            ("node exporter, all kept", exporter, true),
        ];
        for (case, page, all) in cases.into_iter().filter(|(_, page, _)| !page.is_empty()) {
            group.throughput(Throughput::Bytes(page.len() as u64));
            group.bench_function(format!("{name}, {case}"), |b| {
                b.iter(|| {
                    let visited = visit(black_box(page), format, all);
                    black_box((visited.labels, visited.bytes, visited.sum))
                });
            });
        }
    }
    group.finish();
}

criterion_group!(benches, exposition);
criterion_main!(benches);
