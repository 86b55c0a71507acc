//! The rules in tables, and what must hold for every evidence.

use kubevitals_proto::vitals::Quantiles;
use proptest::prelude::*;

use super::*;

const MI: u64 = MEBIBYTE;

const RULES: Rules = Rules {
    cpu_percentile: Stat::P95,
    cpu_margin: Percent(15),
    memory_margin: Percent(15),
    min_history: GoDuration::from_secs(1800),
};

/// A container that used 100m at the 95th percentile and 200m at most, and 100 MiB at most, for an hour.
fn usual() -> Evidence {
    Evidence {
        replicas: 2,
        cpu: Quantiles {
            p50: 50 * MILLICORE,
            p90: 90 * MILLICORE,
            p95: 100 * MILLICORE,
            p99: 150 * MILLICORE,
            max: 200 * MILLICORE,
        },
        memory: Quantiles {
            p50: 80 * MI,
            p90: 90 * MI,
            p95: 95 * MI,
            p99: 99 * MI,
            max: 100 * MI,
        },
        samples: 480,
        history: GoDuration::from_secs(3600),
        ..Evidence::default()
    }
}

fn with(change: impl FnOnce(&mut Evidence)) -> Evidence {
    let mut evidence = usual();
    change(&mut evidence);
    evidence
}

fn spec(cpu: (u64, u64), memory: (u64, u64)) -> Spec {
    let some = |value: u64| Some(value).filter(|value| *value > 0);
    Spec {
        cpu_request: some(cpu.0).map(|it| Nanocores(it * MILLICORE)),
        cpu_limit: some(cpu.1).map(|it| Nanocores(it * MILLICORE)),
        memory_request: some(memory.0).map(|it| Bytes(it * MI)),
        memory_limit: some(memory.1).map(|it| Bytes(it * MI)),
    }
}

#[test]
fn requests_and_limits_follow_from_what_was_seen() {
    for (cpu, memory, advised_cpu, advised_memory, rule) in [
        (
            (500, 0),
            (512, 0),
            (115, 0),
            (115, 0),
            "requests are lowered to what was seen, with margin",
        ),
        ((50, 0), (64, 0), (115, 0), (115, 0), "and raised"),
        ((0, 0), (0, 0), (115, 0), (115, 0), "and set"),
        (
            (120, 0),
            (120, 0),
            (120, 0),
            (120, 0),
            "five percent more is left as it is",
        ),
        ((121, 0), (121, 0), (115, 0), (115, 0), "more is not"),
        (
            (500, 1000),
            (512, 1024),
            (115, 1000),
            (115, 1024),
            "a limit is never lowered",
        ),
        (
            (100, 100),
            (110, 110),
            (115, 230),
            (115, 115),
            "and raised above the maximum",
        ),
        ((0, 0), (64, 0), (115, 0), (115, 0), "and none is added"),
    ] {
        let advice = RULES.advise(&with(|it| it.spec = spec(cpu, memory)));
        let (found_cpu, found_memory) = (advice.cpu.unwrap(), advice.memory.unwrap());
        let whole = |value: Option<u64>, unit: u64| value.unwrap_or_default() / unit;
        assert_eq!(
            (
                found_cpu.request.0 / MILLICORE,
                whole(found_cpu.limit.map(|it| it.0), MILLICORE)
            ),
            advised_cpu,
            "{rule}"
        );
        assert_eq!(
            (
                found_memory.request.0 / MI,
                whole(found_memory.limit.map(|it| it.0), MI)
            ),
            advised_memory,
            "{rule}"
        );
    }
}

#[test]
fn a_guaranteed_pod_stays_guaranteed() {
    let advice = RULES.advise(&with(|it| {
        it.spec = spec((500, 500), (512, 512));
        it.is_guaranteed = true;
    }));
    let (cpu, memory) = (advice.cpu.unwrap(), advice.memory.unwrap());
    // The request is the limit, so it covers the maximum.
    assert_eq!(cpu.request, Nanocores(230 * MILLICORE));
    assert_eq!(
        (cpu.limit, memory.limit),
        (Some(cpu.request), Some(memory.request))
    );
}

