//! A fixed number of bits, in order from the lowest bit of the first word.

/// The number of words in a block: with the block's own word they fill a cache line.
const WORDS: usize = 15;

/// The bits of one block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(super) struct Bits([u32; WORDS]);

impl Bits {
    /// The number of bits.
    pub(super) const LEN: u32 = WORDS as u32 * u32::BITS;

    /// Writes `value` at `at`, where all bits are zero. Bits beyond the end are dropped.
    pub(super) fn put(&mut self, at: u32, value: u32) {
        let (word, shift) = ((at / u32::BITS) as usize, at % u32::BITS);
        let wide = u64::from(value) << shift;
        if let Some(word) = self.0.get_mut(word) {
            *word |= wide as u32;
        }
        if let Some(word) = self.0.get_mut(word + 1) {
            *word |= (wide >> u32::BITS) as u32;
        }
    }

    /// Replaces the first `width` bits (more than 32) by the lowest bits of `value`.
    pub(super) fn replace_first(&mut self, width: u32, value: u64) {
        let [low, high, ..] = &mut self.0;
        let mask = (1 << (width - u32::BITS)) - 1;
        *low = value as u32;
        *high = *high & !mask | (value >> u32::BITS) as u32 & mask;
    }

    /// The 32 bits from `at` on; zeros beyond the end.
    pub(super) fn window(&self, at: u32) -> u32 {
        let (word, shift) = ((at / u32::BITS) as usize, at % u32::BITS);
        let of = |word| u64::from(self.0.get(word).copied().unwrap_or_default());
        ((of(word) | of(word + 1) << u32::BITS) >> shift) as u32
    }

    /// The `width` bits (less than 32) from `at` on.
    pub(super) fn get(&self, at: u32, width: u32) -> u32 {
        self.window(at) & ((1 << width) - 1)
    }

    /// All of them.
    pub(super) fn words(&self) -> &[u32; WORDS] {
        &self.0
    }

    /// The bits of these words.
    pub(super) fn from_words(words: [u32; WORDS]) -> Self {
        Self(words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn stored_samples_are_read_back(values in prop::collection::vec((any::<u32>(), 1u32..32), 0..40)) {
            let mut bits = Bits::default();
            let mut at = 0;
            let mut put = Vec::new();
            for (value, width) in values {
                let value = value & ((1 << width) - 1);
                if at + width > Bits::LEN {
                    break;
                }
                bits.put(at, value);
                put.push((at, width, value));
                at += width;
            }
            for (at, width, value) in put {
                prop_assert_eq!(bits.get(at, width), value);
            }
        }

        #[test]
        fn nothing_beyond_the_end_panics(at: u16, value: u32) {
            let mut bits = Bits::default();
            bits.put(at.into(), value);
            bits.window(at.into());
        }
    }
}
