//! Benchmark of one scrape after its response: decoding, merging and publishing.
//!
//! A node of 30 pods and 45 containers in the form and order of a 1.36 kubelet; every scrape brings a new point of each.

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::Duration;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use kubevitals_proto::kubelet::resource::{ResourceScrape, decode};
use kubevitals_server::clock::Age;
use kubevitals_server::intern::Interner;
use kubevitals_server::store::{NodeCell, NodeSeries, ScrapeTimes};

const RESOLUTION: Duration = Duration::from_secs(15);
const PODS: usize = 30;

/// The `turn`-th scrape.
fn page(turn: u64) -> String {
    let at = 1_800_000_000_000 + turn * 15_000;
    let pod = |pod| format!("namespace=\"shop\",pod=\"web-7dbd77488b-{pod:05}\"}}");
    let labels = |name: &str, n| format!("{{container=\"{name}\",{}", pod(n));
    // Every second pod has a sidecar. A kubelet sorts by container first.
    let sidecars = (0..PODS).step_by(2).map(|n| labels("mesh-proxy", n));
    let containers: Vec<String> = sidecars
        .chain((0..PODS).map(|n| labels("web", n)))
        .collect();
    let mut page = String::new();
    let mut line = |text: std::fmt::Arguments<'_>| {
        // Writing to a String cannot fail.
        let _written = page.write_fmt(text);
    };
    line(format_args!(
        "# TYPE container_cpu_usage_seconds_total counter\n"
    ));
    for labels in &containers {
        line(format_args!(
            "container_cpu_usage_seconds_total{labels} {}.020480829 {at}\n",
            100 + turn
        ));
    }
    line(format_args!(
        "# TYPE container_memory_working_set_bytes gauge\n"
    ));
    for labels in &containers {
        line(format_args!(
            "container_memory_working_set_bytes{labels} 1.7391616e+07 {at}\n"
        ));
    }
    line(format_args!("# TYPE container_start_time_seconds gauge\n"));
    for labels in &containers {
        line(format_args!(
            "container_start_time_seconds{labels} 1.7952378833844442e+09\n"
        ));
    }
    line(format_args!("# TYPE container_swap_usage_bytes gauge\n"));
    for labels in &containers {
        line(format_args!("container_swap_usage_bytes{labels} 0 {at}\n"));
    }
    for family in [
        "pod_cpu_usage_seconds_total",
        "pod_memory_working_set_bytes",
        "pod_swap_usage_bytes",
    ] {
        line(format_args!("# TYPE {family} gauge\n"));
        for n in 0..PODS {
            line(format_args!("{family}{{{} 0 {at}\n", pod(n)));
        }
    }
    line(format_args!(
        "node_cpu_usage_seconds_total {}.892872369 {at}\n",
        1617 + turn
    ));
    line(format_args!(
        "node_memory_working_set_bytes 4.126081024e+09 {at}\nresource_scrape_error 0\n"
    ));
    page
}

fn ingest(criterion: &mut Criterion) {
    let (names, cell) = (Interner::default(), NodeCell::new(RESOLUTION));
    let mut series = NodeSeries::new(RESOLUTION);
    let mut turn = 0;
    let bytes = page(0).len();
    let mut group = criterion.benchmark_group("node of 45 containers");
    group.throughput(Throughput::Bytes(u64::try_from(bytes).unwrap_or_default()));
    group.bench_function("decode, ingest and publish", |bencher| {
        bencher.iter_batched(
            || {
                turn += 1;
                (
                    page(turn),
                    Age::from_elapsed(RESOLUTION * u32::try_from(turn).unwrap_or_default()),
                )
            },
            |(page, now)| {
                let mut scrape = ResourceScrape::default();
                decode(black_box(page.as_bytes()), &mut scrape);
                series.ingest(&mut scrape, &ScrapeTimes::at(now), &names);
                cell.publish(series.latest(&scrape, now, &names));
            },
            BatchSize::SmallInput,
        );
    });
    group.finish();
}

criterion_group!(benches, ingest);
criterion_main!(benches);
