//! The cases of the tables of Kubernetes' own tests of the calculation, and of the rules of scaling.

use std::collections::BTreeMap;

use kubevitals_proto::time::Timestamp;
use serde_json::{Value, json};

use super::behavior::{Behavior, Memory, Tolerance};
use super::replicas::{Pod, Reading, Target, of_pods, of_value, of_value_per_pod};

const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);
const TOLERANCE: Tolerance = Tolerance { up: 0.1, down: 0.1 };
const CPU: bool = true;
const CUSTOM: bool = false;

fn ago(secs: i64) -> Timestamp {
    NOW.plus_nanos(-secs * 1_000_000_000)
}

/// Pods of a workload: `+` is ready, `-` has not been ready since it started, `s` started a moment ago, `p` is pending,
/// `f` failed, `d` is being deleted.
fn pods(states: &str, request: Option<i64>) -> Vec<Pod> {
    let pod = |(n, state): (usize, char)| Pod {
        name: format!("pod-{n}"),
        phase: match state {
            'p' => "Pending",
            'f' => "Failed",
            _ => "Running",
        }
        .to_owned(),
        deleted: state == 'd',
        ready: Some(match state {
            's' => (true, ago(10)),
            '-' => (false, ago(3590)),
            _ => (state == '+', ago(3000)),
        }),
        started: Some(ago(if state == 's' { 30 } else { 3600 })),
        request,
    };
    states.chars().enumerate().map(pod).collect()
}

fn readings(values: &[i64]) -> BTreeMap<String, Reading> {
    let reading = |(n, value): (usize, &i64)| {
        let reading = Reading {
            value: *value,
            at: ago(5),
            window: 60_000_000_000,
        };
        (format!("pod-{n}"), reading)
    };
    values.iter().enumerate().map(reading).collect()
}

fn replicas(
    current: i64,
    pods: &[Pod],
    values: &[i64],
    target: Target,
    cpu: bool,
) -> Result<i64, String> {
    let at = (NOW, TOLERANCE);
    let proposal = of_pods(current, pods, readings(values), (target, cpu), at);
    proposal.map(|it| it.replicas)
}

