//! The requests that a workload serves, and what its pods count of them.
//!
//! Requests are spread evenly over the ready pods, each of which is a queue with one server (M/M/1): the durations of its
//! requests are exponentially distributed, and grow without bound as it nears its capacity. Rates change only when
//! somebody sets them or a pod becomes ready or unready; in between every count is exactly a rate times a duration.

use std::sync::LazyLock;

use kubevitals_proto::time::Timestamp;

/// What pods expose about themselves.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Exposed {
    /// The port, of all pods.
    pub(crate) port: u16,
    /// How many of the nodes, from the last, have GPUs.
    pub(crate) gpu_nodes: usize,
    /// The part of its mean by which the rate of requests swings.
    pub(crate) swing: f64,
}

/// The requests a second that one pod can serve.
const CAPACITY: f64 = 100.0;
/// The largest utilization of a pod for which durations are computed.
const BUSIEST: f64 = 0.99;

/// The upper bounds of the classic histogram, in seconds, without `+Inf`: the default of the client libraries.
pub(crate) const CLASSIC: [f64; 11] = [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];
/// The schema of the native histogram: eight buckets for each power of two.
pub(crate) const SCHEMA: i32 = 3;
/// The index of the first and of the last bucket of the native histogram: from 2⁻¹¹ s to 64 s.
pub(crate) const NATIVE: (i32, i32) = (-87, 48);
/// The width of the zero bucket of the native histogram, in seconds.
pub(crate) const ZERO_THRESHOLD: f64 = 1.0 / 2048.0;

/// The bounds for which requests are counted: the classic ones, the zero bucket, and the native ones.
static BOUNDS: LazyLock<Vec<f64>> = LazyLock::new(|| {
    let native = (NATIVE.0..=NATIVE.1).map(|index| (f64::from(index) / 8.0).exp2());
    let zero = [ZERO_THRESHOLD];
    CLASSIC.into_iter().chain(zero).chain(native).collect()
});

/// The places of the bounds in ascending order.
static ASCENDING: LazyLock<Vec<usize>> = LazyLock::new(|| {
    let mut places: Vec<(usize, f64)> = BOUNDS.iter().copied().enumerate().collect();
    places.sort_by(|(_, one), (_, other)| one.total_cmp(other));
    places.into_iter().map(|(place, _)| place).collect()
});

/// Requests: how many, how long they took together, and how many took at most each of the bounds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) requests: f64,
    pub(crate) seconds: f64,
    within: Vec<f64>,
}

impl Tally {
    /// What a pod counts in a second at a rate.
    fn of_rate(rate: f64) -> Self {
        let mean = mean_duration(rate);
        let within = BOUNDS.iter().map(|bound| rate * -(-bound / mean).exp_m1());
        Self {
            requests: rate,
            seconds: rate * mean,
            within: within.collect(),
        }
    }

    /// Adds another one, `times` times.
    fn add(&mut self, other: &Self, times: f64) {
        self.requests += other.requests * times;
        self.seconds += other.seconds * times;
        self.within.resize(BOUNDS.len(), 0.0);
        for (mine, others) in self.within.iter_mut().zip(&other.within) {
            *mine += others * times;
        }
    }

    /// The requests as a histogram.
    pub(crate) fn histogram(&self) -> Counted {
        let mut within = vec![0; BOUNDS.len()];
        let (mut below, mut count) = (0.0, 0);
        for at in &*ASCENDING {
            let (Some(at_most), Some(counted)) = (self.within.get(*at), within.get_mut(*at)) else {
                continue;
            };
            count += whole(at_most - below);
            (below, *counted) = (*at_most, count);
        }
        count += whole(self.requests - below);
        let mut bounds = within.split_off(CLASSIC.len()).into_iter();
        let zero = bounds.next().unwrap_or(0);
        let mut before = zero;
        let mut native: Vec<u64> = bounds
            .map(|at_most| at_most - std::mem::replace(&mut before, at_most))
            .collect();
        if let Some(last) = native.last_mut() {
            *last += count - before;
        }
        Counted {
            count,
            classic: CLASSIC.into_iter().zip(within).collect(),
            zero,
            native,
        }
    }
}

