//! Throughput of the reader of pods' pages: 500 series of which 3 are kept, and all of them.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use kubevitals_proto::exposition::{
    Family, Format, Limits, NativeHistogram, Sample, Visitor, read,
};
use std::hint::black_box;

/// A page as the Prometheus client for Go writes it: 50 families of 10 series.
fn page() -> String {
    let mut page = String::new();
    for family in 0..50 {
        let name = format!("http_server_subsystem_{family}_requests_total");
        page += &format!("# HELP {name} Requests that the subsystem has answered.\n");
        page += &format!("# TYPE {name} counter\n");
        for series in 0..10 {
            page += &format!(
                "{name}{{code=\"{}\",handler=\"/api/v1/items/{series}\",method=\"get\"}} {}\n",
                200 + series,
                (family * 7919 + series) * 104_729
            );
        }
    }
    page
}

/// Takes the samples of all families, or of the first series of three.
struct Keep {
    all: bool,
    sum: f64,
    labels: usize,
}

impl Visitor for Keep {
    fn wants(&mut self, family: &Family<'_>) -> bool {
        self.all || family.name == "http_server_subsystem_25_requests_total"
    }

    fn sample(&mut self, _: &Family<'_>, sample: &Sample<'_>) {
        self.sum += sample.value;
        self.labels += sample.labels.iter().count();
    }

    fn native_histogram(&mut self, _: &Family<'_>, _: &NativeHistogram<'_>) {}
}

fn exposition(c: &mut Criterion) {
    let page = page();
    let openmetrics = page.replace("_total counter", " counter") + "# EOF\n";
    let mut group = c.benchmark_group("exposition");
    for (name, format, all) in [
        ("text, 1 family of 50 kept", Format::Text, false),
        ("text, all kept", Format::Text, true),
        (
            "OpenMetrics, 1 family of 50 kept",
            Format::OpenMetrics,
            false,
        ),
        ("OpenMetrics, all kept", Format::OpenMetrics, true),
    ] {
        let body = match format {
            Format::OpenMetrics => &openmetrics,
            _ => &page,
        };
        group.throughput(Throughput::Bytes(body.len() as u64));
        group.bench_function(name, |b| {
            b.iter(|| {
                let mut visitor = Keep {
                    all,
                    sum: 0.0,
                    labels: 0,
                };
                let report = read(
                    black_box(body.as_bytes()),
                    format,
                    Limits::default(),
                    &mut visitor,
                );
                black_box((visitor.sum, visitor.labels));
                report.map_or(0, |report| report.malformed)
            });
        });
    }
    group.finish();
}

criterion_group!(benches, exposition);
criterion_main!(benches);
