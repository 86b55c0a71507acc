//! The result of a comparison: the document of `-o json`, and the rows of the other forms.

use schemars::JsonSchema;
use serde::Serialize;

use crate::export::{Datum, Heading, RecordCell, RecordList};
use crate::model::check::Object;
use crate::model::diff::{Difference, Side};

/// The differences of a cluster between two times.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DiffReport {
    /// The earlier time, in RFC 3339.
    pub since: String,
    /// The later time, in RFC 3339.
    pub until: String,
    /// The differences.
    pub differences: Vec<DifferenceItem>,
}

/// A difference.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DifferenceItem {
    /// What is different: `pod-new`, `restarts`, `cpu`, …
    pub what: String,
    /// The kind of the object.
    pub kind: String,
    /// The namespace of the object; empty for a node.
    pub namespace: String,
    /// The name of the object.
    pub name: String,
    /// The container, if the difference is one container's; else empty.
    pub container: String,
    /// The earlier state: a status, a number, cores of CPU or bytes of memory. Absent if there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<SideItem>,
    /// The later state, in the same form.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<SideItem>,
    /// More about it; may be empty.
    pub message: String,
}

/// One side of a difference.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum SideItem {
    /// A status.
    Text(String),
    /// A number of restarts, or bytes.
    Whole(u64),
    /// Cores.
    Cores(f64),
}

impl SideItem {
    fn of(side: &Side) -> Option<Self> {
        const CORE: f64 = 1e9;
        Some(match side {
            Side::None => return None,
            Side::Text(text) => Self::Text(text.clone()),
            Side::Count(count) => Self::Whole((*count).into()),
            Side::Memory(memory) => Self::Whole(memory.0),
            #[expect(
                clippy::cast_precision_loss,
                reason = "nine million cores are more than any cluster has"
            )]
            Side::Cpu(cpu) => Self::Cores(cpu.0 as f64 / CORE),
        })
    }

    fn datum(side: &Side) -> Datum<'static> {
        match Self::of(side) {
            None => Datum::Null,
            Some(Self::Text(text)) => text.into(),
            Some(Self::Whole(number)) => number.into(),
            Some(Self::Cores(cores)) => cores.into(),
        }
    }
}

impl From<&Difference> for DifferenceItem {
    fn from(difference: &Difference) -> Self {
        let Object {
            kind,
            namespace,
            name,
            container,
        } = difference.object.clone();
        Self {
            what: difference.what.name().to_owned(),
            kind,
            namespace,
            name,
            container,
            before: SideItem::of(&difference.before),
            after: SideItem::of(&difference.after),
            message: difference.message.clone(),
        }
    }
}

/// The differences as records.
pub(super) fn records(differences: &[Difference]) -> RecordList {
    let mut list = RecordList::new(vec![
        Heading::new("what", "WHAT"),
        Heading::of_tables("OBJECT"),
        Heading::of_data("kind"),
        Heading::of_data("namespace"),
        Heading::of_data("name"),
        Heading::of_data("container"),
        Heading::new("before", "BEFORE"),
        Heading::new("after", "AFTER"),
        Heading::new("message", "MESSAGE"),
    ]);
    for difference in differences {
        let object = &difference.object;
        let side = |side: &Side| RecordCell::new(side.text(), SideItem::datum(side));
        let cells = vec![
            RecordCell::text(difference.what.name()),
            RecordCell::text(object.text()),
            RecordCell::text(&object.kind),
            RecordCell::text(&object.namespace),
            RecordCell::text(&object.name),
            RecordCell::text(&object.container),
            side(&difference.before),
            side(&difference.after),
            RecordCell::text(crate::text::one_line(&difference.message)),
        ];
        list.push(object.reference(), cells);
    }
    list
}
