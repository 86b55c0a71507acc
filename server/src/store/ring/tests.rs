//! Properties of a ring for any input.

use std::time::Duration;

use proptest::prelude::*;

use super::*;

const STEP: Duration = Duration::from_secs(15);
const EPOCH: i64 = 1_800_000_000_000_000_000;

fn read(ring: &Ring, blocks: &Blocks) -> Vec<Sample> {
    let blocks: Vec<Block> = ring.chain(blocks).copied().collect();
    samples(&blocks).collect()
}

fn near(stored: u64, expected: u64) -> bool {
    u128::from(stored.abs_diff(expected)) * 200 <= u128::from(expected)
}

/// Asserts that the stored samples equal those in `expected` within the documented errors.
fn assert_near(stored: &[Sample], expected: &[Sample]) {
    assert_eq!(stored.len(), expected.len());
    for (stored, expected) in stored.iter().zip(expected) {
        assert!(
            stored.at.0.abs_diff(expected.at.0) <= 100_000_000,
            "{stored:?} {expected:?}"
        );
        assert!(
            near(stored.cpu.0, expected.cpu.0),
            "{stored:?} {expected:?}"
        );
        assert!(
            near(stored.memory.0, expected.memory.0),
            "{stored:?} {expected:?}"
        );
        let swap = |sample: &Sample| sample.swap.unwrap_or_default().0;
        assert!(
            near(swap(stored), swap(expected)),
            "{stored:?} {expected:?}"
        );
        assert_eq!(stored.restarted, expected.restarted);
    }
}

/// A ring that stores these samples.
fn filled(samples: &[Sample]) -> (Ring, Blocks) {
    let (mut ring, mut blocks) = (Ring::default(), Blocks::default());
    for sample in samples {
        assert_eq!(ring.offer(&mut blocks, sample, STEP), Offered::Stored);
    }
    (ring, blocks)
}

/// Any value, small ones as likely as large ones.
fn value() -> impl Strategy<Value = u64> {
    (0u32..64, any::<u64>()).prop_map(|(bits, value)| value >> bits)
}

/// Values that hardly change, and now and then do.
fn walk() -> impl Strategy<Value = Vec<Sample>> {
    let step = (
        prop_oneof![8 => 10_000u64..20_000, 1 => 20_000u64..4_000_000, 1 => 1u64..100_000_000_000],
        prop_oneof![8 => -5i64..5, 1 => -1000i64..1000],
        prop_oneof![8 => -2i64..2, 1 => -1000i64..1000],
        prop::option::weighted(0.05, value()),
        prop::bool::weighted(0.05),
        prop::bool::weighted(0.3),
    );
    (value(), value(), prop::collection::vec(step, 0..300)).prop_map(|(cpu, memory, steps)| {
        let (mut at, mut cpu, mut memory, mut swap) = (EPOCH, cpu, memory, None);
        let moved = |value: u64, permille: i64| {
            let by = u64::try_from(u128::from(value) * u128::from(permille.unsigned_abs()) / 1000);
            let by = by.unwrap_or(u64::MAX);
            if permille < 0 {
                value.saturating_sub(by)
            } else {
                value.saturating_add(by)
            }
        };
        steps
            .into_iter()
            .map(
                |(millis, more_cpu, more_memory, new_swap, restarted, swaps)| {
                    at += i64::try_from(millis.max(200)).unwrap() * 1_000_000;
                    cpu = moved(cpu, more_cpu * 4);
                    memory = moved(memory, more_memory * 4);
                    if new_swap.is_some() && swaps {
                        swap = new_swap.filter(|swap| *swap > 0).map(Bytes);
                    }
                    Sample {
                        at: Timestamp(at),
                        cpu: Nanocores(cpu),
                        memory: Bytes(memory),
                        swap,
                        restarted,
                    }
                },
            )
            .collect()
    })
}

fn any_sample() -> impl Strategy<Value = Sample> {
    (
        any::<i64>(),
        value(),
        value(),
        prop::option::of(value()),
        any::<bool>(),
    )
        .prop_map(|(at, cpu, memory, swap, restarted)| Sample {
            at: Timestamp(at),
            cpu: Nanocores(cpu),
            memory: Bytes(memory),
            swap: swap.filter(|swap| *swap > 0).map(Bytes),
            restarted,
        })
}

