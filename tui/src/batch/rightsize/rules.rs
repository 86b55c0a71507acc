//! The rules of advice: from evidence to requests and limits, or to the reason why there is no advice.

use std::fmt;

use kubevitals_proto::duration::GoDuration;
use kubevitals_proto::units::{Bytes, Nanocores};

use super::evidence::{Evidence, LEAST_SAMPLES, Spec};
use crate::model::{Stat, format};

/// CPU is advised in whole millicores.
const MILLICORE: u64 = 1_000_000;

/// Memory is advised in whole mebibytes.
const MEBIBYTE: u64 = 1 << 20;

/// The least memory that is advised: container runtimes refuse a limit below 6 MiB.
const LEAST_MEMORY: u64 = 8 * MEBIBYTE;

/// A request that is above the advice by at most this many percent is left as it is.
const TOLERANCE: Percent = Percent(5);

/// With this many restarts of one replica in the span, its usage is that of starts.
const CRASH_LOOP: u64 = 3;

/// The part of the CPU limit, in percent, from which on a mean over a scrape interval means throttling.
const THROTTLED: u64 = 95;

/// A number of percent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Percent(pub u32);

impl Percent {
    /// The value and this many percent more, rounded up.
    fn above(self, value: u64) -> u64 {
        let parts = u128::from(value) * (100 + u128::from(self.0));
        u64::try_from(parts.div_ceil(100)).unwrap_or(u64::MAX)
    }
}

/// What a user decides about the advice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// The percentile of CPU that a request covers.
    pub cpu_percentile: Stat,
    /// The margin above CPU that was seen.
    pub cpu_margin: Percent,
    /// The margin above memory that was seen.
    pub memory_margin: Percent,
    /// The least history for advice.
    pub min_history: GoDuration,
}

/// Advice for a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Advice {
    /// CPU.
    pub cpu: Result<Advised<Nanocores>, Refusal>,
    /// Memory.
    pub memory: Result<Advised<Bytes>, Refusal>,
}

/// A request and a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Advised<T> {
    /// The request.
    pub request: T,
    /// The limit; none if none is set. A limit reserves nothing, so the advice neither adds nor lowers one, except in a
    /// Guaranteed pod, where it is the request.
    pub limit: Option<T>,
    /// Whether the need is at least this, because the present limit hides the rest.
    pub at_least: bool,
}

/// Why there is no advice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// There are no samples.
    NoSamples,
    /// There is too little history.
    LittleHistory {
        /// The time that samples cover.
        have: GoDuration,
        /// The required time.
        need: GoDuration,
    },
    /// There are too few samples.
    FewSamples(u64),
    /// A replica restarts again and again.
    CrashLoop {
        /// The restarts of all replicas.
        restarts: u64,
    },
    /// The container was killed at its memory limit.
    OomKilled {
        /// The number of kills.
        kills: u64,
        /// The limit.
        limit: Option<Bytes>,
    },
    /// Memory grows steadily. The floor of memory in four successive parts of the run.
    Grows([Bytes; 4]),
}

impl Refusal {
    /// One word for programs.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::NoSamples => "NoSamples",
            Self::LittleHistory { .. } => "LittleHistory",
            Self::FewSamples(_) => "FewSamples",
            Self::CrashLoop { .. } => "CrashLoop",
            Self::OomKilled { .. } => "OOMKilled",
            Self::Grows(_) => "MemoryGrows",
        }
    }
}

impl Refusal {
    /// A few words, for a table.
    pub fn word(&self) -> String {
        match self {
            Self::NoSamples => "no samples".to_owned(),
            Self::LittleHistory { .. } | Self::FewSamples(_) => "too little history".to_owned(),
            Self::CrashLoop { .. } => "crash loop".to_owned(),
            Self::OomKilled { .. } => "OOM-killed".to_owned(),
            Self::Grows(_) => "memory grows (leak)".to_owned(),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSamples => f.write_str("no samples of it are stored"),
            Self::LittleHistory { have, need } => write!(
                f,
                "its history covers {}, less than {} (--min-history)",
                seconds(*have),
                seconds(*need)
            ),
            Self::FewSamples(samples) => write!(
                f,
                "its history has {}, less than {LEAST_SAMPLES}",
                format::count(*samples, "sample")
            ),
            Self::CrashLoop { restarts: 0 } => f.write_str(
                "crash loop: it waits in CrashLoopBackOff, so its usage is that of starts",
            ),
            Self::CrashLoop { restarts } => write!(
                f,
                "crash loop: {}, so its usage is that of starts",
                format::count(*restarts, "restart")
            ),
            Self::OomKilled { kills, limit } => {
                let times = match kills {
                    1 => "once".to_owned(),
                    kills => format!("{kills} times"),
                };
                match limit {
                    Some(limit) => write!(
                        f,
                        "OOM-killed {times}: the limit hides what it needs, which is more than {}; \
                         raise the limit, then measure again",
                        format::bytes(*limit)
                    ),
                    None => write!(
                        f,
                        "OOM-killed {times}: what it needs is more than was seen; measure again"
                    ),
                }
            }
            Self::Grows(floors) => write!(
                f,
                "memory grows steadily (leak): at least {} in four parts of its run",
                floors.map(format::bytes).join(", ")
            ),
        }
    }
}

