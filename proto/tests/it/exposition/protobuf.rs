//! Prometheus' protobuf format.

use super::{Collected, collected};
use kubevitals_proto::exposition::{Format, Limits, ReadError, read};
use kubevitals_proto::wire::protobuf::{head, int, message, string, varint};

/// A metric, with what `write` appends to its message.
pub(super) fn metric(out: &mut Vec<u8>, labels: &[(&str, &str)], write: impl FnOnce(&mut Vec<u8>)) {
    message(out, 4, |out| {
        for (name, value) in labels {
            message(out, 1, |out| {
                string(out, 1, name);
                string(out, 2, value);
            });
        }
        write(out);
    });
}

/// A family after its length, with what `write` appends to its message.
pub(super) fn family(out: &mut Vec<u8>, name: &str, kind: i64, write: impl FnOnce(&mut Vec<u8>)) {
    let mut family = Vec::new();
    string(&mut family, 1, name);
    string(&mut family, 2, "Help.");
    int(&mut family, 3, kind);
    write(&mut family);
    varint(out, family.len() as u64);
    out.extend(family);
}

fn double(out: &mut Vec<u8>, field: u8, value: f64) {
    out.push(field << 3 | 1);
    out.extend(value.to_le_bytes());
}

fn sint(out: &mut Vec<u8>, field: u8, value: i64) {
    int(out, field, value << 1 ^ value >> 63);
}

fn span(out: &mut Vec<u8>, field: u8, offset: i64, length: i64) {
    message(out, field, |out| {
        sint(out, 1, offset);
        int(out, 2, length);
    });
}

fn packed(out: &mut Vec<u8>, field: u8, values: &[i64]) {
    let mut bytes = Vec::new();
    for value in values {
        varint(&mut bytes, (value << 1 ^ value >> 63) as u64);
    }
    head(out, field, bytes.len());
    out.extend(bytes);
}

#[test]
fn every_kind_is_read() {
    let mut body = Vec::new();
    family(&mut body, "requests_total", 0, |out| {
        metric(out, &[("code", "200"), ("b.c", "ä\n")], |out| {
            message(out, 3, |out| {
                double(out, 1, 5.0);
                message(out, 2, |out| double(out, 2, 1.0));
            });
            int(out, 6, -1_500);
        });
    });
    family(&mut body, "queue", 1, |out| {
        metric(out, &[], |out| message(out, 2, |out| double(out, 1, -2.5)));
    });
    family(&mut body, "rpc", 2, |out| {
        metric(out, &[], |out| {
            message(out, 4, |out| {
                int(out, 1, 7);
                double(out, 2, 3.5);
                message(out, 3, |out| {
                    double(out, 1, 0.9);
                    double(out, 2, f64::NAN);
                });
            });
        });
    });
    family(&mut body, "what", 3, |out| {
        metric(out, &[], |out| {
            message(out, 5, |out| double(out, 1, f64::INFINITY))
        });
    });
    family(&mut body, "latency", 4, |out| {
        metric(out, &[("le", "a label of the metric")], |out| {
            message(out, 7, |out| {
                int(out, 1, 3);
                double(out, 2, 1.5);
                message(out, 3, |out| {
                    int(out, 1, 2);
                    double(out, 2, 0.1);
                });
                // A bucket with an exemplar.
                message(out, 3, |out| {
                    double(out, 4, 2.5);
                    double(out, 2, 0.2);
                    message(out, 3, |out| double(out, 2, 0.1));
                });
            });
        });
    });
    family(&mut body, "age", 5, |out| {
        metric(out, &[], |out| message(out, 7, |out| double(out, 4, 1.5)));
    });
    let (found, report) = collected(&body, Format::Protobuf);
    let report = report.unwrap();
    assert_eq!((report.malformed, report.samples), (0, 14));
    assert_eq!(
        found.samples,
        [
            r#"requests_total code="200" b.c="ä\n" = 5 at -1500"#,
            "queue = -2.5",
            "rpc @0.9 = NaN",
            "rpc_sum = 3.5",
            "rpc_count = 7",
            "what = inf",
            "latency_bucket ≤0.1 = 2",
            "latency_bucket ≤0.2 = 2.5",
            "latency_bucket ≤inf = 3",
            r#"latency_sum le="a label of the metric" = 1.5"#,
            r#"latency_count le="a label of the metric" = 3"#,
            "age_bucket ≤inf = 1.5",
            "age_gsum = 0",
            "age_gcount = 1.5",
        ]
    );
}

