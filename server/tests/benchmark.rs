//! The arithmetic of the benchmark of clusters.
#![allow(dead_code, reason = "the benchmark uses the rest")]

#[path = "../benches/cluster/fit.rs"]
mod fit;
#[path = "../benches/cluster/metrics.rs"]
mod metrics;

use fit::Line;
use metrics::Metrics;

#[test]
fn a_line_through_points_on_a_line_is_that_line() {
    let points = [100.0, 500.0, 5000.0].map(|x| (x, 8.0 + 0.25 * x));
    let line = Line::through(&points).unwrap();
    assert!((line.fixed - 8.0).abs() < 1e-9 && (line.slope - 0.25).abs() < 1e-12);
    assert!((line.explained - 1.0).abs() < 1e-12);
    assert!((line.at(65_000.0) - 16_258.0).abs() < 1e-6);
    assert!((line.reaches(258.0) - 1000.0).abs() < 1e-6);
}

#[test]
fn a_line_through_scattered_points_has_the_least_squares() {
    let line = Line::through(&[(0.0, 1.0), (1.0, 3.0), (2.0, 2.0)]).unwrap();
    assert!((line.fixed - 1.5).abs() < 1e-12 && (line.slope - 0.5).abs() < 1e-12);
    assert!((line.explained - 0.25).abs() < 1e-12);
}

#[test]
fn one_point_has_no_line() {
    assert_eq!(Line::through(&[(100.0, 5.0)]), None);
    assert_eq!(Line::through(&[(100.0, 5.0), (100.0, 6.0)]), None);
    assert_eq!(Line::through(&[]), None);
}

/// Two nodes, with so many requests of at most 10 ms, of at most 50 ms, and in total.
fn metrics(counts: [[u32; 3]; 2]) -> Metrics {
    let mut text = "# TYPE took_seconds histogram\ntook_seconds_sum_of_others 7\n".to_owned();
    for (node, [fast, slow, all]) in counts.iter().enumerate() {
        for (bound, count) in [("0.01", fast), ("0.05", slow), ("+Inf", all)] {
            text += &format!("took_seconds_bucket{{node=\"{node}\",le=\"{bound}\"}} {count}\n");
        }
        text += &format!("requests_total{{node=\"{node}\",success=\"true\"}} {all}\n");
    }
    Metrics::new(text)
}

#[test]
fn samples_of_a_family_are_summed_by_label() {
    let metrics = metrics([[1, 2, 3], [4, 5, 6]]);
    assert_eq!(metrics.sum("requests_total", ""), Some(9.0));
    assert_eq!(metrics.sum("requests_total", "node=\"1\""), Some(6.0));
    assert_eq!(metrics.sum("requests", ""), None);
}

#[test]
fn quantiles_are_of_the_growth_over_all_nodes() {
    let before = metrics([[100, 100, 100], [0, 0, 0]]);
    let after = metrics([[140, 150, 150], [40, 50, 50]]);
    let quantiles = after.quantiles(&before, "took_seconds", [0.4, 0.9, 0.99]);
    let [p40, p90, p99] = quantiles.unwrap();
    // 80 of 100 took at most 10 ms, the others up to 50 ms.
    assert!(
        (p40 - 0.005).abs() < 1e-12 && (p90 - 0.03).abs() < 1e-12,
        "{p40} {p90}"
    );
    assert!((p99 - 0.048).abs() < 1e-12, "{p99}");
    assert!(before.quantiles(&before, "took_seconds", [0.5]).is_none());
    let beyond = metrics([[0, 0, 10], [0, 0, 0]]);
    let none = metrics([[0, 0, 0], [0, 0, 0]]);
    assert_eq!(beyond.quantiles(&none, "took_seconds", [0.5]), Some([0.05]));
}