/// A name, the replicas, the states of the pods, their values, the target, and the replicas to expect.
type Case = (&'static str, i64, &'static str, &'static [i64], i64, i64);

#[test]
fn utilization() {
    #[rustfmt::skip] // one case a line: a table
    let cases: [Case; 20] = [
        ("up", 3, "+++", &[300, 500, 700], 30, 5),
        ("up, less for an unready pod", 3, "-++", &[300, 500, 700], 30, 4),
        ("up, less for a pod that has just started", 3, "s++", &[300, 500, 700], 30, 4),
        ("not up, as unready pods may take the load", 3, "+--", &[400, 500, 700], 30, 3),
        ("up without failed pods", 2, "++ff", &[500, 700], 30, 4),
        ("up without deleted pods", 2, "++dd", &[500, 700, 900, 900], 30, 4),
        ("up with a pending pod", 3, "++p", &[500, 700], 30, 4),
        ("down", 5, "+++++", &[100, 300, 500, 250, 250], 50, 3),
        ("down without unready pods", 5, "+++--", &[100, 300, 500, 250, 250], 50, 2),
        ("within the tolerance above", 3, "+++", &[1090, 1100, 1090], 100, 3),
        ("within the tolerance below", 3, "+++", &[910, 900, 910], 100, 3),
        ("values of pods that are gone", 4, "++++", &[4000, 9500, 3000, 7000, 3200, 2000], 100, 24),
        ("down, missing pods use their requests", 4, "++++", &[400, 95], 100, 3),
        ("at the target, one missing", 2, "++", &[1000], 100, 2),
        ("not up, the missing pod uses nothing", 2, "++", &[1900], 100, 2),
        ("not down, the missing pod uses its request", 2, "++", &[600], 100, 2),
        ("a missing pod of a target above 100 %", 2, "++", &[600], 150, 2),
        ("missing and unready, no change", 3, "-++", &[100, 450], 50, 3),
        ("missing and unready, up", 3, "-++", &[100, 2000], 50, 4),
        ("missing and unready, down", 4, "-+++", &[100, 100, 100], 50, 3),
    ];
    for (name, current, states, values, percent, expected) in cases {
        let pods = pods(states, Some(1000));
        let found = replicas(current, &pods, values, Target::Utilization(percent), CPU);
        assert_eq!(found, Ok(expected), "{name}");
    }
}

#[test]
fn averages() {
    #[rustfmt::skip] // as above
    let cases: [Case; 8] = [
        ("up", 3, "+++", &[20_000, 10_000, 30_000], 15_000, 4),
        ("up, readiness does not matter", 3, "+-+", &[50_000, 10_000, 30_000], 15_000, 6),
        ("up, a start does not matter", 3, "s++", &[50_000, 10_000, 30_000], 15_000, 6),
        ("down", 5, "+++++", &[12_000, 12_000, 12_000, 12_000, 12_000], 20_000, 3),
        ("within the tolerance", 3, "+++", &[20_000, 21_000, 21_000], 20_000, 3),
        ("a missing pod counts as none for up", 2, "++", &[38_000], 20_000, 2),
        ("a missing pod is at the target for down", 4, "++++", &[2_000, 2_000, 2_000], 10_000, 2),
        ("at the target, a missing pod counts as none", 3, "+++", &[10_000, 10_000], 10_000, 2),
    ];
    for (name, current, states, values, target, expected) in cases {
        let pods = pods(states, None);
        let found = replicas(current, &pods, values, Target::Average(target), CUSTOM);
        assert_eq!(found, Ok(expected), "{name}");
    }
}

#[test]
fn nothing_can_be_calculated_without_pods_values_or_requests() {
    let target = Target::Utilization(50);
    let error = |pods: &[Pod], values| replicas(2, pods, values, target, CPU).unwrap_err();
    let ready = pods("++", Some(1000));
    assert!(error(&[], &[500]).contains("no pods returned"));
    assert!(error(&ready, &[]).contains("did not receive metrics"));
    assert!(error(&pods("--", Some(1000)), &[500, 500]).contains("did not receive metrics"));
    assert!(error(&pods("++", None), &[500, 500]).contains("missing request"));
}

#[test]
fn values_of_no_pod() {
    #[rustfmt::skip] // as above
    let cases = [
        ("up", 3, "+++", 20_000, 15_000, 4),
        ("up by the ready pods", 5, "+++--", 50_000, 10_000, 15),
        ("down", 5, "+++++", 12_000, 20_000, 3),
        ("within the tolerance", 3, "+++", 8_900, 8_800, 3),
        ("from nothing", 0, "", 20_000, 15_000, 2),
    ];
    for (name, current, states, value, target, expected) in cases {
        let found = of_value(current, &pods(states, None), value, target, TOLERANCE);
        assert_eq!(found, expected, "{name}");
    }
    #[rustfmt::skip] // as above
    let cases = [
        ("up", 3, 8_600, 2_150, (4, 2_867)),
        ("down", 5, 8_600, 2_867, (3, 1_720)),
        ("within the tolerance", 3, 8_600, 2_867, (3, 2_867)),
    ];
    for (name, current, value, target, expected) in cases {
        let found = of_value_per_pod(current, value, target, TOLERANCE);
        assert_eq!(found, expected, "{name}");
    }
}

/// Decides at each of these times, and remembers changes. Returns the replicas.
fn play(behavior: &Value, start: i64, steps: &[(i64, i64)]) -> Vec<i64> {
    let behavior = Behavior::of(behavior);
    let (mut memory, mut current) = (Memory::default(), start);
    let step = |(secs, recommended): &(i64, i64)| {
        let now = NOW.plus_nanos(secs * 1_000_000_000);
        let decision = behavior.decide(&mut memory, now, current, *recommended, (1, 100));
        if decision.replicas != current {
            behavior.changed(&mut memory, now, decision.replicas - current);
        }
        current = decision.replicas;
        current
    };
    steps.iter().map(step).collect()
}

#[test]
fn by_default_up_at_once_and_down_after_five_minutes() {
    let steps = [(0, 40), (15, 40), (30, 40), (45, 10), (329, 10), (330, 10)];
    assert_eq!(play(&Value::Null, 3, &steps), [7, 14, 28, 28, 28, 10]);
}

#[test]
fn policies_limit_the_change_in_a_period() {
    let policy =
        |kind, value, period| json!({"type": kind, "value": value, "periodSeconds": period});
    let up = |policies: Value, select: &str| json!({"scaleUp": {"policies": policies, "selectPolicy": select}});
    let both = json!([policy("Pods", 2, 60), policy("Percent", 50, 60)]);
    let steps = [(0, 90), (15, 90), (60, 90), (75, 90)];
    assert_eq!(play(&up(both.clone(), "Max"), 10, &steps), [15, 15, 23, 23]);
    assert_eq!(play(&up(both, "Min"), 10, &steps), [12, 12, 14, 14]);
    let disabled = up(json!([policy("Pods", 2, 60)]), "Disabled");
    assert_eq!(play(&disabled, 10, &steps), [10, 10, 10, 10]);
    let down = json!({"scaleDown": {
        "stabilizationWindowSeconds": 0, "policies": [policy("Pods", 1, 30), policy("Percent", 10, 30)],
    }});
    let steps = [(0, 5), (15, 5), (30, 5)];
    assert_eq!(play(&down, 30, &steps), [27, 27, 24]);
}

#[test]
fn windows_keep_the_most_cautious_recommendation() {
    let up = json!({"scaleUp": {"stabilizationWindowSeconds": 60}});
    let steps = [(0, 5), (15, 8), (30, 7), (59, 9), (60, 9), (75, 9)];
    assert_eq!(play(&up, 5, &steps), [5, 5, 5, 5, 7, 7]);
    let down = json!({"scaleDown": {"stabilizationWindowSeconds": 60}});
    let steps = [(0, 8), (15, 4), (30, 6), (60, 4), (90, 4)];
    assert_eq!(play(&down, 8, &steps), [8, 8, 8, 6, 4]);
}

#[test]
fn conditions_say_what_limits() {
    let behavior = Behavior::of(&Value::Null);
    let limited = |current, recommended, bounds| {
        let mut memory = Memory::default();
        let decision = behavior.decide(&mut memory, NOW, current, recommended, bounds);
        (
            decision.replicas,
            decision.limited.map(|(reason, _)| reason),
        )
    };
    assert_eq!(limited(3, 20, (1, 30)), (7, Some("ScaleUpLimit")));
    assert_eq!(limited(3, 20, (1, 5)), (5, Some("TooManyReplicas")));
    assert_eq!(limited(3, 1, (3, 5)), (3, Some("TooFewReplicas")));
    assert_eq!(limited(3, 4, (1, 5)), (4, None));
}

#[test]
fn a_tolerance_can_be_set_for_each_direction() {
    let behavior = json!({"scaleUp": {"tolerance": "250m"}});
    let tolerance = Behavior::of(&behavior).tolerance();
    assert!(tolerance.covers(1.24) && !tolerance.covers(1.26));
    assert!(tolerance.covers(0.91) && !tolerance.covers(0.89));
}