proptest! {
    #[test]
    fn offered_samples_are_stored(offered in walk()) {
        let (ring, blocks) = filled(&offered);
        assert_near(&read(&ring, &blocks), &offered);
        prop_assert_eq!(ring.len(&blocks), offered.len());
        prop_assert_eq!(ring.newest(&blocks), offered.last().map(|sample| Tick::nearest(sample.at)));
    }

    #[test]
    fn only_newer_samples_are_stored(offered in prop::collection::vec(any_sample(), 0..100)) {
        let (mut ring, mut blocks) = (Ring::default(), Blocks::default());
        let mut stored: Vec<Sample> = Vec::new();
        for sample in offered {
            let newer = stored.last().is_none_or(|last| Tick::nearest(last.at) < Tick::nearest(sample.at));
            let result = ring.offer(&mut blocks, &sample, STEP);
            prop_assert_eq!(result, if newer { Offered::Stored } else { Offered::Old });
            if newer {
                stored.push(sample);
            }
        }
        assert_near(&read(&ring, &blocks), &stored);
    }

    #[test]
    fn only_old_samples_are_dropped(offered in walk(), part in 0usize..300) {
        let (mut ring, mut blocks) = filled(&offered);
        let oldest = offered.get(part).map_or(Tick::LATEST, |sample| Tick::nearest(sample.at));
        let (_, points) = ring.drop_before(&mut blocks, oldest);
        prop_assert!(points <= part);
        assert_near(&read(&ring, &blocks), &offered[points.min(offered.len())..]);
        if offered.len() <= part {
            prop_assert_eq!(blocks.used(), 0);
        }
    }

    #[test]
    fn samples_of_a_clock_that_was_set_back_are_removed(offered in walk(), part in 0usize..300) {
        let (mut ring, mut blocks) = filled(&offered);
        let from = offered.get(part).map_or(Tick::LATEST, |sample| Tick::nearest(sample.at));
        let removed = ring.truncate_from(&mut blocks, from, STEP);
        prop_assert_eq!(removed, offered.len().saturating_sub(part));
        assert_near(&read(&ring, &blocks), &offered[..part.min(offered.len())]);
    }

    #[test]
    fn a_moved_series_continues(offered in walk(), part in 0usize..300) {
        let part = part.min(offered.len());
        let (ring, blocks) = filled(&offered[..part]);
        let mut others = Blocks::default();
        let mut ring = ring.moved(&blocks, &mut others);
        for sample in &offered[part..] {
            ring.offer(&mut others, sample, STEP);
        }
        assert_near(&read(&ring, &others), &offered);
    }

    #[test]
    fn the_block_of_a_time_contains_its_sample(offered in walk(), nth in 0usize..300, after in 0i64..10_000_000_000) {
        let (ring, blocks) = filled(&offered);
        let Some(sample) = offered.get(nth) else { return Ok(()) };
        let tick = Tick::nearest(sample.at.plus_nanos(after));
        let expected = offered.iter().rfind(|sample| Tick::nearest(sample.at) <= tick).unwrap();
        let block = *ring.block_at(&blocks, tick).unwrap();
        let found = samples(&[block]).filter(|sample| Tick::nearest(sample.at) <= tick).last().unwrap();
        assert_near(&[found], &[*expected]);
    }
}

#[test]
fn in_the_steady_state_no_block_is_allocated() {
    let (mut ring, mut blocks) = (Ring::default(), Blocks::default());
    let hour = Tick::count(Duration::from_secs(3600));
    let mut offer = |n: i64, blocks: &mut Blocks| {
        let sample = Sample {
            at: Timestamp(EPOCH + n * 15_000_000_000 + n * n % 4_000_000_000),
            cpu: Nanocores((10_000_000 + n * n % 1_000_000).unsigned_abs()),
            memory: Bytes((50_000_000 + n * 7919 % 100_000).unsigned_abs()),
            swap: None,
            restarted: false,
        };
        assert_eq!(ring.offer(blocks, &sample, STEP), Offered::Stored);
        ring.drop_before(blocks, Tick::nearest(sample.at).plus(-hour));
    };
    (0..300).for_each(|n| offer(n, &mut blocks));
    let bytes = blocks.bytes();
    (300..10_000).for_each(|n| offer(n, &mut blocks));
    assert_eq!(blocks.bytes(), bytes);
}

#[test]
fn a_block_is_a_cache_line_and_a_ring_little_more_than_half_a_one() {
    assert_eq!(BLOCK_BYTES, 64);
    assert!(size_of::<Ring>() <= 36, "{}", size_of::<Ring>());
}

proptest! {
    #[test]
    fn any_bytes_are_a_block_of_some_points(bytes in prop::collection::vec(any::<u8>(), Block::WRITTEN)) {
        let block = Block::read_from(&bytes).unwrap();
        let mut written = Vec::new();
        block.write(&mut written);
        prop_assert_eq!(&written, &bytes);
        let found: Vec<Sample> = samples(&[block]).collect();
        prop_assert!(found.len() <= usize::from(block.points()));
        prop_assert!(found.is_sorted_by(|a, b| a.at <= b.at));
        prop_assert_eq!(Block::read_from(&bytes[1..]), None);
    }
}
