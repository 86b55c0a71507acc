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
    /// What the workload says of its replicas; where it could not be asked, what its pods come to.
    fn replicas(&self) -> Replicas {
        self.replicas.unwrap_or(Replicas {
            desired: self.all.pods.saturating_sub(self.all.over),
            ready: self.all.ready,
        })
    }

    fn ready_text(&self) -> String {
        let Replicas { desired, ready } = self.replicas();
        format!("{ready}/{desired}")
    }

    fn is_ready(&self) -> bool {
        let Replicas { desired, ready } = self.replicas();
        ready >= desired
    }

    fn spread_text(&self) -> String {
        match (self.nodes, self.most_on_a_node) {
            (0, _) => String::new(),
            (1, _) => "1 node".to_owned(),
            (nodes, 0 | 1) => format!("{nodes} nodes, 1 each"),
            (nodes, most) => format!("{nodes} nodes, up to {most}"),
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
            Field::PodsReady => Some(self.replicas().ready.to_string().into()),
            Field::Desired => Some(self.replicas().desired.to_string().into()),
            Field::Nodes => Some(self.spread_text().into()),
            _ => rollup_text(&self.all, field),
        }
    }

    fn number(&self, field: Field, _: Timestamp) -> Option<f64> {
        match field {
            Field::Ready => Some(f64::from(u8::from(self.is_ready()))),
            Field::PodsReady => Some(self.replicas().ready.into()),
            Field::Desired => Some(self.replicas().desired.into()),
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
            C::text(Field::Nodes, "NODES", 8, 18, 6),
            C::number(Field::Failing, "FAILING", 7, 5),
            C::number(Field::Restarts, "RESTARTS", 8, C::ON_DEMAND),
            C::number(Field::Recent, "RESTARTS 1h", 11, 3),
            C::number(Field::Cpu, "CPU", 6, 1),
            C::number(Field::CpuOfRequest, "CPU %REQ", 8, 2),
            C::number(Field::CpuOfLimit, "CPU %LIM", 8, 7),
            C::number(Field::Memory, "MEM", 6, 1),
            C::number(Field::MemoryOfRequest, "MEM %REQ", 8, 2),
            C::number(Field::MemoryOfLimit, "MEM %LIM", 8, 7),
            C::number(Field::Pods, "PODS", 5, C::ON_DEMAND),
            C::number(Field::CpuRequest, "CPU REQ", 7, 8),
            C::number(Field::MemoryRequest, "MEM REQ", 7, 8),
            C::number(Field::CpuLimit, "CPU LIM", 7, C::ON_DEMAND),
            C::number(Field::MemoryLimit, "MEM LIM", 7, C::ON_DEMAND),
        ];
        COLUMNS
    }

    fn exported_with(field: Field) -> &'static [Field] {
        match field {
            Field::Ready => &[Field::PodsReady, Field::Desired],
            _ => &[],
        }
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
