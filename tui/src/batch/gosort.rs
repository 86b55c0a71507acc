//! Sorts as Go's `sort.Sort` does, down to the order of equal elements.
//!
//! kubectl sorts its rows with an unstable sort, so the order of two pods with the same CPU depends on the algorithm.
//! To print the same bytes, this module runs the same pattern-defeating quicksort (Go 1.19 and later) with the same
//! pivots, thresholds and deterministic shuffle. Go 1.24 corrected the shuffle, which changed the order of equal
//! elements. Both versions are here, for comparison with older kubectls.

/// Up to this many elements, insertion sort is used (which is stable).
const INSERTION: usize = 12;
/// From this many elements on, the pivot is a median of medians.
const NINTHER: usize = 50;

/// The version of Go whose order of equal elements is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Ties {
    /// Go 1.24 and later, as in the newest kubectls.
    #[default]
    Go1_24,
    /// Go 1.19 to 1.23.
    Go1_19,
}

impl Ties {
    /// The shifts of the shuffle's generator.
    const fn shifts(self) -> (u32, u32, u32) {
        match self {
            Self::Go1_24 => (13, 7, 17),
            Self::Go1_19 => (13, 17, 5),
        }
    }
}

/// Sorts `items` by `less`, with the order of equal elements of `ties`.
pub(super) fn sort<T>(items: &mut [T], ties: Ties, less: impl Fn(&T, &T) -> bool) {
    let length = items.len();
    if length > 1 {
        let limit = usize::BITS - length.leading_zeros();
        Sorter { items, ties, less }.quick(0, length, limit);
    }
}

/// The order of the elements, estimated while the pivot was chosen.
#[derive(PartialEq)]
enum Hint {
    Unknown,
    Increasing,
    Decreasing,
}

struct Sorter<'a, T, F> {
    items: &'a mut [T],
    ties: Ties,
    less: F,
}

