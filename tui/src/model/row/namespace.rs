//! Namespaces: their pods together.

use std::borrow::Cow;

use kubevitals_proto::time::Timestamp;

use super::rollup::Rollup;
use super::{Context, Row, plain_cell, recent_cell};
use crate::model::cell::Cell;
use crate::model::column::Column;
use crate::model::field::{Field, Fields};
use crate::model::name::{Key, Name};
use crate::model::tone::Tone;

/// A namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamespaceRow {
    /// Its name.
    pub name: Name,
    /// Its pods.
    pub all: Rollup,
}

/// Text of the fields that every rollup has.
pub(super) fn rollup_text(all: &Rollup, field: Field) -> Option<Cow<'static, str>> {
    Some(match field {
        Field::Pods => all.pods.to_string().into(),
        Field::PodsReady => all.ready.to_string().into(),
        Field::Failing => all.failing.to_string().into(),
        Field::Restarts => all.restarts.to_string().into(),
        Field::Recent => all.recent.to_string().into(),
        _ => all.figures().of(field)?.text(),
    })
}

/// Numbers of the fields that every rollup has.
pub(super) fn rollup_number(all: &Rollup, field: Field) -> Option<f64> {
    match field {
        Field::Pods => Some(all.pods.into()),
        Field::PodsReady => Some(all.ready.into()),
        Field::Failing => Some(all.failing.into()),
        Field::Restarts => Some(all.restarts.into()),
        Field::Recent => Some(all.recent.into()),
        _ => all.figures().of(field)?.number(),
    }
}

/// Cells of the fields that every rollup has, where they are not plain.
pub(super) fn rollup_cell(all: &Rollup, field: Field, context: &Context) -> Option<Cell> {
    match field {
        Field::Failing => {
            let tone = if all.failing > 0 {
                Tone::Bad
            } else {
                Tone::Dim
            };
            Some(Cell::new(all.failing.to_string().into(), tone))
        }
        Field::Recent => Some(recent_cell(all.recent)),
        _ => all.figures().of(field)?.cell(context),
    }
}

impl Fields for NamespaceRow {
    fn text(&self, field: Field, _: Timestamp) -> Option<Cow<'_, str>> {
        match field {
            Field::Name | Field::Namespace => Some((&*self.name).into()),
            _ => rollup_text(&self.all, field),
        }
    }

    fn number(&self, field: Field, _: Timestamp) -> Option<f64> {
        rollup_number(&self.all, field)
    }

    fn words(&self) -> &'static [Field] {
        &[Field::Name]
    }
}

impl Row for NamespaceRow {
    fn key(&self) -> Key {
        Key::named(&self.name)
    }

    fn columns() -> &'static [Column] {
        use Column as C;
        const COLUMNS: &[Column] = &[
            C::text(Field::Name, "NAME", 12, 63, 0),
            C::number(Field::Pods, "PODS", 5, 1),
            C::number(Field::PodsReady, "READY", 5, 2),
            C::number(Field::Failing, "FAILING", 7, 4),
            C::number(Field::Restarts, "RESTARTS", 8, C::ON_DEMAND),
            C::number(Field::Recent, "RESTARTS 1h", 11, 3),
            C::number(Field::Cpu, "CPU", 6, 1),
            C::number(Field::CpuRequest, "CPU REQ", 7, 5),
            C::number(Field::CpuOfRequest, "CPU %REQ", 8, 3),
            C::number(Field::CpuLimit, "CPU LIM", 7, 7),
            C::number(Field::Memory, "MEM", 6, 1),
            C::number(Field::MemoryRequest, "MEM REQ", 7, 5),
            C::number(Field::MemoryOfRequest, "MEM %REQ", 8, 3),
            C::number(Field::MemoryLimit, "MEM LIM", 7, 7),
        ];
        COLUMNS
    }

    fn cell(&self, field: Field, context: &Context) -> Cell {
        rollup_cell(&self.all, field, context)
            .unwrap_or_else(|| plain_cell(self.text(field, context.now).unwrap_or_default()))
    }
}
