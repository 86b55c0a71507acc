//! Folds the steps of a series into the columns of a chart.

/// The number of known steps from which a column has a band: with fewer, the largest is the value.
const LEAST_STEPS: usize = 3;

/// The steps of one column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Column {
    /// The smallest.
    pub(super) low: u64,
    /// The median; of fewer than three steps the largest.
    pub(super) value: u64,
    /// The largest.
    pub(super) high: u64,
}

/// Spreads steps over `columns`. A column takes several steps, or a step several columns.
pub(super) fn columns(points: &[Option<u64>], columns: usize) -> Vec<Option<Column>> {
    let count = points.len();
    let at = |column: usize| column * count / columns.max(1);
    let mut known = Vec::new();
    (0..columns)
        .map(|column| {
            let steps = points.get(at(column)..at(column + 1).max(at(column) + 1));
            known.clear();
            known.extend(steps.unwrap_or_default().iter().copied().flatten());
            known.sort_unstable();
            let (low, high) = (*known.first()?, *known.last()?);
            let middle = known.get(known.len() / 2).copied();
            let value = middle.filter(|_| known.len() >= LEAST_STEPS);
            Some(Column {
                low: if value.is_some() { low } else { high },
                value: value.unwrap_or(high),
                high,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_has_the_median_and_the_range_of_its_steps() {
        let steps = [Some(1), Some(9), Some(2), None, Some(4), Some(5)];
        for (count, expected) in [
            (1, vec![Some((1, 4, 9))]),
            (2, vec![Some((1, 2, 9)), Some((5, 5, 5))]),
            (3, vec![Some((9, 9, 9)), Some((2, 2, 2)), Some((5, 5, 5))]),
            (0, vec![]),
        ] {
            let folded: Vec<_> = columns(&steps, count)
                .into_iter()
                .map(|column| column.map(|it| (it.low, it.value, it.high)))
                .collect();
            assert_eq!(folded, expected, "{count}");
        }
        let wide = columns(&[Some(3), None], 4);
        let known: Vec<bool> = wide.iter().map(Option::is_some).collect();
        assert_eq!(known, [true, true, false, false]);
        assert_eq!(columns(&[], 3), [None; 3]);
    }
}
