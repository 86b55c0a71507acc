//! Finds circles.

use std::collections::{BTreeMap, BTreeSet};

/// Which unit imports which.
pub(crate) type Graph = BTreeMap<String, BTreeSet<String>>;

/// Returns the circles: the largest sets of units in which each imports each other, directly or by way of others.
pub(crate) fn circles(graph: &Graph) -> BTreeSet<BTreeSet<String>> {
    let reach: BTreeMap<&String, BTreeSet<&String>> = graph
        .keys()
        .map(|unit| (unit, reachable(graph, unit)))
        .collect();
    let mut circles = BTreeSet::new();
    for (unit, reached) in &reach {
        let circle: BTreeSet<String> = reached
            .iter()
            .filter(|other| reach.get(*other).is_some_and(|back| back.contains(unit)))
            .map(|other| (*other).clone())
            .collect();
        if circle.len() > 1 {
            circles.insert(circle);
        }
    }
    circles
}

fn reachable<'a>(graph: &'a Graph, from: &'a String) -> BTreeSet<&'a String> {
    let mut reached = BTreeSet::new();
    let mut open = vec![from];
    while let Some(unit) = open.pop() {
        for next in graph.get(unit).into_iter().flatten() {
            if reached.insert(next) {
                open.push(next);
            }
        }
    }
    reached
}

#[test]
fn an_indirect_circle_is_found() {
    let graph: Graph = [("a", "b"), ("b", "c"), ("c", "a"), ("c", "d"), ("d", "e")]
        .into_iter()
        .fold(Graph::new(), |mut graph, (from, to)| {
            graph
                .entry(from.to_owned())
                .or_default()
                .insert(to.to_owned());
            graph
        });
    let circle: BTreeSet<String> = ["a", "b", "c"].map(str::to_owned).into();
    assert_eq!(circles(&graph), BTreeSet::from([circle]));
}
