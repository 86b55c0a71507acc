//! How fast and how far an autoscaler may scale: stabilization windows, policies, and the bounds.

use kubevitals_proto::quantity::Quantity;
use kubevitals_proto::time::Timestamp;
use serde_json::Value;

use crate::members::Members;

const SECOND: i64 = 1_000_000_000;

/// By how much a value may differ from its target before something is done.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Tolerance {
    pub(super) up: f64,
    pub(super) down: f64,
}

impl Tolerance {
    /// Whether a ratio is as good as 1.
    pub(super) fn covers(self, ratio: f64) -> bool {
        (1.0 - self.down..=1.0 + self.up).contains(&ratio)
    }
}

/// Which of several policies holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Select {
    Most,
    Least,
    Disabled,
}

/// How much may change in a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Policy {
    /// Percent of the replicas at the start of the period; else pods.
    percent: bool,
    value: i64,
    /// In nanoseconds.
    period: i64,
}

/// The rules of one direction.
#[derive(Clone, Debug, PartialEq)]
struct Rules {
    /// In nanoseconds.
    window: i64,
    select: Select,
    policies: Vec<Policy>,
    tolerance: f64,
}

/// The rules of an autoscaler.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Behavior {
    up: Rules,
    down: Rules,
}

impl Rules {
    fn of(spec: &Value, window: i64, policies: Vec<Policy>) -> Self {
        let seconds = spec
            .at("/stabilizationWindowSeconds")
            .and_then(Value::as_i64);
        let own = spec.list("/policies").iter().map(|it| Policy {
            percent: it.text("/type") == "Percent",
            value: it.int("/value"),
            period: it.int("/periodSeconds") * SECOND,
        });
        let own: Vec<Policy> = own.collect();
        let tolerance: Option<Quantity> = spec.text("/tolerance").parse().ok();
        Self {
            window: seconds.unwrap_or(window) * SECOND,
            select: match spec.text("/selectPolicy") {
                "Min" => Select::Least,
                "Disabled" => Select::Disabled,
                _ => Select::Most,
            },
            policies: if own.is_empty() { policies } else { own },
            tolerance: tolerance.map_or(0.1, Quantity::to_f64),
        }
    }
}

/// What an autoscaler did and wanted before.
#[derive(Debug, Default)]
pub(super) struct Memory {
    recommendations: Vec<(Timestamp, i64)>,
    /// When replicas were added (positive) or removed.
    changes: Vec<(Timestamp, i64)>,
}

/// Why a number of replicas is not what the metrics ask for: the reason and message of a condition.
pub(super) type Reason = (&'static str, &'static str);

/// The outcome of the rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Decision {
    pub(super) replicas: i64,
    /// Why an earlier recommendation holds instead, if so.
    pub(super) stabilized: Option<Reason>,
    /// Why the number is limited, if so.
    pub(super) limited: Option<Reason>,
}

impl Behavior {
    /// The rules of the `behavior` of a spec. What it leaves out is Kubernetes' default.
    pub(super) fn of(spec: &Value) -> Self {
        let all_in_15s = |percent, value| Policy {
            percent,
            value,
            period: 15 * SECOND,
        };
        let none = Value::Null;
        let rules = |pointer| spec.at(pointer).unwrap_or(&none);
        Self {
            up: Rules::of(
                rules("/scaleUp"),
                0,
                vec![all_in_15s(false, 4), all_in_15s(true, 100)],
            ),
            down: Rules::of(rules("/scaleDown"), 300, vec![all_in_15s(true, 100)]),
        }
    }

    /// The tolerances.
    pub(super) const fn tolerance(&self) -> Tolerance {
        Tolerance {
            up: self.up.tolerance,
            down: self.down.tolerance,
        }
    }

