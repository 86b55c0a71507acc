//! Selects and sorts the rows of a list.

use std::cmp::Ordering;
use std::sync::Arc;

use kubevitals_proto::time::Timestamp;

use super::column::Sort;
use super::row::Row;

/// The indexes of the rows that pass `keep`, sorted. Equal rows stay in the order of the table; unknown values are last
/// in both directions.
pub(super) fn order<R: Row>(
    rows: &[Arc<R>],
    sort: Sort,
    now: Timestamp,
    keep: impl Fn(&R) -> bool,
) -> Vec<u32> {
    let selected = (0_u32..).zip(rows).filter(|(_, row)| keep(row));
    let entry = R::entry(sort.field);
    if sort.field.is_number() {
        let keys = selected.map(|(at, row)| {
            let key = entry.and_then(|entry| entry.value(row).number(now));
            (key.filter(|key| !key.is_nan()), at)
        });
        sorted(keys.collect(), sort.descending, f64::total_cmp)
    } else {
        let keys = selected.map(|(at, row)| {
            let key = entry.map(|entry| entry.value(row).text(now));
            let key = key.filter(|key| !key.is_empty());
            (key, at)
        });
        sorted(keys.collect(), sort.descending, |a, b| a.cmp(b))
    }
}

fn sorted<K>(
    mut keys: Vec<(Option<K>, u32)>,
    descending: bool,
    compare: impl Fn(&K, &K) -> Ordering,
) -> Vec<u32> {
    keys.sort_unstable_by(|(a, at), (b, other)| {
        let by_key = match (a, b) {
            (Some(a), Some(b)) if descending => compare(b, a),
            (Some(a), Some(b)) => compare(a, b),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => Ordering::Equal,
        };
        by_key.then(at.cmp(other))
    });
    keys.into_iter().map(|(_, at)| at).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::field::Field;
    use crate::model::row::NodeRow;
    use kubevitals_proto::units::Nanocores;

    fn nodes(cpus: &[Option<u64>]) -> Vec<Arc<NodeRow>> {
        let node = |cpu: &Option<u64>| {
            let mut node = NodeRow::default();
            node.usage.cpu = cpu.map(Nanocores).into();
            Arc::new(node)
        };
        cpus.iter().map(node).collect()
    }

    #[test]
    fn equal_rows_stay_as_they_were_and_unknown_ones_are_last() {
        let rows = nodes(&[Some(5), None, Some(9), Some(5), None]);
        let by = |descending| {
            let sort = Sort {
                field: Field::Cpu,
                descending,
            };
            order(&rows, sort, Timestamp(0), |_| true)
        };
        assert_eq!(by(true), [2, 0, 3, 1, 4]);
        assert_eq!(by(false), [0, 3, 2, 1, 4]);
    }

    #[test]
    fn rows_that_do_not_pass_are_left_out() {
        let rows = nodes(&[Some(1), Some(2)]);
        let visible = order(&rows, Sort::by(Field::Cpu), Timestamp(0), |row| {
            row.usage.cpu.number() > Some(1.0)
        });
        assert_eq!(visible, [1]);
    }
}