/// A native histogram with the schema 1, whose buckets are as many as the counts.
fn native(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    metric(out, &[("a", "b")], |out| {
        message(out, 7, |out| {
            int(out, 1, 20);
            double(out, 2, 9.5);
            sint(out, 5, 1);
            double(out, 6, 0.001);
            int(out, 7, 2);
            write(out);
        });
    });
}

fn page(write: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut body = Vec::new();
    family(&mut body, "h", 4, |out| native(out, write));
    body
}

#[test]
fn buckets_of_a_native_histogram_are_decoded_from_spans_and_differences() {
    let buckets = |out: &mut Vec<u8>| {
        // The buckets -1, 0 and 4 of the positive side, and 2 of the negative one.
        span(out, 12, -1, 2);
        span(out, 12, 3, 1);
        span(out, 9, 2, 1);
        sint(out, 10, 3);
    };
    // In proto2 each number has a key of its own; in proto3 they are packed.
    let alone = page(|out| {
        buckets(out);
        sint(out, 13, 1);
        sint(out, 13, 2);
        sint(out, 13, -1);
        // Prometheus leaves out the classic buckets of such a histogram.
        message(out, 3, |out| double(out, 2, 0.1));
    });
    let packed = page(|out| {
        buckets(out);
        packed(out, 13, &[1, 2, -1]);
    });
    let root = 2_f64.sqrt();
    let expected = format!(
        "h a=\"b\" n=20 sum=9.5 zero=2≤0.001 (-2,{}]=3 ({},{}]=1 ({},1]=3 ({},4]=2",
        -root,
        0.5,
        1.0 / root,
        1.0 / root,
        2.0 * root
    );
    for body in [alone, packed] {
        let (found, report) = collected(&body, Format::Protobuf);
        assert_eq!(report.unwrap().malformed, 0);
        assert_eq!(found.samples, [""; 0]);
        // The bounds are those of `f64`, which rounds the root of a half in its last place.
        assert_eq!(found.histograms.len(), 1);
        let numbers = |text: &str| -> Vec<f64> {
            let words = text.split(['(', ',', ']', '=', ' ', '≤']);
            words.filter_map(|word| word.parse().ok()).collect()
        };
        for (found, expected) in numbers(&found.histograms[0]).iter().zip(numbers(&expected)) {
            assert!((found - expected).abs() < 1e-12, "{found} {expected}");
        }
        assert_eq!(
            numbers(&found.histograms[0]).len(),
            numbers(&expected).len()
        );
    }
}

#[test]
fn a_float_histogram_has_counts_and_no_differences() {
    let body = page(|out| {
        double(out, 4, 2.5);
        double(out, 8, 0.25);
        span(out, 12, 0, 2);
        // Packed doubles, and one with a key of its own.
        head(out, 14, 8);
        out.extend(1.5_f64.to_le_bytes());
        double(out, 14, 0.5);
    });
    let (found, report) = collected(&body, Format::Protobuf);
    assert_eq!(report.unwrap().malformed, 0);
    assert!(found.histograms[0].starts_with("h a=\"b\" n=2.5 sum=9.5 zero=0.25≤0.001 "));
    assert!(found.histograms[0].contains(",1]=1.5 "));
}

#[test]
fn an_empty_native_histogram_has_an_empty_span() {
    let mut body = Vec::new();
    family(&mut body, "h", 5, |out| {
        metric(out, &[], |out| {
            message(out, 7, |out| {
                sint(out, 5, 3);
                span(out, 12, 0, 0);
            });
        });
    });
    let (found, _) = collected(&body, Format::Protobuf);
    assert_eq!(found.histograms, ["h n=0 sum=0 zero=0≤0"]);
}

