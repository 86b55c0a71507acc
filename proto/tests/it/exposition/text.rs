//! The text format of Prometheus, and OpenMetrics.

use super::{Collected, collected};
use kubevitals_proto::exposition::{Format, Limits, ReadError, read};

/// The samples of a page that has no bad line.
fn samples(body: &str, format: Format) -> Vec<String> {
    let (found, report) = collected(body.as_bytes(), format);
    let report = report.unwrap();
    assert_eq!(report.first_malformed, None, "{body}");
    assert_eq!(report.samples as usize, found.samples.len());
    found.samples
}

#[test]
fn the_example_of_the_prometheus_format_is_read_whole() {
    let body = r#"# HELP http_requests_total The total number of HTTP requests.
# TYPE http_requests_total counter
http_requests_total{method="post",code="200"} 1027 1395066363000
http_requests_total{method="post",code="400"}    3 1395066363000

# Escaping in label values:
msdos_file_access_time_seconds{path="C:\\DIR\\FILE.TXT",error="Cannot find file:\n\"FILE.TXT\""} 1.458255915e9

# Minimalistic line:
metric_without_timestamp_and_labels 12.47

# A weird metric from before the epoch:
something_weird{problem="division by zero"} +Inf -3982045

# A histogram, which has a pretty complex representation in the text format:
# HELP http_request_duration_seconds A histogram of the request duration.
# TYPE http_request_duration_seconds histogram
http_request_duration_seconds_bucket{le="0.05"} 24054
http_request_duration_seconds_bucket{le="+Inf"} 144320
http_request_duration_seconds_sum 53423
http_request_duration_seconds_count 144320

# Finally a summary, which has a complex representation, too:
# TYPE rpc_duration_seconds summary
rpc_duration_seconds{quantile="0.5"} 4773
rpc_duration_seconds_sum 1.7560473e+07
rpc_duration_seconds_count 2693
"#;
    let (found, report) = collected(body.as_bytes(), Format::Text);
    assert_eq!(report.unwrap().malformed, 0);
    assert_eq!(
        found.samples,
        [
            r#"http_requests_total method="post" code="200" = 1027 at 1395066363000"#,
            r#"http_requests_total method="post" code="400" = 3 at 1395066363000"#,
            r#"msdos_file_access_time_seconds path="C:\\DIR\\FILE.TXT" error="Cannot find file:\n\"FILE.TXT\"" = 1458255915"#,
            "metric_without_timestamp_and_labels = 12.47",
            r#"something_weird problem="division by zero" = inf at -3982045"#,
            "http_request_duration_seconds_bucket ≤0.05 = 24054",
            "http_request_duration_seconds_bucket ≤inf = 144320",
            "http_request_duration_seconds_sum = 53423",
            "http_request_duration_seconds_count = 144320",
            "rpc_duration_seconds @0.5 = 4773",
            "rpc_duration_seconds_sum = 17560473",
            "rpc_duration_seconds_count = 2693",
        ]
    );
    assert_eq!(
        found.families,
        [
            "http_requests_total Counter",
            "msdos_file_access_time_seconds Unknown",
            "metric_without_timestamp_and_labels Unknown",
            "something_weird Unknown",
            "http_request_duration_seconds Histogram",
            "rpc_duration_seconds Summary",
        ]
    );
}

