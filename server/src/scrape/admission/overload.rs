//! Tests of overload in simulated time: all kubelets together respond to only R requests a second.
//!
//! > At least 0.95 R requests succeed, the oldest response is at most N/R plus a turn old, and all nodes are fresh within
//! > a few turns after the end of the overload.
//!
//! Everything here but the queue is a simulation: the bottleneck that all kubelets share, the nodes' turns, timeouts.
//! A handshake costs as much as five requests, and abandoned requests still cost work.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap, HashMap, VecDeque};
use std::time::Duration;

use kubevitals_proto::time::Timestamp;

use super::limit::{Limit, Outcome, Part};
use super::queue::{Kind, Queue, Slot, Ticket, Wish};
use crate::scrape::schedule::{Phase, longest_pause};

const RESOLUTION: Duration = Duration::from_secs(15);
const TIMEOUT: Duration = Duration::from_secs(10);
const CONNECT: Duration = Duration::from_secs(3);
const PARK: Duration = Duration::from_millis(250);
const HANDSHAKE: f64 = 5.0;
const NODES: usize = 1000;
/// The requests a second of all nodes.
const NEED: f64 = NODES as f64 / 15.0;
/// A rate far above that.
const PLENTY: f64 = 5000.0;

/// A request at the bottleneck: its node, and the number of the node's attempt.
type Job = (usize, u64);

/// The resource that all kubelets share.
trait Bottleneck {
    fn arrive(&mut self, job: Job, cost: f64);
    /// The seconds until the next job is done, at this rate.
    fn next(&self, rate: f64) -> Option<f64>;
    /// Works for so many seconds.
    fn work(&mut self, rate: f64, seconds: f64);
    /// Removes a job that is done.
    fn done(&mut self) -> Option<Job>;
}

const DONE: f64 = 1e-9;

/// Serves one job after the other.
#[derive(Default)]
struct Fifo(VecDeque<(Job, f64)>);

impl Bottleneck for Fifo {
    fn arrive(&mut self, job: Job, cost: f64) {
        self.0.push_back((job, cost));
    }

    fn next(&self, rate: f64) -> Option<f64> {
        Some(self.0.front()?.1.max(0.0) / rate)
    }

    fn work(&mut self, rate: f64, seconds: f64) {
        if let Some((_, left)) = self.0.front_mut() {
            *left -= rate * seconds;
        }
    }

    fn done(&mut self) -> Option<Job> {
        self.0
            .pop_front_if(|(_, left)| *left <= DONE)
            .map(|it| it.0)
    }
}

/// Serves all jobs at once, each with an equal part (processor sharing).
#[derive(Default)]
struct Shared {
    /// The work that each job has received since the start.
    received: f64,
    /// Ordered by the work that each has received when it is done, in millionths.
    jobs: BTreeSet<(u64, Job)>,
}

impl Bottleneck for Shared {
    fn arrive(&mut self, job: Job, cost: f64) {
        self.jobs
            .insert((((self.received + cost) * 1e6) as u64, job));
    }

    fn next(&self, rate: f64) -> Option<f64> {
        let (until, _) = self.jobs.first()?;
        let left = (*until as f64 / 1e6 - self.received).max(0.0);
        Some(left * self.jobs.len() as f64 / rate)
    }

    fn work(&mut self, rate: f64, seconds: f64) {
        self.received += rate * seconds / self.jobs.len().max(1) as f64;
    }

