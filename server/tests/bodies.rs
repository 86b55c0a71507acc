//! What it takes to read a kubelet's answer, counted by the allocator itself: so many bytes for each byte of the answer,
//! and a fixed number beside them, whatever the kubelet sends.
#![allow(
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    missing_docs,
    reason = "clippy's exemption for tests does not reach the functions that they share"
)]

use kubevitals_proto::kubelet::probes;
use kubevitals_proto::kubelet::resource::{ResourceScrape, decode};
use kubevitals_proto::kubelet::summary::{Extras, Rates};
use tikv_jemalloc_ctl::thread;

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Bytes for each byte of an answer: what is owned of it, in a list that doubles.
const EACH: u64 = 8;

/// Bytes for any answer: the most elements that are taken, of the largest kind, in lists that double.
const FIXED: u64 = 64 << 20;

/// All bytes that this thread has asked for so far: never less than what it had in use at any moment since.
fn asked_for() -> u64 {
    thread::allocatedp::read().unwrap().get()
}

/// Reads an answer; nothing of it is kept.
type Read = fn(&[u8]);

/// All that read answers.
const READERS: [(&str, Read); 4] = [
    ("Rates", |body| drop(Rates::parse(body))),
    ("Extras", |body| drop(Extras::parse(body))),
    ("probes", |body| drop(probes::decode(body))),
    ("resource", |body| {
        decode(body, &mut ResourceScrape::default())
    }),
];

fn list(before: &str, element: impl Fn(usize) -> String, after: &str, bytes: usize) -> Vec<u8> {
    let mut body = before.to_owned();
    let mut n = 0;
    while body.len() < bytes {
        if n > 0 && !before.is_empty() {
            body.push(',');
        }
        body += &element(n);
        n += 1;
    }
    (body + after).into_bytes()
}

/// Answers of about so many bytes that are made to cost more than that.
fn hostile(bytes: usize) -> Vec<(&'static str, Vec<u8>)> {
    let same = |text: &'static str| move |_: usize| text.to_owned();
    let labels = |n: usize| format!("{{container=\"c{n}\",namespace=\"n\",pod=\"p\"}}");
    vec![
        ("pods", list(r#"{"pods":["#, same("{}"), "]}", bytes)),
        (
            "pods as lists",
            list(r#"{"pods":["#, same("[]"), "]}", bytes),
        ),
        (
            "a container a pod",
            list(r#"{"pods":["#, same(r#"{"containers":[{}]}"#), "]}", bytes),
        ),
        (
            "containers",
            list(r#"{"pods":[{"containers":["#, same("{}"), "]}]}", bytes),
        ),
        (
            "volumes",
            list(r#"{"pods":[{"volume":["#, same("{}"), "]}]}", bytes),
        ),
        (
            "interfaces",
            list(
                r#"{"node":{"network":{"interfaces":["#,
                same("{}"),
                "]}}}",
                bytes,
            ),
        ),
        (
            "system containers",
            list(r#"{"node":{"systemContainers":["#, same("{}"), "]}}", bytes),
        ),
        (
            "escaped names",
            list(
                r#"{"pods":["#,
                same(r#"{"podRef":{"name":"\n\n\n\n\n\n\n\n"}}"#),
                "]}",
                bytes,
            ),
        ),
        (
            "one long name",
            list(
                r#"{"pods":[{"podRef":{"name":""#,
                same(r"\t"),
                r#""}}]}"#,
                bytes,
            ),
        ),
        (
            "nested",
            format!(r#"{{"x":{}"#, "[".repeat(bytes)).into_bytes(),
        ),
        (
            "keys that nobody reads",
            list("{", |n| format!(r#""k{n}":{n}"#), "}", bytes),
        ),
        (
            "containers in lines",
            list(
                "",
                |n| format!("container_cpu_usage_seconds_total{} 1 1\n", labels(n)),
                "",
                bytes,
            ),
        ),
        (
            "probes in lines",
            list(
                "",
                |n| {
                    format!(
                        "prober_probe_total{{container=\"c{n}\",namespace=\"n\",pod=\"p\",pod_uid=\"u\",probe_type=\"Liveness\",result=\"failed\"}} 1\n"
                    )
                },
                "",
                bytes,
            ),
        ),
        (
            "escaped probes in lines",
            list(
                "",
                |n| {
                    format!(
                        "prober_probe_total{{container=\"\\\\{n}\",namespace=\"\\\\n\",pod=\"\\\\p\",pod_uid=\"\\\\u\",probe_type=\"Liveness\",result=\"failed\"}} 1\n"
                    )
                },
                "",
                bytes,
            ),
        ),
        ("empty lines", "\n".repeat(bytes).into_bytes()),
        ("short lines", "a 1\n".repeat(bytes / 4).into_bytes()),
        (
            "bad lines",
            "container_cpu_usage_seconds_total{ 1\n"
                .repeat(bytes / 36)
                .into_bytes(),
        ),
    ]
}

#[test]
fn no_answer_costs_more_than_its_length_and_a_fixed_number() {
    for bytes in [1 << 10, 1 << 20, 4 << 20] {
        for (what, body) in hostile(bytes) {
            for (reader, read) in READERS {
                let before = asked_for();
                read(&body);
                let cost = asked_for() - before;
                let most = EACH * body.len() as u64 + FIXED;
                assert!(
                    cost <= most,
                    "{what}: {} bytes cost {reader} {cost}",
                    body.len()
                );
            }
        }
    }
}

#[test]
fn the_cost_of_a_body_is_bounded_beyond_the_limit_of_elements() {
    let cost = |bytes: usize, read: Read| {
        let body = list(r#"{"pods":["#, |_| "{}".to_owned(), "]}", bytes);
        let before = asked_for();
        read(&body);
        asked_for() - before
    };
    for (reader, read) in READERS {
        let (less, more) = (cost(1 << 20, read), cost(4 << 20, read));
        println!("{reader}: 1 MiB of pods costs {less}, 4 MiB {more}");
        assert!(more <= less + (1 << 10), "{reader}: {less}, then {more}");
    }
}
