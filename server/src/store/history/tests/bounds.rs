//! Tests of the limits of one node, and of pods of other nodes.

use super::*;
use crate::store::history::series_list::MAX_SERIES;

/// Names that no scrape had before: of the n-th scrape, so many.
fn invented(n: i64, count: usize) -> Vec<String> {
    (0..count)
        .map(|it| format!("ghost-{n:05}-{it:05}"))
        .collect()
}

/// Pods of these names, with a container each.
fn pods(names: &[String]) -> Vec<(&str, &str, u32)> {
    names.iter().map(|name| (name.as_str(), "x", 1)).collect()
}

/// Containers of these names, of one pod.
fn containers(names: &[String]) -> Vec<(&str, &str, u32)> {
    names.iter().map(|name| ("own", name.as_str(), 1)).collect()
}

#[test]
fn pods_of_other_nodes_are_not_stored() {
    let (_, kubelet) = node();
    kubelet.elsewhere.set(true);
    (1..10).for_each(|n| kubelet.scrape(n, &[("theirs", "x", 7)]));
    let names = |kubelet: &Kubelet| -> Vec<String> {
        kubelet.all().into_iter().map(|(pod, ..)| pod).collect()
    };
    assert_eq!(names(&kubelet), [""], "the node's own series alone");
    // One of its own beside it makes no difference.
    kubelet.elsewhere.set(false);
    kubelet.scrape(10, &[("own", "x", 7)]);
    kubelet.elsewhere.set(true);
    kubelet.scrape(11, &[("own", "x", 7), ("theirs", "x", 7)]);
    assert_eq!(names(&kubelet), ["", "own"]);
}

#[test]
fn early_samples_of_a_pod_of_another_node_are_dropped() {
    let (history, kubelet) = node();
    kubelet.uid.set(0);
    (1..40).for_each(|n| kubelet.scrape(n, &[("mistaken", "x", 7), ("mistaken", "y", 7)]));
    assert_eq!(kubelet.all().len(), 3);
    kubelet.elsewhere.set(true);
    kubelet.scrape(40, &[("mistaken", "x", 7), ("mistaken", "y", 7)]);
    assert_eq!(kubelet.all().len(), 1);
    assert_eq!(history.totals().points, 40, "the node's own");
    // And it stays so.
    kubelet.scrape(41, &[("mistaken", "x", 7)]);
    assert_eq!(kubelet.all().len(), 1);
}

#[test]
fn a_kubelet_that_goes_on_with_a_pod_that_has_moved_is_noticed() {
    let (_, kubelet) = node();
    (1..=50).for_each(|n| kubelet.scrape(n, &[("web-0", "x", 7)]));
    kubelet.elsewhere.set(true);
    (51..=200).for_each(|n| kubelet.scrape(n, &[("web-0", "x", 7)]));
    let all = kubelet.all();
    let points = &all[1].3;
    assert!(points.len() >= 50, "what it had was its own");
    assert!(points.len() <= 50 + 33, "{}", points.len());
}

#[test]
fn a_pod_that_is_created_again_is_another_series() {
    let (_, kubelet) = node();
    kubelet.scrape(1, &[("web-0", "x", 7)]);
    kubelet.uid.set(2);
    kubelet.scrape(2, &[("web-0", "x", 8)]);
    kubelet.scrape(3, &[("web-0", "x", 8)]);
    let uids = kubelet.all().into_iter().map(|(_, uid, ..)| uid);
    assert_eq!(uids.collect::<Vec<_>>(), [0, 1, 2]);
}

#[test]
fn the_number_of_unknown_pods_is_limited() {
    let (history, kubelet) = node();
    kubelet.uid.set(0);
    for n in 1..=5 {
        kubelet.scrape(n, &pods(&invented(n, 600)));
    }
    let totals = history.totals();
    assert_eq!(totals.series, 1001, "the node's own, and a thousand");
    assert_eq!(totals.refused_points, 5 * 600 - 1000);
    // A pod that the API server has reported is stored nevertheless.
    kubelet.uid.set(3);
    kubelet.scrape(6, &[("bound", "x", 1)]);
    assert_eq!(history.totals().series, 1002);
}

