//! `/metrics/probes` of a real kubelet.

use crate::fixtures::bytes;
use kubevitals_proto::kubelet::probes::{ProbeCounts, decode};
use kubevitals_proto::vitals::ProbeKind;
use proptest::prelude::*;

#[test]
fn the_counters_of_a_kubelet_1_36_are_read() {
    let body = bytes("kubelet-1.36/metrics-probes.txt");
    let scrape = decode(&body);
    assert_eq!((scrape.skipped_lines, scrape.truncated), (0, false));
    let counts: Vec<_> = scrape
        .probes
        .iter()
        .map(|(key, counts)| {
            (
                &*key.pod,
                &*key.container,
                key.probe,
                counts.successful,
                counts.failed,
            )
        })
        .collect();
    let (first, second) = ("web-7dbd77488b-6wfdn", "web-7dbd77488b-rfsks");
    assert_eq!(
        counts,
        [
            ("flaky", "flaky", ProbeKind::Liveness, 36, 6),
            ("flaky", "flaky", ProbeKind::Readiness, 39, 6),
            ("notready", "app", ProbeKind::Readiness, 0, 36),
            (first, "web", ProbeKind::Liveness, 30, 0),
            (first, "web", ProbeKind::Readiness, 46, 0),
            (first, "web", ProbeKind::Startup, 1, 0),
            (second, "web", ProbeKind::Liveness, 33, 0),
            (second, "web", ProbeKind::Readiness, 50, 0),
            (second, "web", ProbeKind::Startup, 1, 0),
        ]
    );
    let (key, _) = &scrape.probes[0];
    assert_eq!(
        (&*key.namespace, &*key.pod_uid),
        ("default", "c1363de6-e4d1-406e-b6c7-09c847335a8e")
    );
}

#[test]
fn odd_lines_are_skipped_and_counted() {
    let labels = r#"container="c",namespace="n",pod="p",pod_uid="u""#;
    let body = format!(
        "prober_probe_total{{{labels},probe_type=\"Liveness\",result=\"unknown\"}} 3\n\
         prober_probe_total{{{labels},probe_type=\"Liveness\",result=\"failed\"}} 1\n\
         prober_probe_total{{{labels},probe_type=\"Liveness\",result=\"failed\"}} 2\n\
         prober_probe_total{{{labels},probe_type=\"Liveness\",result=\"failed\"}} -1\n\
         prober_probe_total{{{labels},probe_type=\"Liveness\",result=\"failed\"}} NaN\n\
         prober_probe_total{{{labels},probe_type=\"Gut feeling\",result=\"failed\"}} 1\n\
         prober_probe_total{{{labels},probe_type=\"Liveness\"}} 1\n\
         <html>\n"
    );
    let scrape = decode(body.as_bytes());
    assert_eq!(scrape.skipped_lines, 5);
    assert!(scrape.first_bad_line.unwrap().ends_with(b"-1"));
    assert_eq!(scrape.probes.len(), 1);
    assert_eq!(
        scrape.probes[0].1,
        ProbeCounts {
            successful: 0,
            failed: 2,
            unknown: 3
        },
        "the last line holds"
    );
}

#[test]
fn too_many_series_are_dropped_and_reported() {
    let line = |n: usize| {
        format!(
            "prober_probe_total{{container=\"c{n}\",namespace=\"n\",pod=\"p\",probe_type=\"Startup\",result=\"failed\"}} 1\n"
        )
    };
    let body: String = (0..30_000).map(line).collect();
    let scrape = decode(body.as_bytes());
    assert!(scrape.truncated);
    assert_eq!(scrape.probes.len(), 27_000);
}

proptest! {
    #[test]
    fn no_damage_makes_it_panic(at in 0_usize..17021, byte: u8, cut in 0_usize..17021) {
        let mut body = bytes("kubelet-1.36/metrics-probes.txt");
        body[at] = byte;
        let _ = decode(&body[cut..]);
    }
}
