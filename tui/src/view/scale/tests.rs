//! Tests of scales.

use super::*;
use proptest::prelude::*;

const CORE: u64 = 1_000 * MILLI;
const MI: u64 = 1 << 20;
const GI: u64 = 1 << 30;

fn labels(resource: Resource, most: u64, rows: u16) -> Vec<String> {
    let ticks = Scale::of(resource, most).ticks(rows);
    ticks.into_iter().map(|tick| tick.label).collect()
}

#[test]
fn numbers_beside_a_chart_are_round_and_in_one_unit() {
    use Resource::{Cpu, Memory};
    for (resource, most, rows, expected) in [
        (Cpu, 0, 4, &["0", "2m"][..]),
        (Cpu, 7 * MILLI, 5, &["0", "4m", "8m"]),
        (Cpu, 500 * MILLI, 5, &["0", "250m", "500m"]),
        (Cpu, 1_010 * MILLI, 5, &["0", "600m", "1200m"]),
        // The largest label sets the unit: no `10` above `5000m`.
        (Cpu, 9_999_500_000, 5, &["0", "5", "10"]),
        (Cpu, 10 * CORE, 9, &["0", "2", "4", "6", "8", "10"]),
        (Cpu, 63_300 * MILLI, 9, &["0", "20", "40", "60", "80"]),
        (Memory, 539 * MI, 3, &["0", "640Mi"]),
        (Memory, 64 * MI, 5, &["0", "32Mi", "64Mi"]),
        (Memory, GI, 5, &["0", "0.5Gi", "1Gi"]),
        (Memory, 3 * GI / 2, 7, &["0", "1Gi", "2Gi"]),
        (Memory, 3 * GI, 7, &["0", "1Gi", "2Gi", "3Gi"]),
        (Memory, 5 * GI, 9, &["0", "1Gi", "2Gi", "3Gi", "4Gi", "5Gi"]),
        (
            Memory,
            34 * GI + 8 * GI / 10,
            9,
            &["0", "10Gi", "20Gi", "30Gi", "40Gi"],
        ),
        (Memory, 1_000 * MI, 1, &["1Gi"]),
        (Memory, 0, 1, &["1"]),
    ] {
        assert_eq!(
            labels(resource, most, rows),
            expected,
            "{resource:?} {most} in {rows}"
        );
    }
}

#[test]
fn a_scale_begins_where_it_shows_the_most() {
    use Measure::{Cpu, Memory, Share};
    let (m, c, p) = (MILLI, CORE, PERCENT);
    for (what, measure, data, lines, expected) in [
        (
            "unknown",
            Cpu,
            &[][..],
            &[2 * c][..],
            &["0", "1000m", "2000m"][..],
        ),
        ("nothing", Memory, &[], &[], &["0", "1"]),
        (
            "60 % ± 2 %",
            Share,
            &[58 * p, 60 * p, 62 * p],
            &[100 * p],
            &["56%", "58%", "60%", "62%", "64%"],
        ),
        (
            "the same in cores, below a far capacity",
            Cpu,
            &[116 * c, 124 * c],
            &[200 * c],
            &["110", "115", "120", "125", "130"],
        ),
        (
            "in the unit of the capacity",
            Cpu,
            &[5_800 * m, 6_200 * m],
            &[64 * c],
            &["5.6", "5.8", "6", "6.2", "6.4"],
        ),
        (
            "memory",
            Memory,
            &[58 * GI, 62 * GI],
            &[],
            &["56Gi", "58Gi", "60Gi", "62Gi", "64Gi"],
        ),
        (
            "memory in quarters",
            Memory,
            &[1_900 * MI, 2_000 * MI],
            &[],
            &["1792Mi", "1920Mi", "2048Mi", "2176Mi"],
        ),
        (
            "a limit near the data",
            Memory,
            &[400 * MI, 460 * MI],
            &[512 * MI],
            &["384Mi", "416Mi", "448Mi", "480Mi", "512Mi"],
        ),
        (
            "constant",
            Memory,
            &[300 * MI, 300 * MI],
            &[512 * MI],
            &["0", "256Mi", "512Mi"],
        ),
        (
            "noise below a hundredth",
            Memory,
            &[300 * MI, 301 * MI],
            &[512 * MI],
            &["0", "256Mi", "512Mi"],
        ),
        (
            "a single point",
            Cpu,
            &[250 * m],
            &[500 * m],
            &["0", "250m", "500m"],
        ),
        (
            "large variation",
            Cpu,
            &[100 * m, 250 * m],
            &[500 * m],
            &["0", "250m", "500m"],
        ),
        ("near zero", Cpu, &[m, 2 * m], &[8 * m], &["0", "4m", "8m"]),
        ("zero", Cpu, &[0, 0], &[500 * m], &["0", "250m", "500m"]),
        (
            "a limit far above",
            Memory,
            &[10 * MI, 100 * MI],
            &[4 * GI],
            &["0", "64Mi", "128Mi"],
        ),
        (
            "a request near, a limit far above",
            Memory,
            &[10 * MI, 100 * MI],
            &[128 * MI, 4 * GI],
            &["0", "64Mi", "128Mi"],
        ),
    ] {
        let scale = Scale::fit(measure, data.iter().copied(), lines, true);
        let labels: Vec<String> = scale.ticks(8).into_iter().map(|tick| tick.label).collect();
        assert_eq!(labels, expected, "{what}");
        assert_eq!(scale.is_broken(), expected[0] != "0", "{what}");
        let zero = Scale::fit(measure, data.iter().copied(), lines, false);
        assert!(!zero.is_broken(), "{what}");
    }
}

