//! Workloads: what makes pods, and its pods together.

use std::borrow::Cow;
use std::sync::Arc;

use kubevitals_proto::time::Timestamp;

use super::namespace::{rollup_cell, rollup_number, rollup_text};
use super::rollup::Rollup;
use super::{Context, Row, Workload, plain_cell};
use crate::model::cell::Cell;
use crate::model::column::Column;
use crate::model::field::{Field, Fields};
use crate::model::name::{Key, Name};
use crate::model::tone::Tone;

/// A Deployment, StatefulSet, DaemonSet, Job or what else owns pods.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkloadRow {
    /// Its namespace.
    pub namespace: Name,
    /// Its kind and name.
    pub workload: Arc<Workload>,
    /// Its pods.
    pub all: Rollup,
    /// On how many nodes they are.
    pub nodes: u32,
    /// How many of them are on the node that has most.
    pub most_on_a_node: u32,
    /// What the workload itself says of its replicas, where it could be asked.
    pub replicas: Option<Replicas>,
}

/// Replicas, as a workload's status tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Replicas {
    /// Wanted.
    pub desired: u32,
    /// Ready.
    pub ready: u32,
}

impl WorkloadRow {
    fn ready_text(&self) -> String {
        match self.replicas {
            Some(replicas) => format!("{}/{}", replicas.ready, replicas.desired),
            None => format!("{}/{}", self.all.ready, self.all.pods - self.all.over),
        }
    }

    fn is_ready(&self) -> bool {
        match self.replicas {
            Some(replicas) => replicas.ready >= replicas.desired,
            None => self.all.ready >= self.all.pods - self.all.over,
        }
    }

    fn spread_text(&self) -> String {
        if self.nodes == 0 {
            String::new()
        } else if self.nodes == 1 && self.all.pods > 1 {
            "one node".to_owned()
        } else {
            format!("{}, max {}", self.nodes, self.most_on_a_node)
        }
    }
}

impl Fields for WorkloadRow {
    fn text(&self, field: Field, _: Timestamp) -> Option<Cow<'_, str>> {
        match field {
            Field::Namespace => Some((&*self.namespace).into()),
            Field::Kind => Some((&*self.workload.kind).into()),
            Field::Name | Field::Workload => Some((&*self.workload.name).into()),
            Field::Ready => Some(self.ready_text().into()),
            Field::Desired => Some(
                self.replicas
                    .map_or("".into(), |replicas| replicas.desired.to_string().into()),
            ),
            Field::Nodes => Some(self.spread_text().into()),
            _ => rollup_text(&self.all, field),
        }
    }

    fn number(&self, field: Field, _: Timestamp) -> Option<f64> {
        match field {
            Field::Ready => Some(f64::from(u8::from(self.is_ready()))),
            Field::Desired => self.replicas.map(|replicas| replicas.desired.into()),
            Field::Nodes => Some(self.nodes.into()),
            _ => rollup_number(&self.all, field),
        }
    }

    fn words(&self) -> &'static [Field] {
        &[Field::Namespace, Field::Name, Field::Kind, Field::Nodes]
    }
}

impl Row for WorkloadRow {
    fn key(&self) -> Key {
        Key::new(&self.namespace, &self.workload.name).part(&self.workload.kind)
    }

    fn columns() -> &'static [Column] {
        use Column as C;
        const COLUMNS: &[Column] = &[
            C::text(Field::Namespace, "NAMESPACE", 9, 20, 3),
            C::text(Field::Kind, "KIND", 8, 12, 4),
            C::text(Field::Name, "NAME", 12, 63, 0),
            C::number(Field::Ready, "READY", 7, 1),
            C::text(Field::Nodes, "NODES", 8, 12, 6),
            C::number(Field::Failing, "FAILING", 7, 5),
            C::number(Field::Recent, "RESTARTS", 8, 3),
            C::number(Field::Cpu, "CPU", 6, 1),
            C::number(Field::CpuOfRequest, "%REQ", 5, 2),
            C::number(Field::CpuOfLimit, "%LIM", 5, 7),
            C::number(Field::Memory, "MEM", 6, 1),
            C::number(Field::MemoryOfRequest, "%REQ", 5, 2),
            C::number(Field::MemoryOfLimit, "%LIM", 5, 7),
            C::number(Field::Pods, "PODS", 5, C::ON_DEMAND),
            C::number(Field::CpuRequest, "CPUREQ", 6, 8),
            C::number(Field::MemoryRequest, "MEMREQ", 6, 8),
            C::number(Field::CpuLimit, "CPULIM", 6, C::ON_DEMAND),
            C::number(Field::MemoryLimit, "MEMLIM", 6, C::ON_DEMAND),
        ];
        COLUMNS
    }

    fn cell(&self, field: Field, context: &Context) -> Cell {
        if field == Field::Ready {
            let tone = if self.is_ready() {
                Tone::Plain
            } else {
                Tone::Warn
            };
            return Cell::new(self.ready_text().into(), tone);
        }
        rollup_cell(&self.all, field, context)
            .unwrap_or_else(|| plain_cell(self.text(field, context.now).unwrap_or_default()))
    }
}
