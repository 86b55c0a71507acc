//! What it costs to answer: lists of pods as JSON and protobuf, and single quantities.

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use kubevitals_proto::duration::GoDuration;
use kubevitals_proto::labels::Labels;
use kubevitals_proto::metrics::PodMetricsList;
use kubevitals_proto::metrics::Version;
use kubevitals_proto::metrics::encode::{
    ContainerRef, Encoding, Form, Kind, List, MetaRef, PodRef, Shape, UsageRef,
};
use kubevitals_proto::metrics::view::Body;
use kubevitals_proto::quantity::{Quantity, write_bytes, write_cpu};
use kubevitals_proto::time::Timestamp;
use kubevitals_proto::units::{Bytes, Nanocores};
use kubevitals_proto::wire::pretty::Indenter;
use std::hint::black_box;

const PODS: usize = 1000;

struct Pod {
    name: String,
    labels: Labels,
    timestamp: Timestamp,
    window: GoDuration,
    containers: Vec<ContainerRef<'static>>,
}

fn pods() -> Vec<Pod> {
    let usage = |n: usize| UsageRef {
        cpu: Nanocores((n as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 35),
        memory: Bytes((n as u64 * 7919 % 100_000) * 4096),
    };
    let pod = |n: usize| Pod {
        name: format!("service-{}-7dc96bb78d-{:05x}", n / 10, n * 7919),
        labels: [
            ("app", format!("service-{}", n / 10)),
            ("pod-template-hash", "7dc96bb78d".to_owned()),
        ]
        .into_iter()
        .collect(),
        timestamp: Timestamp::from_millis(1_795_237_982_658 + n as i64),
        window: GoDuration(15_253_000_000 + n as i64 * 1_000_000),
        containers: ["app", "sidecar"]
            .into_iter()
            .take(1 + n % 2)
            .enumerate()
            .map(|(at, name)| ContainerRef {
                name,
                usage: usage(n * 2 + at),
            })
            .collect(),
    };
    (0..PODS).map(pod).collect()
}

fn view(pod: &Pod) -> PodRef<'_> {
    PodRef {
        meta: MetaRef {
            name: &pod.name,
            namespace: "team-1",
            creation: Timestamp::from_secs(1_795_237_990),
            labels: &pod.labels,
        },
        timestamp: pod.timestamp,
        window: pod.window,
        containers: &pod.containers,
        containers_len: None,
    }
}

fn list(pods: &[Pod], encoding: Encoding, out: &mut Vec<u8>) {
    out.clear();
    let Some(form) = Form::new(Shape::Whole(Version::V1beta1.api_version()), encoding) else {
        return;
    };
    let mut list = List::new(Kind::Pod, form);
    if list.needs_lengths() {
        pods.iter().for_each(|pod| list.measure(&view(pod)));
    }
    for pod in pods {
        list.item(out, &view(pod));
    }
    list.end(out);
}

/// The CPU of all containers, read in place.
fn total(body: &[u8]) -> Option<Quantity> {
    let mut sum = Quantity::default();
    for pod in Body::open(body).ok()?.pods().ok()? {
        for container in pod.ok()?.containers() {
            for usage in container.ok()?.usage.quantities() {
                let (name, quantity) = usage.ok()?;
                if name == "cpu" {
                    sum += quantity;
                }
            }
        }
    }
    Some(sum)
}

fn lists(c: &mut Criterion) {
    let pods = pods();
    let (mut out, mut compact, mut binary) = (Vec::new(), Vec::new(), Vec::new());
    list(&pods, Encoding::Json, &mut compact);
    list(&pods, Encoding::Protobuf, &mut binary);
    assert!(total(&binary).is_some());
    let mut group = c.benchmark_group("1000 pods");
    group.throughput(Throughput::Elements(PODS as u64));
    group.bench_function("encode json", |b| {
        b.iter(|| list(black_box(&pods), Encoding::Json, &mut out))
    });
    group.bench_function("encode protobuf", |b| {
        b.iter(|| list(black_box(&pods), Encoding::Protobuf, &mut out))
    });
    group.bench_function("encode yaml", |b| {
        b.iter(|| list(black_box(&pods), Encoding::Yaml, &mut out))
    });
    group.bench_function("indent json", |b| {
        b.iter(|| {
            out.clear();
            Indenter::new().push(black_box(&compact), &mut out);
        });
    });
    let drop_later = BatchSize::LargeInput;
    group.bench_function("decode json", |b| {
        b.iter_batched(
            || (),
            |()| serde_json::from_slice::<PodMetricsList>(&compact).ok(),
            drop_later,
        );
    });
    group.bench_function("look at protobuf", |b| b.iter(|| total(black_box(&binary))));
    group.finish();
}

fn quantities(c: &mut Criterion) {
    let mut group = c.benchmark_group("quantity");
    let mut out = Vec::with_capacity(32);
    group.bench_function("write cpu", |b| {
        b.iter(|| {
            out.clear();
            write_cpu(&mut out, black_box(Nanocores(1_385_106_551)));
        });
    });
    group.bench_function("write bytes", |b| {
        b.iter(|| {
            out.clear();
            write_bytes(&mut out, black_box(Bytes(4_195_815_424)));
        });
    });
    for text in ["1385106551n", "4097476Ki", "250m"] {
        group.bench_function(format!("parse {text}"), |b| {
            b.iter(|| black_box(text).parse::<Quantity>())
        });
    }
    group.finish();
}

criterion_group!(benches, lists, quantities);
criterion_main!(benches);