#[test]
fn histograms_that_cannot_be_are_malformed() {
    let bad: [&dyn Fn(&mut Vec<u8>); 9] = [
        // A schema that does not exist, and that of custom buckets, whose bounds are in no page.
        &|out| {
            sint(out, 5, 9);
            span(out, 12, 0, 0);
        },
        &|out| {
            sint(out, 5, -53);
            span(out, 12, 0, 0);
        },
        // More places than counts, and more counts than places.
        &|out| span(out, 12, 0, 1),
        &|out| sint(out, 13, 1),
        &|out| {
            span(out, 12, 0, 4_000_000_000);
            sint(out, 13, 1);
        },
        // A negative count, and more observations than there are.
        &|out| {
            span(out, 12, 0, 1);
            sint(out, 13, -1);
        },
        &|out| {
            span(out, 12, 0, 1);
            sint(out, 13, 19);
        },
        // Places beyond all.
        &|out| {
            span(out, 12, i64::from(i32::MAX), 1);
            span(out, 12, i64::from(i32::MAX), 1);
            sint(out, 13, 1);
            sint(out, 13, 0);
        },
        &|out| double(out, 6, -1.0),
    ];
    for (row, write) in bad.into_iter().enumerate() {
        let body = page(write);
        let (found, report) = collected(&body, Format::Protobuf);
        let report = report.unwrap();
        assert_eq!((report.samples, report.malformed), (0, 1), "row {row}");
        assert_eq!(found.histograms, [""; 0], "row {row}");
    }
}

#[test]
fn a_histogram_with_too_many_buckets_is_dropped() {
    let body = page(|out| {
        span(out, 12, 0, 11);
        packed(out, 13, &[0; 11]);
    });
    let limits = Limits {
        buckets: 10,
        ..Limits::default()
    };
    let mut visitor = Collected::default();
    let report = read(&body, Format::Protobuf, limits, &mut visitor).unwrap();
    assert_eq!(
        (report.samples, report.oversized, report.malformed),
        (0, 1, 0)
    );
}

#[test]
fn a_broken_metric_leaves_the_others() {
    let mut body = Vec::new();
    family(&mut body, "a", 1, |out| {
        metric(out, &[], |out| message(out, 2, |out| double(out, 1, 1.0)));
        // No value of its kind, an empty and a repeated label name, and a value of another type.
        metric(out, &[], |out| message(out, 3, |out| double(out, 1, 2.0)));
        metric(out, &[("", "x")], |out| {
            message(out, 2, |out| double(out, 1, 3.0))
        });
        metric(out, &[("b", "x"), ("b", "y")], |out| {
            message(out, 2, |out| double(out, 1, 4.0));
        });
        metric(out, &[], |out| message(out, 2, |out| int(out, 1, 5)));
        message(out, 4, |out| out.push(0xff));
        metric(out, &[], |out| message(out, 2, |out| double(out, 1, 6.0)));
    });
    family(&mut body, "", 1, |_| {});
    family(&mut body, "b", 6, |_| {});
    // Half of a bucket: nothing of the histogram is read.
    family(&mut body, "h", 4, |out| {
        metric(out, &[], |out| {
            message(out, 7, |out| {
                message(out, 3, |out| int(out, 1, 1));
                message(out, 3, |out| out.push(0xff));
            });
        });
    });
    let (found, report) = collected(&body, Format::Protobuf);
    let report = report.unwrap();
    assert_eq!(found.samples, ["a = 1", "a = 6"]);
    assert_eq!(report.malformed, 8);
    assert_eq!(report.first_malformed.unwrap().number, 1);
    // A page that was cut within a message.
    for at in 1..body.len() {
        let (_, report) = collected(&body[..at], Format::Protobuf);
        match report {
            Ok(report) => assert!(report.malformed <= 8),
            Err(error) => assert!(matches!(error, ReadError::Protobuf(1..=4))),
        }
    }
}
