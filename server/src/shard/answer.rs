//! The answers to other shards.

use std::io::{self, Write};

use prost::Message as _;

use super::messages::Hello;
use super::outbox::Changed;
use super::request::PeerRequest;
use super::shards::Shards;
use crate::state::wire::{Kind, Writer};
use crate::store::NodeReport;

impl Shards {
    /// Writes the answer to another shard.
    ///
    /// # Errors
    /// The error of `out`.
    pub fn write<W: Write>(&self, request: &PeerRequest, out: W) -> io::Result<W> {
        match request {
            PeerRequest::Latest { since, process } => {
                let since = if *process == self.process { *since } else { 0 };
                self.write_latest(since, out)
            }
            PeerRequest::HandOver(claim) => {
                let (out, _) = self.parts.write_nodes(out, |node| claim.owns(node))?;
                Ok(out)
            }
            PeerRequest::History(scope) => self.write_history(scope, out),
        }
    }

    fn write_latest<W: Write>(&self, since: u64, out: W) -> io::Result<W> {
        let (clock, cells) = (&self.parts.clock, self.parts.store.cells());
        let scope = self.scope.load();
        let batch = self
            .outbox
            .lock()
            .changes(since, &cells, |node| scope.scrapes(node));
        let mut writer = Writer::begin(out, clock.wall())?;
        let running = clock.elapsed().since(self.started_age).as_millis();
        let hello = Hello {
            index: scope.claim.index,
            count: scope.claim.count,
            started: self.started.0,
            running: u64::try_from(running).unwrap_or(u64::MAX),
            process: self.process.clone(),
            sequence: batch.sequence,
        };
        let mut payload = hello.encode_to_vec();
        writer.frame(Kind::Shard, &payload)?;
        for Changed {
            node,
            latest,
            extra,
        } in &batch.reports
        {
            let report = NodeReport::of(node, latest, extra.as_deref(), clock.elapsed());
            payload.clear();
            // Encoding into a Vec cannot fail.
            let _encoded = report.encode(&mut payload);
            writer.frame(Kind::Report, &payload)?;
        }
        for probes in &batch.probes {
            writer.frame(Kind::Probes, probes)?;
        }
        Ok(writer.end()?.0)
    }
}
