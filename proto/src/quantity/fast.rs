//! The two quantities the server writes all day, without building a [`Quantity`](super::Quantity).

use crate::text::push_u64;
use crate::units::{Bytes, Nanocores};

/// Appends the canonical quantity of `cpu`: `250m`, `5017823n`, `2`, `0`.
pub fn write_cpu(out: &mut Vec<u8>, cpu: Nanocores) {
    let mut n = cpu.0;
    if n == 0 {
        out.push(b'0');
        return;
    }
    let mut suffixes = b"num\0kMG".iter();
    let mut suffix = suffixes.next();
    while n.is_multiple_of(1000) {
        n /= 1000;
        suffix = suffixes.next();
    }
    push_u64(out, n);
    if let Some(&suffix @ 1..) = suffix {
        out.push(suffix);
    }
}

/// Appends the canonical quantity of `bytes`: `18316Ki`, `10004096`, `0`.
pub fn write_bytes(out: &mut Vec<u8>, bytes: Bytes) {
    // A binary quantity under 1024 is written as a decimal one, whose only round form here is 1k.
    if bytes.0 == 1000 {
        out.extend_from_slice(b"1k");
        return;
    }
    // Powers of 1024 in it: six are 2⁶⁰, and 16 of those are more than there can be.
    let thousands = if bytes.0 == 0 {
        0
    } else {
        bytes.0.trailing_zeros() / 10
    };
    push_u64(out, bytes.0 >> (10 * thousands));
    let suffix: &[u8] = match thousands {
        0 => b"",
        1 => b"Ki",
        2 => b"Mi",
        3 => b"Gi",
        4 => b"Ti",
        5 => b"Pi",
        _ => b"Ei",
    };
    out.extend_from_slice(suffix);
}