    /// What becomes of a recommendation at this time, with these bounds.
    pub(super) fn decide(
        &self,
        memory: &mut Memory,
        now: Timestamp,
        current: i64,
        recommended: i64,
        bounds: (i64, i64),
    ) -> Decision {
        let stable = self.stabilize(memory, now, current, recommended);
        let stabilized = (stable != recommended).then_some(if recommended >= current {
            (
                "ScaleUpStabilized",
                "recent recommendations were lower than current one, applying the lowest recent recommendation",
            )
        } else {
            (
                "ScaleDownStabilized",
                "recent recommendations were higher than current one, applying the highest recent recommendation",
            )
        });
        let (replicas, limited) = self.limit(memory, now, current, stable, bounds);
        Decision {
            replicas,
            stabilized,
            limited,
        }
    }

    /// Remembers that the number of replicas was changed.
    pub(super) fn changed(&self, memory: &mut Memory, now: Timestamp, by: i64) {
        let policies = self.up.policies.iter().chain(&self.down.policies);
        let longest = policies.map(|it| it.period).max().unwrap_or(0);
        memory.changes.retain(|(at, _)| now.since(*at) < longest);
        memory.changes.push((now, by));
    }

    /// The current number, moved no further than every recommendation of the windows agrees to.
    fn stabilize(
        &self,
        memory: &mut Memory,
        now: Timestamp,
        current: i64,
        recommended: i64,
    ) -> i64 {
        let (mut lowest, mut highest) = (recommended, recommended);
        for (at, replicas) in &memory.recommendations {
            let age = now.since(*at);
            if age < self.up.window {
                lowest = lowest.min(*replicas);
            }
            if age < self.down.window {
                highest = highest.max(*replicas);
            }
        }
        let longest = self.up.window.max(self.down.window);
        memory
            .recommendations
            .retain(|(at, _)| now.since(*at) < longest);
        memory.recommendations.push((now, recommended));
        current.max(lowest).min(highest)
    }

    fn limit(
        &self,
        memory: &Memory,
        now: Timestamp,
        current: i64,
        wanted: i64,
        (min, max): (i64, i64),
    ) -> (i64, Option<Reason>) {
        if wanted > current {
            let fastest = self.up.limit(memory, now, current, true).max(current);
            let (most, reason) = match max > fastest {
                true => (
                    fastest,
                    (
                        "ScaleUpLimit",
                        "the desired replica count is increasing faster than the maximum scale rate",
                    ),
                ),
                false => (
                    max,
                    (
                        "TooManyReplicas",
                        "the desired replica count is more than the maximum replica count",
                    ),
                ),
            };
            return (wanted.min(most), (wanted > most).then_some(reason));
        }
        if wanted < current {
            let fastest = self.down.limit(memory, now, current, false).min(current);
            let (least, reason) = match min < fastest {
                true => (
                    fastest,
                    (
                        "ScaleDownLimit",
                        "the desired replica count is decreasing faster than the maximum scale rate",
                    ),
                ),
                false => (
                    min,
                    (
                        "TooFewReplicas",
                        "the desired replica count is less than the minimum replica count",
                    ),
                ),
            };
            return (wanted.max(least), (wanted < least).then_some(reason));
        }
        (wanted, None)
    }
}

impl Rules {
    /// The most replicas there may be now, or the fewest.
    fn limit(&self, memory: &Memory, now: Timestamp, current: i64, up: bool) -> i64 {
        let of = |policy: &Policy| {
            let recent = memory.changes.iter();
            let recent = recent.filter(|(at, _)| now.since(*at) < policy.period);
            let start = current - recent.map(|(_, by)| by).sum::<i64>();
            let change = match policy.percent {
                true => start as f64 * policy.value as f64 / 100.0,
                false => policy.value as f64,
            };
            match up {
                true => (start as f64 + change).ceil() as i64,
                false => (start as f64 - change).floor() as i64,
            }
        };
        let limits = self.policies.iter().map(of);
        let limit = match (self.select, up) {
            (Select::Disabled, _) => None,
            (Select::Most, true) | (Select::Least, false) => limits.max(),
            (Select::Least, true) | (Select::Most, false) => limits.min(),
        };
        limit.unwrap_or(current)
    }
}
