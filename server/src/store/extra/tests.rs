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
