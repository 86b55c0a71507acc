//! The text formats: Prometheus 0.0.4 and OpenMetrics 1.0.0.

use std::io::Write;

use super::exposition::{Family, Kind, Series, Value};
use crate::goformat::float;

/// Which text format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    Prometheus,
    OpenMetrics,
}

/// Appends a page. A `Vec` takes every byte, so writing cannot fail.
pub(super) fn write(out: &mut Vec<u8>, families: &[Family], dialect: Dialect) {
    for family in families {
        let name = match dialect {
            Dialect::OpenMetrics => family.name.strip_suffix("_total").unwrap_or(&family.name),
            Dialect::Prometheus => &family.name,
        };
        let _ = writeln!(out, "# HELP {name} {}", family.help);
        let _ = writeln!(out, "# TYPE {name} {}", family.kind.name());
        // OpenMetrics wants the suffix on every counter.
        let sample = match (dialect, family.kind) {
            (Dialect::OpenMetrics, Kind::Counter) => format!("{name}_total"),
            _ => family.name.clone().into_owned(),
        };
        for series in &family.series {
            write_series(out, &sample, series, dialect);
        }
    }
    if dialect == Dialect::OpenMetrics {
        out.extend_from_slice(b"# EOF\n");
    }
}

fn write_series(out: &mut Vec<u8>, name: &str, series: &Series, dialect: Dialect) {
    let mut line = |suffix: &str, le: Option<f64>, value: f64| {
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(suffix.as_bytes());
        write_labels(out, series, le, dialect);
        out.push(b' ');
        float(out, value);
        if let Some(at) = series.at {
            let _ = match dialect {
                Dialect::Prometheus => write!(out, " {at}"),
                Dialect::OpenMetrics => write!(out, " {}", at as f64 / 1e3),
            };
        }
        out.push(b'\n');
    };
    match &series.value {
        Value::Number(value) => line("", None, *value),
        Value::Histogram(it) => {
            for (bound, count) in &it.classic {
                line("_bucket", Some(*bound), *count as f64);
            }
            line("_bucket", Some(f64::INFINITY), it.count as f64);
            line("_sum", None, it.sum);
            line("_count", None, it.count as f64);
        }
    }
}

fn write_labels(out: &mut Vec<u8>, series: &Series, le: Option<f64>, dialect: Dialect) {
    if series.labels.is_empty() && le.is_none() {
        return;
    }
    out.push(b'{');
    let mut separator = "";
    for (name, value) in &series.labels {
        let value = value
            .replace('\\', r"\\")
            .replace('"', "\\\"")
            .replace('\n', r"\n");
        let _ = write!(out, "{separator}{name}=\"{value}\"");
        separator = ",";
    }
    if let Some(bound) = le {
        let _ = write!(out, "{separator}le=\"");
        float(out, bound);
        // OpenMetrics writes bounds as floats.
        if dialect == Dialect::OpenMetrics && bound.fract() == 0.0 {
            out.extend_from_slice(b".0");
        }
        out.push(b'"');
    }
    out.push(b'}');
}