/// Whole requests by their durations. Between two bounds only whole requests count, so no bucket ever falls, and the sum may
/// be some dozens less than the requests there were.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Counted {
    pub(crate) count: u64,
    /// How many took at most each bound of the classic histogram.
    pub(crate) classic: Vec<(f64, u64)>,
    /// How many are in the zero bucket of the native histogram, and in each of its buckets. The last bucket has the rest.
    pub(crate) zero: u64,
    pub(crate) native: Vec<u64>,
}

/// Whole requests of a number that may lie a rounding error below.
pub(crate) fn whole(requests: f64) -> u64 {
    (requests + 1e-6).max(0.0) as u64
}

/// The mean duration of a request at a pod with this rate, in seconds.
fn mean_duration(rate: f64) -> f64 {
    1.0 / (CAPACITY * (1.0 - (rate / CAPACITY).min(BUSIEST)))
}

/// The requests of a workload.
#[derive(Debug)]
pub(crate) struct Service {
    /// Requests a second, all pods together, and the part of it by which it swings.
    mean: f64,
    swing: f64,
    /// Requests a second now.
    rate: f64,
    ready: u32,
    since: Timestamp,
    /// What a pod that was always ready has counted up to `since`.
    total: Tally,
    /// What a ready pod counts in a second since then.
    flow: Tally,
}

impl Service {
    /// Seconds in which a rate that swings does so once.
    const PERIOD: f64 = 1200.0;

    /// Requests to so many ready pods.
    pub(crate) fn new(rate: f64, swing: f64, ready: u32, now: Timestamp) -> Self {
        let mut this = Self {
            mean: rate,
            swing,
            rate,
            ready,
            since: now,
            total: Tally::default(),
            flow: Tally::default(),
        };
        this.flow = Tally::of_rate(this.per_pod());
        this
    }

    /// Sets the requests a second from now on.
    pub(crate) fn set_rate(&mut self, now: Timestamp, rate: f64) {
        self.mean = rate.max(0.0);
        self.turn(now, 0.0);
    }

    /// Swings to what the rate is at this time, in seconds.
    pub(crate) fn turn(&mut self, now: Timestamp, secs: f64) {
        let wave = (std::f64::consts::TAU * secs / Self::PERIOD).sin();
        self.change(now, self.mean * (1.0 + self.swing * wave), self.ready);
    }

    /// Sets the number of ready pods from now on.
    pub(crate) fn set_ready(&mut self, now: Timestamp, ready: u32) {
        self.change(now, self.rate, ready);
    }

    fn change(&mut self, now: Timestamp, rate: f64, ready: u32) {
        self.total = self.total(now);
        (self.since, self.rate, self.ready) = (now, rate, ready);
        self.flow = Tally::of_rate(self.per_pod());
    }

    /// What a pod that was always ready has counted.
    pub(crate) fn total(&self, at: Timestamp) -> Tally {
        let mut total = self.total.clone();
        total.add(&self.flow, at.since(self.since).max(0) as f64 / 1e9);
        total
    }

    /// What a ready pod has counted in so many seconds at the present rate.
    pub(crate) fn counted_in(&self, secs: f64) -> Tally {
        let mut tally = Tally::default();
        tally.add(&self.flow, secs);
        tally
    }

    /// Requests a second at each ready pod. Without one they are lost.
    pub(crate) fn per_pod(&self) -> f64 {
        match self.ready {
            0 => 0.0,
            ready => self.rate / f64::from(ready),
        }
    }

    /// The part of its capacity that each ready pod uses.
    pub(crate) fn utilization(&self) -> f64 {
        (self.per_pod() / CAPACITY).min(BUSIEST)
    }

    /// The mean number of requests that wait at each ready pod.
    pub(crate) fn queue(&self) -> f64 {
        let used = self.utilization();
        used * used / (1.0 - used)
    }

    /// A quantile of the durations of requests at each ready pod now, in seconds.
    pub(crate) fn quantile(&self, q: f64) -> f64 {
        -mean_duration(self.per_pod()) * (1.0 - q).ln()
    }
}

/// What one pod has counted since its container started.
#[derive(Debug, Default)]
pub(crate) struct Served {
    /// Up to the last time that it was ready.
    done: Tally,
    /// The total of the service when it became ready; none while it is not.
    ready_from: Option<Tally>,
}

