//! How many requests to kubelets may be under way at once: a limit that adapts to what comes back.
//!
//! Kubelets are independent machines, but requests to them share the server's own CPU, its network, and now and then
//! an overloaded proxy. When such a shared part is overloaded, *every* answer takes longer the more requests are under
//! way, and no more are answered. So the limit follows the **median** of the answers: a few nodes that are dead or
//! slow do not move it, an overloaded shared part does. Additive increase, multiplicative decrease.

use std::time::Duration;

/// Where the limit begins, and where it returns to when fewer requests are under way.
const INITIAL: usize = 32;

/// At least so many. One of them is for a handshake.
const MIN: usize = 2;

/// At most so many: sockets and bodies that one server of a few cores can take in.
const MAX: usize = 1024;

/// A median is of at least, and at most, so many answers. An increase needs a whole round of prompt answers, as many as
/// may be under way: the first ones under a larger limit are those that it did not slow down.
const WINDOW: (usize, usize) = (8, 64);

/// So many requests for other pages at most: each answer is hundreds of kilobytes while it is taken in.
const MAX_PAGES: usize = 128;

/// What is left of the limit after a decrease, in percent.
const DECREASE: usize = 70;

/// A decrease to half that leaves the median above this part of what it was had no effect: the kubelets are slow of
/// themselves.
const IN_VAIN: f32 = 0.8;

/// Slowness that is the kubelets' own may vary so much.
const TOLERANCE: f32 = 1.25;

/// A request is late when it takes longer than this part of the timeout. So, at the same limit, the handshake of a node
/// whose connection was lost is done in time, although it costs several times as much; and no request times out when
/// the kubelets become four times as slow from one moment to the next.
const LATE_REQUEST: u32 = 8;

/// A TLS handshake costs both sides several times as much as a request on an established connection.
const LATE_HANDSHAKE: u32 = 2;

/// What part of a request has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::scrape) enum Part {
    /// A TLS handshake.
    Handshake,
    /// A request over an established connection.
    Request,
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::scrape) enum Outcome {
    /// With an answer, whatever its status, after this time.
    Answered(Duration),
    /// With none in time.
    TimedOut,
}

/// The first decrease of a series whose effect is not known yet.
#[derive(Debug, Clone, Copy)]
struct Trial {
    limit: usize,
    median: f32,
}

/// The adaptive limit. It has no clock: times are durations since a start that the caller chooses.
#[derive(Debug)]
pub(in crate::scrape) struct Limit {
    timeout: Duration,
    limit: usize,
    /// Below it the limit doubles, above it is increased by an eighth.
    threshold: usize,
    /// Which limit it is, counted: what was sent under another one does not tell of this one.
    version: u32,
    /// Times of what has ended, each as a part of the time after which it is late; infinite where none came in time.
    window: Vec<f32>,
    /// Prompt answers of the round so far.
    prompt: usize,
    /// Timeouts of nodes that had not answered before either: they tell of the load only if nothing else answers.
    silent: usize,
    /// The limit kept a request waiting since the last decision.
    reached: bool,
    trial: Option<Trial>,
    /// The median that smaller limits did not improve.
    tolerated: f32,
    /// The most that was under way, in this period and in the one before.
    peaks: [usize; 2],
    period: Duration,
    period_ends: Duration,
}

impl Limit {
    /// For requests that may take `timeout`. A limit that has not been used for two `period`s is taken back.
    pub(in crate::scrape) fn new(timeout: Duration, period: Duration) -> Self {
        Self {
            timeout,
            limit: INITIAL,
            threshold: MAX,
            version: 0,
            window: Vec::with_capacity(WINDOW.1),
            prompt: 0,
            silent: 0,
            reached: false,
            trial: None,
            tolerated: 0.0,
            peaks: [0; 2],
            period,
            period_ends: period,
        }
    }

    /// How many requests may be under way.
    pub(in crate::scrape) const fn get(&self) -> usize {
        self.limit
    }

    /// How many of them may be in their TLS handshake.
    pub(in crate::scrape) fn handshakes(&self) -> usize {
        (self.limit / 3).max(1)
    }

    /// How many of them may be to nodes that did not answer before.
    pub(in crate::scrape) fn failing(&self) -> usize {
        (self.limit / 4).max(1)
    }

