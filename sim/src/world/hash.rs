//! Randomness that is a function: of the seed, of what it is for, and of nothing else.

/// Mixes a number so that neighbours have nothing in common (splitmix64's finalizer).
pub(crate) const fn mix(x: u64) -> u64 {
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// A number from a seed and a stream: different streams of one seed are independent.
pub(crate) const fn hash(seed: u64, stream: u64) -> u64 {
    mix(seed.wrapping_add(mix(stream.wrapping_add(0x9e37_79b9_7f4a_7c15))))
}

/// A stream's name as a number, so that a word distinguishes call sites.
pub(crate) const fn stream(name: &str) -> u64 {
    let bytes = name.as_bytes();
    let mut h = 0xcbf2_9ce4_8422_2325_u64;
    let mut rest = bytes;
    while let [first, tail @ ..] = rest {
        h = (h ^ *first as u64).wrapping_mul(0x0100_0000_01b3);
        rest = tail;
    }
    h
}

/// A number in [0, 1).
pub(crate) fn unit(h: u64) -> f64 {
    // 53 bits: what an f64 holds.
    (h >> 11) as f64 / (1_u64 << 53) as f64
}

/// A number in [low, high).
pub(crate) fn between(h: u64, low: f64, high: f64) -> f64 {
    low + unit(h) * (high - low)
}

/// An index below `len`; 0 when there is none.
pub(crate) fn index(h: u64, len: usize) -> usize {
    usize::try_from(h % (len as u64).max(1)).unwrap_or(0)
}

/// A sequence of numbers: the few places that draw until something fits.
#[derive(Clone, Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) const fn new(seed: u64, stream: u64) -> Self {
        Self(hash(seed, stream))
    }

    pub(crate) const fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }
}

/// The letters of Kubernetes' random names: no vowels, and none that resembles another.
const SAFE: &[u8; 27] = b"bcdfghjklmnpqrstvwxz2456789";

/// `len` letters as the end of a generated name.
pub(crate) fn suffix(mut h: u64, len: usize) -> String {
    let mut out = String::with_capacity(len);
    for _ in 0..len {
        out.push(char::from(*SAFE.get(index(h, SAFE.len())).unwrap_or(&b'x')));
        h /= SAFE.len() as u64;
    }
    out
}

/// A version 4 uid.
pub(crate) fn uid(h: u64) -> String {
    let (a, b) = (mix(h), mix(!h));
    format!(
        "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
        a >> 32,
        (a >> 16) & 0xffff,
        a & 0xfff,
        0x8000 | (b >> 50),
        b & 0xffff_ffff_ffff
    )
}

/// 64 hexadecimal digits, as a container or image id.
pub(crate) fn hex64(h: u64) -> String {
    let parts = (1..=4).map(|n| format!("{:016x}", mix(h.wrapping_add(n))));
    parts.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_and_seeds_are_independent() {
        let all: std::collections::BTreeSet<u64> = (0..50)
            .flat_map(|s| (0..50).map(move |t| hash(s, t)))
            .collect();
        assert_eq!(all.len(), 2500);
        assert_ne!(stream("cpu"), stream("memory"));
    }

    #[test]
    fn uids_are_version_4() {
        for n in 0..200 {
            let uid = uid(n);
            assert_eq!(uid.len(), 36);
            assert_eq!(&uid[14..15], "4");
            assert!("89ab".contains(&uid[19..20]), "{uid}");
        }
    }

    #[test]
    fn suffixes_are_of_safe_letters() {
        let s = suffix(hash(1, 2), 10);
        assert_eq!(s.len(), 10);
        assert!(s.bytes().all(|b| SAFE.contains(&b)));
    }
}
