//! What programs expose for Prometheus, in each of the formats, and a reader of it.

use kubevitals_proto::exposition::{
    Family, Format, Limits, NativeHistogram, Sample, SampleLabels, Visitor, read,
};
use kubevitals_proto::wire::protobuf::{int, message, string, varint};

/// The families of [`page`].
pub(crate) const FAMILIES: u64 = 50;

/// The series of each of those families.
pub(crate) const SERIES: u64 = 10;

/// A family of [`page`].
const FAMILY: &str = "http_server_subsystem_25_requests_total";

/// The page of a real node exporter, in the text format.
pub(crate) const NODE_EXPORTER: &str = include_str!("../fixtures/exposition/node-exporter.txt");

fn name(family: u64) -> String {
    format!("http_server_subsystem_{family}_requests_total")
}

fn labels(series: u64) -> [(&'static str, String); 3] {
    [
        ("code", (200 + series).to_string()),
        ("handler", format!("/api/v1/items/{series}")),
        ("method", "get".to_owned()),
    ]
}

fn value(family: u64, series: u64) -> u64 {
    (family * 7919 + series) * 104_729
}

/// Counters as the Prometheus client for Go writes them; in protobuf every second family has native histograms instead.
pub(crate) fn page(format: Format) -> Vec<u8> {
    match format {
        Format::Text => text().into_bytes(),
        Format::OpenMetrics => openmetrics(&text()).into_bytes(),
        Format::Protobuf => protobuf(),
    }
}

fn text() -> String {
    let mut page = String::new();
    for family in 0..FAMILIES {
        let name = name(family);
        page += &format!("# HELP {name} Requests that the subsystem has answered.\n");
        page += &format!("# TYPE {name} counter\n");
        for series in 0..SERIES {
            let labels = labels(series).map(|(name, value)| format!("{name}=\"{value}\""));
            let value = value(family, series);
            page += &format!("{name}{{{}}} {value}\n", labels.join(","));
        }
    }
    page
}

/// A page of the text format as OpenMetrics.
pub(crate) fn openmetrics(page: &str) -> String {
    page.replace("_total counter\n", " counter\n") + "# EOF\n"
}

fn double(out: &mut Vec<u8>, field: u8, value: f64) {
    out.push(field << 3 | 1);
    out.extend(value.to_le_bytes());
}

const fn zigzag(value: i64) -> i64 {
    value << 1 ^ value >> 63
}

/// A native histogram with this many buckets.
fn native_histogram(out: &mut Vec<u8>, buckets: i64) {
    int(out, 1, buckets * 1_000);
    double(out, 2, 1_234.5);
    int(out, 5, zigzag(3));
    double(out, 6, 1e-128);
    message(out, 12, |out| {
        int(out, 1, zigzag(-30));
        int(out, 2, buckets);
    });
    message(out, 13, |out| {
        for bucket in 0..buckets {
            let difference = if bucket % 2 == 0 { 60 } else { -40 };
            varint(out, zigzag(difference) as u64);
        }
    });
}

fn protobuf() -> Vec<u8> {
    const BUCKETS: i64 = 40;
    let mut page = Vec::new();
    for family in 0..FAMILIES {
        let is_counter = family % 2 == 1;
        let mut out = Vec::new();
        string(&mut out, 1, &name(family));
        string(&mut out, 2, "Requests that the subsystem has answered.");
        int(&mut out, 3, if is_counter { 0 } else { 4 });
        for series in 0..SERIES {
            message(&mut out, 4, |out| {
                for (name, value) in labels(series) {
                    message(out, 1, |out| {
                        string(out, 1, name);
                        string(out, 2, &value);
                    });
                }
                if is_counter {
                    message(out, 3, |out| double(out, 1, value(family, series) as f64));
                } else {
                    message(out, 7, |out| native_histogram(out, BUCKETS));
                }
            });
        }
        varint(&mut page, out.len() as u64);
        page.extend(out);
    }
    page
}

/// Reads everything of all families, or of one, and keeps nothing.
#[derive(Default)]
pub(crate) struct Visited {
    all: bool,
    /// The number of labels.
    pub(crate) labels: usize,
    /// The bytes of their names and values.
    pub(crate) bytes: usize,
    /// The values of all samples and buckets.
    pub(crate) sum: f64,
}

impl Visited {
    fn labels(&mut self, labels: SampleLabels<'_>) {
        for (name, value) in labels.iter() {
            self.labels += 1;
            self.bytes += name.len() + value.len();
        }
    }
}

impl Visitor for Visited {
    fn wants(&mut self, family: &Family<'_>) -> bool {
        self.all || family.name == FAMILY
    }

    fn sample(&mut self, _: &Family<'_>, sample: &Sample<'_>) {
        self.sum += sample.value;
        self.labels(sample.labels);
    }

    fn native_histogram(&mut self, _: &Family<'_>, histogram: &NativeHistogram<'_>) {
        for bucket in histogram.negative().chain(histogram.positive()) {
            self.sum += bucket.count;
        }
        self.labels(histogram.labels);
    }
}

/// Reads a page without faults: all families, or only [`FAMILY`].
pub(crate) fn visit(page: &[u8], format: Format, all: bool) -> Visited {
    let mut visited = Visited {
        all,
        ..Visited::default()
    };
    let report = read(page, format, Limits::default(), &mut visited);
    assert_eq!(report.map(|report| report.malformed), Ok(0));
    visited
}
