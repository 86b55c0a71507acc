//! Pages that are wrong, hostile or huge.

use super::{Collected, collected};
use kubevitals_proto::exposition::{Format, Limits, ReadError, read};

/// Whether a single line, in a page of its own, is malformed in the text format and in OpenMetrics.
fn malformed(line: &[u8]) -> (bool, bool) {
    let text = [line, b"\n"].concat();
    let openmetrics = [line, b"\n# EOF\n"].concat();
    let of = |body: &[u8], format| {
        let (found, report) = collected(body, format);
        let report = report.unwrap();
        let bad = report.malformed > 0;
        assert_eq!(bad, report.first_malformed.is_some());
        if let Some(first) = report.first_malformed {
            assert_eq!((first.number, first.text), (1, line.trim_ascii()));
            assert_eq!(found.samples, [""; 0], "{}", String::from_utf8_lossy(line));
        }
        bad
    };
    (
        of(&text, Format::Text),
        of(&openmetrics, Format::OpenMetrics),
    )
}

#[test]
fn lines_that_are_no_samples_are_malformed_in_both_formats() {
    let lines = [
        "a",
        "a ",
        "a b",
        "a 1 b",
        "a 1 1 1",
        "a 0x1",
        "a 1_000",
        "a{} ",
        "a{",
        "a{b",
        "a{b}",
        "a{b} 1",
        "a{b=} 1",
        "a{b=\"c} 1",
        "a{b='c'} 1",
        "a{b=\"c\"d=\"e\"} 1",
        "a{b=\"c\",,} 1",
        "a{,} 1",
        "a{b=\"c\"}} 1",
        "a{1=\"c\"} 1",
        "a{b=\"c\",b=\"d\"} 1",
        "a{z=\"\",b=\"c\",a=\"\",b=\"d\"} 1",
        "a{\"b\\\\c\"=\"\",\"b\\c\"=\"\"} 1",
        "1a 1",
        "a-b 1",
        "a.b 1",
        "{} 1",
        "{b=\"c\"} 1",
        "{\"\"} 1",
        "{\"a\",\"b\"} 1",
        "a{\"b\"} 1",
        "\"a\" 1",
        "<!DOCTYPE html>",
        "<html><body>It works!</body></html>",
        "{\"status\":\"UP\"}",
        "# TYPE",
        "# TYPE a",
        "# TYPE a count",
        "# TYPE a counter gauge",
        "# TYPE 1 counter",
        "# TYPE \"\" counter",
        "\u{feff}a 1",
        "ä 1",
    ];
    for line in lines {
        assert_eq!(malformed(line.as_bytes()), (true, true), "{line}");
    }
    for line in [
        b"a{b=\"\xff\"} 1".as_slice(),
        b"a\0 1",
        b"\x1f\x8b\x08\0",
        b"# TYPE \"\xff\" gauge",
        b"{\"\xff\"} 1",
    ] {
        assert_eq!(malformed(line), (true, true), "{line:?}");
    }
}

#[test]
fn the_formats_differ_in_times_exemplars_comments_and_empty_lines() {
    for (line, expected) in [
        ("a 1 1.5", (true, false)),
        ("a 1 1e3", (true, false)),
        ("a 1 NaN", (true, true)),
        ("a 1 1e300", (true, true)),
        ("a 1 99999999999999999999", (true, true)),
        ("a 1 # {} 1", (true, false)),
        ("a 1 # {b=\"c # d\"} 1 1.5", (true, false)),
        ("a 1 #", (true, true)),
        ("a 1 # {} 1 # {} 1", (true, true)),
        ("a 1 # {b=} 1", (true, true)),
        ("a 1 # {}", (true, true)),
        ("a 1 # {\"b\"} 1", (true, true)),
        ("a{b=\"# {\"} 1", (false, false)),
        ("# a comment", (false, true)),
        ("", (false, true)),
        ("# HELP a b", (false, false)),
        ("# UNIT a seconds", (false, false)),
    ] {
        assert_eq!(malformed(line.as_bytes()), expected, "{line}");
    }
}

#[test]
fn bounds_that_are_no_numbers_are_malformed() {
    let body =
        b"# TYPE h histogram\nh_bucket{le=\"1s\"} 1\nh_bucket 1\nh_bucket{le=\"1\"} 2\nh 3\n\
        # TYPE s summary\ns 1\ns{quantile=\"p50\"} 1\ns{quantile=\"0.5\"} 4\n";
    let (found, report) = collected(body, Format::Text);
    let report = report.unwrap();
    assert_eq!(found.samples, ["h_bucket ≤1 = 2", "s @0.5 = 4"]);
    assert_eq!((report.malformed, report.samples), (5, 2));
    assert_eq!(report.first_malformed.unwrap().number, 2);
}

