//! Metrics of the shards.

use std::fmt;
use std::sync::Arc;

use super::claim::owner;
use super::members::Standing;
use super::shards::Shards;
use crate::telemetry::metrics::{Families, Registry, by_result, collect};

impl Shards {
    /// Registers them.
    pub fn register(self: &Arc<Self>, registry: &mut Registry) {
        let metrics = &self.metrics;
        registry.register(
            "kubevitals_shard_received_bytes",
            "Bytes that other shards have sent to this one",
            metrics.received.clone(),
        );
        registry.register(
            "kubevitals_shard_exchanges",
            "Requests for the latest values of other shards' nodes, by result",
            by_result(&metrics.answered, &metrics.failed),
        );
        registry.register(
            "kubevitals_shard_refused_reports",
            "Reports of nodes by other shards that were not used, by reason: own, because this shard scrapes the node too; \
             stale; older than what is stored; unknown to the API server; rival, from a shard whose index a later one has; \
             invalid",
            metrics.refused.clone(),
        );
        registry.register(
            "kubevitals_shard_hand_overs",
            "Requests for the series and the history of nodes that other shards scraped before, by result",
            by_result(&metrics.handed, &metrics.hand_over_failed),
        );
        collect(registry, Arc::clone(self), write);
    }
}

fn write(shards: &Arc<Shards>, families: &mut Families<'_>) -> fmt::Result {
    let claim = shards.claim();
    let now = shards.parts.clock.elapsed();
    let nodes = shards.parts.cluster.nodes();
    let mut counts = vec![0_u64; claim.count as usize];
    for node in nodes.keys() {
        let owner = owner(node, claim.count);
        if let Some(count) = counts.get_mut(owner as usize) {
            *count += 1;
        }
    }
    let names: Vec<String> = (0..claim.count).map(|index| index.to_string()).collect();
    let counts = names.iter().zip(counts);
    families.gauges(
        "kubevitals_shard_nodes",
        "Nodes that belong to each shard",
        ["shard"],
        counts.map(|(name, count)| ([&**name], count)),
    )?;
    let members = shards.members.lock();
    let standings: Vec<_> = (0..claim.count)
        .filter(|index| *index != claim.index)
        .zip(
            names
                .iter()
                .filter(|name| **name != claim.index.to_string()),
        )
        .map(|(index, name)| (name, members.standing(index, now)))
        .collect();
    drop(members);
    families.gauges(
        "kubevitals_shard_answers",
        "1 for each other shard that has answered within the last 10 seconds, else 0",
        ["shard"],
        standings.iter().map(|(name, standing)| {
            let answers = matches!(standing, Standing::Answers(..));
            ([&***name], u64::from(answers))
        }),
    )?;
    families.gauges(
        "kubevitals_shard_data_age_milliseconds",
        "Time since the last answer of each other shard that answers",
        ["shard"],
        standings
            .iter()
            .filter_map(|(name, standing)| match standing {
                Standing::Answers(_, at) => {
                    let age = now.since(at.age).as_millis();
                    Some(([&***name], u64::try_from(age).unwrap_or(u64::MAX)))
                }
                Standing::Gone(..) => None,
            }),
    )?;
    families.gauge(
        "kubevitals_shard_stands_by",
        "1 while another server with the same index, which started later, scrapes in place of this one, else 0",
        u64::from(shards.scope.load().stands_by),
    )
}
