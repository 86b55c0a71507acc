//! Selects and sorts the rows of a list.

use std::borrow::Cow;
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
        let mut ranks: Vec<(u64, u32)> = selected
            .map(|(at, row)| {
                let number = entry.and_then(|entry| entry.value(row).number(now));
                (rank(number, sort.descending), at)
            })
            .collect();
        ranks.sort_unstable();
        ranks.into_iter().map(|(_, at)| at).collect()
    } else {
        let text = |row| entry.map_or("".into(), |entry| entry.value(row).text(now));
        let mut texts: Vec<(Cow<'_, str>, u32)> =
            selected.map(|(at, row)| (text(&**row), at)).collect();
        // The stable sort merges runs that are in order already. Names are: the table is sorted by namespace and name.
        texts.sort_by(|(a, _), (b, _)| match (a.is_empty(), b.is_empty()) {
            (false, false) if sort.descending => b.cmp(a),
            (false, false) => a.cmp(b),
            (no_text, other_has_no_text) => no_text.cmp(&other_has_no_text),
        });
        texts.into_iter().map(|(_, at)| at).collect()
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
            order(&rows, sort, Timestamp(0), |_| true)
        };
        assert_eq!(by(false), [2, 0, 3, 1, 4]);
        assert_eq!(by(true), [0, 3, 2, 1, 4]);
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