    fn done(&mut self) -> Option<Job> {
        let (until, _) = self.jobs.first()?;
        (*until as f64 / 1e6 <= self.received + DONE)
            .then(|| self.jobs.pop_first())?
            .map(|it| it.1)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Turn,
    /// No response in time, or no connection.
    TimedOut,
    /// A connection is not made soon: its slot is released.
    Parked,
    /// A slow node responds.
    Late,
}

struct Node {
    phase: Phase,
    dead: bool,
    /// The time of a slow node in addition to its work at the bottleneck.
    own: Duration,
    connected: bool,
    failures: u32,
    attempt: u64,
    part: Part,
    began: Duration,
    slot: Option<Slot>,
    last_request: Option<Duration>,
    turn: Duration,
    answered: Duration,
}

struct Simulation {
    /// Whether the queue admits requests; else all are sent at once.
    queued: bool,
    now: Duration,
    queue: Queue,
    bottleneck: Box<dyn Bottleneck>,
    rate: f64,
    nodes: Vec<Node>,
    tickets: HashMap<Ticket, usize>,
    events: BinaryHeap<Reverse<(Duration, usize, u64, Event)>>,
    answers: usize,
    timeouts: usize,
    skipped: usize,
    /// The largest age of the last response of a living node.
    oldest: Duration,
}

impl Simulation {
    /// A thousand new nodes. `dead` and `slow` are in percent.
    fn new(bottleneck: Box<dyn Bottleneck>, rate: f64, dead: usize, slow: usize) -> Self {
        let nodes = (0..NODES).map(|index| Node {
            phase: Phase::of(&format!("node-{index}"), RESOLUTION),
            dead: index % 100 < dead,
            own: match (50..50 + slow).contains(&(index % 100)) {
                true => Duration::from_secs(7),
                false => Duration::ZERO,
            },
            connected: false,
            failures: 0,
            attempt: 0,
            part: Part::Handshake,
            began: Duration::ZERO,
            slot: None,
            last_request: None,
            turn: Duration::ZERO,
            answered: Duration::ZERO,
        });
        let mut simulation = Self {
            queued: true,
            now: Duration::ZERO,
            queue: Queue::new(Limit::new(TIMEOUT, RESOLUTION / 3)),
            bottleneck,
            rate,
            nodes: nodes.collect(),
            tickets: HashMap::new(),
            events: BinaryHeap::new(),
            answers: 0,
            timeouts: 0,
            skipped: 0,
            oldest: Duration::ZERO,
        };
        for node in 0..NODES {
            simulation.at(Duration::ZERO, node, Event::Turn);
        }
        simulation
    }

    fn at(&mut self, wait: Duration, node: usize, event: Event) {
        let attempt = self.nodes[node].attempt;
        self.events
            .push(Reverse((self.now + wait, node, attempt, event)));
    }

    /// Runs for `seconds`. Returns the responses a second.
    fn run(&mut self, seconds: u64) -> f64 {
        let (end, before) = (self.now + Duration::from_secs(seconds), self.answers);
        self.oldest = Duration::ZERO;
        loop {
            self.admit();
            let event = self
                .events
                .peek()
                .map_or(end, |Reverse(event)| event.0)
                .min(end);
            let wait = (event - self.now).as_secs_f64();
            let step = match self.bottleneck.next(self.rate) {
                Some(next) if next < wait => next,
                _ => wait,
            };
            self.bottleneck.work(self.rate, step);
            // Rounded up, so that what is done then is done.
            self.now =
                (self.now + Duration::from_secs_f64(step) + Duration::from_nanos(1)).min(event);
            while let Some((node, attempt)) = self.bottleneck.done() {
                if self.nodes[node].attempt == attempt {
                    self.served(node);
                }
            }
            if self.now < event {
                continue;
            }
            if event >= end {
                break;
            }
            if let Some(Reverse((_, node, attempt, event))) = self.events.pop()
                && self.nodes[node].attempt == attempt
            {
                self.handle(node, event);
            }
        }
        self.oldest = self.oldest.max(self.largest_age());
        (self.answers - before) as f64 / seconds as f64
    }

    /// The largest age of the last response of a living node.
    fn largest_age(&self) -> Duration {
        let living = self.nodes.iter().filter(|node| !node.dead);
        living.map(|node| self.now - node.answered).max().unwrap()
    }

    fn handle(&mut self, node: usize, event: Event) {
        match event {
            Event::Turn => {
                let it = &mut self.nodes[node];
                it.turn = self.now;
                if !self.queued {
                    return self.start(node);
                }
                let ticket = self.queue.enqueue(Wish {
                    kind: Kind::Resource,
                    failing: it.failures > 0,
                    handshake: !it.connected,
                    last_request: it.last_request,
                });
                self.tickets.insert(ticket, node);
            }
            Event::Parked => {
                if let Some(slot) = self.nodes[node].slot.take() {
                    self.queue.release(slot);
                }
            }
            Event::TimedOut => {
                let it = &mut self.nodes[node];
                it.connected = false;
                it.failures += 1;
                self.timeouts += usize::from(!it.dead);
                self.ended(node, Outcome::TimedOut);
            }
            Event::Late => self.answered(node),
        }
    }