impl<T, F: Fn(&T, &T) -> bool> Sorter<'_, T, F> {
    fn less(&self, left: usize, right: usize) -> bool {
        match (self.items.get(left), self.items.get(right)) {
            (Some(left), Some(right)) => (self.less)(left, right),
            _ => false,
        }
    }

    fn swap(&mut self, left: usize, right: usize) {
        self.items.swap(left, right);
    }

    fn quick(&mut self, mut from: usize, mut to: usize, mut limit: u32) {
        let (mut balanced, mut partitioned) = (true, true);
        loop {
            let length = to - from;
            if length <= INSERTION {
                return self.insertion(from, to);
            }
            if limit == 0 {
                return self.heap(from, to);
            }
            if !balanced {
                self.break_patterns(from, to);
                limit -= 1;
            }
            let (mut pivot, mut hint) = self.choose_pivot(from, to);
            if hint == Hint::Decreasing {
                if let Some(part) = self.items.get_mut(from..to) {
                    part.reverse();
                }
                pivot = (to - 1) - (pivot - from);
                hint = Hint::Increasing;
            }
            if balanced
                && partitioned
                && hint == Hint::Increasing
                && self.insertion_of_few(from, to)
            {
                return;
            }
            // The element before this part is the greatest of the parts to the left. A pivot not greater than it means
            // that many elements are equal to it.
            if from > 0 && !self.less(from - 1, pivot) {
                from = self.partition_equal(from, to, pivot);
                continue;
            }
            let (middle, already) = self.partition(from, to, pivot);
            partitioned = already;
            let (left, right) = (middle - from, to - middle);
            if left < right {
                balanced = left >= length / 8;
                self.quick(from, middle, limit);
                from = middle + 1;
            } else {
                balanced = right >= length / 8;
                self.quick(middle + 1, to, limit);
                to = middle;
            }
        }
    }

    fn insertion(&mut self, from: usize, to: usize) {
        for next in from + 1..to {
            let mut at = next;
            while at > from && self.less(at, at - 1) {
                self.swap(at, at - 1);
                at -= 1;
            }
        }
    }

    /// Moves a few misplaced elements; returns false if there are too many.
    fn insertion_of_few(&mut self, from: usize, to: usize) -> bool {
        const STEPS: usize = 5;
        const SHORTEST: usize = 50;
        let mut at = from + 1;
        for _ in 0..STEPS {
            while at < to && !self.less(at, at - 1) {
                at += 1;
            }
            if at == to {
                return true;
            }
            if to - from < SHORTEST {
                return false;
            }
            self.swap(at, at - 1);
            if at - from >= 2 {
                for left in (1..at).rev() {
                    if !self.less(left, left - 1) {
                        break;
                    }
                    self.swap(left, left - 1);
                }
            }
            if to - at >= 2 {
                for right in at + 1..to {
                    if !self.less(right, right - 1) {
                        break;
                    }
                    self.swap(right, right - 1);
                }
            }
        }
        false
    }

    /// Splits into elements less than the pivot and the rest. Returns the new index of the pivot and whether nothing
    /// had to move.
    fn partition(&mut self, from: usize, to: usize, pivot: usize) -> (usize, bool) {
        let (low, already) = self.split(from, to, pivot, |sorter, at| sorter.less(at, from));
        self.swap(low - 1, from);
        (low - 1, already)
    }

    /// Splits into elements equal to the pivot and greater ones; none here is less than the pivot. Returns the index of
    /// the first greater one.
    fn partition_equal(&mut self, from: usize, to: usize, pivot: usize) -> usize {
        let (low, _) = self.split(from, to, pivot, |sorter, at| !sorter.less(from, at));
        low
    }

    /// Moves the pivot to `from`, and the elements that belong to the left before the others. Returns the index of the
    /// first of the others and whether nothing had to move.
    fn split(
        &mut self,
        from: usize,
        to: usize,
        pivot: usize,
        is_left: impl Fn(&Self, usize) -> bool,
    ) -> (usize, bool) {
        self.swap(from, pivot);
        let (mut low, mut high) = (from + 1, to - 1);
        let mut already = true;
        loop {
            while low <= high && is_left(self, low) {
                low += 1;
            }
            while low <= high && !is_left(self, high) {
                high -= 1;
            }
            if low > high {
                return (low, already);
            }
            self.swap(low, high);
            already = false;
            low += 1;
            high -= 1;
        }
    }

    /// Swaps three elements with those that a xorshift generator, seeded by the length, selects.
    fn break_patterns(&mut self, from: usize, to: usize) {
        let length = to - from;
        if length < 8 {
            return;
        }
        let (left, right, left_again) = self.ties.shifts();
        let mut random = length as u64;
        let mask = (1_usize << (usize::BITS - length.leading_zeros())) - 1;
        let first = from + (length / 4) * 2 - 1;
        for step in 0..3 {
            random ^= random << left;
            random ^= random >> right;
            random ^= random << left_again;
            let mut other = random as usize & mask;
            if other >= length {
                other -= length;
            }
            self.swap(first + step, from + other);
        }
    }

    fn choose_pivot(&self, from: usize, to: usize) -> (usize, Hint) {
        const MOST_SWAPS: u32 = 4 * 3;
        let length = to - from;
        let quarter = length / 4;
        let (mut low, mut middle, mut high) =
            (from + quarter, from + quarter * 2, from + quarter * 3);
        let mut swaps = 0;
        if length >= 8 {
            if length >= NINTHER {
                low = self.median(low - 1, low, low + 1, &mut swaps);
                middle = self.median(middle - 1, middle, middle + 1, &mut swaps);
                high = self.median(high - 1, high, high + 1, &mut swaps);
            }
            middle = self.median(low, middle, high, &mut swaps);
        }
        let hint = match swaps {
            0 => Hint::Increasing,
            MOST_SWAPS => Hint::Decreasing,
            _ => Hint::Unknown,
        };
        (middle, hint)
    }

    fn median(&self, a: usize, b: usize, c: usize, swaps: &mut u32) -> usize {
        let (a, b) = self.ordered(a, b, swaps);
        let (b, _) = self.ordered(b, c, swaps);
        let (_, b) = self.ordered(a, b, swaps);
        b
    }

    fn ordered(&self, a: usize, b: usize, swaps: &mut u32) -> (usize, usize) {
        if self.less(b, a) {
            *swaps += 1;
            (b, a)
        } else {
            (a, b)
        }
    }

    fn heap(&mut self, from: usize, to: usize) {
        let length = to - from;
        for root in (0..=(length - 1) / 2).rev() {
            self.sift_down(root, length, from);
        }
        for last in (0..length).rev() {
            self.swap(from, from + last);
            self.sift_down(0, last, from);
        }
    }

    fn sift_down(&mut self, mut root: usize, length: usize, from: usize) {
        loop {
            let mut child = 2 * root + 1;
            if child >= length {
                return;
            }
            if child + 1 < length && self.less(from + child, from + child + 1) {
                child += 1;
            }
            if !self.less(from + root, from + child) {
                return;
            }
            self.swap(from + root, from + child);
            root = child;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Ties, sort};

    /// A small generator with the same data in every run, without a dependency.
    fn numbers(seed: u64, count: usize, below: u64) -> Vec<u64> {
        let mut state = seed | 1;
        (0..count)
            .map(|_| {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                (state >> 33) % below
            })
            .collect()
    }

    #[test]
    fn every_shape_of_data_is_sorted() {
        for count in [0, 1, 2, 11, 12, 13, 49, 50, 51, 200, 1_000, 5_000] {
            for below in [1, 2, 10, 1_000_000] {
                let random = numbers(count as u64 + below, count, below);
                let mut rising = random.clone();
                rising.sort_unstable();
                let falling: Vec<u64> = rising.iter().rev().copied().collect();
                let mut nearly = rising.clone();
                if count > 20 {
                    nearly.swap(3, count - 4);
                }
                let organ: Vec<u64> = rising.iter().chain(&falling).copied().collect();
                for shape in [random, rising, falling, nearly, organ] {
                    let mut expected = shape.clone();
                    expected.sort_unstable();
                    let mut sorted = shape;
                    sort(&mut sorted, Ties::default(), |a, b| a < b);
                    assert_eq!(sorted, expected, "{count} numbers below {below}");
                }
            }
        }
    }

    #[test]
    fn few_equal_elements_stay_in_order() {
        let mut rows: Vec<(u64, usize)> = numbers(7, 12, 3).into_iter().zip(0..).collect();
        let mut expected = rows.clone();
        expected.sort();
        sort(&mut rows, Ties::default(), |a, b| a.0 < b.0);
        assert_eq!(rows, expected);
    }

    #[test]
    fn an_adversarial_input_ends_in_heap_sort() {
        // An input that makes every pivot the worst one, as McIlroy's adversary does.
        let count = 3_000;
        let mut rows: Vec<usize> = (0..count)
            .map(|at| if at % 2 == 0 { at } else { count * 2 - at })
            .collect();
        let mut expected = rows.clone();
        expected.sort_unstable();
        sort(&mut rows, Ties::default(), |a, b| a < b);
        assert_eq!(rows, expected);
    }

    /// The order in which a real kubectl (1.32, Go 1.23) printed nodes of these millicores.
    #[test]
    fn leaves_ties_where_a_real_kubectl_left_them() {
        let used = [
            3, 0, 0, 0, 2, 1, 2, 2, 2, 1, 2, 3, 1, 1, 3, 1, 2, 2, 2, 1, 0, 3, 1, 3, 3, 0, 2, 3, 1,
            2,
        ];
        let printed = [
            21, 0, 14, 27, 23, 11, 24, 7, 8, 6, 10, 26, 4, 17, 29, 18, 16, 22, 19, 13, 12, 9, 5,
            28, 15, 2, 20, 1, 25, 3,
        ];
        let mut rows: Vec<(u32, usize)> = used.into_iter().zip(0..).collect();
        sort(&mut rows, Ties::Go1_19, |a, b| a.0 > b.0);
        let order: Vec<usize> = rows.into_iter().map(|(_, row)| row).collect();
        assert_eq!(order, printed);
    }
}