#[test]
fn the_percentile_and_the_margins_are_the_user_s() {
    let request = |cpu_percentile, margin| {
        let rules = Rules {
            cpu_percentile,
            cpu_margin: Percent(margin),
            memory_margin: Percent(margin),
            ..RULES
        };
        let advice = rules.advise(&usual());
        let (cpu, memory) = (advice.cpu.unwrap().request, advice.memory.unwrap().request);
        (cpu.0 / MILLICORE, memory.0 / MI)
    };
    assert_eq!(request(Stat::P50, 0), (50, 100));
    assert_eq!(request(Stat::P90, 0), (90, 100));
    assert_eq!(request(Stat::P99, 100), (300, 200));
    assert_eq!(request(Stat::Max, 1), (202, 101));
}

#[test]
fn amounts_are_whole_and_never_too_small_to_run() {
    let advice = RULES.advise(&with(|it| {
        it.cpu = Quantiles::default();
        it.memory = Quantiles {
            max: 1,
            ..Quantiles::default()
        };
    }));
    assert_eq!(advice.cpu.unwrap().request, Nanocores(MILLICORE));
    assert_eq!(advice.memory.unwrap().request, Bytes(LEAST_MEMORY));
    let advice = RULES.advise(&with(|it| {
        it.cpu.p95 = 100 * MILLICORE + 1;
        it.memory.max = 100 * MI + 1;
    }));
    assert_eq!(advice.cpu.unwrap().request, Nanocores(116 * MILLICORE));
    assert_eq!(advice.memory.unwrap().request, Bytes(116 * MI));
}

#[test]
fn a_limit_that_is_reached_hides_demand() {
    for (limit, is_hidden) in [(200, true), (210, true), (211, false), (0, false)] {
        let evidence = with(|it| it.spec = spec((100, limit), (0, 0)));
        assert_eq!(
            RULES.advise(&evidence).cpu.unwrap().at_least,
            is_hidden,
            "{limit}"
        );
    }
}

#[test]
fn without_ground_there_is_no_advice() {
    let short = GoDuration::from_secs(1799);
    let floors = [10, 20, 30, 40].map(|it| Bytes(it * MI));
    let oom = Refusal::OomKilled {
        kills: 2,
        limit: Some(Bytes(128 * MI)),
    };
    let little = Refusal::LittleHistory {
        have: short,
        need: RULES.min_history,
    };
    let loops = |restarts| Refusal::CrashLoop { restarts };
    let killed = |it: &mut Evidence| {
        it.oom_kills = 2;
        it.spec.memory_limit = Some(Bytes(128 * MI));
    };
    type Change = Box<dyn Fn(&mut Evidence)>;
    let cases: [(Change, Option<Refusal>, Option<Refusal>); 9] = [
        (Box::new(|_| {}), None, None),
        (
            Box::new(|it| it.samples = 0),
            Some(Refusal::NoSamples),
            Some(Refusal::NoSamples),
        ),
        (
            Box::new(move |it| it.history = short),
            Some(little),
            Some(little),
        ),
        (
            Box::new(|it| it.samples = 19),
            Some(Refusal::FewSamples(19)),
            Some(Refusal::FewSamples(19)),
        ),
        (
            Box::new(|it| (it.restarts, it.most_restarts) = (4, 3)),
            Some(loops(4)),
            Some(loops(4)),
        ),
        // A rollout of liveness failures over many replicas is no loop of one.
        (
            Box::new(|it| (it.restarts, it.most_restarts) = (4, 2)),
            None,
            None,
        ),
        (
            Box::new(|it| it.is_backed_off = true),
            Some(loops(0)),
            Some(loops(0)),
        ),
        // CPU is what it was before the kill.
        (Box::new(killed), None, Some(oom)),
        (
            Box::new(move |it| it.growth = Some(floors)),
            None,
            Some(Refusal::Grows(floors)),
        ),
    ];
    for (change, cpu, memory) in cases {
        let advice = RULES.advise(&with(|it| change(it)));
        assert_eq!((advice.cpu.err(), advice.memory.err()), (cpu, memory));
    }
    // The most specific reason is stated.
    let advice = RULES.advise(&with(|it| {
        killed(it);
        it.is_backed_off = true;
        it.samples = 0;
    }));
    assert_eq!(
        (advice.cpu.err(), advice.memory.err()),
        (Some(loops(0)), Some(oom))
    );
}