    fn admit(&mut self) {
        while let Some((ticket, slot)) = self.queue.admit(self.now) {
            let node = self.tickets.remove(&ticket).unwrap();
            let it = &mut self.nodes[node];
            it.slot = Some(slot);
            it.last_request = Some(self.now);
            let waited = (self.now - it.turn).as_secs() / RESOLUTION.as_secs();
            self.skipped += usize::try_from(waited).unwrap();
            self.start(node);
        }
    }

    fn start(&mut self, node: usize) {
        let it = &mut self.nodes[node];
        let dead = it.dead;
        it.part = match it.connected {
            true => Part::Request,
            false => Part::Handshake,
        };
        it.began = self.now;
        it.attempt += 1;
        if dead && !it.connected {
            self.at(PARK, node, Event::Parked);
            self.at(CONNECT, node, Event::TimedOut);
            return;
        }
        self.send(node);
        self.at(TIMEOUT, node, Event::TimedOut);
    }

    fn send(&mut self, node: usize) {
        let it = &self.nodes[node];
        if it.dead {
            return;
        }
        let cost = match it.part {
            Part::Handshake => HANDSHAKE,
            Part::Request => 1.0,
        };
        self.bottleneck.arrive((node, it.attempt), cost);
    }

    /// The bottleneck has done its part of a request that has not timed out.
    fn served(&mut self, node: usize) {
        let it = &mut self.nodes[node];
        if it.part == Part::Request {
            if it.own.is_zero() {
                return self.answered(node);
            }
            let own = it.own;
            return self.at(own, node, Event::Late);
        }
        it.connected = true;
        it.part = Part::Request;
        let took = self.now - it.began;
        if let Some(slot) = &mut it.slot {
            self.queue
                .ended(slot, Part::Handshake, Outcome::Answered(took));
            self.queue.connected(slot);
            it.attempt += 1;
            it.began = self.now;
            self.at(TIMEOUT, node, Event::TimedOut);
        }
        self.send(node);
    }

    fn answered(&mut self, node: usize) {
        let it = &mut self.nodes[node];
        it.failures = 0;
        self.oldest = self.oldest.max(self.now - it.answered);
        it.answered = self.now;
        let took = self.now - it.began;
        self.answers += 1;
        self.ended(node, Outcome::Answered(took));
    }

    fn ended(&mut self, node: usize, outcome: Outcome) {
        let it = &mut self.nodes[node];
        it.attempt += 1;
        if let Some(slot) = it.slot.take() {
            self.queue.ended(&slot, it.part, outcome);
            self.queue.release(slot);
        }
        let now = Timestamp(i64::try_from(self.now.as_nanos()).unwrap());
        let wait = it.phase.until_next(now, it.failures, longest_pause(true));
        self.at(wait, node, Event::Turn);
    }

