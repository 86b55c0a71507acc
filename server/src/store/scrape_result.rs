//! The results of a scrape: samples for the history, and the state for readers.

use std::sync::Arc;

use kubevitals_proto::kubelet::resource::{ContainerKey, Reading, ResourceScrape};
use kubevitals_proto::time::Timestamp;
use kubevitals_proto::units::Bytes;

use super::duplicate;
use super::history;
use super::latest::{
    Absent, ContainerLatest, ContainerState, Latest, NodeLatest, PodLatest, PodRates,
};
use super::rate::{NoRate, Point, Usage};
use super::ring::Sample;
use super::series::NodeSeries;
use super::sorted::advance_to;
use super::tracked_series::Tracked;
use crate::clock::Age;
use crate::intern::Interner;

impl NodeSeries {
    /// The samples of the last scrape for the history: the node's own, and those of the containers with rates in the
    /// order of the scrape. They include samples of earlier scrapes that the kubelet repeats.
    pub fn readings<'a>(
        &'a self,
        scrape: &'a ResourceScrape<'_>,
    ) -> (Option<Sample>, impl Iterator<Item = history::Reading<'a>>) {
        let node = sample(&scrape.node, self.node());
        let mut existing = self.containers().iter().peekable();
        let containers = scrape.containers.iter().filter_map(move |(key, reading)| {
            let container = advance_to(&mut existing, |it| it.order(key))?;
            Some(history::Reading {
                pod: &container.pod,
                container: &container.name,
                sample: sample(reading, Some(&container.tracked))?,
                run: history::run_number(container.tracked.pair.last().start),
            })
        });
        (node, containers)
    }

    /// The state for readers after the last scrape.
    pub fn latest(&self, scrape: &ResourceScrape<'_>, now: Age, names: &Interner) -> Latest {
        let mut pods: Vec<PodLatest> = Vec::with_capacity(scrape.containers.len());
        let mut containers = Vec::with_capacity(scrape.containers.len());
        let mut incomplete: Vec<ContainerState> = Vec::new();
        let mut existing = self.containers().iter().peekable();
        for group in scrape
            .containers
            .chunk_by(|(a, _), (b, _)| (a.namespace, a.pod) == (b.namespace, b.pod))
        {
            let Some((pod, _)) = group.first() else {
                continue;
            };
            let (first, states) = (containers.len(), incomplete.len());
            let mut earliest: Option<(Usage, Age)> = None;
            let mut absent = None;
            let mut shared = None;
            for (key, reading) in group {
                let container = advance_to(&mut existing, |it| it.order(key));
                shared = container.map(|it| it.pod.clone()).or(shared);
                match judge(reading, container.map(|container| &container.tracked)) {
                    Ok((usage, arrived)) => {
                        earliest = Some(earlier(earliest, (usage, arrived)));
                        let name = container.map_or_else(
                            || names.intern(key.container),
                            |existing| Arc::clone(&existing.name),
                        );
                        incomplete.push(ContainerState {
                            pod: pods.len(),
                            name: Arc::clone(&name),
                            absent: None,
                        });
                        containers.push(ContainerLatest {
                            name,
                            cpu: usage.cpu,
                            memory: usage.memory,
                            swap: Bytes(reading.swap.unwrap_or_default()),
                        });
                    }
                    Err(why) => {
                        let name = names.intern(key.container);
                        let why = why.of(scrape, Some((key, &name)));
                        absent.get_or_insert_with(|| why.clone());
                        incomplete.push(ContainerState {
                            pod: pods.len(),
                            name,
                            absent: Some(why),
                        });
                    }
                }
            }
            let rates = match (absent, earliest) {
                (Some(absent), _) => Err(absent),
                (None, Some((usage, arrived))) => {
                    PodRates::new(&usage, arrived, first, group.len()).ok_or(Absent::NotReported)
                }
                (None, None) => Err(Absent::NotReported),
            };
            // Only an incomplete pod has a state for each container.
            match rates {
                Ok(_) => incomplete.truncate(states),
                Err(_) => containers.truncate(first),
            }
            let intern = || names.key(pod.namespace, pod.pod);
            pods.push(PodLatest {
                key: shared.unwrap_or_else(intern),
                rates,
                swap: Bytes(scrape.swap_of(pod.namespace, pod.pod)),
            });
        }
        Latest {
            scraped: now,
            node: judge(&scrape.node, self.node())
                .map(|(usage, arrived)| NodeLatest { usage, arrived })
                .map_err(|why| why.of(scrape, None)),
            pods: pods.into_boxed_slice(),
            containers: containers.into_boxed_slice(),
            incomplete: incomplete.into_boxed_slice(),
        }
    }
}

/// The usage of a series as a sample of the history.
fn sample(reading: &Reading, tracked: Option<&Tracked>) -> Option<Sample> {
    let (usage, _) = judge(reading, tracked).ok()?;
    Some(Sample {
        at: usage.at,
        cpu: usage.cpu,
        memory: usage.memory,
        swap: reading.swap.filter(|swap| *swap > 0).map(Bytes),
        restarted: false,
    })
}

/// Why a series has no usage.
enum AbsentReason {
    Lack(super::rate::Lack),
    NoRate(NoRate),
}

impl AbsentReason {
    /// Converts the reason for a container, given by key and name, or for the node.
    fn of(
        self,
        scrape: &ResourceScrape<'_>,
        whose: Option<(&ContainerKey<'_>, &Arc<str>)>,
    ) -> Absent {
        let (key, container) = whose.unzip();
        let container = container.map(Arc::clone);
        match self {
            Self::Lack(lack) => Absent::Incomplete {
                container,
                lack: duplicate::lack(scrape, key, lack),
            },
            Self::NoRate(why) => Absent::NoRate { container, why },
        }
    }
}

/// The usage of a series; an incomplete reading leaves it out of this response even if the series has a pair.
fn judge(reading: &Reading, tracked: Option<&Tracked>) -> Result<(Usage, Age), AbsentReason> {
    Point::whole(reading, Timestamp(0)).map_err(AbsentReason::Lack)?;
    let tracked = tracked.ok_or(AbsentReason::NoRate(NoRate::FirstPoint))?;
    tracked
        .pair
        .usage()
        .map(|usage| (usage, tracked.arrived))
        .map_err(AbsentReason::NoRate)
}

/// The earlier of two usages, and the earlier of their arrivals. Of two usages with the same time, the one with the
/// longer window.
pub(super) fn earlier(a: Option<(Usage, Age)>, (b, b_arrived): (Usage, Age)) -> (Usage, Age) {
    let Some((a, a_arrived)) = a else {
        return (b, b_arrived);
    };
    let b_first = (b.at, a.window) < (a.at, b.window);
    (if b_first { b } else { a }, a_arrived.min(b_arrived))
}