#[test]
fn a_sparkline_is_full_at_its_limit() {
    let points = [Some(110 * MILLI), None, Some(50 * MILLI)];
    for (limit, filled) in [
        (Some(CORE), CORE),
        (Some(100 * MILLI), 110 * MILLI),
        (None, 120 * MILLI),
        (Some(0), 120 * MILLI),
    ] {
        assert_eq!(full(Resource::Cpu, limit, &points), filled, "{limit:?}");
    }
}

proptest! {
    #[test]
    fn a_fitted_scale_includes_the_data_and_is_exact_to_a_row(
        measure in prop::sample::select(vec![Measure::Cpu, Measure::Memory, Measure::Share]),
        level: u64, spread in 0_u64..1 << 40, lines in prop::collection::vec(any::<u64>(), 0..4),
        rows in 1_u16..80,
    ) {
        let (low, high) = (level, level.saturating_add(spread));
        let scale = Scale::fit(measure, [low, high].into_iter(), &lines, true);
        prop_assert!(scale.contains(low) && scale.contains(high), "{scale:?}");
        prop_assert!(scale.base() < scale.top());
        let range = u128::from(scale.top() - scale.base());
        for value in [low, high] {
            let up = scale.height(value, rows.into());
            let drawn = u128::from(scale.base()) + range * up as u128 / u128::from(rows);
            let off = drawn.abs_diff(u128::from(value));
            prop_assert!(off <= range / u128::from(rows) + 1, "{value} at {up} of {rows} in {scale:?}");
        }
        let ticks = scale.ticks(rows);
        for pair in ticks.windows(2) {
            prop_assert!(pair[0].row < pair[1].row || rows < 2, "{ticks:?}");
            prop_assert!(pair[0].label != pair[1].label, "{ticks:?}");
        }
    }

    #[test]
    fn a_scale_holds_its_amount_and_no_two_numbers_are_alike(
        cpu: bool, small: bool, most: u64, rows in 0_u16..80,
    ) {
        let (resource, least) = if cpu { (Resource::Cpu, 2 * MILLI) } else { (Resource::Memory, 1) };
        let most = if small { most % (1 << 40) } else { most };
        let scale = Scale::of(resource, most);
        prop_assert!(scale.top() >= most.max(least));
        // Rounding leaves at most half of a chart empty.
        prop_assert!(most < least || scale.top() / 2 <= most, "{scale:?}");
        let ticks = scale.ticks(rows);
        prop_assert_eq!(ticks.is_empty(), rows == 0);
        for pair in ticks.windows(2) {
            prop_assert!(pair[0].row < pair[1].row && pair[0].value < pair[1].value, "{ticks:?}");
            prop_assert!(pair[0].label != pair[1].label, "{ticks:?}");
        }
        let units: Vec<&str> = ticks
            .iter()
            .filter(|tick| tick.value > 0)
            .map(|tick| tick.label.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.'))
            .collect();
        prop_assert!(units.windows(2).all(|pair| pair[0] == pair[1]), "{ticks:?}");
        for tick in &ticks {
            prop_assert!(tick.value <= scale.top() && (1..=rows).contains(&tick.row), "{ticks:?}");
            prop_assert!(tick.label.len() <= usize::from(scale.width(rows)));
            // A label is exact.
            let number = tick.label.trim_end_matches(|c: char| c.is_ascii_alphabetic());
            let tenths = match number.split_once('.') {
                Some((whole, tenth)) => whole.parse::<u128>().unwrap() * 10 + tenth.parse::<u128>().unwrap(),
                None => number.parse::<u128>().unwrap() * 10,
            };
            if most <= 768 << 50 {
                prop_assert_eq!(tenths * u128::from(scale.unit), u128::from(tick.value) * 10, "{:?}", ticks);
            }
        }
    }
}