#[test]
fn a_line_that_is_skipped_still_counts_for_the_number_of_a_bad_one() {
    let mut visitor = Collected {
        wanted: &["b"],
        ..Collected::default()
    };
    let body =
        b"# TYPE a gauge\na{x=\"1\"} 1\r\na{x=\"2\"} 2\r\n\r\n# TYPE b gauge\nb 1\nb one\nb two\n";
    let report = read(body, Format::Text, Limits::default(), &mut visitor).unwrap();
    let first = report.first_malformed.unwrap();
    assert_eq!(
        (report.malformed, first.number, first.text),
        (2, 7, b"b one".as_slice())
    );
}

#[test]
fn a_page_that_was_cut_is_reported() {
    let whole = "# TYPE a gauge\na{b=\"c\"} 12\na{b=\"d\"} 345\n";
    for at in 0..whole.len() {
        let (found, report) = collected(&whole.as_bytes()[..at], Format::Text);
        let report = report.unwrap();
        let cut = at > 0 && whole.as_bytes()[at - 1] != b'\n';
        assert_eq!(
            (report.cut, report.malformed),
            (cut, u64::from(cut)),
            "{at}"
        );
        // No number is read that lost its end.
        assert!(found.samples.iter().all(|it| it.ends_with(" = 12")), "{at}");
    }
    // So is a page whose skipped lines were cut.
    let mut nothing = Collected {
        wanted: &["z"],
        ..Collected::default()
    };
    let body = b"# TYPE a gauge\na 1\na 2";
    let report = read(body, Format::Text, Limits::default(), &mut nothing).unwrap();
    assert!(report.cut);
}

#[test]
fn limits_drop_and_count() {
    let limits = Limits {
        samples: 3,
        labels: 2,
        label_bytes: 8,
        buckets: 1,
    };
    let body = "a{b=\"1234567\"} 1\na{b=\"12345678\"} 1\na{b=\"\",c=\"\"} 2\na{b=\"\",c=\"\",d=\"\"} 2\n\
        name_of_9 1\na 3\na 4\na 5\nbroken\n";
    let mut visitor = Collected::default();
    let report = read(body.as_bytes(), Format::Text, limits, &mut visitor).unwrap();
    assert_eq!((report.samples, report.oversized), (3, 2));
    assert!(report.truncated);
    assert_eq!(report.malformed, 0, "the rest is not read");
    assert_eq!(visitor.families, ["a Unknown", "a Unknown"]);
}

#[test]
fn a_million_series_are_read_up_to_the_limit() {
    let mut body = String::from("# TYPE a gauge\n");
    for n in 0..1_000_000 {
        body += &format!("a{{n=\"{n}\"}} {n}\n");
    }
    let (found, report) = collected(body.as_bytes(), Format::Text);
    let report = report.unwrap();
    assert!(report.truncated);
    assert_eq!(found.samples.len(), Limits::default().samples);
}

#[test]
fn a_family_may_be_announced_twice_and_its_lines_may_stand_apart() {
    let body = b"# TYPE a counter\na 1\n# TYPE b gauge\nb 2\na 3\n# TYPE a gauge\na 4\na 4\n";
    let (found, report) = collected(body, Format::Text);
    assert_eq!(report.unwrap().malformed, 0);
    assert_eq!(
        found.families,
        ["a Counter", "b Gauge", "a Unknown", "a Gauge"]
    );
    assert_eq!(found.samples, ["a = 1", "b = 2", "a = 3", "a = 4", "a = 4"]);
}

#[test]
fn an_html_page_is_no_page_of_metrics() {
    let page = b"<!DOCTYPE html>\n<html>\n<head><title>Login</title></head>\n</html>\n";
    let (found, report) = collected(page, Format::Text);
    let report = report.unwrap();
    assert_eq!(
        (report.samples, report.malformed, found.samples.len()),
        (0, 4, 0)
    );
    let (_, report) = collected(page, Format::OpenMetrics);
    assert_eq!(report, Err(ReadError::NoEof));
    let (_, report) = collected(page, Format::Protobuf);
    assert!(matches!(report, Err(ReadError::Protobuf(_))));
}
