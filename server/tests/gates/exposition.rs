//! A page of a pod's own metrics in each format: 500 series, of which few or all are kept.

use std::hint::black_box;

use kubevitals_proto::exposition::Format;

use super::{allocated, callgrind};

#[path = "../../../proto/tests/shared/expositions.rs"]
mod expositions;

use expositions::{FAMILIES, NODE_EXPORTER, SERIES, openmetrics, page, visit};

/// The text formats need one list for the labels of a line: of four, of which a node exporter's page has more, and then of
/// eight and sixteen.
#[test]
fn a_page_is_read_with_one_list_of_labels() {
    let exporter = openmetrics(NODE_EXPORTER).into_bytes();
    for (format, page, bound) in [
        (Format::Text, page(Format::Text), 128),
        (Format::OpenMetrics, page(Format::OpenMetrics), 128),
        (Format::OpenMetrics, exporter, 896),
        (Format::Protobuf, page(Format::Protobuf), 0),
    ] {
        for all in [false, true] {
            let before = allocated();
            visit(&page, format, all);
            let bytes = allocated() - before;
            let length = page.len();
            assert!(
                bytes <= bound,
                "{format:?} of {length} bytes, all kept: {all}: {bytes} bytes instead of at most {bound}"
            );
        }
    }
}

/// Reads pages of which 3 labels of each series are kept, of ten or of all.
fn work(format: Format, all: bool) {
    let page = page(format);
    for _ in 0..callgrind::units() {
        let visited = visit(&page, format, all);
        assert_eq!(visited.labels, if all { 1_500 } else { 30 });
        black_box((visited.bytes, visited.sum));
    }
}

#[test]
#[ignore = "a workload"]
fn text_few_kept() {
    work(Format::Text, false);
}

#[test]
#[ignore = "a workload"]
fn text_all_kept() {
    work(Format::Text, true);
}

#[test]
#[ignore = "a workload"]
fn openmetrics_all_kept() {
    work(Format::OpenMetrics, true);
}

#[test]
#[ignore = "a workload"]
fn protobuf_all_kept() {
    work(Format::Protobuf, true);
}

#[test]
fn a_series_takes_few_instructions() {
    for (workload, bound) in [
        ("text_few_kept", 2_600),
        ("text_all_kept", 25_500),
        ("openmetrics_all_kept", 27_000),
        ("protobuf_all_kept", 101_000),
    ] {
        let workload = format!("exposition::{workload}");
        callgrind::assert_each(&workload, FAMILIES * SERIES, bound);
    }
}