#[test]
fn a_refusal_says_why_and_what_to_do() {
    for (refusal, text) in [
        (Refusal::NoSamples, "no samples of it are stored"),
        (
            Refusal::LittleHistory {
                have: GoDuration(719_400_000_000),
                need: RULES.min_history,
            },
            "its history covers 11m59s, less than 30m0s (--min-history)",
        ),
        (
            Refusal::FewSamples(3),
            "its history has 3 samples, less than 20",
        ),
        (
            Refusal::CrashLoop { restarts: 5 },
            "crash loop: 5 restarts, so its usage is that of starts",
        ),
        (
            Refusal::OomKilled {
                kills: 1,
                limit: Some(Bytes(256 * MI)),
            },
            "OOM-killed once: the limit hides what it needs, which is more than 256Mi; raise the limit, then measure again",
        ),
        (
            Refusal::Grows([10, 20, 30, 40].map(|it| Bytes(it * MI))),
            "memory grows steadily (leak): at least 10Mi, 20Mi, 30Mi, 40Mi in four parts of its run",
        ),
    ] {
        assert_eq!(refusal.to_string(), text);
    }
}

fn quantiles() -> impl Strategy<Value = Quantiles> {
    // Values of every magnitude.
    let value = (0_u32..64, any::<u64>()).prop_map(|(bits, value)| value >> bits);
    prop::collection::vec(value, 5).prop_map(|mut values| {
        values.sort_unstable();
        Quantiles {
            p50: values[0],
            p90: values[1],
            p95: values[2],
            p99: values[3],
            max: values[4],
        }
    })
}

fn amounts() -> impl Strategy<Value = (Option<u64>, Option<u64>)> {
    let value = (0_u32..64, any::<u64>()).prop_map(|(bits, value)| value >> bits);
    (prop::option::of(value.clone()), prop::option::of(value)).prop_map(|(request, limit)| {
        match (request, limit) {
            (Some(request), Some(limit)) => (Some(request.min(limit)), Some(limit)),
            (None, Some(limit)) => (Some(limit), Some(limit)),
            other => other,
        }
    })
}

/// The largest amounts that whole units can express.
fn most(seen: u64, unit: u64) -> u64 {
    seen.min(u64::MAX / unit * unit)
}

proptest! {
    #[test]
    fn advice_is_never_below_what_was_seen(
        cpu in quantiles(), memory in quantiles(), of_cpu in amounts(), of_memory in amounts(),
        margins in (0_u32..=1000, 0_u32..=1000), is_guaranteed: bool,
    ) {
        let rules = Rules { cpu_margin: Percent(margins.0), memory_margin: Percent(margins.1), ..RULES };
        let evidence = Evidence {
            cpu,
            memory,
            is_guaranteed,
            spec: Spec {
                cpu_request: of_cpu.0.map(Nanocores),
                cpu_limit: of_cpu.1.map(Nanocores),
                memory_request: of_memory.0.map(Bytes),
                memory_limit: of_memory.1.map(Bytes),
            },
            ..usual()
        };
        let advice = rules.advise(&evidence);
        let advised = advice.memory.unwrap();
        prop_assert!(advised.request.0 >= most(memory.max, MI));
        prop_assert!(advised.limit.is_none_or(|limit| limit.0 >= most(memory.max, MI)));
        prop_assert!(advised.limit.is_none_or(|limit| limit >= advised.request));
        let advised = advice.cpu.unwrap();
        prop_assert!(advised.request.0 >= most(cpu.p95, MILLICORE));
        prop_assert!(advised.limit.is_none_or(|limit| limit.0 >= most(cpu.max, MILLICORE)));
        prop_assert!(advised.limit.is_none_or(|limit| limit >= advised.request));
        prop_assert_eq!(advised.limit.is_some(), is_guaranteed || of_cpu.1.is_some());
    }
}
