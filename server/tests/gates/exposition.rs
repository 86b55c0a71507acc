//! A page of a pod's own metrics: 500 series, of which few or all are kept.

use std::hint::black_box;

use kubevitals_proto::exposition::{
    Family, Format, Limits, NativeHistogram, Sample, Visitor, read,
};

use super::{allocated, callgrind};

const SERIES: u64 = 500;

/// 50 families of ten series.
fn page() -> String {
    let mut page = String::new();
    for family in 0..SERIES / 10 {
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

/// Reads the labels of the wanted families, and keeps nothing.
struct Wanted {
    all: bool,
    labels: usize,
}

impl Visitor for Wanted {
    fn wants(&mut self, family: &Family<'_>) -> bool {
        self.all || family.name == "http_server_subsystem_25_requests_total"
    }

    fn sample(&mut self, _: &Family<'_>, sample: &Sample<'_>) {
        self.labels += sample.labels.iter().count();
    }

    fn native_histogram(&mut self, _: &Family<'_>, _: &NativeHistogram<'_>) {}
}

/// Reads the page. Returns the number of labels.
fn visit(page: &str, all: bool) -> usize {
    let mut visitor = Wanted { all, labels: 0 };
    let report = read(
        page.as_bytes(),
        Format::Text,
        Limits::default(),
        &mut visitor,
    );
    assert_eq!(report.unwrap().malformed, 0);
    visitor.labels
}

#[test]
fn a_page_is_read_without_an_allocation() {
    let page = page();
    for (all, labels) in [(false, 30), (true, 1_500)] {
        let before = allocated();
        assert_eq!(visit(&page, all), labels);
        assert_eq!(allocated(), before, "all: {all}");
    }
}

#[test]
#[ignore = "a workload"]
fn few_kept() {
    let page = page();
    for _ in 0..callgrind::units() {
        black_box(visit(&page, false));
    }
}

#[test]
#[ignore = "a workload"]
fn all_kept() {
    let page = page();
    for _ in 0..callgrind::units() {
        black_box(visit(&page, true));
    }
}

#[test]
fn a_skipped_series_takes_few_instructions() {
    callgrind::assert_each("exposition::few_kept", SERIES, 2_800);
}

#[test]
fn a_kept_series_takes_few_instructions() {
    callgrind::assert_each("exposition::all_kept", SERIES, 36_000);
}
