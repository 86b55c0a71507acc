//! The history of a node from another replica.

use std::time::Duration;

use kubevitals_server::intern::Interner;
use kubevitals_server::store::History;

use super::callgrind;
use super::cluster::{self, SCRAPES, age};

#[test]
#[ignore = "a workload"]
fn import() {
    let (_, store) = cluster::large(1);
    let (history, names) = (store.history(), Interner::default());
    let (name, node) = history.nodes().pop().unwrap();
    let mut exported = Vec::new();
    node.export(&name, age(SCRAPES), &mut exported);
    for _ in 0..callgrind::units() {
        let other = History::new(*history.settings());
        let imported = other.import(&exported, Duration::ZERO, age(SCRAPES), &names);
        assert_eq!(imported.unwrap().points, history.totals().points);
    }
}

#[test]
fn an_imported_point_takes_few_instructions() {
    let (_, store) = cluster::large(1);
    let points = store.history().totals().points as u64;
    callgrind::assert_each("history::import", points, 12_000);
}