    /// How many of them may be for other pages than `/metrics/resource`.
    pub(in crate::scrape) fn pages(&self) -> usize {
        (self.limit / 2).clamp(1, MAX_PAGES)
    }

    /// Whether it has been lowered, and has not been raised beyond where it began since.
    pub(in crate::scrape) const fn is_lowered(&self) -> bool {
        self.threshold < MAX && self.limit < INITIAL
    }

    /// To be handed to [`Self::ended`] with what is sent now.
    pub(in crate::scrape) const fn version(&self) -> u32 {
        self.version
    }

    /// A larger limit would let in more.
    pub(in crate::scrape) const fn reached(&mut self) {
        self.reached = true;
    }

    /// `under_way` requests are under way at `now`. A limit that stays far above what is used would let in a flood
    /// before the first late answer tells of it.
    pub(in crate::scrape) fn used(&mut self, now: Duration, under_way: usize) {
        let [current, before] = &mut self.peaks;
        *current = (*current).max(under_way);
        if now >= self.period_ends {
            let most = 2 * (*current).max(*before);
            self.limit = self.limit.min(most.max(INITIAL));
            *before = std::mem::take(current);
            self.period_ends = now + self.period;
        }
    }

    /// A part of a request has ended. `version` is that of the limit it was sent under; `failing` says that the node
    /// had not answered before.
    pub(in crate::scrape) fn ended(
        &mut self,
        version: u32,
        part: Part,
        failing: bool,
        outcome: Outcome,
    ) {
        if version != self.version {
            return;
        }
        let late = match part {
            Part::Handshake => self.timeout / LATE_HANDSHAKE,
            Part::Request => self.timeout / LATE_REQUEST,
        };
        match outcome {
            Outcome::Answered(took) => self
                .window
                .push(took.as_secs_f32() / late.as_secs_f32().max(f32::MIN_POSITIVE)),
            Outcome::TimedOut if failing => self.silent += 1,
            Outcome::TimedOut => self.window.push(f32::INFINITY),
        }
        let enough = self.limit.clamp(WINDOW.0, WINDOW.1);
        let answers = self.window.len();
        if answers + self.silent >= enough && self.window.iter().all(|load| load.is_infinite()) {
            self.collapse();
        } else if answers >= enough {
            self.decide();
        }
    }

    /// Late answers lower the limit at once; a whole round of prompt ones raises it.
    fn decide(&mut self) {
        let answers = self.window.len();
        let (_, median, _) = self
            .window
            .select_nth_unstable_by(answers / 2, f32::total_cmp);
        let median = *median;
        if median.is_infinite() {
            self.collapse();
        } else if median > (self.tolerated * TOLERANCE).max(1.0) {
            self.decrease(median);
        } else {
            self.trial = None;
            self.tolerated = self.tolerated.min(median);
            self.prompt += answers;
            if self.prompt >= self.limit {
                self.prompt = 0;
                if std::mem::take(&mut self.reached) {
                    self.increase();
                }
            }
        }
        self.next_window();
    }

    /// Most requests came to nothing, and the work for them is wasted or still to be done: half of them would be too
    /// many, most likely.
    fn collapse(&mut self) {
        self.trial = None;
        self.set(self.limit / 4);
        self.threshold = self.limit;
        self.next_window();
    }

    /// Answers are late. Where that does not change with two decreases, the kubelets are slow of themselves, and
    /// asking fewer of them at once gains nothing.
    fn decrease(&mut self, median: f32) {
        match self.trial {
            Some(trial) if self.limit * 2 <= trial.limit || self.limit == MIN => {
                if median > trial.median * IN_VAIN {
                    self.trial = None;
                    self.tolerated = median;
                    self.threshold = MAX;
                    self.set(trial.limit);
                    return;
                }
                self.trial = Some(Trial {
                    limit: self.limit,
                    median,
                });
            }
            Some(_) => {}
            None => {
                self.trial = Some(Trial {
                    limit: self.limit,
                    median,
                });
            }
        }
        self.set(self.limit * DECREASE / 100);
        self.threshold = self.limit;
    }

    fn increase(&mut self) {
        let limit = if self.limit < self.threshold {
            (self.limit * 2).min(self.threshold)
        } else {
            self.limit + (self.limit / 8).max(1)
        };
        self.set(limit);
    }

