//! A full history for a server that starts: a state file with the nodes, pods and containers of the simulated cluster.
//!
//! The names, the UIDs and the starts of the containers are those of the cluster, so that the server continues the same
//! series. The values are those of twenty simulated nodes, each for every twentieth node.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use kubevitals_proto::clock::system_time;
use kubevitals_proto::kubelet::resource::{ResourceScrape, decode};
use kubevitals_proto::time::{Timestamp, nanos};
use kubevitals_server::cluster::{Binding, PodKey, Uid};
use kubevitals_server::intern::Interner;
use kubevitals_server::state::wire::{Kind, Writer};
use kubevitals_server::store::history::{Reading, run_number};
use kubevitals_server::store::ring::Sample;
use kubevitals_sim::Faults;

use crate::feed::{self, RESOLUTION, Scrape};
use crate::simulator::{Pod, Simulator};

/// The name of the state file in its folder.
const NAME: &str = "vitals.state";

/// The number of nodes whose values are simulated.
const SIMULATED: usize = 20;

/// The start of the simulation, in nanoseconds (see `feed`).
const SIMULATION_START: i64 = 1_800_000_000_000_000_000;

/// A written history.
#[derive(Clone, Debug)]
pub(crate) struct Written {
    path: PathBuf,
    pub(crate) points: usize,
    pub(crate) series: usize,
    pub(crate) bytes: u64,
    pub(crate) took: Duration,
}

impl Written {
    /// Copies the file into the folder of a server's state.
    pub(crate) fn copy_to(&self, folder: &Path) {
        fs::create_dir_all(folder).expect("a folder");
        fs::copy(&self.path, folder.join(NAME)).expect("space on the disk");
    }
}

/// Writes the state file into `folder`.
pub(crate) async fn write(cluster: &Simulator, retention: Duration, folder: &Path) -> Written {
    let began = Instant::now();
    let names = Interner::default();
    let mut uids: HashMap<PodKey, Uid> = HashMap::new();
    let add = |pod: Pod| {
        let pod = pod.metadata;
        let key = names.key(&pod.namespace, &pod.name);
        uids.insert(key, Uid::of(&pod.uid));
    };
    cluster.for_each_pod(add).await;
    let nodes = cluster.node_list().await;
    let turns = u32::try_from(retention.as_nanos() / RESOLUTION.as_nanos()).unwrap();
    let simulated = u32::try_from(SIMULATED.min(nodes.len())).unwrap();
    let pods = u32::try_from(cluster.pods_per_node).unwrap();
    let values = feed::simulation(simulated, pods, Faults::None, turns, &names);

    let path = folder.join(NAME);
    let file = BufWriter::new(File::create(&path).expect("a state file"));
    let written = system_time();
    let mut writer = Writer::begin(file, written).expect("space on the disk");
    let later = written.0 - SIMULATION_START - nanos(RESOLUTION * turns);
    let kubelets = cluster.kubelets();
    let (mut points, mut series, mut payload) = (0, 0, Vec::new());
    for (node, values) in nodes.iter().zip(values.iter().cycle()) {
        let page = kubelets.page(node).await;
        let own = containers(&page, &names);
        let history = feed::history();
        let name = names.intern(&node.name);
        let node_history = history.begin(&name).expect("a history that is on");
        let binding = |pod: &PodKey| {
            uids.get(pod)
                .map_or(Binding::Unknown, |uid| Binding::Here(*uid))
        };
        // In the first turns some containers have no rate yet.
        let all = values.iter().map(|it| it.containers.len()).max();
        let complete = |it: &&Scrape| Some(it.containers.len()) == all;
        for (turn, values) in (0..).zip(values).filter(|(_, it)| complete(it)) {
            let readings = readings(&own, values, later);
            let node = values.node.map(|sample| at_later(sample, later));
            node_history.take(feed::age(turn), node, readings, binding);
        }
        payload.clear();
        node_history.export(&node.name, feed::age(turns), &mut payload);
        writer
            .frame(Kind::History, &payload)
            .expect("space on the disk");
        let size = node_history.size();
        points += size.points;
        series += size.series;
    }
    let (mut file, bytes) = writer.end().expect("space on the disk");
    file.flush().expect("space on the disk");
    Written {
        path,
        points,
        series,
        bytes,
        took: began.elapsed(),
    }
}

/// A container of the cluster.
struct Container {
    pod: PodKey,
    name: Arc<str>,
    run: u32,
}

/// The containers of a page, in the order of a history.
fn containers(page: &[u8], names: &Interner) -> Vec<Container> {
    let mut scrape = ResourceScrape::default();
    decode(page, &mut scrape);
    let containers = scrape.containers.iter().map(|(key, reading)| Container {
        pod: names.key(key.namespace, key.pod),
        name: names.intern(key.container),
        run: run_number(Timestamp(reading.start.unwrap_or_default())),
    });
    containers.collect()
}

/// The containers of one node with the values of another.
fn readings<'a>(
    own: &'a [Container],
    values: &'a Scrape,
    later: i64,
) -> impl Iterator<Item = Reading<'a>> {
    let samples = values.containers.iter().map(|it| it.sample).cycle();
    own.iter().zip(samples).map(move |(own, sample)| Reading {
        pod: &own.pod,
        container: &own.name,
        sample: at_later(sample, later),
        run: own.run,
    })
}

fn at_later(sample: Sample, later: i64) -> Sample {
    Sample {
        at: sample.at.plus_nanos(later),
        ..sample
    }
}
