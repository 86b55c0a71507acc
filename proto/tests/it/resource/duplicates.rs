//! Duplicate series of one container or of the node.

use super::decoded;
use crate::fixtures::bytes;

/// Lines of one family, each of container `c` unless it says `node`: value and milliseconds.
fn family(name: &str, lines: &[(&str, Option<i64>)]) -> String {
    let labels = match name.strip_prefix("node") {
        Some(_) => "",
        None => "{container=\"c\",namespace=\"n\",pod=\"p\"}",
    };
    let line = |(value, at): &(&str, Option<i64>)| match at {
        Some(at) => format!("{name}{labels} {value} {at}\n"),
        None => format!("{name}{labels} {value}\n"),
    };
    lines.iter().map(line).collect()
}

type Lines<'a> = &'a [(&'a str, Option<i64>)];

/// CPU seconds and bytes of the candidates of the only duplicate, which must be container `c`; nothing if there is none.
fn candidates(cpu: Lines<'_>, memory: Lines<'_>) -> Option<Vec<(u64, u64)>> {
    let body = format!(
        "{}{}",
        family("container_cpu_usage_seconds_total", cpu),
        family("container_memory_working_set_bytes", memory)
    );
    let scrape = decoded(body.as_bytes());
    assert!(scrape.duplicates.len() <= 1);
    let duplicate = scrape.duplicates.first()?;
    assert_eq!(duplicate.key.unwrap().container, "c");
    let each = duplicate.candidates.iter();
    Some(
        each.map(|it| (it.cpu_ns.unwrap() / 1_000_000_000, it.memory.unwrap()))
            .collect(),
    )
}

#[test]
fn the_cpu_of_a_repeated_container_goes_with_the_memory_of_the_same_time() {
    let both = Some(vec![(130, 57), (100, 33)]);
    let cpu: Lines<'_> = &[("130", Some(841)), ("100", Some(962))];
    let reversed: Lines<'_> = &[("100", Some(962)), ("130", Some(841))];
    for (cpu, memory) in [
        (cpu, [("57", Some(841)), ("33", Some(962))]),
        (cpu, [("33", Some(962)), ("57", Some(841))]),
        (reversed, [("57", Some(841)), ("33", Some(962))]),
        (reversed, [("33", Some(962)), ("57", Some(841))]),
        // A runtime that stamps them apart.
        (cpu, [("57", Some(843)), ("33", Some(960))]),
    ] {
        assert_eq!(candidates(cpu, &memory), both);
    }
    // Equal lines count once, and a container whose lines do not differ is no duplicate.
    let again = [cpu, cpu, reversed].concat();
    assert_eq!(
        candidates(
            &again,
            &[("57", Some(841)), ("33", Some(962)), ("57", Some(841))]
        ),
        both
    );
    assert_eq!(
        candidates(&cpu[..1].repeat(3), &[("57", Some(841)); 2]),
        None
    );
}

#[test]
fn the_lines_of_a_leaked_cgroup_are_distinguished() {
    // The two change places from one scrape to the next.
    for (page, pairs) in [
        (
            "1",
            [
                (130_000_500_000_000, 56_900_000_000),
                (100_000_500_000_000, 33_100_000_000),
            ],
        ),
        (
            "2",
            [
                (100_008_000_000_000, 33_100_000_000),
                (130_008_000_000_000, 56_900_000_000),
            ],
        ),
    ] {
        let body = bytes(&format!("duplicate-series/{page}.txt"));
        let scrape = decoded(&body);
        assert_eq!((scrape.skipped_lines, scrape.containers.len()), (0, 2));
        assert_eq!(scrape.duplicates.len(), 1);
        assert_eq!(scrape.duplicates[0].key.unwrap().pod, "db-0");
        let candidates = scrape.duplicates[0].candidates.iter();
        let values: Vec<_> = candidates
            .map(|it| (it.cpu_ns.unwrap(), it.memory.unwrap()))
            .collect();
        assert_eq!(values, pairs);
    }
}

#[test]
fn copies_that_cannot_be_distinguished_are_no_candidates() {
    let cpu: Lines<'_> = &[("130", Some(841)), ("100", Some(962))];
    type Case<'a> = (Lines<'a>, Lines<'a>, Vec<(u64, u64)>);
    let cases: [Case<'_>; 8] = [
        // Equal times, or none.
        (
            &[("130", Some(5)), ("100", Some(5))],
            &[("57", Some(5)), ("33", Some(5))],
            vec![],
        ),
        (
            &[("130", None), ("100", None)],
            &[("57", None), ("33", None)],
            vec![],
        ),
        // Only one of the two is repeated.
        (cpu, &[("57", Some(841))], vec![(130, 57)]),
        (cpu, &[("57", Some(900))], vec![]),
        (
            &[("100", Some(962))],
            &[("57", Some(841)), ("33", Some(962))],
            vec![(100, 33)],
        ),
        (
            &[("100", Some(900))],
            &[("57", Some(841)), ("33", Some(962))],
            vec![],
        ),
        // Times that are as far from their own as from the other.
        (cpu, &[("57", Some(905)), ("33", Some(1030))], vec![]),
        // Three copies.
        (
            &[("3", Some(30)), ("1", Some(10)), ("2", Some(20))],
            &[("100", Some(10)), ("200", Some(20)), ("300", Some(30))],
            vec![(1, 100), (2, 200), (3, 300)],
        ),
    ];
    for (cpu, memory, expected) in cases {
        assert_eq!(
            candidates(cpu, memory),
            Some(expected),
            "{cpu:?} {memory:?}"
        );
    }
}

#[test]
fn a_repeated_start_or_node_is_a_duplicate_too() {
    let whole = family("container_cpu_usage_seconds_total", &[("5", Some(9))])
        + &family("container_memory_working_set_bytes", &[("6", Some(9))]);
    let body = whole + &family("container_start_time_seconds", &[("1", None), ("2", None)]);
    let scrape = decoded(body.as_bytes());
    let candidates = &scrape.duplicates[0].candidates;
    assert_eq!(candidates.len(), 1);
    assert_eq!((candidates[0].start, candidates[0].memory), (None, Some(6)));

    let body = family(
        "node_cpu_usage_seconds_total",
        &[("5", Some(9)), ("4", Some(8))],
    ) + &family(
        "node_memory_working_set_bytes",
        &[("50", Some(9)), ("40", Some(8))],
    );
    let scrape = decoded(body.as_bytes());
    assert_eq!(scrape.duplicates[0].key, None);
    let values: Vec<_> = scrape.duplicates[0]
        .candidates
        .iter()
        .map(|it| it.memory)
        .collect();
    assert_eq!(values, [Some(40), Some(50)]);
}

#[test]
fn many_repeated_lines_need_little_memory() {
    let mut body = String::new();
    for copy in 0..40 {
        for n in 0..2000 {
            body += &format!(
                "container_cpu_usage_seconds_total{{container=\"c{n}\",namespace=\"n\",pod=\"p\"}} {copy} {copy}\n"
            );
        }
    }
    let scrape = decoded(body.as_bytes());
    assert_eq!(scrape.duplicates.len(), 2000);
    let candidates = scrape.duplicates.iter().map(|it| it.candidates.len());
    assert_eq!(candidates.sum::<usize>(), 0);
}
