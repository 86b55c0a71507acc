//! The size of allocations, as the allocator rounds it.

use crate::cluster::PodKey;

/// The bytes of the two reference counts of an `Arc`.
const REFERENCE_COUNTS: usize = 2 * size_of::<usize>();

/// The memory that jemalloc uses for an allocation: it has four sizes between a power of two and the next.
pub(super) fn malloc_size(bytes: usize) -> usize {
    const SMALLEST: usize = 8;
    if bytes <= SMALLEST * 4 {
        return bytes.next_multiple_of(SMALLEST);
    }
    let spacing = 1 << ((bytes - 1).ilog2() - 2);
    bytes.next_multiple_of(spacing)
}

/// The memory of an interned name: text, two reference counts, and an entry in the interner's set, of which up to half
/// is free.
pub(super) fn name_size(name: &str) -> usize {
    const SLOT: usize = 2 * (size_of::<std::sync::Arc<str>>() + 1);
    malloc_size(REFERENCE_COUNTS + name.len()) + SLOT
}

/// The memory of an interned key of a pod: the name, the key with two reference counts, and an entry in the interner's
/// set. Namespaces are counted by themselves.
pub(super) fn key_size(key: &PodKey) -> usize {
    const SLOT: usize = 2 * (size_of::<PodKey>() + 1);
    malloc_size(REFERENCE_COUNTS + size_of_val(&**key)) + malloc_size(key.name.len()) + SLOT
}

/// Reserves capacity for one more element, by a sixteenth and up to the allocator's size: a list that doubles is half
/// empty.
pub(super) fn grow<T>(list: &mut Vec<T>) {
    if list.len() == list.capacity() {
        let capacity = list.len() + list.len() / 16 + 1;
        let fits = malloc_size(capacity * size_of::<T>()) / size_of::<T>().max(1);
        list.reserve_exact(fits.saturating_sub(list.len()).max(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_jemallocs() {
        for (bytes, size) in [
            (0, 0),
            (1, 8),
            (33, 40),
            (64, 64),
            (65, 80),
            (1024, 1024),
            (1025, 1280),
            (2576, 3072),
        ] {
            assert_eq!(malloc_size(bytes), size, "{bytes}");
        }
    }

    #[test]
    fn a_list_grows_into_what_is_set_aside_for_it() {
        let mut list: Vec<[u8; 56]> = Vec::new();
        for _ in 0..1000 {
            grow(&mut list);
            let capacity = list.capacity();
            list.push([0; 56]);
            assert_eq!(list.capacity(), capacity);
            assert!(malloc_size(capacity * 56) - capacity * 56 < 56);
        }
    }
}
