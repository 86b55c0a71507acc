//! The output of advice on a workload that is well, on one that leaks, and on one that is unknown.

use kubevitals_proto::duration::GoDuration;
use kubevitals_proto::vitals::Quantiles;

use super::super::evidence::Spec;
use super::super::rules::Percent;
use super::*;
use crate::batch::output::{Head, write_records};
use crate::cli::{OutputArgs, OutputFormat};
use crate::export::Records as _;
use crate::model::{SourceKind, Stat};

const MILLICORE: u64 = 1_000_000;

fn key(workload: &str, container: &str) -> ContainerKey {
    ContainerKey {
        namespace: "shop".to_owned(),
        kind: "Deployment".to_owned(),
        workload: workload.to_owned(),
        container: container.to_owned(),
    }
}

fn usage(usual: u64, max: u64) -> Quantiles {
    Quantiles {
        p50: usual / 2,
        p90: usual,
        p95: usual,
        p99: max,
        max,
    }
}

fn well() -> Evidence {
    Evidence {
        replicas: 3,
        spec: Spec {
            cpu_request: Some(Nanocores(500 * MILLICORE)),
            cpu_limit: Some(Nanocores(200 * MILLICORE)),
            memory_request: Some(Bytes(64 << 20)),
            memory_limit: Some(Bytes(512 << 20)),
        },
        cpu: usage(100 * MILLICORE, 200 * MILLICORE),
        memory: usage(90 << 20, 100 << 20),
        samples: 700,
        history: GoDuration::from_secs(3480),
        span: Some((
            Timestamp::from_secs(1_795_234_400),
            Timestamp::from_secs(1_795_238_000),
        )),
        ..Evidence::default()
    }
}

fn report() -> Report {
    let rules = Rules {
        cpu_percentile: Stat::P95,
        cpu_margin: Percent(15),
        memory_margin: Percent(15),
        min_history: GoDuration::from_secs(1800),
    };
    let leak = Evidence {
        growth: Some([10, 20, 30, 40].map(|mebibytes| Bytes(mebibytes << 20))),
        restarts: 1,
        most_restarts: 1,
        ..well()
    };
    let unknown = Evidence {
        replicas: 1,
        ..Evidence::default()
    };
    let lines = [
        (key("api", "api"), leak),
        (key("web", "proxy"), unknown),
        (key("web", "web"), well()),
    ];
    Report {
        at: Timestamp::from_secs(1_795_238_024),
        rules,
        prices: Prices {
            cpu: Some(0.03),
            memory: Some(0.004),
        },
        has_namespaces: true,
        lines: lines
            .into_iter()
            .map(|(key, evidence)| Line::new(key, evidence, &rules))
            .collect(),
    }
}

fn written(format: OutputFormat, by_workload: bool) -> String {
    let report = report();
    let rows = match by_workload {
        true => report.workload_rows(),
        false => report.rows(),
    };
    let args = OutputArgs {
        output: Some(format),
        no_headers: false,
    };
    let head = Head::new("Rightsize", report.at, SourceKind::Vitals);
    let mut out = Vec::new();
    write_records(args, head, &rows, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn tables_show_the_evidence_and_the_advice() {
    insta::assert_snapshot!("containers", written(OutputFormat::Table, false));
    insta::assert_snapshot!("containers-wide", written(OutputFormat::Wide, false));
    insta::assert_snapshot!("containers-csv", written(OutputFormat::Csv, false));
    insta::assert_snapshot!("workloads", written(OutputFormat::Table, true));
    insta::assert_snapshot!("workloads-csv", written(OutputFormat::Csv, true));
    insta::assert_snapshot!("summary", report().summary());
}

#[test]
fn a_document_has_the_same_numbers() {
    let report = report();
    let json = serde_json::to_string_pretty(&report.document()).unwrap();
    insta::assert_snapshot!("document", json);
    let comments = report.comments().join("\n");
    assert!(
        comments
            .contains("Cannot advise on shop: Deployment/api, container api: memory: memory grows"),
        "{comments}"
    );
}

#[test]
fn without_prices_there_is_no_money() {
    let report = Report {
        prices: Prices::default(),
        ..report()
    };
    assert!(!report.summary().contains("month"), "{}", report.summary());
    assert_eq!(report.document().saved_per_month, None);
    assert!(
        report
            .rows()
            .headings()
            .iter()
            .all(|it| it.title.as_deref() != Some("SAVED/MONTH"))
    );
}
