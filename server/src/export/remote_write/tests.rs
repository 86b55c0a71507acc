//! The queue, in memory and on disk; names of labels and metrics.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use kubevitals_proto::time::Timestamp;

use super::cursor::{Cursor, Written};
use super::disk::Folder;
use super::encode::Protocol;
use super::queue::{Limits, Queue, Request};
use super::relabel::{ExternalLabel, MetricFilter, MetricPattern};

const LIMITS: Limits = Limits {
    memory: 100,
    disk: 1000,
};

fn request(n: u8) -> Request {
    Request {
        body: Bytes::from(vec![n; 40]),
        samples: usize::from(n),
        protocol: Protocol::V1,
        collected: Timestamp::from_secs(i64::from(n)),
    }
}

fn written(newest: i64) -> Written {
    Written {
        newest: Timestamp::from_secs(newest),
        recent: vec![1],
    }
}

fn cursor(newest: i64) -> Cursor {
    let node: Arc<str> = "node-1".into();
    Cursor::of([(&node, written(newest))].into_iter())
}

fn on_disk(folder: &Path) -> Queue {
    let folder = Folder::of(folder, "http://receiver/write");
    Queue::new(LIMITS, Some(folder))
}

fn numbers(queue: &Queue) -> Vec<usize> {
    let mut all = Vec::new();
    while let Some(request) = queue.try_front() {
        all.push(request.samples);
        queue.pop();
    }
    all
}

#[test]
fn requests_leave_in_the_order_in_which_they_came() {
    let queue = Queue::new(LIMITS, None);
    for n in 1..=2 {
        assert!(!queue.is_full());
        queue.push(request(n), None);
    }
    assert!(!queue.is_full());
    queue.push(request(3), None);
    assert!(queue.is_full());
    assert_eq!(queue.oldest(), Some(Timestamp::from_secs(1)));
    assert_eq!(queue.size().memory, 120);
    assert_eq!(numbers(&queue), [1, 2, 3]);
    assert_eq!(queue.size().memory, 0);
}

#[test]
fn a_queue_on_disk_outlives_the_process() {
    let folder = tempfile::tempdir().unwrap();
    let queue = on_disk(folder.path());
    assert_eq!(queue.restore(), None);
    for n in 1..=4 {
        queue.push(request(n), (n == 2 || n == 4).then(|| cursor(i64::from(n))));
    }
    // More than its memory, and less than its disk.
    assert_eq!((queue.size().memory, queue.size().disk), (80, 160));
    queue.pop();
    queue.pop();
    drop(queue);
    let queue = on_disk(folder.path());
    let (newest, collected) = queue.restore().unwrap();
    let expected = HashMap::from([("node-1".into(), written(4))]);
    assert_eq!(newest.nodes(), expected);
    assert_eq!(collected, Timestamp::from_secs(4));
    assert_eq!(numbers(&queue), [3, 4]);
    // All are sent: the cursor stays, and nothing is sent again.
    let queue = on_disk(folder.path());
    assert_eq!(queue.restore().unwrap().0.nodes(), expected);
    assert_eq!(numbers(&queue), [0; 0]);
    queue.push(request(5), Some(cursor(5)));
    queue.pop();
    let files = Folder::of(folder.path(), "http://receiver/write")
        .list()
        .unwrap();
    assert_eq!(
        files.len(),
        1,
        "the cursor replaces the one before: {files:?}"
    );
    queue.forget();
    assert_eq!(on_disk(folder.path()).restore(), None);
}

#[test]
fn a_broken_file_is_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let queue = on_disk(folder.path());
    assert_eq!(queue.restore(), None);
    for n in 1..=4 {
        queue.push(request(n), Some(cursor(i64::from(n))));
    }
    let files = std::fs::read_dir(folder.path().join("remote-write")).unwrap();
    let of_receiver = files.map(|it| it.unwrap().path()).next().unwrap();
    let file = |n: u32| of_receiver.join(format!("{n:020}.request"));
    std::fs::write(file(0), b"garbage").unwrap();
    let cut = std::fs::read(file(1)).unwrap();
    std::fs::write(file(1), &cut[..cut.len() - 1]).unwrap();
    let mut changed = std::fs::read(file(2)).unwrap();
    changed[20] ^= 1;
    std::fs::write(file(2), changed).unwrap();
    std::fs::write(of_receiver.join("unrelated"), b"").unwrap();
    let queue = on_disk(folder.path());
    queue.restore().unwrap();
    assert_eq!(numbers(&queue), [4]);
}

#[test]
fn a_folder_that_cannot_be_used_leaves_the_queue_in_memory() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state");
    std::fs::write(&file, b"no folder").unwrap();
    let queue = on_disk(&file);
    assert_eq!(queue.restore(), None);
    queue.push(request(1), Some(cursor(1)));
    assert_eq!((queue.size().memory, queue.size().disk), (40, 0));
    assert_eq!(numbers(&queue), [1]);
}

#[test]
fn external_labels_and_patterns_are_validated() {
    for good in ["cluster=prod", "a_1=b=c"] {
        good.parse::<ExternalLabel>().unwrap();
    }
    for bad in ["cluster", "=a", "1a=b", "a-b=c", "__name__=x", "a="] {
        let error = bad.parse::<ExternalLabel>().unwrap_err();
        assert!(error.contains("write NAME=VALUE"), "{error}");
    }
    assert!(
        "(".parse::<MetricPattern>()
            .unwrap_err()
            .contains("regular expression")
    );
    let pattern = |text: &str| text.parse::<MetricPattern>().unwrap();
    let mut filter = MetricFilter::new(vec![pattern("kube_.*|up")], vec![pattern("kube_node")]);
    let kept =
        ["kube_pod", "kube_node", "up", "upper", "my_kube_pod"].map(|name| filter.keeps(name));
    assert_eq!(kept, [true, false, true, false, false]);
}
