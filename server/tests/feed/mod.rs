//! The samples of a node's scrapes, decoded and paired as before the history, in memory: a test or a benchmark feeds a
//! history from them at speed, and measures only the history.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use kubevitals_proto::kubelet::resource::{ResourceScrape, decode};
use kubevitals_proto::time::Timestamp;
use kubevitals_server::clock::Age;
use kubevitals_server::cluster::{Binding, PodKey, Uid};
use kubevitals_server::intern::Interner;
use kubevitals_server::store::history::{Excerpt, NodeHistory, Reading, Settings};
use kubevitals_server::store::ring::{Sample, Tick};
use kubevitals_server::store::{History, NodeSeries, ScrapeTimes};
use kubevitals_sim::{Config, Faults, Pages, fixtures};

pub const RESOLUTION: Duration = Duration::from_secs(15);

/// A container in a scrape.
#[derive(Clone)]
pub struct Container {
    pub pod: PodKey,
    pub name: Arc<str>,
    pub sample: Sample,
    pub run: u32,
}

/// A scrape.
#[derive(Clone, Default)]
pub struct Scrape {
    pub node: Option<Sample>,
    pub containers: Vec<Container>,
}

/// One node's scrapes, one after the other.
struct Node {
    series: NodeSeries,
    scrapes: Vec<Scrape>,
}

impl Node {
    fn new() -> Self {
        Self {
            series: NodeSeries::new(RESOLUTION),
            scrapes: Vec::new(),
        }
    }

    fn page(&mut self, page: &[u8], turn: u32, names: &Interner) {
        let mut scrape = ResourceScrape::default();
        decode(page, &mut scrape);
        self.series
            .ingest(&mut scrape, &ScrapeTimes::at(age(turn)), names);
        let (node, containers) = self.series.readings(&scrape);
        let containers = containers.map(|reading| Container {
            pod: reading.pod.clone(),
            name: Arc::clone(reading.container),
            sample: reading.sample,
            run: reading.run,
        });
        self.scrapes.push(Scrape {
            node,
            containers: containers.collect(),
        });
    }
}

/// The time of the response of a scrape.
pub fn age(turn: u32) -> Age {
    Age::from_elapsed(RESOLUTION * turn)
}

/// What `turns` scrapes of each of so many simulated nodes say, 15 s apart.
pub fn simulation(
    nodes: u32,
    pods: u32,
    faults: Faults,
    turns: u32,
    names: &Interner,
) -> Vec<Vec<Scrape>> {
    let config = Config {
        nodes,
        pods_per_node: pods,
        faults,
        ..Config::default()
    };
    let pages = Pages::new(&config, Timestamp::from_secs(1_800_000_000));
    let mut all: Vec<Node> = (0..nodes).map(|_| Node::new()).collect();
    let mut page = Vec::new();
    for turn in 0..turns {
        for (number, node) in all.iter_mut().enumerate() {
            page.clear();
            if pages.resource(number, &mut page) {
                node.page(&page, turn, names);
            }
        }
        pages.advance(RESOLUTION);
    }
    all.into_iter().map(|node| node.scrapes).collect()
}

/// The six minutes of the recording.
pub fn recording(names: &Interner) -> Vec<Scrape> {
    let mut node = Node::new();
    for turn in 1..=24 {
        let file = fixtures().join(format!("recording/{turn:02}-metrics-resource.txt"));
        node.page(&std::fs::read(file).unwrap(), turn, names);
    }
    node.scrapes
}

/// The same scrapes again and again, each time later by as long as they last, until there are `turns` of them.
pub fn repeated(scrapes: &[Scrape], turns: usize) -> Vec<Scrape> {
    let lasts =
        i64::try_from(RESOLUTION.as_nanos()).unwrap() * i64::try_from(scrapes.len()).unwrap();
    let again = (0i64..).flat_map(|times| scrapes.iter().map(move |scrape| (times, scrape)));
    let later = |times: i64, sample: &Sample| Sample {
        at: sample.at.plus_nanos(times * lasts),
        ..*sample
    };
    again
        .take(turns)
        .map(|(times, scrape)| Scrape {
            node: scrape.node.map(|sample| later(times, &sample)),
            containers: scrape
                .containers
                .iter()
                .map(|container| Container {
                    sample: later(times, &container.sample),
                    ..container.clone()
                })
                .collect(),
        })
        .collect()
}

/// Stores a scrape in a history.
pub fn take(history: &NodeHistory, scrape: &Scrape, turn: u32) {
    let readings = scrape.containers.iter().map(|it| Reading {
        pod: &it.pod,
        container: &it.name,
        sample: it.sample,
        run: it.run,
    });
    let uid = Uid::of("dbe5842e-0978-4422-a9fa-8026a53c65dd");
    history.take(age(turn), scrape.node, readings, |_| Binding::Here(uid));
}

/// A history of one hour, with more memory than any test needs.
pub fn history() -> History {
    History::new(Settings {
        retention: Duration::from_secs(3600),
        step: Duration::ZERO,
        memory_limit: 4 << 30,
        resolution: RESOLUTION,
    })
}

/// Of each series the points of the scrapes, by container; pods that had a name one after the other are apart.
fn expected(scrapes: &[Scrape]) -> BTreeMap<String, Vec<Sample>> {
    let mut all: BTreeMap<String, Vec<Sample>> = BTreeMap::new();
    let mut add = |key: String, sample: &Sample| {
        let points = all.entry(key).or_default();
        if points
            .last()
            .is_none_or(|last| Tick::nearest(last.at) < Tick::nearest(sample.at))
        {
            points.push(*sample);
        }
    };
    for scrape in scrapes {
        if let Some(node) = &scrape.node {
            add("node".to_owned(), node);
        }
        for it in &scrape.containers {
            add(
                format!("{}/{}/{}", it.pod.namespace, it.pod.name, it.name),
                &it.sample,
            );
        }
    }
    all
}

/// The largest errors: nanoseconds, and parts of a value.
pub fn errors(history: &History, nodes: &[Vec<Scrape>]) -> (u64, f64) {
    let (mut time, mut value) = (0, 0.0_f64);
    let mut excerpt = Excerpt::default();
    for (n, scrapes) in nodes.iter().enumerate() {
        let expected = expected(scrapes);
        let node = history.node(&format!("n{n}")).unwrap();
        node.copy(&mut excerpt, |_| true, Tick::EARLIEST, Tick::LATEST);
        for series in excerpt.series() {
            let key = match (series.pod, series.container) {
                (Some(pod), Some(container)) => {
                    format!("{}/{}/{container}", pod.key.namespace, pod.key.name)
                }
                _ => "node".to_owned(),
            };
            let stored: Vec<Sample> = series.samples().collect();
            let expected = &expected[&key];
            // The oldest may have been dropped.
            let expected = &expected[expected.len() - stored.len()..];
            for (stored, expected) in stored.iter().zip(expected) {
                time = time.max(stored.at.0.abs_diff(expected.at.0));
                for (stored, expected) in [
                    (stored.cpu.0, expected.cpu.0),
                    (stored.memory.0, expected.memory.0),
                ] {
                    value = value.max(stored.abs_diff(expected) as f64 / expected.max(1) as f64);
                }
            }
        }
    }
    (time, value)
}
