use super::*;
use kubevitals_proto::time::Timestamp;

/// A captured response of a real kubelet.
fn captured(name: &str) -> Vec<u8> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../proto/tests/fixtures/");
    std::fs::read(format!("{folder}{name}")).unwrap()
}

fn converted(body: &[u8], before: Option<&NodeExtra>) -> NodeExtra {
    let extras = Extras::parse(body).unwrap();
    NodeExtra::of(
        &extras,
        before,
        Age::default(),
        Duration::from_secs(60),
        &Interner::default(),
    )
}

/// The key of a pod of the namespace `ns`.
fn key(name: &str) -> PodKey {
    PodKey::new("ns", name)
}

#[test]
fn a_pod_is_small() {
    assert_eq!(size_of::<PodExtra>(), 72);
}

#[test]
fn a_current_kubelet_reports_disk_swap_pressure_and_processes() {
    let node = converted(&captured("kubelet-other/stats-summary-1.35.json"), None);
    let disk = node.disk.unwrap();
    assert_eq!(
        (disk.used.0, disk.capacity.0, disk.available.0),
        (106_943_070_208, 977_896_124_416, 821_203_210_240)
    );
    assert_eq!(node.image_disk, None, "it is the same one");
    let swap = node.swap.unwrap();
    assert_eq!((swap.used.0, swap.capacity.0), (0, 1_073_737_728));
    assert_eq!(node.pressure.cpu.map(Percent::get), Some(38.43));
    assert_eq!(node.pressure.memory.map(Percent::get), Some(0.0));
    assert_eq!(node.processes(), Some(814));
    assert_eq!(node.pods(), 17);
    let pod = node
        .pod(&PodKey::new(
            "kube-system",
            "kube-controller-manager-datagen-1-35",
        ))
        .unwrap();
    assert_eq!(pod.ephemeral_storage(), Some(Bytes(122_880)));
    assert_eq!(pod.processes(), Some(1));
    assert_eq!(pod.pressure().io.map(Percent::get), Some(0.0));
    assert_eq!(pod.network(), None, "one reading makes no rate");
    assert_eq!(node.pod(&PodKey::new("kube-system", "nobody")), None);
}

#[test]
fn zeros_of_a_kernel_without_pressure_are_left_out() {
    let node = converted(&captured("kubelet-1.36/stats-summary.json"), None);
    assert_eq!(node.pressure, Pressure::default());
    let mut pods = node.pods.iter();
    assert!(pods.all(|pod| pod.pressure() == Pressure::default()));
    assert_eq!(node.swap, None, "a node without swap reports zeros");
}

#[test]
fn old_and_windows_kubelets_report_less() {
    let old = converted(&captured("kubelet-other/stats-summary-old.json"), None);
    assert_eq!((old.pods(), old.processes()), (11, Some(1_071)));
    assert_eq!((old.swap, old.network()), (None, None));
    let windows = converted(&captured("kubelet-other/stats-summary-windows.json"), None);
    let disk = windows.disk.unwrap();
    assert_eq!(disk.used.0, disk.capacity.0 - disk.available.0);
    assert_eq!((windows.processes(), windows.swap), (None, None));
    let pod = windows.pods.first().unwrap();
    assert_eq!(pod.processes(), None);
}

/// A pod with these counters, read at a time, that has run since another.
fn pod(name: &str, started: i64, at: i64, rx: u64) -> String {
    let time = |seconds| Timestamp::from_secs(seconds).to_rfc3339_seconds();
    format!(
        r#"{{"podRef":{{"name":"{name}","namespace":"ns","uid":"u"}},"startTime":"{}","network":{{"time":"{}","rxBytes":{rx},"txBytes":{rx}}}}}"#,
        time(started),
        time(at)
    )
}

fn body(pods: &[String]) -> String {
    format!(r#"{{"node":{{}},"pods":[{}]}}"#, pods.join(","))
}

#[test]
fn rates_are_made_of_a_pods_own_readings_whatever_the_order() {
    let first = body(&[pod("b", 1, 100, 500), pod("a", 1, 101, 100)]);
    let first = converted(first.as_bytes(), None);
    let second = body(&[
        pod("a", 1, 161, 700),
        pod("new", 90, 150, 1),
        pod("b", 1, 150, 1_000),
    ]);
    let second = converted(second.as_bytes(), Some(&first));
    let rx = |name| {
        second
            .pod(&key(name))
            .unwrap()
            .network()
            .map(|rate| rate.rx)
    };
    assert_eq!([rx("a"), rx("b"), rx("new")], [Some(10), Some(10), None]);
    assert!(std::ptr::eq(
        &*first.pod(&key("a")).unwrap().key,
        &*second.pod(&key("a")).unwrap().key
    ));
}

#[test]
fn another_pod_of_the_same_name_starts_again() {
    let first = converted(body(&[pod("web-0", 1, 100, 500)]).as_bytes(), None);
    let second = body(&[pod("web-0", 120, 160, 9_000)]);
    let second = converted(second.as_bytes(), Some(&first));
    assert_eq!(second.pod(&key("web-0")).unwrap().network(), None);
}

#[test]
fn data_is_fresh_for_two_and_a_half_intervals() {
    let node = converted(b"{}", None);
    let at = |seconds| Age::from_elapsed(Duration::from_secs(seconds));
    assert!(node.is_fresh(at(150)));
    assert!(!node.is_fresh(at(151)));
}

#[test]
fn a_separate_disk_for_images_is_reported() {
    let body = br#"{"node":{
        "fs":{"capacityBytes":1000,"availableBytes":400,"usedBytes":600,"inodes":7},
        "runtime":{"imageFs":{"capacityBytes":5000,"availableBytes":4000,"usedBytes":1000,"inodes":9}}}}"#;
    let node = converted(body, None);
    assert_eq!(node.disk.unwrap().capacity, Bytes(1000));
    assert_eq!(node.image_disk.unwrap().capacity, Bytes(5000));
}

