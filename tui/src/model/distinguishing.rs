//! Columns that distinguish rows with the same name.

use std::hash::{DefaultHasher, Hash, Hasher};

use kubevitals_proto::time::Timestamp;

use super::any_table::AnyTable;
use super::field::Field;
use super::order::in_table_order;

/// Columns that distinguish rows of the same name, in the order in which they are tried.
const TRIED: [Field; 4] = [
    Field::Namespace,
    Field::Kind,
    Field::ProbeKind,
    Field::Container,
];

/// The columns that these rows need beside their names: the namespace, if names repeat in several namespaces; the kind,
/// if names repeat in several kinds; the kind of probe and the container, if a pod has several rows.
pub(super) fn distinguishing(table: &dyn AnyTable, order: &[u32], now: Timestamp) -> Vec<Field> {
    let columns = table.columns();
    let mut fields: Vec<Field> = columns
        .iter()
        .filter(|column| column.is_identity())
        .map(|column| column.field)
        .collect();
    let names = fields.len();
    let tried = TRIED.iter().filter(|field| {
        let mut columns = columns.iter();
        columns.any(|column| column.field == **field && !column.is_identity())
    });
    let mut count = None;
    for field in tried {
        let before = *count.get_or_insert_with(|| count_distinct(table, order, &fields, now));
        if before == order.len() {
            break;
        }
        fields.push(*field);
        let with = count_distinct(table, order, &fields, now);
        if with == before {
            fields.pop();
        }
        count = Some(with);
    }
    fields.split_off(names)
}

/// The number of different texts that the rows have in these fields.
fn count_distinct(table: &dyn AnyTable, order: &[u32], fields: &[Field], now: Timestamp) -> usize {
    let texts = in_table_order(order).map(|at| {
        let mut hasher = DefaultHasher::new();
        for field in fields {
            table.text(at, *field, now).hash(&mut hasher);
        }
        hasher.finish()
    });
    let mut hashes: Vec<u64> = texts.collect();
    hashes.sort_unstable();
    hashes.dedup();
    hashes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::model::row::{NodeRow, PodRow, Row, Workload, WorkloadRow};
    use crate::model::table::Table;

    fn needed<R: Row>(rows: Vec<R>) -> Vec<Field> {
        let table = Table::of(rows);
        let order: Vec<u32> = (0..).take(table.len()).collect();
        distinguishing(&table, &order, Timestamp(0))
    }

    fn pod(namespace: &str, name: &str) -> PodRow {
        PodRow {
            namespace: namespace.into(),
            name: name.into(),
            ..PodRow::default()
        }
    }

    fn workload(namespace: &str, kind: &str, name: &str) -> WorkloadRow {
        WorkloadRow {
            namespace: namespace.into(),
            workload: Workload::new(kind, name),
            all: crate::model::row::Rollup::default(),
            nodes: 0,
            max_per_node: 0,
            replicas: None,
            availability: None,
        }
    }

    #[test]
    fn the_namespace_is_needed_where_names_repeat() {
        assert_eq!(needed(vec![pod("a", "p"), pod("b", "q")]), []);
        let repeated = vec![pod("a", "p"), pod("a", "q"), pod("b", "p")];
        assert_eq!(needed(repeated), [Field::Namespace]);
        assert_eq!(needed(vec![NodeRow::default()]), []);
        let of_two_kinds = vec![workload("a", "Job", "w"), workload("a", "Deployment", "w")];
        assert_eq!(needed(of_two_kinds), [Field::Kind]);
        let of_both = vec![
            workload("a", "Job", "w"),
            workload("a", "Deployment", "w"),
            workload("b", "Job", "w"),
        ];
        assert_eq!(needed(of_both), [Field::Namespace, Field::Kind]);
        assert_eq!(needed(Vec::<PodRow>::new()), []);
    }

    #[test]
    fn the_container_is_needed_where_a_pod_has_the_same_probe_twice() {
        use crate::model::row::{Container, Probe, ProbeRow};
        use kubevitals_proto::vitals::ProbeKind::{Liveness, Readiness};
        let container = |name: &str, kinds: &[_]| Container {
            name: name.into(),
            each_probe: kinds
                .iter()
                .map(|kind| Probe {
                    kind: *kind,
                    ..Probe::default()
                })
                .collect(),
            ..Container::default()
        };
        let rows = |containers: Vec<Container>| {
            let pod = std::sync::Arc::new(PodRow {
                containers: containers.into(),
                ..pod("a", "p")
            });
            ProbeRow::all(&pod).collect::<Vec<_>>()
        };
        assert_eq!(needed(rows(vec![container("c", &[Readiness])])), []);
        let of_two_kinds = rows(vec![container("c", &[Readiness, Liveness])]);
        assert_eq!(needed(of_two_kinds), [Field::ProbeKind]);
        let of_two = rows(vec![
            container("c", &[Readiness]),
            container("d", &[Readiness]),
        ]);
        assert_eq!(needed(of_two), [Field::Container]);
    }
}
