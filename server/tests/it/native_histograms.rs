//! Native histograms: their quantiles, means and rates compared with those of a real Prometheus that scrapes the same pages.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

use parking_lot::Mutex;

use crate::harness::wait_until;
use crate::prometheus::Prometheus;
use crate::real_exporters::{INTERVAL, PAGES, Pod, serve};

const FAMILY: &str = "latency_seconds";
const PROTOBUF: &str =
    "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited";

/// The pages, an interval apart.
const COUNT: u32 = 8;

/// The messages of io.prometheus.client, as far as they are used.
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    fn uint(mut self, field: u64, value: u64) -> Self {
        self.varint(field << 3);
        self.varint(value);
        self
    }

    /// In zigzag encoding.
    fn sint(self, field: u64, value: i64) -> Self {
        self.uint(field, ((value << 1) ^ (value >> 63)) as u64)
    }

    fn double(mut self, field: u64, value: f64) -> Self {
        self.varint(field << 3 | 1);
        self.0.extend(value.to_le_bytes());
        self
    }

    fn bytes(mut self, field: u64, value: &[u8]) -> Self {
        self.varint(field << 3 | 2);
        self.varint(value.len() as u64);
        self.0.extend(value);
        self
    }

    fn message(self, field: u64, value: Self) -> Self {
        self.bytes(field, &value.0)
    }
}

/// A native histogram with some observations at or below zero.
struct Histogram {
    schema: i32,
    /// The number of observations by the index of the bucket.
    positive: BTreeMap<i64, u64>,
    negative: BTreeMap<i64, u64>,
    zero: u64,
    sum: f64,
}

impl Histogram {
    fn new(schema: i32) -> Self {
        Self {
            schema,
            positive: BTreeMap::new(),
            negative: BTreeMap::new(),
            zero: 0,
            sum: 0.0,
        }
    }

    fn observe(&mut self, value: f64) {
        self.sum += value;
        let index = (value.abs().log2() * f64::from(self.schema).exp2()).ceil() as i64;
        let buckets = match value {
            0.0 => {
                self.zero += 1;
                return;
            }
            value if value < 0.0 => &mut self.negative,
            _ => &mut self.positive,
        };
        *buckets.entry(index).or_default() += 1;
    }

    fn encode(&self) -> Message {
        let buckets = || self.positive.values().chain(self.negative.values());
        let message = Message::default()
            .uint(1, self.zero + buckets().sum::<u64>())
            .double(2, self.sum)
            .sint(5, self.schema.into())
            .double(6, 1e-9)
            .uint(7, self.zero);
        let message = spans(message, (9, 10), &self.negative);
        spans(message, (12, 13), &self.positive)
    }
}

/// Appends buckets, each as a span of its own, and the differences of their counts.
fn spans(mut message: Message, (span, delta): (u64, u64), buckets: &BTreeMap<i64, u64>) -> Message {
    let mut next = 0;
    for index in buckets.keys() {
        let one = Message::default().sint(1, index - next).uint(2, 1);
        message = message.message(span, one);
        next = index + 1;
    }
    let mut before = 0;
    for count in buckets.values() {
        let count = *count as i64;
        message = message.sint(delta, count - before);
        before = count;
    }
    message
}

/// A page of two series of different resolution; each sample with its own time, if there is one.
fn page(number: u32, at_millis: Option<u64>) -> Vec<u8> {
    let metric = |path: &str, message: Message| {
        let label = Message::default()
            .bytes(1, b"path")
            .bytes(2, path.as_bytes());
        let message = message.message(1, label);
        match at_millis {
            Some(at) => message.uint(6, at),
            None => message,
        }
    };
    let mut family = Message::default().bytes(1, FAMILY.as_bytes()).uint(3, 4);
    for (path, schema, scale) in [("/a", 3, 0.001), ("/b", 5, 0.04)] {
        let mut histogram = Histogram::new(schema);
        for _ in 0..number {
            for step in 0..47 {
                histogram.observe(scale * 1.13_f64.powi(step));
            }
            for value in [0.0, 0.0, -0.3, -0.7] {
                histogram.observe(value);
            }
        }
        let one = metric(path, Message::default().message(7, histogram.encode()));
        family = family.message(4, one);
    }
    let gauge = Message::default().double(1, number.into());
    let pages = metric("", Message::default().message(2, gauge));
    let pages = Message::default()
        .bytes(1, PAGES.as_bytes())
        .uint(3, 1)
        .message(4, pages);
    let mut delimited = Message::default();
    for family in [family, pages] {
        delimited.varint(family.0.len() as u64);
        delimited.0.extend(family.0);
    }
    delimited.0
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn values_of_native_histograms_are_as_prometheus_computes_them() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let mut pod = Pod::start(folder, PROTOBUF, &[FAMILY]).await;
    for number in 1..=COUNT {
        pod.expose_page(&page(number, None)).await;
    }
    // Prometheus gets a page more at each scrape, with times of the last minutes.
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let begin = now.unwrap() - INTERVAL * (COUNT + 1);
    let at = move |number: u32| (begin + INTERVAL * number).as_secs();
    let served = Arc::new(Mutex::new(0));
    let next = Arc::clone(&served);
    let port = serve(PROTOBUF, move || {
        let mut number = next.lock();
        *number = COUNT.min(*number + 1);
        page(*number, Some(at(*number) * 1000))
    });
    let config = format!(
        "scrape_configs:\n- job_name: page\n  scrape_interval: 50ms\n  scrape_timeout: 50ms\n  \
         static_configs: [{{targets: [\"127.0.0.1:{port}\"]}}]\n"
    );
    let judge = folder.join("judge");
    std::fs::create_dir(&judge).unwrap();
    let judge = Prometheus::start_with(&judge, &config, &["--enable-feature=native-histograms"]);
    let time = at(COUNT) + 1;
    wait_until("Prometheus has all pages", async || {
        let pages = judge.value(&format!("{PAGES}&time={time}")).await;
        pages == Some(COUNT.into())
    })
    .await;
    let quantile =
        |quantile: &str| format!("histogram_quantile({quantile},sum(rate({FAMILY}[1m])))");
    let of = |what: &str| format!("histogram_{what}(sum(rate({FAMILY}[1m])))");
    for (suffix, query) in [
        ("p1", quantile("0.01")),
        ("p25", quantile("0.25")),
        ("p50", quantile("0.5")),
        ("p95", quantile("0.95")),
        ("p999", quantile("0.999")),
        ("per_second", of("count")),
        ("mean", format!("{}/{}", of("sum"), of("count"))),
    ] {
        let theirs = judge.value(&format!("{query}&time={time}")).await;
        pod.is_near(&format!("{FAMILY}_{suffix}"), theirs);
    }
}