/// A pod that mounts a claim of `of`: the time of the measurement, and its used bytes.
fn mounting(pod: &str, of: &str, claim: &str, at: i64, used: u64) -> String {
    let time = Timestamp::from_secs(at).to_rfc3339_seconds();
    format!(
        r#"{{"podRef":{{"name":"{pod}","namespace":"ns","uid":"u"}},"volume":[{{"name":"token","usedBytes":1}},
        {{"time":"{time}","availableBytes":{},"capacityBytes":1000000,"usedBytes":{used},"inodesFree":90,"inodes":100,
        "inodesUsed":10,"name":"data","pvcRef":{{"name":"{claim}","namespace":"{of}"}}}}]}}"#,
        1_000_000 - used
    )
}

#[test]
fn a_captured_claim_has_the_kubelets_values() {
    let node = converted(&captured("kubelet-other/stats-summary-old.json"), None);
    let [claim] = node.claims() else {
        panic!("{:?}", node.claims())
    };
    assert_eq!(
        (&*claim.key.namespace, &*claim.key.name),
        ("olly", "grafana")
    );
    assert_eq!(claim.pods.len(), 1);
    assert_eq!(claim.last.inodes(), Some((19_069, 42_557_440)));
    assert_eq!(claim.samples.len(), 1);
}

#[test]
fn the_pods_of_a_claim_share_it_and_the_newest_measurement_counts() {
    let body = body(&[
        mounting("b", "ns", "shared", 160, 7_000),
        mounting("a", "ns", "shared", 100, 5_000),
        mounting("c", "ns", "own", 100, 1),
        // A kubelet must not report for other namespaces, nor for names that cannot exist.
        mounting("d", "other", "stolen", 100, 1),
        mounting("e", "ns", "", 100, 1),
        mounting("f", "ns", &"x".repeat(254), 100, 1),
    ]);
    let node = converted(body.as_bytes(), None);
    let claims: Vec<(&str, usize, Option<Bytes>)> = node
        .claims()
        .iter()
        .map(|it| (&*it.key.name, it.pods.len(), it.last.used()))
        .collect();
    assert_eq!(
        claims,
        [
            ("own", 1, Some(Bytes(1))),
            ("shared", 2, Some(Bytes(7_000)))
        ]
    );
}

#[test]
fn samples_are_of_one_hour_and_two_minutes_apart() {
    let mut node: Option<NodeExtra> = None;
    let start = 1_800_000_000;
    for minute in 0..200 {
        let body = body(&[mounting("a", "ns", "data", start + minute * 60, 1)]);
        node = Some(converted(body.as_bytes(), node.as_ref()));
    }
    let last = node.unwrap();
    let samples = &last.claims()[0].samples;
    assert_eq!(samples.len(), 31);
    assert!(samples.len() <= super::claims::MAX_SAMPLES);
    let span = samples.last().unwrap().at - samples.first().unwrap().at;
    assert_eq!(span, 3_600);
    assert!(last.bytes() < size_of::<NodeExtra>() + size_of::<PodExtra>() + 380);
    // A measurement that is read twice changes nothing; a clock that was set back starts again.
    let again = |at: i64| {
        let body = body(&[mounting("a", "ns", "data", start + at, 9)]);
        converted(body.as_bytes(), Some(&last)).claims()[0]
            .samples
            .len()
    };
    assert_eq!([again(199 * 60), again(60)], [31, 1]);
}

#[test]
fn claims_without_inodes_size_or_time_are_kept() {
    let body = body(&[r#"{"podRef":{"name":"a","namespace":"ns"},"volume":[
        {"pvcRef":{"name":"windows","namespace":"ns"},"inodes":0,"inodesUsed":0,"capacityBytes":10,"availableBytes":4},
        {"pvcRef":{"name":"zero","namespace":"ns"},"capacityBytes":0,"availableBytes":0,"usedBytes":0},
        {"pvcRef":{"name":"bare","namespace":"ns"}}]}"#
        .to_owned()]);
    let node = converted(body.as_bytes(), None);
    let values: Vec<_> = node
        .claims()
        .iter()
        .map(|it| {
            (
                &*it.key.name,
                it.last.used(),
                it.last.inodes(),
                it.samples.len(),
            )
        })
        .collect();
    assert_eq!(
        values,
        [
            ("bare", None, None, 0),
            ("windows", Some(Bytes(6)), None, 0),
            ("zero", Some(Bytes(0)), None, 0)
        ]
    );
}

#[test]
fn claims_survive_the_way_to_another_shard() {
    let pods = [
        mounting("a", "ns", "data", 100, 5_000),
        mounting("b", "ns", "data", 220, 6_000),
    ];
    let node = converted(body(&pods).as_bytes(), None);
    let node = converted(body(&pods[1..]).as_bytes(), Some(&node));
    let now = Age::default();
    let report = ExtraReport::of(&node, now);
    assert_eq!(
        report.extra(now, &Interner::default()).claims(),
        node.claims()
    );
}
