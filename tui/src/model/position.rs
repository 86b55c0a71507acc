//! Positions in lists of known length.

/// The position this many entries after `at`; before it if negative. It stays in a list of `count` entries.
pub(super) fn moved(at: usize, by: i32, count: usize) -> usize {
    let by = isize::try_from(by).unwrap_or(0);
    at.saturating_add_signed(by).min(count.saturating_sub(1))
}

/// As [`moved`]; the first entry follows the last one.
pub(super) fn moved_round(at: usize, by: i32, count: usize) -> usize {
    let count = i64::try_from(count).unwrap_or(i64::MAX).max(1);
    let at = i64::try_from(at).unwrap_or(0) + i64::from(by);
    usize::try_from(at.rem_euclid(count)).unwrap_or(0)
}
