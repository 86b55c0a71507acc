//! Draws a series over time in a cell of a table.
//!
//! A gap stays a gap. If there are more steps than cells, a cell shows the largest of its steps.

/// Renders a series in at most `space` cells of eight heights. `scale` is the highest; the last cell is the latest
/// step.
///
/// Only zero is drawn as zero.
pub fn sparkline(points: &[Option<u64>], space: usize, scale: u64, heights: &[&str; 8]) -> String {
    let steps = fold(points, space);
    let last = heights.len() - 1;
    let sign = |value: u64| {
        heights
            .get(height(value, scale, last))
            .copied()
            .unwrap_or_default()
    };
    steps
        .iter()
        .map(|step| step.map_or(" ", sign))
        .collect::<String>()
}

/// Returns the cell of a step among `steps`, drawn in at most `space` cells.
pub(super) fn cell_of(step: usize, steps: usize, space: usize) -> Option<usize> {
    let after = steps.checked_sub(1)?.checked_sub(step)?;
    let each = steps_each(steps, space)?;
    Some(steps.div_ceil(each) - 1 - after / each)
}

/// Returns the number of steps in a cell. `None` without space.
fn steps_each(steps: usize, space: usize) -> Option<usize> {
    (space > 0).then(|| steps.div_ceil(space).max(1))
}

/// Scales `value` of `scale` to a number from 0 to `most`, rounded. Only zero is 0.
pub(super) fn height(value: u64, scale: u64, most: usize) -> usize {
    let (value, scale) = (u128::from(value.min(scale)), u128::from(scale.max(1)));
    let height = (value * most as u128 * 2 + scale) / (scale * 2);
    usize::try_from(height)
        .unwrap_or(0)
        .max(usize::from(value > 0))
}

/// Folds the steps into at most `space` cells. Each cell has the largest of its steps.
fn fold(points: &[Option<u64>], space: usize) -> Vec<Option<u64>> {
    let Some(each) = steps_each(points.len(), space) else {
        return Vec::new();
    };
    // Only the oldest cell may have fewer steps.
    let mut folded: Vec<_> = points
        .rchunks(each)
        .map(|steps| steps.iter().copied().flatten().max())
        .collect();
    folded.reverse();
    folded
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::width;
    use proptest::prelude::*;

    const HEIGHTS: [&str; 8] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];

    fn line(values: &[i64], space: usize, scale: u64) -> String {
        // A negative value is a gap.
        let points: Vec<_> = values
            .iter()
            .map(|value| u64::try_from(*value).ok())
            .collect();
        sparkline(&points, space, scale, &HEIGHTS)
    }

    #[test]
    fn a_sparkline_preserves_gaps_and_peaks() {
        for (values, space, scale, text) in [
            (&[0, 1, 4, 7, 8][..], 5, 8, "▁▂▅▇█"),
            (&[0, 0], 2, 1, "▁▁"),
            (&[1, 1], 2, 1, "██"),
            // A gap is blank, zero is not.
            (&[4, -1, 0], 3, 4, "█ ▁"),
            // Against a limit.
            (&[1, 50, 100, 200], 4, 100, "▂▅██"),
            // The peak of the steps in a cell, and the newest step at the end.
            (&[0, 9, 0, 0, 0, 0], 3, 9, "█▁▁"),
            (&[9, 0, 0, 0, 0], 3, 9, "█▁▁"),
            (&[1, 2], 0, 2, ""),
            (&[], 3, 0, ""),
        ] {
            assert_eq!(line(values, space, scale), text, "{values:?} in {space}");
        }
    }

    #[test]
    fn a_step_is_in_the_cell_that_draws_it() {
        for (steps, space) in [(5, 5), (5, 3), (7, 3), (240, 60), (240, 37), (1, 1), (3, 9)] {
            for step in 0..steps {
                let mut points = vec![Some(0); steps];
                points[step] = Some(1);
                let drawn = sparkline(&points, space, 1, &HEIGHTS);
                let at = drawn.chars().position(|sign| sign == '█');
                assert_eq!(
                    cell_of(step, steps, space),
                    at,
                    "{step} of {steps} in {space}"
                );
            }
        }
        assert_eq!(cell_of(0, 0, 5), None);
        assert_eq!(cell_of(5, 5, 5), None);
        assert_eq!(cell_of(0, 5, 0), None);
    }

    proptest! {
        #[test]
        fn a_sparkline_is_never_too_wide(
            values in prop::collection::vec(prop::option::of(any::<u64>()), 0..200), scale: u64, space in 0_usize..60,
        ) {
            let drawn = sparkline(&values, space, scale, &HEIGHTS);
            prop_assert!(width(&drawn) <= space);
        }
    }
}
