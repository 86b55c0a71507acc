//! The results of a scrape: samples for the history, and the state for readers.

use std::sync::Arc;

use kubevitals_proto::kubelet::resource::{ContainerKey, Reading, ResourceScrape};
use kubevitals_proto::time::Timestamp;
use kubevitals_proto::units::Bytes;

use super::duplicate;
use super::history;
use super::latest::{
    Absent, ContainerLatest, ContainerState, Latest, NodeLatest, PodLatest, PodRates, Provisional,
};
use super::rate::{NoRate, Point, Usage};
use super::ring::Sample;
use super::series::{Container, NodeSeries};
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
        let mut find = self.find_each();
        let containers = scrape.containers.iter().filter_map(move |(key, reading)| {
            let container = find(key)?;
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
        let mut provisional = Provisional::default();
        let mut find = self.find_each();
        let mut judged: Vec<Judged<'_>> = Vec::new();
        for group in scrape
            .containers
            .chunk_by(|(a, _), (b, _)| (a.namespace, a.pod) == (b.namespace, b.pod))
        {
            let Some((pod, _)) = group.first() else {
                continue;
            };
            judged.clear();
            judged.extend(group.iter().map(|(key, reading)| {
                let container = find(key);
                (container, judge(reading, container.map(|it| &it.tracked)))
            }));
            let first = containers.len();
            let mut earliest: Option<(Usage, Age)> = None;
            for ((container, usage), (_, reading)) in judged.iter().zip(group) {
                let (Some(container), Ok((usage, arrived))) = (container, usage) else {
                    break;
                };
                earliest = Some(earlier(earliest, (*usage, *arrived)));
                containers.push(ContainerLatest {
                    name: Arc::clone(&container.name),
                    cpu: usage.cpu,
                    memory: usage.memory,
                    swap: Bytes(reading.swap.unwrap_or_default()),
                });
            }
            let rates = if containers.len() - first == group.len() {
                let rates = earliest.and_then(|(usage, arrived)| {
                    let of_pod = containers.get(first..).unwrap_or_default();
                    PodRates::new(&usage, arrived, first, of_pod)
                });
                rates.ok_or(Absent::NotReported)
            } else {
                // A pod without rates has no containers, but a state for each of them.
                containers.truncate(first);
                let states = incomplete.len();
                incomplete.extend(judged.iter().zip(group).map(|(judged, (key, _))| {
                    let (container, usage) = judged;
                    let intern = || names.intern(key.container);
                    let name = container.map_or_else(intern, |it| Arc::clone(&it.name));
                    let why = usage.as_ref().err();
                    ContainerState {
                        pod: pods.len(),
                        absent: why.map(|why| why.of(scrape, Some((key, &name)))),
                        name,
                    }
                }));
                let states = incomplete.get(states..).unwrap_or_default();
                let mut reasons = states.iter().filter_map(|state| state.absent.clone());
                let absent = reasons.next().unwrap_or(Absent::NotReported);
                if absent.is_new_run()
                    && let Some((of_pod, all)) = self.provisional(group, &judged, now, names)
                {
                    provisional.add(pods.len(), &of_pod, all);
                }
                Err(absent)
            };
            let shared = judged.iter().find_map(|(container, _)| *container);
            let shared = shared.map(|container| container.pod.clone());
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
            provisional: (!provisional.is_empty()).then(|| Box::new(provisional)),
        }
    }

    /// The usage of a pod some of whose containers have just started, and of its containers. None if a container lacks
    /// more than its rate.
    fn provisional(
        &self,
        group: &[(ContainerKey<'_>, Reading)],
        judged: &[Judged<'_>],
        now: Age,
        names: &Interner,
    ) -> Option<((Usage, Age), Vec<ContainerLatest>)> {
        let (mut earliest, mut all) = (None, Vec::with_capacity(group.len()));
        for ((container, usage), (key, reading)) in judged.iter().zip(group) {
            let (usage, arrived) = match usage {
                Ok(of_pair) => *of_pair,
                Err(_) => (self.provisional_usage(reading)?, now),
            };
            earliest = Some(earlier(earliest, (usage, arrived)));
            let intern = || names.intern(key.container);
            all.push(ContainerLatest {
                name: container.map_or_else(intern, |it| Arc::clone(&it.name)),
                cpu: usage.cpu,
                memory: usage.memory,
                swap: Bytes(reading.swap.unwrap_or_default()),
            });
        }
        Some((earliest?, all))
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

/// A container of a scrape: its series, and its usage with the arrival of its newest sample.
type Judged<'a> = (Option<&'a Container>, Result<(Usage, Age), AbsentReason>);

/// Why a series has no usage.
#[derive(Clone, Copy)]
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
