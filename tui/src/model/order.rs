//! Selects and sorts the rows of a list.

use std::borrow::Cow;
use std::sync::Arc;

use kubevitals_proto::time::Timestamp;

use super::column::Sort;
use super::row::Row;

/// Indexes of rows in the order of the table. Rows are in memory in about this order, so a walk over all of them is
/// several times faster in this order than in another one.
pub(super) fn in_table_order(order: &[u32]) -> impl Iterator<Item = u32> {
    let mut indexes = order.to_vec();
    indexes.sort_unstable();
    indexes.into_iter()
}

/// The indexes of the rows that are selected, of those in `among`, in the same order.
pub(super) fn select<R>(
    rows: &[Arc<R>],
    among: impl Iterator<Item = u32>,
    is_selected: impl Fn(&R) -> bool,
) -> Vec<u32> {
    let row = |at: u32| rows.get(usize::try_from(at).ok()?);
    among
        .map_while(|at| Some((at, row(at)?)))
        .filter(|(_, row)| is_selected(row))
        .map(|(at, _)| at)
        .collect()
}

/// Sorts the indexes of rows, which are in the order of the table. Equal rows stay in it; unknown values are last in both
/// directions.
pub(super) fn sorted<R: Row>(
    rows: &[Arc<R>],
    mut selected: Vec<u32>,
    sort: Sort,
    now: Timestamp,
) -> Vec<u32> {
    let entry = R::entry(sort.field);
    let value = |at: u32| Some(entry?.value(rows.get(usize::try_from(at).ok()?)?));
    if sort.field.is_number() {
        let number = |at: u32| value(at).and_then(|value| value.number(now));
        let ranks = selected.iter();
        let ranks = ranks.map(|at| (rank(number(*at), sort.descending), *at));
        let mut ranks: Vec<(u64, u32)> = ranks.collect();
        ranks.sort_unstable();
        replace(&mut selected, ranks);
    } else {
        // The stable sort merges runs that are in order already. Names are: the table is sorted by namespace and name.
        let text = |at: u32| value(at).map_or("".into(), |value| value.text(now));
        let mut texts: Vec<(Cow<'_, str>, u32)> =
            selected.iter().map(|at| (text(*at), *at)).collect();
        texts.sort_by(|(a, _), (b, _)| match (a.is_empty(), b.is_empty()) {
            (false, false) if sort.descending => b.cmp(a),
            (false, false) => a.cmp(b),
            (no_text, other_has_no_text) => no_text.cmp(&other_has_no_text),
        });
        replace(&mut selected, texts);
    }
    selected
}

/// Replaces indexes by the same ones in the order of their keys.
fn replace<K>(selected: &mut [u32], by_key: Vec<(K, u32)>) {
    for (place, (_, at)) in selected.iter_mut().zip(by_key) {
        *place = at;
    }
}

/// An integer whose order is that of the numbers, unknown last. Integers sort several times faster than numbers.
fn rank(number: Option<f64>, descending: bool) -> u64 {
    const SIGN: u64 = 1 << 63;
    let Some(number) = number.filter(|number| !number.is_nan()) else {
        return u64::MAX;
    };
    let bits = number.to_bits();
    // Negative numbers are in reverse order of their bits, and before positive ones.
    let ascending = if bits & SIGN == 0 { bits | SIGN } else { !bits };
    if descending { !ascending } else { ascending }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::field::Field;
    use crate::model::row::NodeRow;
    use kubevitals_proto::units::Nanocores;

    fn order<R: Row>(rows: &[Arc<R>], sort: Sort) -> Vec<u32> {
        let all = select(rows, 0.., |_| true);
        sorted(rows, all, sort, Timestamp(0))
    }

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
            order(&rows, sort)
        };
        assert_eq!(by(true), [2, 0, 3, 1, 4]);
        assert_eq!(by(false), [0, 3, 2, 1, 4]);
    }

    #[test]
    fn ranks_are_in_the_order_of_the_numbers() {
        let numbers = [
            f64::NEG_INFINITY,
            -2.5,
            -0.0,
            0.0,
            1e-300,
            1.0,
            1e300,
            f64::INFINITY,
        ];
        for descending in [false, true] {
            let mut ranks: Vec<u64> = numbers
                .into_iter()
                .map(|number| rank(Some(number), descending))
                .collect();
            if descending {
                ranks.reverse();
            }
            ranks.extend([rank(Some(f64::NAN), descending), rank(None, descending)]);
            assert!(ranks.is_sorted(), "{ranks:?}");
            assert!(ranks[..numbers.len()].iter().all(|rank| *rank < u64::MAX));
        }
    }

    #[test]
    fn rows_without_a_text_are_last() {
        let node = |status: &&str| {
            Arc::new(NodeRow {
                status: (*status).into(),
                ..NodeRow::default()
            })
        };
        let rows: Vec<_> = ["b", "", "a", "b", ""].iter().map(node).collect();
        let by = |descending| {
            let sort = Sort {
                field: Field::Status,
                descending,
            };
            order(&rows, sort)
        };
        assert_eq!(by(false), [2, 0, 3, 1, 4]);
        assert_eq!(by(true), [0, 3, 2, 1, 4]);
    }

    #[test]
    fn rows_that_are_not_selected_are_left_out() {
        let rows = nodes(&[Some(1), Some(2), Some(3)]);
        let more_than_one = |row: &NodeRow| row.usage.cpu.number() > Some(1.0);
        assert_eq!(select(&rows, 0.., more_than_one), [1, 2]);
        assert_eq!(select(&rows, [2, 0].into_iter(), more_than_one), [2]);
    }

    #[test]
    fn a_field_that_rows_do_not_have_leaves_them_in_the_order_of_the_table() {
        let rows = nodes(&[Some(5), None, Some(9)]);
        assert_eq!(order(&rows, Sort::by(Field::Container)), [0, 1, 2]);
    }
}