    fn set(&mut self, limit: usize) {
        self.limit = limit.clamp(MIN, MAX);
        self.version = self.version.wrapping_add(1);
        self.prompt = 0;
        self.reached = false;
    }

    fn next_window(&mut self) {
        self.window.clear();
        self.silent = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMEOUT: Duration = Duration::from_secs(10);

    fn limit() -> Limit {
        Limit::new(TIMEOUT, Duration::from_secs(15))
    }

    /// Lets `count` requests end, all waited for by others.
    fn feed(limit: &mut Limit, count: usize, mut outcome: impl FnMut(usize) -> (bool, Outcome)) {
        for request in 0..count {
            limit.reached();
            let (failing, outcome) = outcome(request);
            limit.ended(limit.version(), Part::Request, failing, outcome);
        }
    }

    fn seconds(seconds: f32) -> Outcome {
        Outcome::Answered(Duration::from_secs_f32(seconds))
    }

    #[test]
    fn prompt_answers_raise_a_limit_that_is_reached_and_no_other() {
        let mut limit = limit();
        for _ in 0..1000 {
            limit.ended(limit.version(), Part::Request, false, seconds(0.01));
        }
        assert_eq!(limit.get(), INITIAL);
        feed(&mut limit, 1000, |_| (false, seconds(0.01)));
        assert_eq!(limit.get(), MAX);
    }

    #[test]
    fn dead_and_slow_nodes_do_not_lower_it_unless_they_are_the_most() {
        let mut limit = limit();
        feed(&mut limit, 2000, |request| match request % 10 {
            0..2 => (false, Outcome::TimedOut),
            2..4 => (false, seconds(9.0)),
            4 => (true, Outcome::TimedOut),
            _ => (false, seconds(0.01)),
        });
        assert_eq!(limit.get(), MAX);
    }

    #[test]
    fn without_any_answer_it_falls_to_the_least_and_rises_with_the_first_answers() {
        for failing in [false, true] {
            let mut limit = limit();
            feed(&mut limit, 200, |_| (failing, Outcome::TimedOut));
            assert_eq!(limit.get(), MIN);
            assert_eq!(
                (limit.handshakes(), limit.failing(), limit.pages()),
                (1, 1, 1)
            );
            feed(&mut limit, 400, |_| (false, seconds(0.01)));
            assert!(limit.get() >= INITIAL, "{}", limit.get());
        }
    }

    #[test]
    fn answers_that_get_faster_with_a_smaller_limit_lower_it() {
        let mut limit = limit();
        for _ in 0..2000 {
            // Processor sharing: four requests a second are answered, however many are under way.
            let took = limit.get() as f32 / 4.0;
            feed(&mut limit, 1, |_| (false, seconds(took)));
        }
        // An eighth of the timeout at four a second.
        assert!((3..=6).contains(&limit.get()), "{}", limit.get());
    }

    #[test]
    fn kubelets_that_are_all_slow_of_themselves_do_not_lower_it() {
        let mut limit = limit();
        feed(&mut limit, 4000, |_| (false, seconds(7.0)));
        assert!(limit.get() > 4 * INITIAL, "{}", limit.get());
        // When they are prompt again, late answers are what they were.
        feed(&mut limit, 2 * MAX, |_| (false, seconds(0.01)));
        let before = limit.get();
        feed(&mut limit, 2 * WINDOW.1, |_| (false, seconds(7.0)));
        assert!(limit.get() < before);
    }

    #[test]
    fn what_was_sent_under_another_limit_does_not_count() {
        let mut limit = limit();
        let old = limit.version();
        feed(&mut limit, WINDOW.1, |_| (false, Outcome::TimedOut));
        let now = limit.get();
        for _ in 0..1000 {
            limit.ended(old, Part::Request, false, Outcome::TimedOut);
        }
        assert_eq!(limit.get(), now);
    }

    #[test]
    fn a_limit_that_is_not_used_is_taken_back() {
        let mut limit = limit();
        feed(&mut limit, 1000, |_| (false, seconds(0.01)));
        assert_eq!(limit.get(), MAX);
        for second in 0..60 {
            limit.used(Duration::from_secs(second), 100);
        }
        assert_eq!(limit.get(), 200);
        for second in 60..120 {
            limit.used(Duration::from_secs(second), 1);
        }
        assert_eq!(limit.get(), INITIAL);
    }
}