    /// Ends the overload. Returns the turns until the last response of each living node is at most a turn old.
    fn recovers(&mut self) -> u64 {
        self.rate = PLENTY;
        for turn in 1..=20 {
            self.run(RESOLUTION.as_secs());
            if self.largest_age() <= RESOLUTION + TIMEOUT {
                return turn;
            }
        }
        panic!("not complete after twenty turns");
    }
}

/// A cluster without overload, after two minutes.
fn healthy(bottleneck: impl Bottleneck + 'static, dead: usize, slow: usize) -> Simulation {
    let mut simulation = Simulation::new(Box::new(bottleneck), PLENTY, dead, slow);
    simulation.run(60);
    let answered = simulation.run(60);
    let expected = NEED * (100 - dead) as f64 / 100.0;
    assert!(
        (answered - expected).abs() < 0.5,
        "{answered} of {expected}"
    );
    let oldest = simulation.oldest;
    assert!(oldest <= RESOLUTION + TIMEOUT, "{oldest:?}");
    simulation
}

/// Overloads a cluster for half an hour and asserts the guarantees: kubelets respond to `part` of its requests.
fn assert_guarantees(name: &str, mut simulation: Simulation, part: f64) {
    let rate = NEED * part;
    simulation.rate = rate;
    // Until the ages are stable: two rounds, because a slow node may fail in the first one.
    let round = Duration::from_secs_f64(NODES as f64 / rate);
    let first = simulation.run((2 * round + RESOLUTION).as_secs());
    let (timeouts, answered) = (simulation.timeouts, simulation.run(1800));
    let oldest = simulation.oldest;
    let timeouts = simulation.timeouts - timeouts;
    eprintln!(
        "{name}: R {rate:.1}, at first {first:.1}, then {answered:.2} a second, oldest {oldest:?}, {timeouts} timeouts, \
         limit {}",
        simulation.queue.limit()
    );
    assert!(
        first >= 0.95 * rate.min(NEED),
        "{name}: {first} of {rate} at first"
    );
    assert!(answered >= 0.95 * rate, "{name}: {answered} of {rate}");
    assert!(oldest <= round + RESOLUTION, "{name}: {oldest:?}");
    assert!(simulation.skipped > 0);
    let turns = simulation.recovers();
    assert!(turns <= 3, "{name}: complete after {turns} turns");
}

#[test]
fn the_whole_rate_is_used() {
    for part in [0.5, 0.1] {
        assert_guarantees("shared", healthy(Shared::default(), 0, 0), part);
        assert_guarantees("fifo", healthy(Fifo::default(), 0, 0), part);
    }
}

#[test]
fn dead_and_slow_nodes_do_not_change_the_guarantees() {
    for part in [0.5, 0.1] {
        assert_guarantees("shared, dead", healthy(Shared::default(), 10, 0), part);
        assert_guarantees("fifo, slow", healthy(Fifo::default(), 0, 1), part);
        assert_guarantees("shared, both", healthy(Shared::default(), 10, 1), part);
    }
}

#[test]
fn nodes_that_die_while_they_are_connected_do_not_hold_up_the_others() {
    let mut simulation = healthy(Shared::default(), 0, 0);
    for node in &mut simulation.nodes {
        node.dead |= node.attempt % 3 == 0;
    }
    let living = simulation.nodes.iter().filter(|node| !node.dead).count();
    let answered = simulation.run(120);
    assert!(
        answered >= living as f64 / 15.0 - 0.5,
        "{answered} of {living}"
    );
    let oldest = simulation.oldest;
    assert!(oldest <= RESOLUTION + TIMEOUT, "{oldest:?}");
}

#[test]
fn load_that_comes_and_goes_is_followed() {
    let mut simulation = healthy(Shared::default(), 0, 0);
    for _ in 0..5 {
        for part in [0.5, 0.1, 0.9, 0.3] {
            simulation.rate = NEED * part;
            let answered = simulation.run(300);
            assert!(answered >= 0.95 * NEED * part, "{answered} of {part}");
        }
        assert!(simulation.recovers() <= 3);
        simulation.run(120);
    }
}

#[test]
fn a_server_that_starts_under_load_connects_to_all() {
    for part in [0.5, 0.1] {
        let bottlenecks: [Box<dyn Bottleneck>; 2] =
            [Box::<Shared>::default(), Box::<Fifo>::default()];
        for bottleneck in bottlenecks {
            let mut simulation = Simulation::new(bottleneck, NEED * part, 0, 0);
            // Three times as long as the handshakes take by themselves: connected nodes are scraped again meanwhile.
            let alone = NODES as f64 * (HANDSHAKE + 1.0) / simulation.rate;
            simulation.run(3 * alone as u64);
            let nodes = simulation.nodes.iter();
            let never = nodes.filter(|node| node.answered.is_zero()).count();
            assert_eq!(never, 0, "{part}: {} timeouts", simulation.timeouts);
            let answered = simulation.run(600);
            assert!(answered >= 0.95 * simulation.rate, "{part}: {answered}");
        }
    }
}

#[test]
fn a_load_right_after_the_start_is_followed() {
    // The start itself is an overload of handshakes.
    for seconds in [20, 30, 45] {
        let mut simulation = Simulation::new(Box::new(Fifo::default()), 10.0 * NEED, 0, 0);
        simulation.run(seconds);
        assert_guarantees("after the start", simulation, 0.5);
    }
}

#[test]
fn without_the_queue_an_overload_stops_all_scrapes() {
    let mut simulation = Simulation::new(Box::new(Shared::default()), PLENTY, 0, 0);
    simulation.queued = false;
    simulation.run(120);
    simulation.rate = NEED / 2.0;
    simulation.run(120);
    let (answered, rate) = (simulation.run(600), simulation.rate);
    assert!(answered < 0.2 * rate, "{answered} of {rate}");
}
