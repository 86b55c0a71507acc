//! The adaptive limit of concurrent requests to kubelets.
//!
//! Kubelets are independent machines, but requests to them share the server's CPU, its network, and sometimes a proxy.
//! If a shared part is overloaded, more concurrent requests make *every* response slower and do not give more responses.
//! So the limit follows the **median** of the response times, which a few dead or slow nodes do not change. It increases
//! additively and decreases multiplicatively.

use std::time::Duration;

/// The initial limit, to which it returns while fewer requests are under way.
const INITIAL: usize = 32;

/// The smallest limit. One request of it is for a handshake.
const MIN: usize = 2;

/// The largest limit: the sockets and bodies that a server with a few cores can process.
const MAX: usize = 1024;

/// The smallest and largest number of responses for a median. An increase also needs as many prompt responses as the
/// limit, because the first responses under a larger limit are not slowed down by it yet.
const WINDOW: (usize, usize) = (8, 64);

/// The limit of requests for other pages, whose responses have hundreds of kilobytes.
const MAX_PAGES: usize = 128;

/// The limit after a decrease, in percent of the limit before.
const DECREASE: usize = 70;

/// A decrease to half has no effect if the median stays above this part of its value: the kubelets themselves are slow.
const IN_VAIN: f32 = 0.8;

/// The tolerated variation of the median of slow kubelets.
const TOLERANCE: f32 = 1.25;

/// A request is late above this part of the timeout. So a handshake, which costs several times as much, is in time under
/// the same limit, and no request times out when kubelets suddenly become four times as slow.
const LATE_REQUEST: u32 = 8;

/// A handshake is late above this part of the timeout: it costs several times as much as a request.
const LATE_HANDSHAKE: u32 = 2;

/// A part of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::scrape) enum Part {
    /// A TLS handshake.
    Handshake,
    /// A request over an established connection.
    Request,
}

/// The result of a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::scrape) enum Outcome {
    /// A response of any status, after this time.
    Answered(Duration),
    /// No response in time.
    TimedOut,
}

/// The state before the first decrease of a series, until its effect is known.
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
    /// Below it the limit doubles; above it the limit increases by an eighth.
    threshold: usize,
    /// The number of changes of the limit. Requests that were sent under another limit do not count.
    version: u32,
    /// Response times as parts of the time after which they are late; infinite for a timeout.
    window: Vec<f32>,
    /// Prompt responses of the current round.
    prompt: usize,
    /// Timeouts of failing nodes, which count only if no other node responds.
    silent: usize,
    /// Whether a request had to wait because of the limit since the last decision.
    reached: bool,
    trial: Option<Trial>,
    /// The median that smaller limits did not improve.
    tolerated: f32,
    /// The largest numbers of requests under way, in this period and in the one before.
    peaks: [usize; 2],
    period: Duration,
    period_ends: Duration,
}

impl Limit {
    /// A limit for requests with this timeout. It is lowered if it is not used for two periods.
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

    /// The limit of requests under way.
    pub(in crate::scrape) const fn get(&self) -> usize {
        self.limit
    }

    /// The limit of requests in their TLS handshake.
    pub(in crate::scrape) fn handshakes(&self) -> usize {
        (self.limit / 3).max(1)
    }

    /// The limit of requests to failing nodes.
    pub(in crate::scrape) fn failing(&self) -> usize {
        (self.limit / 4).max(1)
    }

    /// The limit of requests for pages besides `/metrics/resource`.
    pub(in crate::scrape) fn pages(&self) -> usize {
        (self.limit / 2).clamp(1, MAX_PAGES)
    }

    /// Whether the limit has been lowered and is still below its initial value.
    pub(in crate::scrape) const fn is_lowered(&self) -> bool {
        self.threshold < MAX && self.limit < INITIAL
    }

    /// The version for [`Self::ended`] of requests that are sent now.
    pub(in crate::scrape) const fn version(&self) -> u32 {
        self.version
    }

    /// Reports that a larger limit would admit more requests.
    pub(in crate::scrape) const fn reached(&mut self) {
        self.reached = true;
    }

    /// Reports the number of requests under way at `now`. A limit above it by more than a quarter would admit too many
    /// requests before the first late response.
    pub(in crate::scrape) fn used(&mut self, now: Duration, under_way: usize) {
        let [current, before] = &mut self.peaks;
        *current = (*current).max(under_way);
        if now >= self.period_ends {
            let most = (*current).max(*before);
            self.limit = self.limit.min((most + most / 4).max(INITIAL));
            *before = std::mem::take(current);
            self.period_ends = now + self.period;
        }
    }

    /// Reports the end of a part of a request. `version` is the version at its start; `failing`: the node did not respond
    /// to its last request.
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

    /// Lowers the limit if responses are late, and raises it after a complete round of prompt ones.
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

    /// Lowers the limit to a quarter after most requests timed out: kubelets may still work on them.
    fn collapse(&mut self) {
        self.trial = None;
        self.set(self.limit / 4);
        self.threshold = self.limit;
        self.next_window();
    }

    /// Lowers the limit because responses are late. If two decreases change nothing, the kubelets themselves are slow, and
    /// the limit returns to its value before.
    fn decrease(&mut self, median: f32) {
        let halved = |trial: &Trial| self.limit * 2 <= trial.limit || self.limit == MIN;
        let tried = self.trial.filter(halved);
        if let Some(trial) = tried
            && median > trial.median * IN_VAIN
        {
            self.trial = None;
            self.tolerated = median;
            self.threshold = MAX;
            self.set(trial.limit);
            return;
        }
        if tried.is_some() || self.trial.is_none() {
            let limit = self.limit;
            self.trial = Some(Trial { limit, median });
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
    fn requests_under_another_limit_do_not_count() {
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
        assert_eq!(limit.get(), 125);
        for second in 60..120 {
            limit.used(Duration::from_secs(second), 1);
        }
        assert_eq!(limit.get(), INITIAL);
    }
}