#[test]
fn containers_that_come_and_go_are_bounded() {
    let (history, kubelet) = node();
    for n in 1..=6 {
        kubelet.scrape(n, &pods(&invented(n, 9_900)));
    }
    let totals = history.totals();
    assert_eq!(totals.series, MAX_SERIES + 1);
    assert_eq!(totals.refused_points, 6 * 9_900 - MAX_SERIES as u64);
    // Containers of one pod count too, and have a limit of their own.
    let names = invented(7, 100);
    let of_pod = names
        .iter()
        .map(|name| ("ghost-00001-00000", name.as_str(), 1));
    kubelet.scrape(7, &Vec::from_iter(of_pod));
    assert_eq!(history.totals().series, MAX_SERIES + 1);
    let (history, kubelet) = node();
    for n in 1..=3 {
        kubelet.scrape(n, &containers(&invented(n, 200)));
    }
    assert_eq!(history.totals().series, 256 + 1);
    assert_eq!(history.totals().refused_points, 600 - 256);
}

#[test]
fn names_and_lists_are_counted() {
    for length in [1, 30, 253] {
        let (history, kubelet) = node();
        let names: Vec<String> = (0..500).map(|n| format!("{n:0length$.length$}")).collect();
        let before = history.totals().bytes;
        let mut named = pods(&names);
        named.sort_unstable();
        named.dedup();
        kubelet.scrape(1, &named);
        let totals = history.totals();
        let each = (totals.bytes - before) / named.len();
        assert!(each > length + 16, "{each} bytes for a name of {length}");
        assert!(totals.name_bytes > named.len() * (length + 16));
    }
}

/// Fifteen honest nodes, and one whose kubelet has new names with each scrape; some of its pods are bound to it.
#[test]
fn only_a_node_over_its_share_is_shortened() {
    let own: Vec<String> = (0..20).map(|n| format!("pod-{n:03}")).collect();
    let alone = History::new(settings());
    let honest: Vec<Kubelet> = (0..15)
        .map(|n| Kubelet::new(&alone, &format!("n{n}")))
        .collect();
    for n in 0..300 {
        honest
            .iter()
            .for_each(|kubelet| kubelet.scrape(n, &pods(&own)));
        alone.tidy(age(n));
    }
    // Enough for the honest nodes, and for less than the hostile one would take: some 370 kB.
    let limit = alone.totals().bytes + 250_000;
    let history = History::new(Settings {
        memory_limit: limit,
        ..settings()
    });
    let honest: Vec<Kubelet> = (0..15)
        .map(|n| Kubelet::new(&history, &format!("n{n}")))
        .collect();
    let hostile = Kubelet::new(&history, "hostile");
    let mut shortened = false;
    for n in 0..300 {
        for kubelet in &honest {
            kubelet.scrape(n, &pods(&own));
        }
        hostile.uid.set(1);
        hostile.scrape(n, &[("own", "x", 1)]);
        hostile.uid.set(0);
        hostile.scrape(n, &pods(&invented(n, 300)));
        hostile.uid.set(1);
        hostile.scrape(n, &containers(&invented(n, 900)));
        let cut = history.tidy(age(n));
        assert!(!cut.all, "{n}");
        shortened |= !cut.nodes.is_empty();
        assert!(cut.nodes.iter().all(|node| **node == *"hostile"), "{cut:?}");
        assert!(history.totals().bytes <= limit, "{n}");
    }
    assert!(shortened);
    assert_eq!(history.retention(), HOUR);
    assert_eq!(history.totals().shortened_nodes, 1);
    for kubelet in &honest {
        for (pod, _, _, points) in kubelet.all() {
            let hour: Vec<i64> = (300 - 240..300).collect();
            assert!(points.ends_with(&hour), "{pod}: {} points", points.len());
        }
    }
    // It behaves again: step by step it stores as much as the others.
    for n in 300..900 {
        for kubelet in &honest {
            kubelet.scrape(n, &pods(&own));
        }
        hostile.scrape(n, &[("own", "x", 1)]);
        history.tidy(age(n));
    }
    assert_eq!(history.totals().shortened_nodes, 0);
}

#[test]
fn the_fair_share_follows_the_smaller_node() {
    let history = History::new(Settings {
        memory_limit: 45_000,
        ..settings()
    });
    let (honest, hostile) = (
        Kubelet::new(&history, "honest"),
        Kubelet::new(&history, "hostile"),
    );
    let mut shortened = false;
    for n in 0..300 {
        honest.scrape(n, &[("a", "x", 1), ("b", "x", 1)]);
        hostile.scrape(n, &containers(&invented(n, 100)));
        let cut = history.tidy(age(n));
        assert!(!cut.all, "{n}");
        shortened |= !cut.nodes.is_empty();
    }
    assert!(shortened);
    assert!(honest.all().iter().all(|(.., points)| points.len() >= 240));
}
