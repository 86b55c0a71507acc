//! Applies the answer of another shard to the store and to health.

use std::sync::Arc;
use std::time::Duration;

use kubevitals_proto::duration::GoDuration;
use kubevitals_proto::time::Timestamp;
use prost::Message as _;

use super::messages::{Hello, NodeProbes};
use super::shards::Shards;
use crate::cluster::Bindings;
use crate::scrape::{Instants, NodeFilter as _, ProbeSink as _};
use crate::state::wire::{Item, Kind, StateError};
use crate::store::history::Reading;
use crate::store::ring::Sample;
use crate::store::{History, Latest, NodeReport, Retention};

/// One answer.
pub(super) struct Inbox<'a> {
    shards: &'a Shards,
    /// The time of the request: data looks older than it is, never younger.
    pub(super) sent: Instants,
    /// What the same address said in its last answer.
    before: Option<Hello>,
    /// What it says now.
    pub(super) hello: Option<Hello>,
    /// Why the whole answer is refused.
    pub(super) refusal: Option<String>,
    /// Whether another server that started later has the same index.
    is_rival: bool,
}

impl<'a> Inbox<'a> {
    /// For the answer to a request at `sent`.
    pub(super) fn new(shards: &'a Shards, sent: Instants, before: Option<Hello>) -> Self {
        Self {
            shards,
            sent,
            before,
            hello: None,
            refusal: None,
            is_rival: false,
        }
    }

    /// Applies one item.
    ///
    /// # Errors
    /// The answer is refused as a whole; [`Self::refusal`] says why.
    pub(super) fn apply(&mut self, item: Item<'_>) -> Result<(), StateError> {
        match item {
            Item::Header { written } => self.begin(written),
            Item::Frame(Kind::Shard, payload) => self.hello(payload),
            Item::Frame(Kind::Report, payload) => {
                let result = self.report(payload);
                self.count(result);
                Ok(())
            }
            Item::Frame(Kind::Probes, payload) => {
                let result = self.probes(payload);
                self.count(result);
                Ok(())
            }
            Item::Frame(..) => Ok(()),
        }
    }

    fn count(&self, result: Result<(), &'static str>) {
        if let Err(reason) = result {
            self.shards.metrics.refused.inc([reason]);
        }
    }

    fn refuse(&mut self, why: String) -> Result<(), StateError> {
        self.refusal = Some(why);
        Err(StateError::TooOld)
    }

    /// The rates of an answer that was written long ago would look fresh, because they are sent with their ages.
    fn begin(&mut self, written: Timestamp) -> Result<(), StateError> {
        let ago = self.shards.parts.clock.wall().since(written);
        let ago = Duration::from_nanos(u64::try_from(ago).unwrap_or_default());
        if ago <= self.max_age() {
            return Ok(());
        }
        let (written, ago) = (written.to_rfc3339_seconds(), GoDuration::from(ago));
        self.refuse(format!(
            "its answer is dated {written}, {ago} ago; check the clocks of both machines"
        ))
    }

    fn hello(&mut self, payload: &[u8]) -> Result<(), StateError> {
        let Ok(hello) = Hello::decode(payload) else {
            return self.refuse("it does not say which shard it is".to_owned());
        };
        let is_older = self.before.as_ref().is_some_and(|before| {
            before.process == hello.process && before.running > hello.running
        });
        if is_older {
            return self.refuse("it has repeated an earlier answer".to_owned());
        }
        self.is_rival = self.shards.is_rival(&hello, self.sent.age);
        self.hello = Some(hello);
        Ok(())
    }

    fn max_age(&self) -> Duration {
        Retention::of(self.shards.parts.resolution).unseen
    }

    /// Whether a node's data can be used.
    fn check(&self, node: &str) -> Result<Arc<str>, &'static str> {
        if self.is_rival || self.hello.is_none() {
            return Err("rival");
        }
        let nodes = self.shards.parts.cluster.nodes();
        let (name, _) = nodes.get_key_value(node).ok_or("unknown")?;
        if self.shards.scrapes(name) {
            return Err("own");
        }
        Ok(Arc::clone(name))
    }

    fn report(&self, payload: &[u8]) -> Result<(), &'static str> {
        let parts = &self.shards.parts;
        let report = NodeReport::decode(payload).map_err(|_| "invalid")?;
        let node = self.check(&report.node)?;
        if report.scraped_ago() > self.max_age() {
            return Err("stale");
        }
        let names = parts.cluster.names();
        let latest = report.latest(self.sent.age, names);
        let cell = parts.store.add(&node, parts.resolution);
        let stored = cell.latest();
        let is_fresh = |stored: &Arc<Latest>| self.sent.age.since(stored.scraped) <= self.max_age();
        let stored = stored.filter(is_fresh).and_then(|stored| sampled(&stored));
        if sampled(&latest)
            .zip(stored)
            .is_some_and(|(new, stored)| new < stored)
        {
            return Err("older");
        }
        let extra = report.extra(self.sent.age, names);
        if let Some(of_others) = parts.store.history_of_others() {
            self.remember(of_others, &node, &latest);
        }
        if !cell.publish_remote(latest) {
            // The answer repeats a report, as after a lost answer.
            return Ok(());
        }
        if let Some(extra) = extra {
            cell.publish_extra(extra);
        }
        Ok(())
    }

    /// Stores samples for the causes of restarts, which each shard judges by itself, and for trends in watches.
    fn remember(&self, of_others: &History, node: &Arc<str>, latest: &Latest) {
        let Some(history) = of_others.begin(node) else {
            return;
        };
        let (now, bindings) = (self.sent.age, Bindings::of(&self.shards.parts.cluster));
        let pods = latest.whole(None, Retention::of(self.shards.parts.resolution), now);
        let readings = pods.flat_map(|(pod, rates, containers)| {
            containers.iter().map(move |container| Reading {
                pod: &pod.key,
                container: &container.name,
                sample: Sample {
                    at: rates.at,
                    cpu: container.cpu,
                    memory: container.memory,
                    swap: None,
                    restarted: false,
                },
                // Only the times of samples tell apart the runs of a container here.
                run: 0,
            })
        });
        let node_sample = latest.node.as_ref().ok().map(|of_node| Sample {
            at: of_node.usage.at,
            cpu: of_node.usage.cpu,
            memory: of_node.usage.memory,
            swap: None,
            restarted: false,
        });
        history.take(now, node_sample, readings, |pod| {
            bindings.of_name(pod, node)
        });
    }

    fn probes(&self, payload: &[u8]) -> Result<(), &'static str> {
        let probes = NodeProbes::decode(payload).map_err(|_| "invalid")?;
        let node = self.check(&probes.node)?;
        let health = &self.shards.parts.health;
        let now = self.shards.parts.clock.wall();
        health.probes(&node, &probes.scrape(), Timestamp(probes.at).min(now));
        Ok(())
    }
}

/// The kubelet's time of a node's own sample.
fn sampled(latest: &Latest) -> Option<Timestamp> {
    latest.node.as_ref().ok().map(|node| node.usage.at)
}