#[test]
fn every_kind_of_openmetrics_is_read() {
    let body = r#"# TYPE acme_http_router_request_seconds summary
# UNIT acme_http_router_request_seconds seconds
# HELP acme_http_router_request_seconds Latency though all of ACME's HTTP request router.
acme_http_router_request_seconds_sum{path="/api/v1",method="GET"} 9036.32
acme_http_router_request_seconds_count{path="/api/v1",method="GET"} 807283.0
acme_http_router_request_seconds_created{path="/api/v1",method="GET"} 1605281325.0
# TYPE go_goroutines gauge
go_goroutines 69
# TYPE process_cpu_seconds counter
# UNIT process_cpu_seconds seconds
process_cpu_seconds_total 4.20072246e+06 1605301325.789
process_cpu_seconds_created 1605281325
# TYPE build info
build_info{version="1"} 1
# TYPE feature stateset
feature{feature="a"} 1
feature{feature="b"} 0
# TYPE queue gaugehistogram
queue_bucket{le="1.0"} 2
queue_bucket{le="+Inf"} 3
queue_gsum 4.5
queue_gcount 3
# TYPE latency histogram
latency_bucket{le="0.1"} 8 # {} 0.054
latency_bucket{le="1"} 9 1.5 # {trace_id="KOO5S4vxi0o"} 0.67 1520879607.789
latency_bucket{le="+Inf"} 17
latency_count 17
latency_sum 324789.3
latency_created 1520430000.123
# TYPE what unknown
what 7
# EOF
"#;
    assert_eq!(
        samples(body, Format::OpenMetrics),
        [
            r#"acme_http_router_request_seconds_sum path="/api/v1" method="GET" = 9036.32"#,
            r#"acme_http_router_request_seconds_count path="/api/v1" method="GET" = 807283"#,
            r#"acme_http_router_request_seconds_created path="/api/v1" method="GET" = 1605281325"#,
            "go_goroutines = 69",
            "process_cpu_seconds_total = 4200722.46 at 1605301325789",
            "process_cpu_seconds_created = 1605281325",
            r#"build_info version="1" = 1"#,
            r#"feature feature="a" = 1"#,
            r#"feature feature="b" = 0"#,
            "queue_bucket ≤1 = 2",
            "queue_bucket ≤inf = 3",
            "queue_gsum = 4.5",
            "queue_gcount = 3",
            "latency_bucket ≤0.1 = 8",
            "latency_bucket ≤1 = 9 at 1500",
            "latency_bucket ≤inf = 17",
            "latency_count = 17",
            "latency_sum = 324789.3",
            "latency_created = 1520430000.123",
            "what = 7",
        ]
    );
}

#[test]
fn openmetrics_ends_where_it_says() {
    let ends = [
        ("a 1\n# EOF\n", Ok(1)),
        ("a 1\n# EOF", Ok(1)),
        ("# EOF\n", Ok(0)),
        ("", Err(ReadError::NoEof)),
        ("a 1\n", Err(ReadError::NoEof)),
        ("a 1\n# EO", Err(ReadError::NoEof)),
        ("a 1\n#EOF\n", Err(ReadError::NoEof)),
        ("# EOF\na 1\n", Err(ReadError::AfterEof)),
        ("# EOF\n\n", Err(ReadError::AfterEof)),
        ("# EOF\n# EOF\n", Err(ReadError::AfterEof)),
    ];
    for (body, expected) in ends {
        let (_, report) = collected(body.as_bytes(), Format::OpenMetrics);
        assert_eq!(report.map(|it| it.samples), expected, "{body:?}");
    }
}

#[test]
fn only_wanted_families_are_read() {
    let body = "# TYPE a counter\na_total{x=\"broken} 1\na_created 5\n# TYPE b gauge\nb 2\n# TYPE c histogram\n\
        c_bucket{le=\"1\"} 1\nc_sum broken\nb_total 3\n";
    let mut visitor = Collected {
        wanted: &["b"],
        ..Collected::default()
    };
    let report = read(
        body.as_bytes(),
        Format::Text,
        Limits::default(),
        &mut visitor,
    )
    .unwrap();
    assert_eq!(
        (report.malformed, visitor.samples),
        (0, vec!["b = 2".to_owned()])
    );
    assert_eq!(
        visitor.families,
        [
            "a_total Counter",
            "b Gauge",
            "c Histogram",
            "b_total Unknown"
        ]
    );
}

/// A quoted name may have bytes that no line begins with.
#[test]
fn a_name_that_needs_quotes_has_them_on_each_line() {
    let body = b"# TYPE \"a.b\" gauge\na.b{c=\"d\"} 1\na.b 2\n{\"a.b\",c=\"d\"} 3\n";
    let (found, report) = collected(body, Format::Text);
    assert_eq!(report.unwrap().malformed, 2);
    assert_eq!(found.samples, ["a.b c=\"d\" = 3"]);
}

/// The name of the family before is the start of another name.
#[test]
fn a_longer_name_is_another_family() {
    let body = b"# TYPE ab gauge\nab 1\nabc 2\nab_total 3\nab:c{d=\"e\"} 4\n";
    let (found, report) = collected(body, Format::Text);
    assert_eq!(report.unwrap().malformed, 0);
    assert_eq!(
        found.samples,
        ["ab = 1", "abc = 2", "ab_total = 3", "ab:c d=\"e\" = 4"]
    );
}