impl Served {
    /// A pod that is ready and has counted something.
    pub(crate) fn ready(done: Tally, total: Tally) -> Self {
        Self {
            done,
            ready_from: Some(total),
        }
    }

    /// The pod becomes ready or unready when the total of its service is this.
    pub(crate) fn set_ready(&mut self, ready: bool, total: Tally) {
        self.done = self.count(&total);
        self.ready_from = ready.then_some(total);
    }

    /// The container starts again, and with it its counters.
    pub(crate) fn reset(&mut self, total: Tally) {
        self.done = Tally::default();
        if let Some(from) = &mut self.ready_from {
            *from = total;
        }
    }

    /// What it has counted when the total of its service is this.
    pub(crate) fn count(&self, total: &Tally) -> Tally {
        let mut count = self.done.clone();
        if let Some(from) = &self.ready_from {
            count.add(total, 1.0);
            count.add(from, -1.0);
        }
        count
    }

    /// Whether it gets requests.
    pub(crate) const fn is_ready(&self) -> bool {
        self.ready_from.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_secs(1_800_000_000);

    fn after(secs: i64) -> Timestamp {
        START.plus_nanos(secs * 1_000_000_000)
    }

    #[test]
    fn requests_are_spread_over_the_ready_pods() {
        let mut service = Service::new(60.0, 0.0, 2, START);
        let mut first = Served::ready(Tally::default(), service.total(START));
        let mut third = Served::default();
        service.set_ready(after(10), 3);
        third.set_ready(true, service.total(after(10)));
        let total = service.total(after(20));
        assert!((first.count(&total).requests - 500.0).abs() < 1e-6);
        assert!((third.count(&total).requests - 200.0).abs() < 1e-6);
        service.set_ready(after(20), 2);
        first.set_ready(false, service.total(after(20)));
        let total = service.total(after(30));
        assert!((first.count(&total).requests - 500.0).abs() < 1e-6);
        assert!((third.count(&total).requests - 500.0).abs() < 1e-6);
        third.reset(total);
        assert!(third.count(&service.total(after(30))).requests.abs() < 1e-6);
    }

    #[test]
    fn a_doubled_rate_counts_twice_as_much_and_takes_longer() {
        let mut service = Service::new(40.0, 0.0, 1, START);
        let before = service.quantile(0.95);
        assert!((before - 20_f64.ln() / 60.0).abs() < 1e-9, "{before}");
        service.set_rate(START, 80.0);
        assert!((service.total(after(10)).requests - 800.0).abs() < 1e-6);
        assert!((service.quantile(0.95) / before - 3.0).abs() < 1e-9);
    }

    #[test]
    fn both_histograms_have_every_request_once() {
        let service = Service::new(95.0, 0.0, 1, START);
        let total = service.total(after(7_200));
        let counted = total.histogram();
        let native: u64 = counted.native.iter().sum();
        assert_eq!(counted.zero + native, counted.count);
        let (all, bounds) = (whole(total.requests), BOUNDS.len() as u64);
        assert!(counted.count <= all && counted.count + bounds >= all);
        let classic: Vec<u64> = counted.classic.iter().map(|(_, n)| *n).collect();
        assert!(classic.is_sorted(), "{classic:?}");
        assert!(classic.last().is_some_and(|n| *n <= counted.count));
        let mean = total.seconds / total.requests;
        assert!((mean - 0.2).abs() < 1e-9, "{mean}");
    }

    #[test]
    fn no_bucket_of_a_histogram_falls() {
        let service = Service::new(15.0, 0.0, 1, START);
        let mut before = service.total(START).histogram();
        for secs in 1..600 {
            let now = service.total(after(secs)).histogram();
            assert!(now.zero >= before.zero);
            let mut native = now.native.iter().zip(&before.native);
            assert!(native.all(|(now, before)| now >= before), "{secs}");
            let mut classic = now.classic.iter().zip(&before.classic);
            assert!(classic.all(|(now, before)| now >= before), "{secs}");
            before = now;
        }
    }

    #[test]
    fn without_a_ready_pod_requests_are_lost() {
        let service = Service::new(95.0, 0.0, 0, START);
        assert!(service.total(after(60)).requests.abs() < 1e-9);
    }
}
