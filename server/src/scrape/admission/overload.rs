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
/// What all nodes need, in requests a second.
const NEED: f64 = NODES as f64 / 15.0;
/// Far more than they need.
const PLENTY: f64 = 5000.0;

/// A request as the bottleneck sees it: its node, and which of the node's attempts it is.
type Job = (usize, u64);

/// What all kubelets share.
trait Bottleneck {
    fn arrive(&mut self, job: Job, cost: f64);
    /// When the next job is done, at this rate.
    fn next(&self, rate: f64) -> Option<f64>;
    /// Works for so many seconds.
    fn work(&mut self, rate: f64, seconds: f64);
    /// A job that is done.
    fn done(&mut self) -> Option<Job>;
}

const DONE: f64 = 1e-9;

/// One after the other.
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

/// All at once, each with an equal part (processor sharing).
#[derive(Default)]
struct Shared {
    /// What each job has received since the beginning.
    received: f64,
    /// By what each must have received when it is done, in millionths.
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
    /// No answer in time, or no connection.
    TimedOut,
    /// A connection is not made soon: its slot is released.
    Parked,
    /// A slow node has done its own part.
    Late,
}

struct Node {
    phase: Phase,
    dead: bool,
    /// What a slow node takes beside its work at the bottleneck.
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

/// How requests are admitted.
#[derive(Clone, Copy, PartialEq)]
enum Policy {
    /// By the queue.
    Queue,
    /// All at once, as before: a place among 128 was abandoned after half a second.
    Former,
}

struct Simulation {
    policy: Policy,
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
    /// The oldest that an answer of a living node became.
    oldest: Duration,
}

impl Simulation {
    /// A thousand nodes, seen for the first time; of each hundred so many are dead, and so many slow.
    fn new(bottleneck: Box<dyn Bottleneck>, rate: f64, dead: usize, slow: usize) -> Self {
        let nodes = (0..NODES).map(|index| Node {
            phase: Phase::of(&format!("node-{index}"), RESOLUTION),
            dead: index % 100 < dead,
            own: Duration::from_secs(if (50..50 + slow).contains(&(index % 100)) {
                7
            } else {
                0
            }),
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
            policy: Policy::Queue,
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

    /// Goes on for so many seconds; what was answered in each of them on the average.
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
                self.happen(node, event);
            }
        }
        let living = self.nodes.iter().filter(|node| !node.dead);
        let age = living.map(|node| self.now - node.answered).max();
        self.oldest = self.oldest.max(age.unwrap());
        (self.answers - before) as f64 / seconds as f64
    }

    fn happen(&mut self, node: usize, event: Event) {
        match event {
            Event::Turn => {
                let it = &mut self.nodes[node];
                it.turn = self.now;
                if self.policy == Policy::Former {
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
        it.part = if it.connected {
            Part::Request
        } else {
            Part::Handshake
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
        let cost = if it.part == Part::Handshake {
            HANDSHAKE
        } else {
            1.0
        };
        self.bottleneck.arrive((node, it.attempt), cost);
    }

    /// The bottleneck has done its part of a request that is still waited for.
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

    /// Ends the load and says after how many turns every living node has been answered within a turn.
    fn recovers(&mut self) -> u64 {
        self.rate = PLENTY;
        for turn in 1..=20 {
            self.run(RESOLUTION.as_secs());
            let living = self.nodes.iter().filter(|node| !node.dead);
            if living
                .map(|node| self.now - node.answered)
                .all(|age| age <= RESOLUTION + TIMEOUT)
            {
                return turn;
            }
        }
        panic!("not whole after twenty turns");
    }
}

/// A cluster that has been whole for a minute.
fn whole(bottleneck: impl Bottleneck + 'static, dead: usize, slow: usize) -> Simulation {
    let mut simulation = Simulation::new(Box::new(bottleneck), PLENTY, dead, slow);
    simulation.run(60);
    let answered = simulation.run(60);
    let expected = NEED * (100 - dead) as f64 / 100.0;
    assert!(
        (answered - expected).abs() < 0.5,
        "{answered} of {expected}"
    );
    assert!(
        simulation.oldest <= RESOLUTION + TIMEOUT,
        "{:?}",
        simulation.oldest
    );
    simulation
}

/// Loads a cluster for half an hour and holds it to the law.
fn law(name: &str, mut simulation: Simulation, part: f64) {
    let rate = NEED * part;
    simulation.rate = rate;
    // While answers get older: twice round, because a slow node may not make it the first time.
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
    assert!(turns <= 3, "{name}: whole after {turns} turns");
}

#[test]
fn half_of_what_is_needed_is_used_whole() {
    law("shared", whole(Shared::default(), 0, 0), 0.5);
    law("fifo", whole(Fifo::default(), 0, 0), 0.5);
}

#[test]
fn a_tenth_of_what_is_needed_is_used_whole() {
    law("shared", whole(Shared::default(), 0, 0), 0.1);
    law("fifo", whole(Fifo::default(), 0, 0), 0.1);
}

#[test]
fn dead_and_slow_nodes_do_not_change_it() {
    for part in [0.5, 0.1] {
        law("shared, dead", whole(Shared::default(), 10, 0), part);
        law("fifo, slow", whole(Fifo::default(), 0, 1), part);
        law("shared, both", whole(Shared::default(), 10, 1), part);
    }
}

#[test]
fn nodes_that_die_while_they_are_connected_do_not_hold_up_the_others() {
    let mut simulation = whole(Shared::default(), 0, 0);
    for node in simulation
        .nodes
        .iter_mut()
        .filter(|node| node.attempt % 3 == 0)
    {
        node.dead = true;
    }
    let living = simulation.nodes.iter().filter(|node| !node.dead).count();
    let answered = simulation.run(120);
    assert!(
        answered >= living as f64 / 15.0 - 0.5,
        "{answered} of {living}"
    );
    assert!(
        simulation.oldest <= RESOLUTION + TIMEOUT,
        "{:?}",
        simulation.oldest
    );
}

#[test]
fn load_that_comes_and_goes_is_followed() {
    let mut simulation = whole(Shared::default(), 0, 0);
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
            let never = simulation
                .nodes
                .iter()
                .filter(|node| node.answered.is_zero())
                .count();
            assert_eq!(never, 0, "{part}: {} timeouts", simulation.timeouts);
            let answered = simulation.run(600);
            assert!(answered >= 0.95 * simulation.rate, "{part}: {answered}");
        }
    }
}

#[test]
fn a_load_right_after_the_start_is_followed() {
    // The start itself is a flood, of handshakes.
    for seconds in [20, 30, 45] {
        let mut simulation = Simulation::new(Box::new(Fifo::default()), 10.0 * NEED, 0, 0);
        simulation.run(seconds);
        law("after the start", simulation, 0.5);
    }
}

#[test]
fn without_the_queue_the_same_load_brings_all_down() {
    let mut simulation = Simulation::new(Box::new(Shared::default()), PLENTY, 0, 0);
    simulation.policy = Policy::Former;
    simulation.run(120);
    simulation.rate = NEED / 2.0;
    simulation.run(120);
    let answered = simulation.run(600);
    assert!(
        answered < 0.2 * simulation.rate,
        "{answered} of {}",
        simulation.rate
    );
}
