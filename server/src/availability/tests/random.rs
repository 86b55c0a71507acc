//! A simulated workload with faults at random, whose own log says when it was up and down.

use super::*;

/// Numbers from a seed.
struct Random(u64);

impl Random {
    fn below(&mut self, most: i64) -> i64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        i64::try_from((self.0 >> 33) % most.unsigned_abs()).unwrap()
    }
}

/// A workload whose pods fail and recover; its log has each second's truth.
struct Simulation {
    random: Random,
    pods: Vec<Spec>,
    /// Reports that are on the way: the time of arrival, and the pod.
    late: Vec<(i64, Spec)>,
    /// Whether a pod was ready, in each second.
    log: Vec<bool>,
}

impl Simulation {
    fn new(seed: u64, pods: usize) -> Self {
        let pods = (0..pods).map(|n| Spec::new(&format!("web-{n}"), -100).ready(0));
        Self {
            random: Random(seed),
            pods: pods.collect(),
            late: Vec::new(),
            log: Vec::new(),
        }
    }

    /// One second: some pods change, each report arrives up to four seconds later.
    fn step(&mut self, now: i64) {
        for n in 0..self.pods.len() {
            let (is_ready, since) = self.pods[n].ready;
            let odds = if is_ready { 300 } else { 60 };
            if now > since && self.random.below(odds) == 0 {
                self.pods[n].ready = (!is_ready, now);
                let last = self
                    .late
                    .iter()
                    .filter(|(_, pod)| pod.name == self.pods[n].name);
                let first = last.map(|(at, _)| *at).max().unwrap_or(now).max(now);
                let at = first + self.random.below(5);
                self.late.push((at, self.pods[n].clone()));
            }
        }
        self.log.push(self.pods.iter().any(|pod| pod.ready.0));
    }

    fn arrived(&mut self, now: i64) -> Vec<Spec> {
        let arrived = self.late.extract_if(.., |(at, _)| *at <= now);
        arrived.map(|(_, pod)| pod).collect()
    }

    /// The seconds down, and the outages.
    fn truth(&self) -> (u64, u64) {
        let down = self.log.iter().filter(|up| !**up).count();
        let outages = self
            .log
            .chunk_by(|a, b| a == b)
            .filter(|run| !run[0])
            .count();
        (down as u64, outages as u64)
    }
}

#[test]
fn downtime_equals_the_truth_to_the_second() {
    let mut outages = 0;
    for seed in 0..20 {
        let mut simulation = Simulation::new(seed, 1 + usize::try_from(seed % 3).unwrap());
        let mut cluster = TestCluster::new();
        for pod in &simulation.pods {
            cluster.see(0, pod);
        }
        let end = 20_000;
        for now in 0..end + 10 {
            if now < end {
                simulation.step(now);
            }
            for pod in simulation.arrived(now) {
                cluster.see(now, &pod);
            }
        }
        let totals = cluster.web(end + 10, end + 10).totals[0];
        let (is_up, after) = (simulation.log.last(), 10);
        let (mut down_seconds, count) = simulation.truth();
        down_seconds += if is_up == Some(&true) { 0 } else { after };
        assert_eq!(
            (down(&totals), totals.outages),
            (down_seconds, count),
            "seed {seed}"
        );
        outages += count;
    }
    assert!(outages > 100, "the simulation has outages: {outages}");
}

#[test]
fn nothing_is_called_down_that_was_up_with_gaps_at_random() {
    for seed in 0..20 {
        let mut simulation = Simulation::new(seed, 2);
        let mut cluster = TestCluster::new();
        for pod in &simulation.pods {
            cluster.see(0, pod);
        }
        let end = 20_000;
        for now in 0..end {
            simulation.step(now);
            let arrived = simulation.arrived(now);
            // A gap of 500 s in each 2,000.
            match now % 2_000 {
                ..1_500 => arrived.iter().for_each(|pod| cluster.see(now, pod)),
                1_999 => {
                    simulation.late.clear();
                    if now % 4_000 == 3_999 {
                        cluster = cluster.restart();
                    }
                    cluster.list(now, &simulation.pods);
                }
                _ => {}
            }
            if now % 2_000 == 1_499 {
                cluster.quiet(now);
            }
        }
        let totals = cluster.web(end, end).totals[0];
        let (truth, _) = simulation.truth();
        let (down, unknown) = (down(&totals), totals.seconds(State::Unknown));
        assert!(down <= truth + 40, "seed {seed}: {down} s down of {truth}");
        assert!(
            down + unknown + 40 >= truth,
            "seed {seed}: {down} s and {unknown} s of {truth}"
        );
    }
}