/// A duration in whole seconds.
fn seconds(duration: GoDuration) -> GoDuration {
    GoDuration(duration.0 / 1_000_000_000 * 1_000_000_000)
}

impl Rules {
    /// The advice for a container.
    pub fn advise(&self, evidence: &Evidence) -> Advice {
        let memory = self.refuse_memory(evidence);
        Advice {
            cpu: match self.refuse(evidence) {
                Some(refusal) => Err(refusal),
                None => Ok(self.cpu(evidence)),
            },
            memory: match memory {
                Some(refusal) => Err(refusal),
                None => Ok(self.memory(evidence)),
            },
        }
    }

    /// Why nothing can be advised.
    fn refuse(&self, evidence: &Evidence) -> Option<Refusal> {
        if evidence.is_backed_off || evidence.most_restarts >= CRASH_LOOP {
            return Some(Refusal::CrashLoop {
                restarts: evidence.restarts,
            });
        }
        let (have, need) = (evidence.history, self.min_history);
        match evidence.samples {
            0 => Some(Refusal::NoSamples),
            _ if have < need => Some(Refusal::LittleHistory { have, need }),
            samples if samples < LEAST_SAMPLES => Some(Refusal::FewSamples(samples)),
            _ => None,
        }
    }

    /// Why no memory can be advised. The most specific reason comes first.
    fn refuse_memory(&self, evidence: &Evidence) -> Option<Refusal> {
        if evidence.oom_kills > 0 {
            return Some(Refusal::OomKilled {
                kills: evidence.oom_kills,
                limit: evidence.spec.memory_limit,
            });
        }
        self.refuse(evidence)
            .or_else(|| evidence.growth.map(Refusal::Grows))
    }

    fn cpu(&self, evidence: &Evidence) -> Advised<Nanocores> {
        let Spec {
            cpu_request,
            cpu_limit,
            ..
        } = evidence.spec;
        let with_margin =
            |seen: u64| round_up(self.cpu_margin.above(seen), MILLICORE).max(MILLICORE);
        let peak = with_margin(evidence.cpu.max);
        let at_least = is_throttled(evidence);
        if evidence.is_guaranteed {
            let request = Nanocores(keep(cpu_request.map(|it| it.0), peak));
            return Advised {
                request,
                limit: Some(request),
                at_least,
            };
        }
        let usual = with_margin(self.cpu_percentile.of(&evidence.cpu));
        Advised {
            request: Nanocores(keep(cpu_request.map(|it| it.0), usual)),
            limit: cpu_limit.map(|limit| limit.max(Nanocores(peak))),
            at_least,
        }
    }

    fn memory(&self, evidence: &Evidence) -> Advised<Bytes> {
        let Spec {
            memory_request,
            memory_limit,
            ..
        } = evidence.spec;
        let seen = self.memory_margin.above(evidence.memory.max);
        let needed = round_up(seen, MEBIBYTE).max(LEAST_MEMORY);
        let request = Bytes(keep(memory_request.map(|it| it.0), needed));
        let limit = match evidence.is_guaranteed {
            true => Some(request),
            false => memory_limit.map(|limit| limit.max(Bytes(needed))),
        };
        Advised {
            request,
            limit,
            at_least: false,
        }
    }
}

/// Whether CPU has reached the limit: the demand above it is hidden.
pub fn is_throttled(evidence: &Evidence) -> bool {
    let limit = evidence.spec.cpu_limit.filter(|limit| limit.0 > 0);
    limit.is_some_and(|limit| {
        u128::from(evidence.cpu.max) * 100 >= u128::from(limit.0) * u128::from(THROTTLED)
    })
}

/// The present request if it is enough and not much more, else what is needed.
fn keep(present: Option<u64>, needed: u64) -> u64 {
    let suits = |present: &u64| (needed..=TOLERANCE.above(needed)).contains(present);
    present.filter(suits).unwrap_or(needed)
}

/// The next multiple of a unit; the largest one if there is none.
fn round_up(value: u64, unit: u64) -> u64 {
    value
        .checked_next_multiple_of(unit)
        .unwrap_or(u64::MAX / unit * unit)
}

#[cfg(test)]
mod tests;
